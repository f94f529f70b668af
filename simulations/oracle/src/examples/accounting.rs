//! Where records go: every check in its order, lateness by the own prefix, and the sums that must hold.

use featuregrid_protocol::ids::{ControlIndex, PartitionId, SourceId, ViewId};
use featuregrid_protocol::plan::LatenessClock;
use featuregrid_protocol::position::{PartitionCounters, ViewCounters};
use featuregrid_protocol::time::Span;

use super::plans::{edge, is};
use super::{Log, NOON, noon, seconds, vector};
use crate::{OracleError, Record};

fn counters(log: &mut Log, v: &[u64], partition: u32) -> PartitionCounters {
    let cut = log.0.cut(ControlIndex(0), &vector(v)).unwrap();
    let counters = cut.accounting().remove(&PartitionId(partition)).unwrap_or_default();
    assert!(counters.balanced());
    counters
}

#[test]
fn lateness_is_of_the_own_prefix() {
    let mut log = Log::new(edge());
    log.event(0, 0, "u", seconds(100), "1");
    log.event(0, 1, "u", seconds(40), "1"); // exactly allowed_lateness behind
    log.event(0, 2, "u", seconds(40) - 1, "1"); // one tick more
    log.event(1, 0, "u", seconds(40) - 1, "1"); // nothing before it in its partition
    log.event(0, 3, "u", seconds(130), "1");
    log.event(0, 4, "u", seconds(69), "1"); // now late, though newer than the second
    assert_eq!(counters(&mut log, &[5, 1], 0).late, 2);
    assert_eq!(counters(&mut log, &[5, 1], 0).routed, 3);
    assert_eq!(counters(&mut log, &[5, 1], 1).late, 0);
    assert_eq!(counters(&mut log, &[2, 1], 0).late, 0);
}

