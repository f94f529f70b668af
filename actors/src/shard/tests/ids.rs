//! Event ids outlive what becomes of views and ladders, and no longer than their horizon.

use std::sync::Arc;

use featuregrid_protocol::ids::{ControlIndex, PartitionId};
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::limits::ID_OFFSETS_MAX;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Timestamp;

use super::activation::far;
use super::support::{Event, Log, SECOND, VIEW, key_bytes, shard, two_level_plan};
use crate::shard::{InstallError, RangeSnapshot, RowCounts, Shard};
use crate::window::AsOf;

/// An event of partition 0 at so many tenths of a second.
fn event(offset: u64, tenths: i64, id: u8) -> Event {
    Event {
        partition: 0,
        offset,
        ts: Timestamp(tenths * SECOND / 10),
        key: Some(1),
        present: 0b1111,
        bad: 0,
        numbers: [0, 0, 1, 1, 0, 0],
        id: Some(id),
    }
}

fn count(applied: u64, duplicate: u64) -> RowCounts {
    RowCounts { applied, duplicate }
}

/// The view is gone under entry 1 and back under entry 2, all within a second.
#[test]
fn ids_outlive_their_view() {
    let first = two_level_plan(0);
    let again = two_level_plan(2);
    let mut without = Plan::clone(&first);
    (without.index, without.views) = (ControlIndex(1), Vec::new());
    let without = Arc::new(without);
    let log = Log::new(&[event(0, 0, 7), event(1, 1, 7), event(2, 2, 7), event(3, 3, 8), event(4, 4, 7)]);
    let mut ends: Vec<RangeSnapshot> = Vec::new();
    for early in [false, true] {
        let (mut shard, set) = shard(&first, 1);
        shard.apply(&log.frame(&first, 0, 0, 1), &set);
        if early {
            // From the decision on; what lies before the activation is still decoded under entry 0.
            assert!(shard.switch(Arc::clone(&without), &far()).is_empty());
        }
        shard.apply(&log.frame(&first, 0, 1, 2), &set);
        assert!(shard.switch(Arc::clone(&without), &far()).is_empty());
        assert_eq!(shard.rows(VIEW), count(1, 1));
        shard.apply(&log.frame(&without, 0, 2, 3), &set);
        assert!(shard.switch(Arc::clone(&again), &far()).is_empty());
        shard.apply(&log.frame(&again, 0, 3, 5), &set);
        assert_eq!(shard.rows(VIEW), count(2, 2), "offset 2 is of no view, 3 is new, 4 repeats 0");
        ends.push(shard.snapshot(RangeId::WHOLE).unwrap());
    }
    // What the pages hold began anew with the view, at entry 2 or, where the view was taken away early, there too.
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn ids_go_with_their_horizon_whether_or_not_their_key_is_mentioned() {
    let plan = two_level_plan(0);
    let (mut shard, set) = shard(&plan, 4);
    let mut other = event(1, 10, 8);
    other.key = None;
    let mut last = event(2, 11, 8);
    last.key = None;
    let log = Log::new(&[event(0, 0, 7), other, last]);
    shard.apply(&log.frame(&plan, 0, 0, 1), &set);
    let digest = shard.digest();
    assert_eq!(digest.pages, 2, "a page and its ids");
    shard.apply(&log.frame(&plan, 0, 1, 2), &set);
    // Exactly the allowed lateness behind: still known.
    assert_eq!(shard.digest(), digest);
    assert!(shard.id_bytes() > 0);
    shard.apply(&log.frame(&plan, 0, 2, 3), &set);
    assert_eq!((shard.digest().pages, shard.id_bytes()), (1, 0));
}

/// Whatever the frames, the ranges and the restarts: what is known is decided at each record.
#[test]
fn ids_go_with_their_offset_where_time_stands_still() {
    let plan = two_level_plan(0);
    let last = ID_OFFSETS_MAX;
    let log =
        Log::new(&[event(0, 0, 7), event(1, 0, 8), event(last, 0, 7), event(last + 2, 0, 8), event(last + 3, 0, 8)]);
    let ends = [0, 1, 2, last + 1, last + 3, last + 4];
    let mut digests = Vec::new();
    for (ranges, step) in [(1, 1), (4, 1), (64, 2), (1, 3), (256, 5)] {
        let (mut shard, set) = shard(&plan, ranges);
        for at in (0..ends.len() - 1).step_by(step) {
            let to = ends[(at + step).min(ends.len() - 1)];
            shard.apply(&log.frame(&plan, 0, ends[at], to), &set);
            let range = shard.range_of(KeyHash::of(&key_bytes(1))).unwrap();
            let snapshot = RangeSnapshot::decode(&shard.snapshot(range).unwrap().encode().unwrap()).unwrap();
            shard.install(std::slice::from_ref(&snapshot), |_| Some(Arc::clone(&plan))).unwrap();
        }
        assert_eq!(shard.rows(VIEW), count(3, 2), "the first copy of 7 is one, the first of 8 is none, the next is");
        digests.push(shard.digest());
    }
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn what_was_restored_knows_what_was_known() {
    let plan = two_level_plan(0);
    let (mut before, set) = shard(&plan, 1);
    let log = Log::new(&[event(0, 0, 7), event(1, 5, 8), event(2, 5, 7), event(3, 6, 9)]);
    before.apply(&log.frame(&plan, 0, 0, 2), &set);
    let snapshot = RangeSnapshot::decode(&before.snapshot(RangeId::WHOLE).unwrap().encode().unwrap()).unwrap();
    assert_eq!(snapshot.head.ids[0].known.len(), 2);
    let mut shard = Shard::new(Arc::clone(&plan));
    shard.install(std::slice::from_ref(&snapshot), |_| Some(Arc::clone(&plan))).unwrap();
    shard.apply(&log.frame(&plan, 0, 2, 4), &set);
    assert_eq!(shard.rows(VIEW), count(3, 1));
    let reading = shard.read(0, &key_bytes(1), AsOf::At(Timestamp(SECOND))).unwrap();
    assert_eq!(reading.readings[0].value.to_string(), "3");

    // An id that is not known any more was never in a snapshot.
    let mut stale = snapshot;
    stale.head.ids[0].known[0].ts = Timestamp(-SECOND);
    assert!(matches!(
        shard.install(std::slice::from_ref(&stale), |_| Some(Arc::clone(&plan))),
        Err(InstallError::Damaged { .. })
    ));
    stale.head.ids[0].known[0].ts = Timestamp(0);
    assert!(shard.install(std::slice::from_ref(&stale), |_| Some(Arc::clone(&plan))).is_ok());
    if let Some(position) = stale.head.positions.get_mut(&PartitionId(0)) {
        position.next = ID_OFFSETS_MAX + 1;
    }
    assert!(matches!(
        shard.install(std::slice::from_ref(&stale), |_| Some(plan.clone())),
        Err(InstallError::Damaged { .. })
    ));
    stale.head.ids[0].known[0].offset = stale.head.ids[0].known[1].offset;
    assert!(RangeSnapshot::decode(&stale.encode().unwrap()).is_err(), "two ids of one record");
    stale.head.ids[0].known.clear();
    assert!(RangeSnapshot::decode(&stale.encode().unwrap()).is_err());
}
