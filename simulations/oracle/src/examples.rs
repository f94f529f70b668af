//! Examples with answers worked out by hand; none was taken from the product.

mod accounting;
mod activation;
mod defaults;
mod derived;
mod exact;
mod ids;
mod instants;
mod last;
mod lists;
mod percentiles;
mod plans;
mod windows;

use featuregrid_protocol::ids::{ControlIndex, Offset, PartitionId};
use featuregrid_protocol::key;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::request::Sent;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Reading, Status, Value};

use crate::{Answer, AsOf, Oracle, Record};

/// 2026-01-01T12:00:00Z, a multiple of every hop used here.
const NOON: Timestamp = Timestamp(1_767_268_800_000_000);

/// Noon and so many microseconds.
fn noon(micros: i64) -> Timestamp {
    NOON + Span(micros)
}

/// So many seconds as microseconds.
fn seconds(seconds: i64) -> i64 {
    seconds * 1_000_000
}

/// A log under test.
struct Log(Oracle);

impl Log {
    fn new(plan: Plan) -> Self {
        let mut oracle = Oracle::new();
        oracle.activate(ControlIndex(0), OffsetVector::default(), plan);
        Self(oracle)
    }

    /// A payload whose log timestamp is its partition's clock: noon and so many microseconds.
    fn payload(&mut self, partition: u32, offset: Offset, log_micros: i64, payload: &str) {
        let payload = Some(payload.as_bytes().to_vec());
        let record = Record { offset, log_timestamp: noon(log_micros), admit: false, payload };
        self.0.push(PartitionId(partition), record).unwrap();
    }

    /// An event of `user` at noon and so many microseconds, written at that time.
    fn event(&mut self, partition: u32, offset: Offset, user: &str, micros: i64, amount: &str) {
        let ts = noon(micros);
        let payload = format!(r#"{{"user_id":"{user}","amount":{amount},"ts":"{ts}"}}"#);
        self.payload(partition, offset, micros, &payload);
    }

    /// An event of `u` at noon and so many microseconds that says this.
    fn says(&mut self, micros: i64, members: &str) {
        let payload = format!(r#"{{"user_id":"u","ts":"{}",{members}}}"#, noon(micros));
        self.payload(0, micros as Offset, micros, &payload);
    }

    fn read(&mut self, index: u64, v: &[Offset], user: &str, as_of: AsOf) -> Answer {
        let mut bytes = Vec::new();
        key::encode([user], &mut bytes);
        self.0.cut(ControlIndex(index), &vector(v)).unwrap().read("spend", &bytes, as_of).unwrap()
    }

    /// The same of a read that sends these values.
    fn read_with(&mut self, index: u64, v: &[Offset], user: &str, as_of: AsOf, sent: &[Sent]) -> Vec<Reading> {
        let mut bytes = Vec::new();
        key::encode([user], &mut bytes);
        let cut = self.0.cut(ControlIndex(index), &vector(v)).unwrap();
        cut.read_with("spend", &bytes, as_of, sent).unwrap().readings
    }

    /// The first feature, read at noon and so many microseconds after everything pushed.
    fn first(&mut self, user: &str, micros: i64) -> Reading {
        self.read(0, &[1000, 1000, 1000, 1000], user, AsOf::At(noon(micros))).readings.remove(0)
    }
}

/// A token: the next offset of partitions 0, 1, ...
fn vector(v: &[Offset]) -> OffsetVector {
    OffsetVector((0..).map(PartitionId).zip(v.iter().copied()).collect())
}

fn present(value: Value) -> Reading {
    Reading { value, ..none(Status::Present) }
}

fn count(count: i128) -> Reading {
    present(Value::Int(count))
}

fn decimal(unscaled: i128) -> Reading {
    present(Value::Decimal { unscaled, scale: 2 })
}

fn none(status: Status) -> Reading {
    Reading { value: Value::Null, status, inexact_input: false, partial_coverage: false, rounded: false }
}
