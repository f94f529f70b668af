//! W1, the reference workload: payments by user, the input of every ingest figure. Knows neither reader nor log.
//!
//! Records of about 300 bytes in the shape of a general event envelope (metadata, payload, context), keyed by user over
//! four partitions. Event times advance evenly over the span and are then moved back by up to `disorder`; the record's
//! CreateTime is the time before that. Some are moved back far enough to be late for certain: by two minutes, and only
//! once their partition has seen an event more than the allowed minute after that. Some are malformed, each kind in turn.

mod payload;

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::partitioner;
use featuregrid_protocol::time::{Span, Timestamp};

use crate::random::Random;

use super::zipf::Zipf;
use super::{Expected, Produced, Records};
use payload::{Event, Malformed};

/// The definitions the workload is made for: one view by user, thirty features.
pub const DEFINITIONS: &str = include_str!("../../../tests/accept/fraud.yaml");

/// As [`DEFINITIONS`] says.
const ALLOWED_LATENESS: Span = Span::seconds(60);
/// Further back than lateness and disorder together, so that no late record is late by a hair.
const LATE_BY: Span = Span::seconds(120);

/// What may be turned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Equal parameters make equal records.
    pub seed: u64,
    /// How many records.
    pub events: u64,
    /// Partitions of the topic.
    pub partitions: u32,
    /// Users, the first of them the most active: Zipf 0.8.
    pub users: u32,
    /// The first CreateTime, a whole millisecond.
    pub start: Timestamp,
    /// The time the records are spread over.
    pub span: Span,
    /// How far an event time may lie behind its record's CreateTime; less than the allowed lateness.
    pub disorder: Span,
    /// Of 100,000 records, how many are late.
    pub late: u32,
    /// Of 100,000 records, how many are malformed.
    pub malformed: u32,
    /// Of 100,000 records, how many have no payload.
    pub tombstones: u32,
}

impl Parameters {
    /// W1 as it is specified, with so many events.
    #[must_use]
    pub fn new(seed: u64, events: u64) -> Self {
        Self {
            seed,
            events,
            partitions: 4,
            users: 100_000,
            start: Timestamp(1_767_225_600_000_000), // 2026-01-01T00:00:00Z
            span: Span::seconds(48 * 3600),
            disorder: Span::seconds(2),
            late: 1000,
            malformed: 100,
            tombstones: 0,
        }
    }
}

/// The records of W1, in the order they are appended.
#[derive(Clone, Debug)]
pub struct W1 {
    parameters: Parameters,
    users: Zipf,
    user_stream: Random,
    time_stream: Random,
    fate_stream: Random,
    content_stream: Random,
    expected: Expected,
    /// Late records that no partition has allowed yet.
    owed: u64,
    malformed: usize,
    /// Per partition, the largest event time that was sent in good order.
    newest: Vec<Timestamp>,
}

/// What a record shall become.
enum Fate {
    Good,
    Malformed(Malformed),
    Tombstone,
}

impl W1 {
    /// The records of `parameters`.
    #[must_use]
    pub fn new(parameters: Parameters) -> Self {
        let root = Random::new(parameters.seed);
        Self {
            users: Zipf::new(parameters.users),
            user_stream: root.fork("user"),
            time_stream: root.fork("time"),
            fate_stream: root.fork("fate"),
            content_stream: root.fork("content"),
            expected: Expected::default(),
            owed: 0,
            malformed: 0,
            newest: vec![Timestamp::MIN; parameters.partitions.max(1) as usize],
            parameters,
        }
    }

    /// Where the records produced so far must go.
    #[must_use]
    pub fn expected(&self) -> Expected {
        self.expected
    }

    fn fate(&mut self) -> Fate {
        let Parameters { tombstones, malformed, late, .. } = self.parameters;
        let drawn = self.fate_stream.below(100_000) as u32;
        if drawn < tombstones {
            return Fate::Tombstone;
        }
        if drawn < tombstones + malformed {
            self.malformed += 1;
            return Fate::Malformed(Malformed::ALL[self.malformed % Malformed::ALL.len()]);
        }
        self.owed += u64::from(drawn < tombstones + malformed + late);
        Fate::Good
    }

    /// CreateTime of the next record, on a whole millisecond.
    fn created(&self) -> Timestamp {
        let Parameters { start, span, events, .. } = &self.parameters;
        let passed = u128::from(self.expected.records) * span.0.max(0) as u128 / u128::from((*events).max(1));
        *start + Span::millis((passed / 1000) as i64)
    }

    /// The event time of a good record: in disorder, or late where one is owed and certain to be.
    fn event_time(&mut self, partition: PartitionId, disordered: Timestamp) -> Timestamp {
        let newest = &mut self.newest[partition.0 as usize];
        let shifted = disordered - LATE_BY;
        if self.owed > 0 && shifted < *newest - ALLOWED_LATENESS {
            self.owed -= 1;
            self.expected.late += 1;
            return shifted;
        }
        *newest = disordered.max(*newest);
        self.expected.routed += 1;
        disordered
    }
}

impl Iterator for W1 {
    type Item = Produced;

    fn next(&mut self) -> Option<Produced> {
        if self.expected.records >= self.parameters.events {
            return None;
        }
        let created = self.created();
        let disorder_millis = self.parameters.disorder.0.max(0) / 1000;
        let disordered = created - Span::millis(self.time_stream.between(0, disorder_millis));
        let user = self.users.draw(&mut self.user_stream) + 1;
        let key = payload::user(user);
        let partition = PartitionId(partitioner::partition(&key, self.parameters.partitions));
        let fate = self.fate();
        self.expected.records += 1;
        let mut event = Event::draw(&mut self.content_stream, user, disordered);
        let payload = match fate {
            Fate::Tombstone => {
                self.expected.tombstones += 1;
                None
            }
            Fate::Good => {
                event.ts = self.event_time(partition, disordered);
                Some(event.json(&key))
            }
            Fate::Malformed(kind) => {
                self.expected.dead_lettered += 1;
                if kind.is_found_by_the_view() {
                    self.expected.rejected += 1;
                    let newest = &mut self.newest[partition.0 as usize];
                    *newest = disordered.max(*newest);
                }
                Some(event.malformed(&key, kind))
            }
        };
        Some(Produced { partition, key, log_timestamp: created, payload })
    }
}

impl Records for W1 {
    fn expected(&self) -> Expected {
        self.expected
    }
}

#[cfg(test)]
mod tests;
