//! Activation: columns live on, begin and end at exact offsets, whatever the route.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_protocol::expression::{Expression, Type};
use featuregrid_protocol::ids::{ColumnId, ControlIndex, PartitionId};
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Column, Items, Keeps, LadderPlan, Level, Measure, Plan};
use featuregrid_protocol::position::{OffsetVector, PartitionPosition, Positions};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Span;
use proptest::prelude::*;

use super::naive::Vector;
use super::support::{Event, Log, SECOND, events, measures, plan, schedules, shard, source, view};
use super::values::compare;
use crate::shard::{RangeSnapshot, Shard};
use crate::window::AsOf;

/// Lifetime and exact, or not.
type Kind = (bool, bool);

fn ladder(levels: &[(i64, i64)], (lifetime, exact): Kind, columns: Vec<Column>) -> (LadderPlan, Vec<(Span, Span)>) {
    let levels: Vec<Level> =
        levels.iter().map(|(hop, span)| Level { hop: Span(hop * SECOND), span: Span(span * SECOND) }).collect();
    let windows = levels.iter().filter(|level| level.span > Span(0)).map(|level| (level.span, level.hop)).collect();
    (LadderPlan { levels, lifetime, exact, columns }, windows)
}

fn kept(measure: usize, since: u64) -> Column {
    Column { measure, keeps: Keeps::ALL, since: ControlIndex(since) }
}

/// Index 1 drops one measure, adds another between the old ones, and adds a ladder of longer windows.
fn plans(kind: Kind) -> (Arc<Plan>, Arc<Plan>) {
    let source = source(Span::seconds(5), Span::seconds(3));
    let all = measures();
    let old_measures: Vec<Measure> = [0, 1, 2].map(|at| all[at].clone()).to_vec();
    let (first, windows) = ladder(&[(1, 6), (3, 20)], kind, vec![kept(0, 0), kept(1, 0), kept(2, 0)]);
    let old = plan(0, source.clone(), vec![view(vec![first], &[windows], old_measures)]);
    // Measure 1 is gone, measure 3 is new; 2 and 3 change places.
    let new_measures: Vec<Measure> = [0, 3, 2].map(|at| all[at].clone()).to_vec();
    let (first, windows) = ladder(&[(1, 6), (3, 20)], kind, vec![kept(0, 0), kept(1, 1), kept(2, 0)]);
    let (second, longer) = ladder(&[(1, 0), (5, 60)], (false, kind.1), vec![kept(0, 1), kept(2, 1)]);
    let new = plan(1, source, vec![view(vec![first, second], &[windows, longer], new_measures)]);
    (old, new)
}

/// Frames: (partition, from, to).
type Cuts = Vec<(u32, u64, u64)>;

