//! Every value, status and instant of random logs under random plans, against the naive reading.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_protocol::plan::{Keeps, LadderPlan, Level, Operator, Plan, Shift, Window};
use featuregrid_protocol::time::{Span, Timestamp};
use proptest::prelude::*;

use super::naive::{self, Vector};
use super::support::{
    Event, Log, SECOND, columns, events, key_bytes, measures, plan, plans, schedules, shard, source, view,
};
use crate::shard::Shard;
use crate::window::AsOf;

/// Every instant at which something may change, around one event.
fn instants(plan: &Plan, t_max: Timestamp, event: &Event) -> Vec<AsOf> {
    let slack = plan.sources[0].slack;
    let mut at = vec![
        event.ts,
        event.ts + Span(1),
        event.ts + Span(2),
        t_max,
        t_max + Span(1),
        t_max - slack,
        t_max - slack - Span(1),
    ];
    for feature in &plan.views[0].features {
        if let Window::Session { session, .. } = feature.window {
            let closes = event.ts + session.gap;
            at.extend([closes, closes + Span(1), closes + Span(2)]);
        }
        if let Some(Level { span, hop }) = feature.window.tail() {
            let is_stepping =
                matches!(feature.window, Window::Complete { .. } | Window::Calendar { .. } | Window::Decay(_));
            let lies_back = matches!(feature.shift, Shift::Back(_)) || is_stepping;
            let head = lies_back.then_some(feature.shift.reach(Span(0)));
            for back in head.into_iter().chain([feature.shift.reach(span)]) {
                let edge = event.ts.floor(hop) + hop + back;
                at.extend([edge, edge - Span(1), edge + Span(1)]);
            }
            if let Window::Exact { span, .. } = feature.window {
                let leaves = event.ts + span;
                at.extend([leaves - Span(1), leaves, leaves + Span(1), leaves + Span(2)]);
            }
        }
    }
    at.sort();
    at.dedup();
    let clocks = [t_max, event.ts, t_max - plan.sources[0].max_skew, t_max - plan.sources[0].max_skew - Span(2)];
    at.into_iter().map(AsOf::At).chain(clocks.into_iter().map(|clock| AsOf::Now { clock })).collect()
}

pub(super) fn compare(
    shard: &mut Shard,
    plan: &Plan,
    log: &Log,
    v: &Vector,
    key: u8,
    as_of: AsOf,
    begins: &dyn Fn(usize, usize, u32) -> u64,
) -> Result<(), TestCaseError> {
    let want = naive::read(plan, log, v, key, as_of, begins);
    let got = shard.read(0, &key_bytes(key), as_of).unwrap();
    let context = || format!("key {key} {as_of:?} T {:?} v {v:?}", naive::t_max(log, v));
    prop_assert_eq!((got.instant, got.edge), (want.instant, want.edge), "{}", context());
    for ((got, want), feature) in got.readings.iter().zip(&want.readings).zip(&plan.views[0].features) {
        prop_assert_eq!(got, want, "{} {}", &feature.name, context());
    }
    prop_assert_eq!(got.readings.len(), want.readings.len());
    prop_assert_eq!(got.index, plan.index);
    Ok(())
}

/// Applies the whole schedule; after some frames reads around some events. Returns v.
fn run(
    shard: &mut Shard,
    ranges: &featuregrid_protocol::range::RangeSet,
    plan: &Arc<Plan>,
    log: &Log,
    cuts: &[(u32, u64, u64)],
    picks: &[prop::sample::Index],
) -> Result<(), TestCaseError> {
    let mut v: Vector = BTreeMap::new();
    for (at, (partition, from, to)) in cuts.iter().enumerate() {
        shard.apply(&log.frame(plan, *partition, *from, *to), ranges);
        v.insert(*partition, *to);
        if at % 3 != 0 && at + 3 < cuts.len() {
            continue;
        }
        let visible: Vec<&Event> = log
            .partitions
            .values()
            .flatten()
            .filter(|e| e.offset < v.get(&e.partition).copied().unwrap_or(0))
            .collect();
        for pick in picks.iter().filter(|_| !visible.is_empty()) {
            let event = visible[pick.index(visible.len())];
            for as_of in instants(plan, naive::t_max(log, &v), event) {
                compare(shard, plan, log, &v, event.key.unwrap_or(1), as_of, &|_, _, _| 0)?;
            }
        }
    }
    Ok(())
}

