//! A decoded interval of one partition: the rows of all views and keys. Knows no subscriber.

use featuregrid_protocol::ids::{ControlIndex, Offset};
use featuregrid_protocol::position::PartitionCounters;
use featuregrid_protocol::row::RowBatch;
use featuregrid_protocol::time::Timestamp;

/// Every row of `[from, to)`, decoded under one control index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The control index in force over the interval.
    pub index: ControlIndex,
    /// First offset covered.
    pub from: Offset,
    /// Next offset after those covered.
    pub to: Offset,
    /// Prefix max before `from`.
    pub max_before: Timestamp,
    /// Prefix max before `to`.
    pub max_after: Timestamp,
    /// Accounting of the interval.
    pub deltas: PartitionCounters,
    /// In order of offset, then of view.
    pub rows: RowBatch,
}