#[test]
fn by_append_time_lateness_is_of_the_own_record() {
    let mut plan = edge();
    plan.sources[0].lateness_clock = LatenessClock::AppendTime;
    let mut log = Log::new(plan);
    let records = [
        (seconds(100), seconds(40)), // exactly allowed_lateness behind its append
        (seconds(100), seconds(40) - 1),
        (seconds(100), seconds(400)), // as far ahead as is allowed: makes nothing late
        (seconds(100), seconds(40)),
        (seconds(99), seconds(39)), // another broker, whose clock is behind
    ];
    for (offset, (appended, ts)) in (0..).zip(records) {
        log.payload(0, offset, appended, &format!(r#"{{"ts":"{}","user_id":"u","amount":1}}"#, noon(ts)));
    }
    let counters = counters(&mut log, &[5], 0);
    assert_eq!((counters.late, counters.routed), (1, 4));
}

#[test]
fn what_moves_the_prefix() {
    let event = |micros: i64, rest: &str| format!(r#"{{"ts":"{}",{rest}}}"#, noon(micros));
    let good = r#""user_id":"u","amount":1"#;
    let probe = event(0, good);
    // A record of a wrong type or a null key is dead and moves the prefix; one that is late, in the future, without a
    // timestamp or not JSON moves nothing.
    for (middle, moves) in [
        (event(seconds(100), r#""user_id":"u","amount":true"#), true),
        (event(seconds(100), r#""user_id":null,"amount":1"#), true),
        (event(seconds(100), r#""amount":1"#), true),
        (event(seconds(301), good), false),
        (format!("{{{good}}}"), false),
        (event(seconds(100), good).replace("ts", "at"), false),
        (event(seconds(100), good).replace('}', ""), false),
    ] {
        let mut log = Log::new(edge());
        log.payload(0, 0, 0, &event(1, good));
        log.payload(0, 1, 0, &middle);
        log.payload(0, 2, 0, &probe);
        let counters = counters(&mut log, &[3], 0);
        assert_eq!(counters.dead_lettered, 1, "{middle}");
        assert_eq!(counters.late, u64::from(moves), "{middle}");
    }
}

#[test]
fn the_future_is_measured_from_the_record() {
    let mut log = Log::new(edge());
    let at = |micros| format!(r#"{{"user_id":"u","ts":"{}"}}"#, noon(micros));
    log.payload(0, 0, 0, &at(seconds(300)));
    log.payload(0, 1, 0, &at(seconds(300) + 1));
    log.payload(0, 2, 1, &at(seconds(300) + 1));
    let counters = counters(&mut log, &[3], 0);
    assert_eq!((counters.routed, counters.dead_lettered), (2, 1));
}

#[test]
fn an_admitted_record_is_never_late() {
    let mut log = Log::new(edge());
    log.event(0, 0, "u", seconds(1000), "1");
    let payload = format!(r#"{{"user_id":"u","ts":"{NOON}"}}"#);
    let record =
        |offset, admit| Record { offset, log_timestamp: NOON, admit, payload: Some(payload.clone().into_bytes()) };
    log.0.push(PartitionId(0), record(1, true)).unwrap();
    log.0.push(PartitionId(0), record(2, false)).unwrap();
    let counters = counters(&mut log, &[3], 0);
    assert_eq!((counters.routed, counters.late), (2, 1));
}

#[test]
fn every_record_is_counted_once() {
    let mut plan = edge();
    plan.views[0].filter = Some(is(2, "purchase"));
    let mut other = plan.views[0].clone();
    (other.id, other.name, other.filter) = (ViewId(2), "other".into(), None);
    other.measures.truncate(1);
    other.features.truncate(2);
    let mut log = Log::new(plan.clone());
    let purchase = |rest: &str| format!(r#"{{"ts":"{NOON}","type":"purchase",{rest}}}"#);
    let payloads = [
        purchase(r#""user_id":"u","amount":1"#),                     // routed
        purchase(r#""user_id":7,"amount":1"#),                       // routed: a number is a key as written
        purchase(r#""user_id":"u","amount":"one""#),                 // dead: wrong type
        purchase(r#""user_id":{},"amount":1"#),                      // dead: wrong type of key
        format!(r#"{{"ts":"{NOON}","type":"view","user_id":"u"}}"#), // unmatched
        format!(r#"{{"ts":"{NOON}","type":null,"user_id":"u"}}"#),   // unmatched
        format!(r#"{{"ts":"{NOON}","type":5,"user_id":"u"}}"#),      // dead: the filter cannot tell
        purchase(&format!(r#""user_id":"{}""#, "k".repeat(1025))),   // dead: key too long
    ];
    // Offsets have holes.
    for (at, payload) in payloads.iter().enumerate() {
        log.payload(0, at as u64 * 3, 0, payload);
    }
    let tombstone = Record { offset: 100, log_timestamp: NOON, admit: false, payload: None };
    log.0.push(PartitionId(0), tombstone).unwrap();
    let mut want = PartitionCounters {
        records: 9,
        late: 0,
        dead_lettered: 4,
        tombstones: 1,
        unmatched: 2,
        routed: 2,
        views: [(ViewId(1), ViewCounters { rows: 6, rejected: 4 })].into(),
    };
    assert_eq!(counters(&mut log, &[101], 0), want);
    assert_eq!(log.0.cut(ControlIndex(0), &vector(&[101])).unwrap().applied("spend"), Ok(2));

    // Beside a view that takes all but the unusable keys, three of the four dead and both unmatched are routed.
    plan.views.push(other);
    log.0.activate(ControlIndex(0), vector(&[]), plan);
    (want.dead_lettered, want.unmatched, want.routed) = (2, 0, 6);
    want.views.insert(ViewId(2), ViewCounters { rows: 8, rejected: 2 });
    assert_eq!(counters(&mut log, &[101], 0), want);
}

#[test]
fn records_come_once_and_in_order() {
    let mut log = Log::new(edge());
    log.event(0, 5, "u", 0, "1");
    let again = Record { offset: 5, log_timestamp: NOON + Span(1), admit: false, payload: None };
    let wrong = OracleError::OutOfOrder { partition: PartitionId(0), offset: 5, last: 5 };
    assert_eq!(log.0.push(PartitionId(0), again), Err(wrong));
    let unknown = log.0.cut(ControlIndex(3), &vector(&[])).map(|cut| cut.t_max(SourceId(0)));
    assert_eq!(unknown, Err(OracleError::UnknownIndex(ControlIndex(3))));
}