/// The plan with every so-many-th of its features, and columns that keep what these ask for: a naive reading of each looks
/// at all events, and more plans are worth more than more features.
fn some_of(plan: &Plan, first: usize) -> Arc<Plan> {
    const MOST: usize = 40;

    let mut plan = plan.clone();
    let features = &mut plan.views[0].features;
    let every = features.len().div_ceil(MOST).max(1);
    *features = features.iter().skip(first % every).step_by(every).cloned().collect();
    let view = &mut plan.views[0];
    for (ladder, of) in view.ladders.iter_mut().enumerate() {
        for (at, column) in of.columns.iter_mut().enumerate() {
            let items = view.measures[column.measure].items();
            let own = view.features.iter().filter(|feature| (feature.ladder, feature.column) == (ladder, at));
            let asked = own
                .fold(Keeps::NOTHING, |keeps, feature| keeps.and(feature.operator.keeps_over(items, feature.window)));
            let rows = view.features.iter().filter(|feature| feature.ladder == ladder && at == 0);
            let asked = rows.fold(asked, |keeps, feature| keeps.and(feature.window.keeps_of_rows()));
            column.keeps = asked.decaying(column.keeps.decay());
        }
    }
    Arc::new(plan)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_value_equals_the_naive_reading(
        plan in plans(), list in events(), schedule in schedules(), picks: [prop::sample::Index; 3], ranges in 0u32..4,
    ) {
        let log = Log::new(&list);
        let plan = some_of(&plan, list.len());
        let (mut shard, ranges) = shard(&plan, 1 << ranges);
        run(&mut shard, &ranges, &plan, &log, &schedule.cuts(&log), &picks)?;
    }
}

/// Events of one key: partition, time since the one before, and how far it is behind.
fn crowd(steps: &[(u32, i64, i64)]) -> Vec<Event> {
    let (mut clock, mut offsets) = (0, [0u64; 3]);
    let event = |(partition, step, back): &(u32, i64, i64)| {
        clock += step;
        let offset = &mut offsets[*partition as usize];
        *offset += 1;
        let (numbers, ts) = ([0, 0, clock % 97, clock, clock % 80, clock % 2], Timestamp(clock - back));
        let (partition, offset) = (*partition, *offset - 1);
        Event { partition, offset, ts, key: Some(0), present: 0b111111, bad: 0, numbers, id: None }
    };
    steps.iter().map(event).collect()
}

proptest! {
    // Hundreds of events of one key are looked at anew for each value.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Many events of one key within a few seconds: more than stay raw.
    #[test]
    fn dense_keys_round_only_where_tiled_events_blur(
        plan in plans(), steps in prop::collection::vec((0u32..3, 0i64..200_000, 0i64..2 * SECOND), 60..300),
        schedule in schedules(), picks: [prop::sample::Index; 4],
    ) {
        let list = crowd(&steps);
        let log = Log::new(&list);
        let plan = some_of(&plan, list.len());
        let (mut shard, ranges) = shard(&plan, 2);
        run(&mut shard, &ranges, &plan, &log, &schedule.cuts(&log), &picks)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// So many events of one key that some windows cannot be cut about them, and others can.
    #[test]
    fn crowded_tails_are_rounded_and_say_so(
        steps in prop::collection::vec((0u32..3, 0i64..14_000, 0i64..SECOND), 400..800), slack in 0i64..8,
        schedule in schedules(), picks: [prop::sample::Index; 1],
    ) {
        let level = |hop, span| Level { hop: Span(hop * SECOND), span: Span(span * SECOND) };
        let levels = vec![level(1, 2), level(5, 9)];
        let ladder = LadderPlan { levels, lifetime: false, exact: true, columns: columns([0, 3, 4]) };
        let windows = [(2, 1), (7, 5), (9, 5)].map(|(span, hop)| (Span(span * SECOND), Span(hop * SECOND)));
        let mut view = view(vec![ladder], &[windows.to_vec()], measures());
        let of = [Operator::Count, Operator::Max, Operator::LastN(3)];
        view.features.retain(|feature| of.contains(&feature.operator));
        // Columns that keep what these ask for.
        let plan = some_of(&plan(0, source(Span(slack * SECOND), Span(0)), vec![view]), 0);
        let list = crowd(&steps);
        let log = Log::new(&list);
        let (mut shard, ranges) = shard(&plan, 2);
        run(&mut shard, &ranges, &plan, &log, &schedule.cuts(&log), &picks)?;
    }
}
