//! A walk brings the state at the v where it began, whatever happens to its pages meanwhile; a base and the deltas that were
//! committed after it are the state, whichever walks were lost.

use std::sync::Arc;

use featuregrid_protocol::position::{OffsetVector, offsets};
use featuregrid_protocol::range::RangeId;
use proptest::prelude::*;

use super::support::{Log, Schedule, events, plans, schedules, shard};
use crate::shard::{Progress, RangeSnapshot, Shard};

/// What happens between two frames.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Begins a walk, over everything or over what changed.
    Begin { base: bool },
    /// Goes on with it.
    Slice { words: usize },
    /// Ends it; whether the manifest's write lands.
    End { lands: bool },
    /// Looks at everything, which folds pages.
    Digest,
    /// Takes all of it at once beside the walk.
    Snapshot,
    /// Starts again from what was committed.
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Vec<Act>>> {
    let act = prop_oneof![
        3 => any::<bool>().prop_map(|base| Act::Begin { base }),
        4 => (0usize..200).prop_map(|words| Act::Slice { words }),
        3 => any::<bool>().prop_map(|lands| Act::End { lands }),
        1 => Just(Act::Digest),
        1 => Just(Act::Snapshot),
        1 => Just(Act::Restart),
    ];
    prop::collection::vec(prop::collection::vec(act, 0..4), 40)
}

/// One range and what the store has of it.
struct Kept {
    range: RangeId,
    parts: Vec<RangeSnapshot>,
    /// Which state the walk under way must bring.
    truth: Option<RangeSnapshot>,
}

impl Kept {
    fn since(&self) -> Option<OffsetVector> {
        self.parts.last().map(|part| offsets(&part.head.positions))
    }

    fn end(&mut self, shard: &mut Shard, lands: bool, fresh: impl Fn() -> Shard) -> Result<(), TestCaseError> {
        let Some(truth) = self.truth.take() else { return Ok(()) };
        while shard.walk(self.range, 100) == Some(Progress::More) {}
        let snapshot = shard.take_walk(self.range).unwrap().into_snapshot();
        let mut parts = self.parts.clone();
        if snapshot.head.since.is_none() {
            prop_assert_eq!(&snapshot, &truth);
            parts.clear();
        }
        parts.push(snapshot);
        let mut restored = fresh();
        let plan = Arc::clone(restored.plan());
        restored.install(&parts, |_| Some(Arc::clone(&plan))).unwrap();
        prop_assert_eq!(restored.snapshot(self.range), Some(truth));
        if lands {
            self.parts = parts;
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn walks_bring_the_state_where_they_began(
        plan in plans(), list in events(), schedule in schedules(), acts in acts(), split in 0u32..3, which: prop::sample::Index,
    ) {
        let log = Log::new(&list);
        let (mut walked, set) = shard(&plan, 1 << split);
        let (mut through, _) = shard(&plan, 1 << split);
        let ranges: Vec<RangeId> = set.iter().collect();
        let mut kept = Kept { range: ranges[which.index(ranges.len())], parts: Vec::new(), truth: None };
        let fresh = || Shard::new(Arc::clone(&plan));
        for (number, (partition, from, to)) in schedule.cuts(&log).into_iter().enumerate() {
            for act in acts.get(number).into_iter().flatten() {
                match act {
                    Act::Begin { base } => {
                        let since = kept.since().filter(|_| !base);
                        if let Some(head) = walked.begin_walk(kept.range, since.as_ref()) {
                            prop_assert_eq!(head.since.is_some(), since.is_some());
                            kept.truth = through.snapshot(kept.range);
                        }
                    }
                    Act::Slice { words } => {
                        walked.walk(kept.range, *words);
                    }
                    Act::End { lands } => kept.end(&mut walked, *lands, fresh)?,
                    Act::Digest => prop_assert_eq!(walked.digest(), through.digest()),
                    Act::Snapshot => prop_assert_eq!(walked.snapshot(kept.range), through.snapshot(kept.range)),
                    Act::Restart => {
                        let stood = through.positions(kept.range).cloned();
                        if kept.since() == stood.as_ref().map(offsets) && !kept.parts.is_empty() {
                            walked.install(&kept.parts, |_| Some(Arc::clone(&plan))).unwrap();
                            kept.truth = None;
                        }
                    }
                }
            }
            let frame = log.frame(&plan, partition, from, to);
            let rows = (walked.apply(&frame, &set).rows, through.apply(&frame, &set).rows);
            prop_assert_eq!(rows.0, rows.1);
        }
        kept.end(&mut walked, false, fresh)?;
        prop_assert_eq!(walked.snapshot(kept.range), through.snapshot(kept.range));
        prop_assert_eq!(walked.digest(), through.digest());
    }

    /// What is quiet has no rows of its own, whatever the others get.
    #[test]
    fn quiet_ranges_are_known(plan in plans(), list in events(), schedule in schedules()) {
        let log = Log::new(&list);
        let (mut shard, set) = shard(&plan, 4);
        let begins: Vec<_> = set.iter().map(|range| (range, offsets(shard.positions(range).unwrap()))).collect();
        let mut cuts = schedule.cuts(&log);
        cuts.truncate(3);
        for (partition, from, to) in cuts {
            shard.apply(&log.frame(&plan, partition, from, to), &set);
        }
        for (range, begin) in begins {
            let has_rows = shard.snapshot(range).is_some_and(|snapshot| !snapshot.head.rows.is_empty());
            prop_assert_eq!(shard.has_changed_since(range, &begin), Some(has_rows));
        }
    }
}

#[test]
fn a_walk_looks_at_no_more_than_its_slice() {
    let plan = super::support::two_level_plan(0);
    let list: Vec<_> = (0..200).flat_map(|_| super::support::six_events()).collect();
    let log = Log::new(&list);
    let (mut shard, set) = shard(&plan, 1);
    for (partition, from, to) in Schedule(vec![]).cuts(&log) {
        shard.apply(&log.frame(&plan, partition, from, to), &set);
    }
    let range = RangeId::WHOLE;
    assert!(shard.begin_walk(range, None).is_some());
    assert!(shard.begin_walk(range, None).is_none(), "one at a time");
    assert!(shard.take_walk(range).is_none(), "not done yet");
    let mut slices = 0;
    while shard.walk(range, 1) == Some(Progress::More) {
        slices += 1;
    }
    assert!(slices > 1);
    assert!(shard.walk_bytes() > 0);
    assert!(shard.take_walk(range).is_some());
    assert_eq!((shard.walk_bytes(), shard.walk(range, 1)), (0, None));
}
