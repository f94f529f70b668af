//! What workloads without any mess share: records spread evenly over a time. Knows no payload.

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::partitioner;
use featuregrid_protocol::time::{Span, Timestamp};

use super::{Expected, Produced};
use crate::random::Random;

/// What may be turned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Even {
    /// Equal parameters make equal records.
    pub seed: u64,
    /// How many records.
    pub events: u64,
    /// Partitions of the topic.
    pub partitions: u32,
    /// How many users or sensors there are.
    pub keys: u32,
    /// The first CreateTime, a whole millisecond.
    pub start: Timestamp,
    /// The time the records are spread over.
    pub span: Span,
    /// How far an event time may lie behind its record's CreateTime; less than the allowed lateness.
    pub disorder: Span,
}

/// The time line of a workload: which record is next, and when.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    even: Even,
    times: Random,
    records: u64,
}

/// When a record is appended, and when what it tells of happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    created: Timestamp,
    pub(super) event: Timestamp,
}

impl Timeline {
    pub(super) fn new(even: Even, root: &Random) -> Self {
        Self { times: root.fork("time"), even, records: 0 }
    }

    pub(super) fn keys(&self) -> u32 {
        self.even.keys.max(1)
    }

    /// The next record's, both on whole milliseconds; nothing after the last.
    pub(super) fn next(&mut self) -> Option<Moment> {
        let Even { events, start, span, disorder, .. } = &self.even;
        if self.records >= *events {
            return None;
        }
        let passed = u128::from(self.records) * span.0.max(0) as u128 / u128::from(*events);
        self.records += 1;
        let created = *start + Span::millis((passed / 1000) as i64);
        Some(Moment { created, event: created - Span::millis(self.times.between(0, disorder.0.max(0) / 1000)) })
    }

    pub(super) fn produced(&self, key: Vec<u8>, moment: Moment, payload: Vec<u8>) -> Produced {
        let partition = PartitionId(partitioner::partition(&key, self.even.partitions));
        Produced { partition, key, log_timestamp: moment.created, payload: Some(payload) }
    }

    /// Every record is taken: none is late, malformed or without a view.
    pub(super) fn expected(&self) -> Expected {
        Expected { records: self.records, routed: self.records, ..Expected::default() }
    }
}
