//! The frame: what one sending covers. Knows neither sender nor receiver; `actors::feed` decides about both.

use serde::{Deserialize, Serialize};

use crate::ids::{ControlIndex, Generation, LeaderEpoch, Offset, PartitionId, TopicId};
use crate::position::PartitionCounters;
use crate::row::RowBatch;
use crate::time::Timestamp;

/// Asserts that `rows` is *every* row of `[from, to)` for the whole set named by `generation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Which topic, beyond its name.
    pub topic: TopicId,
    /// Which partition.
    pub partition: PartitionId,
    /// The leader the log was read from.
    pub leader_epoch: LeaderEpoch,
    /// The control index in force over the whole interval.
    pub index: ControlIndex,
    /// The subscription it answers.
    pub generation: Generation,
    /// First offset covered.
    pub from: Offset,
    /// Next offset after those covered; `from == to` proves only that nothing was lost.
    pub to: Offset,
    /// Prefix max before `from`.
    pub max_before: Timestamp,
    /// Prefix max before `to`.
    pub max_after: Timestamp,
    /// Accounting of the interval, all ranges.
    pub deltas: PartitionCounters,
    /// In order of offset.
    pub rows: RowBatch,
}
