//! Duplicates by event id: the first offset of a partition counts, as long as a copy would not be late.

use featuregrid_protocol::ids::{ControlIndex, PartitionId};
use featuregrid_protocol::limits::ID_OFFSETS_MAX;
use featuregrid_protocol::plan::{LatenessClock, Operator, Plan};
use featuregrid_protocol::value::Status;

use super::plans::{is, plan, rows};
use super::{AsOf, Log, count, none, noon, seconds, vector};
use crate::Record;

/// `count_5m` and `count_lifetime` over a source whose event id is `id`.
fn counts() -> Plan {
    let mut plan = plan(&[(0, &[(Operator::Count, 0, 300), (Operator::Count, 0, 0)])], vec![rows()]);
    plan.sources[0].event_id = Some(vec!["id".into()]);
    plan
}

/// An event of user `u`; `id` as JSON.
fn event(log: &mut Log, partition: u32, offset: u64, micros: i64, id: &str) {
    let payload = format!(r#"{{"user_id":"u","id":{id},"ts":"{}"}}"#, noon(micros));
    log.payload(partition, offset, micros, &payload);
}

/// (rows, applied, duplicate, rejected) of the view below the token; applied is also what lifetime counts.
fn books(log: &mut Log, index: u64, v: &[u64]) -> [u64; 4] {
    let cut = log.0.cut(ControlIndex(index), &vector(v)).unwrap();
    let counters = cut.totals().views.values().next().copied().unwrap_or_default();
    let (applied, duplicate) = (cut.applied("spend").unwrap(), cut.duplicates("spend").unwrap());
    assert_eq!(counters.rows, applied + duplicate + counters.rejected);
    assert_eq!(cut.rows("spend", |_| true), Ok(applied));
    [counters.rows, applied, duplicate, counters.rejected]
}

#[test]
fn the_first_offset_counts() {
    let mut log = Log::new(counts());
    event(&mut log, 0, 0, 5, r#""a""#);
    event(&mut log, 0, 1, 6, r#""b""#);
    // A copy with another time is a copy: what counts is the first.
    event(&mut log, 0, 2, 3, r#""a""#);
    assert_eq!(books(&mut log, 0, &[2]), [2, 2, 0, 0]);
    assert_eq!(books(&mut log, 0, &[3]), [3, 2, 1, 0]);
    assert_eq!(log.first("u", 5), none(Status::NotFound));
    assert_eq!(log.first("u", 6), count(1));
    assert_eq!(log.first("u", 7), count(2));
}

#[test]
fn an_id_is_text_or_a_number_as_written() {
    let mut log = Log::new(counts());
    for (offset, id) in (0..).zip([r#""7""#, "7", "7.0", r#""""#, r#""""#, r#""\u0037""#]) {
        event(&mut log, 0, offset, 0, id);
    }
    assert_eq!(books(&mut log, 0, &[6]), [6, 3, 3, 0]);
}

#[test]
fn a_record_without_an_id_is_never_a_duplicate() {
    let mut log = Log::new(counts());
    event(&mut log, 0, 0, 0, "null");
    event(&mut log, 0, 1, 0, "null");
    log.payload(0, 2, 0, &format!(r#"{{"user_id":"u","ts":"{}"}}"#, noon(0)));
    log.payload(0, 3, 0, &format!(r#"{{"user_id":"u","ts":"{}"}}"#, noon(0)));
    assert_eq!(books(&mut log, 0, &[4]), [4, 4, 0, 0]);
}

#[test]
fn an_id_of_a_wrong_type_is_rejected() {
    let mut plan = counts();
    plan.views[0].filter = Some(is(2, "purchase"));
    let mut log = Log::new(plan);
    let payload = |kind: &str, id: &str| format!(r#"{{"user_id":"u","type":"{kind}","id":{id},"ts":"{}"}}"#, noon(0));
    for (offset, id) in (0..).zip(["true", "{}", r#"["a"]"#, r#""a""#]) {
        log.payload(0, offset, 0, &payload("purchase", id));
    }
    // A view that does not want the record does not look at its id.
    log.payload(0, 4, 0, &payload("visit", "true"));
    assert_eq!(books(&mut log, 0, &[5]), [4, 1, 0, 3]);
    let totals = log.0.cut(ControlIndex(0), &vector(&[5])).unwrap().totals();
    assert_eq!((totals.dead_lettered, totals.routed, totals.unmatched), (3, 1, 1));
}

#[test]
fn copies_on_different_partitions_are_not_detected() {
    let mut log = Log::new(counts());
    event(&mut log, 0, 0, 0, r#""a""#);
    event(&mut log, 1, 0, 0, r#""a""#);
    event(&mut log, 1, 1, 0, r#""a""#);
    assert_eq!(books(&mut log, 0, &[1, 2]), [3, 2, 1, 0]);
}

#[test]
fn an_id_belongs_to_its_key() {
    let mut log = Log::new(counts());
    event(&mut log, 0, 0, 0, r#""a""#);
    log.payload(0, 1, 0, &format!(r#"{{"user_id":"w","id":"a","ts":"{}"}}"#, noon(0)));
    assert_eq!(books(&mut log, 0, &[2]), [2, 2, 0, 0]);
}

#[test]
fn an_id_is_kept_as_long_as_its_copy_would_not_be_late() {
    let mut log = Log::new(counts());
    event(&mut log, 0, 0, 0, r#""a""#);
    // The horizon is a minute: exactly there the id is still known, and the copy with its own time is not late.
    event(&mut log, 0, 1, seconds(60), r#""b""#);
    event(&mut log, 0, 2, 0, r#""a""#);
    // One tick later the copy is late, never a duplicate; the same id with a new time is a new event.
    event(&mut log, 0, 3, seconds(60) + 1, r#""c""#);
    event(&mut log, 0, 4, 0, r#""a""#);
    event(&mut log, 0, 5, seconds(61), r#""a""#);
    // It is the first of its time again.
    event(&mut log, 0, 6, seconds(61), r#""a""#);
    assert_eq!(books(&mut log, 0, &[3]), [3, 2, 1, 0]);
    assert_eq!(books(&mut log, 0, &[7]), [6, 4, 2, 0]);
    let totals = log.0.cut(ControlIndex(0), &vector(&[7])).unwrap().totals();
    assert_eq!((totals.records, totals.late, totals.routed), (7, 1, 6));
}

#[test]
fn the_prefix_before_the_copy_decides() {
    let mut log = Log::new(counts());
    event(&mut log, 0, 0, 0, r#""a""#);
    // Its own time would forget the id it repeats; but it comes while the id is known.
    event(&mut log, 0, 1, seconds(100), r#""a""#);
    event(&mut log, 0, 2, seconds(100), r#""a""#);
    assert_eq!(books(&mut log, 0, &[3]), [3, 2, 1, 0]);
    // The clock of another partition forgets nothing.
    event(&mut log, 1, 0, seconds(200), r#""b""#);
    event(&mut log, 0, 3, seconds(101), r#""a""#);
    assert_eq!(books(&mut log, 0, &[4, 1]), [5, 3, 2, 0]);
}

#[test]
fn an_id_is_known_for_so_many_offsets_though_time_stands_still() {
    let mut log = Log::new(counts());
    let far = ID_OFFSETS_MAX;
    event(&mut log, 0, 5, 0, r#""a""#);
    event(&mut log, 0, 6, 0, r#""b""#);
    // The last offset that "a" is known to; it is "a" of offset 5 that is known, not the copy.
    event(&mut log, 0, 5 + far, 0, r#""a""#);
    event(&mut log, 0, 6 + far, 0, r#""a""#);
    // From now on it is this one.
    event(&mut log, 0, 7 + far, 0, r#""b""#);
    event(&mut log, 0, 6 + 2 * far, 0, r#""a""#);
    // Offsets of another partition are nobody's distance.
    event(&mut log, 1, 7 + 3 * far, 0, r#""c""#);
    assert_eq!(books(&mut log, 0, &[6 + far]), [3, 2, 1, 0]);
    assert_eq!(books(&mut log, 0, &[7 + far]), [4, 3, 1, 0]);
    assert_eq!(books(&mut log, 0, &[8 + far]), [5, 4, 1, 0]);
    assert_eq!(books(&mut log, 0, &[7 + 2 * far, 8 + 3 * far]), [7, 5, 2, 0]);
}

#[test]
fn by_append_time_an_id_is_known_until_no_copy_can_be_in_time() {
    let mut plan = counts();
    plan.sources[0].lateness_clock = LatenessClock::AppendTime;
    let mut log = Log::new(plan);
    let at = |log: &mut Log, offset, appended, ts, id: &str| {
        log.payload(0, offset, appended, &format!(r#"{{"user_id":"u","id":"{id}","ts":"{}"}}"#, noon(ts)));
    };
    at(&mut log, 0, 0, 0, "a");
    // A clock five minutes ahead, all that is allowed, makes nothing late and forgets nothing that may come.
    at(&mut log, 1, 0, seconds(300), "b");
    at(&mut log, 2, seconds(60), 0, "a");
    at(&mut log, 3, seconds(60) + 1, 0, "a");
    at(&mut log, 4, seconds(60) + 1, seconds(60), "c");
    assert_eq!(books(&mut log, 0, &[5]), [4, 3, 1, 0]);
    let totals = log.0.cut(ControlIndex(0), &vector(&[5])).unwrap().totals();
    assert_eq!((totals.records, totals.late, totals.routed), (5, 1, 4));
    // Six minutes behind the prefix max it is still known, one tick more and it is not.
    at(&mut log, 5, seconds(61), seconds(360), "d");
    at(&mut log, 6, seconds(61), seconds(70), "a");
    at(&mut log, 7, seconds(61), seconds(360) + 1, "e");
    at(&mut log, 8, seconds(61), seconds(70), "a");
    assert_eq!(books(&mut log, 0, &[9]), [8, 6, 2, 0]);
}

#[test]
fn an_admitted_record_is_as_old_as_it_is() {
    let mut log = Log::new(counts());
    event(&mut log, 0, 0, seconds(1000), r#""a""#);
    let payload = format!(r#"{{"user_id":"u","id":"x","ts":"{}"}}"#, noon(0));
    for offset in 1..3 {
        let payload = Some(payload.clone().into_bytes());
        let record = Record { offset, log_timestamp: noon(0), admit: true, payload };
        log.0.push(PartitionId(0), record).unwrap();
    }
    assert_eq!(books(&mut log, 0, &[3]), [3, 3, 0, 0]);
}

#[test]
fn a_duplicate_is_one_for_every_ladder_and_under_every_entry() {
    let with = |index: u64, ladders: &[u64], ids: bool| {
        let windows: Vec<_> = ladders.iter().map(|since| (*since, &[(Operator::Count, 0, 300)][..])).collect();
        let mut plan = plan(&windows, vec![rows()]);
        plan.index = ControlIndex(index);
        plan.sources[0].event_id = ids.then(|| vec!["id".into()]);
        plan
    };
    let mut log = Log::new(with(0, &[0], true));
    for offset in 0..8 {
        event(&mut log, 0, offset, offset as i64, if offset % 2 == 0 { r#""a""# } else { r#""b""# });
    }
    // Entry 1 adds a ladder after the first "a" and "b"; entry 2 has no ids for two records; entry 3 keeps only the
    // ladder that never saw the first ones.
    log.0.activate(ControlIndex(1), vector(&[2]), with(1, &[0, 1], true));
    log.0.activate(ControlIndex(2), vector(&[4]), with(2, &[0, 1], false));
    log.0.activate(ControlIndex(3), vector(&[6]), with(3, &[1], true));
    assert_eq!(books(&mut log, 1, &[8]), [8, 2, 6, 0]);
    assert_eq!(books(&mut log, 2, &[8]), [8, 6, 2, 0]);
    assert_eq!(books(&mut log, 3, &[8]), [8, 4, 4, 0]);
    let read = |log: &mut Log, index| {
        let answer = log.read(index, &[8], "u", AsOf::At(noon(10)));
        answer.readings.iter().map(|reading| reading.value.clone()).collect::<Vec<_>>()
    };
    assert_eq!(read(&mut log, 1), [count(2).value, count(0).value]);
    assert_eq!(read(&mut log, 3), [count(2).value]);
}
