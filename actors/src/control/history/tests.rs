//! The index in force equals the naive definition: the largest activated n with A_n[p] <= offset.
use featuregrid_protocol::plan::{LatePolicy, LatenessClock, SourcePlan};
use featuregrid_protocol::time::Span;
use proptest::prelude::*;

use super::*;

fn plan(index: u64) -> Arc<Plan> {
    let source = SourcePlan {
        name: "events".to_owned(),
        topic: "events".to_owned(),
        fields: Vec::new(),
        event_timestamp: vec!["ts".to_owned()],
        event_id: None,
        allowed_lateness: Span::seconds(60),
        max_skew: Span::seconds(300),
        slack: Span::seconds(300),
        lateness_clock: LatenessClock::default(),
        late_policy: LatePolicy::default(),
    };
    let index = ControlIndex(index);
    Arc::new(Plan { index, project: "p".to_owned(), sources: vec![source], views: Vec::new(), services: Vec::new() })
}

#[test]
fn aborted_numbers_have_no_plan_and_change_nothing() {
    let mut history = History::new(plan(0));
    let p = PartitionId(0);
    history.activate(ControlIndex(2), OffsetVector([(p, 10)].into()), plan(2));
    history.activate(ControlIndex(1), OffsetVector([(p, 5)].into()), plan(1));
    assert_eq!(history.plan(ControlIndex(1)), None);
    assert_eq!(history.plan(ControlIndex(2)), Some(&plan(2)));
    assert_eq!(history.latest().index, ControlIndex(2));
    assert_eq!(history.index_at(p, 9), ControlIndex(0));
    assert_eq!(history.next_switch(p, 0), Some((10, ControlIndex(2))));
    assert_eq!(history.next_switch(p, 10), None);
    assert_eq!(history.index_over(p, 0, 10), Some(ControlIndex(0)));
    assert_eq!(history.index_over(p, 0, 11), None);
    assert_eq!(history.index_over(p, 10, 10), Some(ControlIndex(2)));
    // A partition that A does not name is in the new index from its first record on.
    assert_eq!(history.index_at(PartitionId(9), 0), ControlIndex(2));
}

proptest! {
    #[test]
    fn the_newest_activation_at_or_before_an_offset_is_in_force(
        steps in prop::collection::vec(prop::collection::btree_map(0u32..3, 0u64..10, 0..3), 0..6), offset in 0u64..50, p in 0u32..4,
    ) {
        let mut history = History::new(plan(0));
        let mut at = OffsetVector::default();
        let mut known = vec![(0, at.clone())];
        for (i, step) in steps.into_iter().enumerate() {
            for (partition, by) in step {
                *at.0.entry(PartitionId(partition)).or_default() += by;
            }
            let index = 2 * i as u64 + 1;
            history.activate(ControlIndex(index), at.clone(), plan(index));
            known.push((index, at.clone()));
        }
        let p = PartitionId(p);
        let want = |offset| known.iter().filter(|(_, at)| at.get(p) <= offset).map(|(index, _)| *index).max().unwrap_or(0);
        prop_assert_eq!(history.index_at(p, offset), ControlIndex(want(offset)));
        let switch = (offset + 1..60).find(|later| want(*later) != want(offset)).map(|later| (later, ControlIndex(want(later))));
        prop_assert_eq!(history.next_switch(p, offset), switch);
        prop_assert_eq!(&history.plan_at(p, offset).index, &history.index_at(p, offset));
    }
}
