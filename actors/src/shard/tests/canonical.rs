//! The canonical form: no trace of routes, restores from bytes, survives hostile ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::plan::Keeps;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{OffsetVector, offsets};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::snapshot::SnapshotPage;
use proptest::prelude::*;

use super::support::{Log, Schedule, VIEW, events, key_bytes, plans, schedules, shard};
use crate::entity::{Page, decode, encode};
use crate::shard::{InstallError, RangeSnapshot, Shard};
use crate::window::{AsOf, Shape};

/// Applies a schedule; `stir` reads, snapshots and digests on the way, which must leave no trace.
fn play(shard: &mut Shard, ranges: &RangeSet, plan: &Plan, log: &Log, schedule: &Schedule, stir: bool) {
    for (at, (partition, from, to)) in schedule.cuts(log).into_iter().enumerate() {
        shard.apply(&log.frame(plan, partition, from, to), ranges);
        if stir {
            let clock = log.max_before(partition, to);
            shard.read(0, &key_bytes(at as u8 % 3), AsOf::Now { clock });
            if at % 4 == 0 {
                shard.digest();
            }
        }
    }
}

fn snapshots(shard: &mut Shard) -> Vec<RangeSnapshot> {
    let ranges: Vec<RangeId> = shard.ranges().collect();
    ranges.into_iter().map(|range| shard.snapshot(range).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn routes_leave_no_trace(
        plan in plans(), list in events(), one in schedules(), other in schedules(), ranges in 0u32..5, split in 1u32..9,
    ) {
        let log = Log::new(&list);
        let (mut left, left_ranges) = shard(&plan, 1 << ranges);
        let (mut right, right_ranges) = shard(&plan, 1 << ranges);
        let (mut finer, finer_ranges) = shard(&plan, 1 << split);
        play(&mut left, &left_ranges, &plan, &log, &one, false);
        play(&mut right, &right_ranges, &plan, &log, &other, true);
        // Whole partitions one after the other, in pieces of pieces.
        play(&mut finer, &finer_ranges, &plan, &log, &Schedule(vec![]), false);
        prop_assert_eq!(left.digest(), right.digest());
        prop_assert_eq!(left.digest(), finer.digest());
        prop_assert_eq!(left.rows(VIEW), log.rows());
        prop_assert_eq!(snapshots(&mut left), snapshots(&mut right));
        prop_assert_eq!(left.bytes() > 0, list.iter().any(|event| event.key.is_some()));
    }

    #[test]
    fn a_restored_range_goes_on_identically(
        plan in plans(), list in events(), schedule in schedules(), stop: prop::sample::Index, ranges in 0u32..4,
    ) {
        let log = Log::new(&list);
        let cuts = schedule.cuts(&log);
        let stop = stop.index(cuts.len());
        let (mut through, set) = shard(&plan, 1 << ranges);
        let mut restored = Shard::new(Arc::clone(&plan));
        for (at, (partition, from, to)) in cuts.into_iter().enumerate() {
            let frame = log.frame(&plan, partition, from, to);
            through.apply(&frame, &set);
            if at > stop {
                restored.apply(&frame, &set);
            }
            if at == stop {
                for range in set.iter() {
                    let snapshot = through.snapshot(range).unwrap();
                    let bytes = snapshot.encode().unwrap();
                    let back = RangeSnapshot::decode(&bytes).unwrap();
                    prop_assert_eq!(&back, &snapshot);
                    restored.install(&[back], |_| Some(Arc::clone(&plan))).unwrap();
                    prop_assert_eq!(restored.positions(range), through.positions(range));
                }
            }
        }
        prop_assert_eq!(snapshots(&mut through), snapshots(&mut restored));
        prop_assert_eq!(through.entities(), restored.entities());
        prop_assert_eq!(through.rows(VIEW), restored.rows(VIEW));
        prop_assert_eq!(through.id_bytes() > 0, restored.id_bytes() > 0);
    }

    /// Ranges that fall behind, catch up, leave and come back end where the others are.
    #[test]
    fn ranges_move_alone_and_together(
        plan in plans(), list in events(), schedule in schedules(), behind in prop::collection::vec(any::<bool>(), 8),
    ) {
        let log = Log::new(&list);
        let (mut whole, set) = shard(&plan, 8);
        let (mut parts, _) = shard(&plan, 8);
        let late: RangeSet = set.iter().zip(&behind).filter(|(_, behind)| **behind).map(|(range, _)| range).collect();
        let rest: RangeSet = set.iter().filter(|range| !late.contains(*range)).collect();
        let cuts = schedule.cuts(&log);
        for (partition, from, to) in &cuts {
            whole.apply(&log.frame(&plan, *partition, *from, *to), &set);
            parts.apply(&log.frame(&plan, *partition, *from, *to), &rest);
        }
        for (partition, from, to) in Schedule(vec![(2, 7), (0, 3)]).cuts(&log) {
            parts.apply(&log.frame(&plan, partition, from, to), &late);
        }
        prop_assert_eq!(snapshots(&mut whole), snapshots(&mut parts));
        if let Some(range) = late.iter().next() {
            let snapshot = parts.snapshot(range).unwrap();
            prop_assert!(parts.remove_range(range));
            prop_assert!(parts.snapshot(range).is_none());
            parts.install(&[snapshot], |_| Some(Arc::clone(&plan))).unwrap();
            prop_assert_eq!(snapshots(&mut whole), snapshots(&mut parts));
        }
        for range in set.iter() {
            parts.remove_range(range);
        }
        prop_assert_eq!((parts.bytes(), parts.entities()), (0, 0));
    }

    /// What decodes is what would have been written: there is one form of every page.
    #[test]
    fn hostile_pages_are_refused_or_canonical(
        plan in plans(), list in events(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in 0usize..3, noise in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let log = Log::new(&list);
        let (mut shard, set) = shard(&plan, 1);
        play(&mut shard, &set, &plan, &log, &Schedule(vec![]), false);
        let key = key_bytes(1);
        for page in &snapshots(&mut shard)[0].pages {
            let mut bytes = page.bytes.clone();
            for (at, value) in &flips {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            bytes.truncate(bytes.len() - cut);
            let shape = Shape::new(&plan.sources[0], &plan.views[0], page.ladder.into());
            for bytes in [&bytes, &noise] {
                if let Ok(mut memory) = decode(&shape, &key, bytes) {
                    let mut again = Vec::new();
                    encode(&Page::open(&shape, &mut memory), &mut again);
                    prop_assert_eq!(&again, bytes);
                }
            }
        }
    }

    #[test]
    fn hostile_snapshots_are_refused(
        list in events(), plan in plans(), at: prop::sample::Index, flip in 1u8.., noise in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let log = Log::new(&list);
        let (mut shard, set) = shard(&plan, 1);
        play(&mut shard, &set, &plan, &log, &Schedule(vec![]), false);
        let mut bytes = snapshots(&mut shard)[0].encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(RangeSnapshot::decode(&bytes).is_err());
        prop_assert!(RangeSnapshot::decode(&noise).is_err());
        // With checksums that fit, pages are still not trusted.
        let mut forged = snapshots(&mut shard).remove(0);
        if let Some(page) = forged.pages.first_mut() {
            page.bytes = noise;
            let forged = RangeSnapshot::decode(&forged.encode().unwrap()).unwrap();
            let _ = Shard::new(Arc::clone(&plan)).install(&[forged], |_| Some(Arc::clone(&plan)));
        }
    }
}

#[test]
fn what_cannot_be_installed_says_why() {
    let plan = super::support::two_level_plan(0);
    let (mut shard, _) = shard(&plan, 2);
    let range = shard.ranges().next().unwrap();
    let mut snapshot = shard.snapshot(range).unwrap();
    let before = snapshot.clone();
    let key = (0..).map(key_bytes).find(|key| range.contains(featuregrid_protocol::key::KeyHash::of(key))).unwrap();
    let page = |ladder, bytes| SnapshotPage { view: VIEW, ladder, key: key.clone(), bytes };
    snapshot.pages = vec![page(9, vec![])];
    assert!(matches!(
        shard.install(std::slice::from_ref(&snapshot), |_| Some(plan.clone())),
        Err(InstallError::Unknown { ladder: 9, .. })
    ));
    snapshot.pages = vec![page(0, vec![2])];
    assert!(matches!(
        shard.install(std::slice::from_ref(&snapshot), |_| Some(plan.clone())),
        Err(InstallError::Damaged { .. })
    ));
    let other = (0..).map(key_bytes).find(|key| !range.contains(featuregrid_protocol::key::KeyHash::of(key))).unwrap();
    snapshot.pages[0].key = other;
    assert!(matches!(
        shard.install(std::slice::from_ref(&snapshot), |_| Some(plan.clone())),
        Err(InstallError::ForeignKey { .. })
    ));
    snapshot.head.index.0 = 4;
    assert!(matches!(shard.install(&[snapshot], |_| Some(plan.clone())), Err(InstallError::Index { .. })));
    let mut delta = before.clone();
    delta.head.since = Some(offsets(&before.head.positions));
    let parts = [delta.clone()];
    assert!(matches!(shard.install(&parts, |_| Some(plan.clone())), Err(InstallError::Order { number: 0, .. })));
    delta.head.since = Some(OffsetVector(BTreeMap::from([(PartitionId(0), 1)])));
    let parts = [before, delta];
    assert!(matches!(shard.install(&parts, |_| Some(plan.clone())), Err(InstallError::Order { number: 1, .. })));
    assert!(shard.snapshot(range).is_none(), "half a range is none");
}

#[test]
fn the_bytes_of_a_page_are_fixed() {
    assert_eq!(pages_of_six_events(false), super::support::SIX_EVENTS_PAGES);
    assert_eq!(pages_of_six_events(true), super::support::SIX_EVENTS_PAGES_WITH_ROWS);
}

/// The pages of a ladder with lifetime, or of one that keeps rows.
fn pages_of_six_events(exact: bool) -> Vec<String> {
    // What count, sum, mean, min and max ask for.
    let mut plan = super::support::two_level_plan(0).as_ref().clone();
    let numbers = Keeps::SUM.and(Keeps::MIN).and(Keeps::MAX);
    let view = &mut plan.views[0];
    view.features.clear();
    (view.ladders[0].lifetime, view.ladders[0].exact) = (!exact, exact);
    view.ladders[0].columns.iter_mut().for_each(|column| column.keeps = numbers);
    let plan = std::sync::Arc::new(plan);
    let (mut shard, set) = shard(&plan, 1);
    let log = Log::new(&super::support::six_events());
    play(&mut shard, &set, &plan, &log, &Schedule(vec![]), false);
    let snapshot = &snapshots(&mut shard)[0];
    let offsets: BTreeMap<PartitionId, u64> = snapshot.head.positions.iter().map(|(p, at)| (*p, at.next)).collect();
    assert_eq!(offsets[&PartitionId(1)], 2);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    snapshot.pages.iter().map(|page| hex(&page.bytes)).collect()
}