fn split(cuts: &Cuts, at: &BTreeMap<u32, u64>) -> (Cuts, Cuts) {
    let before = cuts.iter().map(|(p, from, to)| (*p, *from.min(&at[p]), *to.min(&at[p])));
    let after = cuts.iter().map(|(p, from, to)| (*p, *from.max(&at[p]), *to.max(&at[p])));
    (before.collect(), after.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn columns_begin_at_their_activation(
        list in events(), one in schedules(), other in schedules(), activation: [prop::sample::Index; 3],
        picks: [prop::sample::Index; 6], kind: Kind,
    ) {
        let (old, new) = plans(kind);
        let log = Log::new(&list);
        let at: BTreeMap<u32, u64> = (0..3).map(|p| {
            let end = log.partitions.get(&p).and_then(|events| events.last()).map_or(0, |last| last.offset + 1);
            (p, activation[p as usize].index(end as usize + 1) as u64)
        }).collect();
        let routes = [&one, &other, &one].map(|schedule| split(&schedule.cuts(&log), &at));
        let mut ends: Vec<RangeSnapshot> = Vec::new();
        for (route, (before, after)) in routes.iter().enumerate() {
            let (mut shard, set) = shard(&old, 1);
            for (index, (partition, from, to)) in before.iter().enumerate() {
                if route == 2 && index == before.len() / 2 {
                    // Pages follow the new plan from the decision on; rows before the activation are still of the old.
                    prop_assert!(shard.switch(Arc::clone(&new), &vector(&at)).is_empty());
                }
                shard.apply(&log.frame(&old, *partition, *from, *to), &set);
            }
            if route == 1 {
                // The same by way of the store, and range by range.
                let range = RangeId::WHOLE;
                let snapshot = shard.snapshot(range).unwrap();
                shard = Shard::new(Arc::clone(&new));
                shard.install(&[snapshot], |_| Some(Arc::clone(&old))).unwrap();
                prop_assert_eq!(shard.index(range), Some(ControlIndex(0)));
                shard.switch_range(range, Arc::clone(&new));
            } else {
                prop_assert!(shard.switch(Arc::clone(&new), &vector(&at)).is_empty());
            }
            let mut v: Vector = at.clone();
            for (partition, from, to) in after {
                shard.apply(&log.frame(&new, *partition, *from, *to), &set);
                v.insert(*partition, *to);
            }
            let begins = |ladder: usize, column: usize, partition: u32| {
                if new.views[0].ladders[ladder].columns[column].since.0 == 0 { 0 } else { at[&partition] }
            };
            let all: Vec<&Event> = log.partitions.values().flatten().collect();
            for pick in &picks {
                let event = all[pick.index(all.len())];
                for at in [event.ts, event.ts + Span(1), event.ts + Span::seconds(21), event.ts + Span::seconds(65)] {
                    compare(&mut shard, &new, &log, &v, event.key.unwrap_or(0), AsOf::At(at), &begins)?;
                }
            }
            ends.push(shard.snapshot(RangeId::WHOLE).unwrap());
        }
        prop_assert_eq!(&ends[0], &ends[1]);
        prop_assert_eq!(&ends[0], &ends[2]);
    }
}

/// A view whose rows mean something else (another filter) begins anew; what was removed is given back.
#[test]
fn nothing_lives_on_under_other_rows() {
    let (old, new) = plans((true, true));
    let log = Log::new(&super::support::six_events());
    let (mut shard, set) = shard(&old, 4);
    shard.apply(&log.frame(&old, 0, 0, 100), &set);
    assert!(shard.entities() > 0);
    let rows = shard.rows(super::support::VIEW);
    let mut other = new.as_ref().clone();
    other.views[0].measures[0] = Measure { id: ColumnId(900), filter: None, value: None, rank: None };
    other.views[0].measures[2].value =
        Some((Expression::input(0, Type::Decimal(2)), Items::Numbers(Domain::Decimal(2))));
    assert!(shard.switch(Arc::new(other), &far()).is_empty());
    assert_eq!((shard.entities(), shard.digest().pages), (0, 0));
    assert_eq!(shard.rows(super::support::VIEW), rows);
    let mut none = new.as_ref().clone();
    none.index = ControlIndex(2);
    none.views.clear();
    assert!(shard.switch(Arc::new(none), &far()).is_empty());
    assert_eq!(shard.bytes(), 0);
    assert_eq!(shard.rows(super::support::VIEW), rows, "the accounting outlives the view");
}

/// The state of a node that folded on without a lease is not taken for that of the plan it did not know.
#[test]
fn a_range_past_the_activation_is_let_go() {
    let (old, new) = plans((false, false));
    let log = Log::new(&super::support::six_events());
    let (mut shard, set) = shard(&old, 4);
    shard.apply(&log.frame(&old, 0, 0, 3), &set);
    let ranges: Vec<RangeId> = shard.ranges().collect();
    let at = |next| OffsetVector([(PartitionId(0), next)].into());
    assert_eq!(shard.switch(Arc::clone(&new), &at(2)), ranges);
    assert_eq!((shard.ranges().count(), shard.entities()), (0, 0));
    // One that comes from elsewhere at the new index stands where it stands.
    shard.add_range(ranges[0], Positions::from([(PartitionId(0), PartitionPosition::start(9))]));
    assert!(shard.switch(new, &at(2)).is_empty());
}

fn vector(at: &BTreeMap<u32, u64>) -> OffsetVector {
    OffsetVector(at.iter().map(|(partition, next)| (PartitionId(*partition), *next)).collect())
}

/// Further than anybody stands.
pub(super) fn far() -> OffsetVector {
    OffsetVector((0..8).map(|partition| (PartitionId(partition), u64::MAX)).collect())
}
