//! A decoded interval of one partition: the rows of all views and keys. Knows no subscriber.

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::{ControlIndex, Generation, LeaderEpoch, Offset, PartitionId, TopicId};
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

impl Chunk {
    /// The frame of a reader who reads a partition alone and for all: under no leader, of no generation.
    #[must_use]
    pub fn alone(self, partition: PartitionId) -> Frame {
        let Self { index, from, to, max_before, max_after, deltas, rows } = self;
        Frame {
            topic: TopicId::default(),
            partition,
            leader_epoch: LeaderEpoch(0),
            index,
            generation: Generation::default(),
            from,
            to,
            max_before,
            max_after,
            deltas,
            rows,
        }
    }
}
