//! Some results of a view are what they are among all of them, whichever others are asked for.

use std::sync::Arc;

use featuregrid_protocol::expression::{Expression, Function, Type};
use featuregrid_protocol::plan::{Derived, Feature, LadderPlan, Level, Operator, Plan, Session, Shift, Window};
use featuregrid_protocol::request::SentRow;
use featuregrid_protocol::time::{Span, Timestamp};
use proptest::prelude::*;

use super::support::{Log, columns, events, key_bytes, measures, plan, schedules, shard, source, view};
use crate::window::AsOf;

const fn seconds(seconds: i64) -> Span {
    Span::seconds(seconds)
}

/// One feature of each group of two ladders, and what is derived from the first and the last of them.
fn groups() -> Arc<Plan> {
    let near = Level { hop: seconds(1), span: seconds(10) };
    let far = Level { hop: seconds(5), span: seconds(60) };
    let ladder = |levels, lifetime| LadderPlan { levels, lifetime, exact: false, columns: columns([0, 2]) };
    let mut view = view(vec![ladder(vec![near, far], true), ladder(vec![near], false)], &[vec![], vec![]], measures());
    let rolling = |span, hop| Window::Rolling { span: seconds(span), hop: seconds(hop) };
    let pane = |ago| Window::Complete { span: seconds(5), every: seconds(5), ago: seconds(ago) };
    let hopping = Window::Complete { span: seconds(20), every: seconds(5), ago: seconds(0) };
    let session = Session { gap: seconds(2), within: seconds(10), hop: seconds(1) };
    let session = Window::Session { session, is_last: true };
    let features = [
        (0, Operator::Count, rolling(60, 5), Shift::Nothing),
        (0, Operator::Max, rolling(60, 5), Shift::Current),
        (0, Operator::Sum, rolling(30, 5), Shift::Back(seconds(30))),
        (0, Operator::Last, pane(5), Shift::Nothing),
        (0, Operator::Sum, hopping, Shift::Nothing),
        (0, Operator::Sum, session, Shift::Nothing),
        (0, Operator::Count, Window::Lifetime, Shift::Current),
        (1, Operator::Sum, rolling(10, 1), Shift::Nothing),
        (1, Operator::Count, rolling(10, 1), Shift::Current),
    ];
    let feature = |(ladder, operator, window, shift): (usize, Operator, Window, Shift)| {
        let (name, column) =
            (format!("{ladder} {operator:?} {window:?} {shift:?}"), usize::from(operator != Operator::Count));
        Feature { name, operator, ladder, column, window, shift, default: None }
    };
    view.features = features.map(feature).into();
    let counts = [0, 8].map(|at| Expression::input(at, Type::Int));
    let formula = Expression::call(Function::Divide, counts.into(), Type::Float);
    view.derived = vec![Derived { name: "share".into(), formula, default: None }];
    plan(0, source(seconds(10), seconds(5)), vec![view])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_selection_answers_what_the_whole_does(
        list in events(), schedule in schedules(), pick: prop::sample::Index, after in 0i64..3,
    ) {
        let (log, plan) = (Log::new(&list), groups());
        let (mut shard, ranges) = shard(&plan, 4);
        prop_assert!(shard.layout.shapes.iter().map(|shape| shape.groups.len()).sum::<usize>() >= 8);
        for (partition, from, to) in schedule.cuts(&log) {
            shard.apply(&log.frame(&plan, partition, from, to), &ranges);
        }
        let event = &list[pick.index(list.len())];
        let newest = list.iter().map(|event| event.ts).max().unwrap_or(Timestamp(0));
        let (own, other) = (key_bytes(event.key.unwrap_or(0)), key_bytes(1 - event.key.unwrap_or(0).min(1)));
        for at in [event.ts + Span(after), newest + Span(after), newest - seconds(10)] {
            let whole = shard.read(0, &own, AsOf::At(at)).unwrap();
            let results = plan.views[0].results().count();
            for selection in 0..1usize << results {
                // What a read of another entity leaves behind is nobody's.
                shard.read(0, &other, AsOf::At(at + Span(1)));
                let some: Vec<usize> = (0..results).filter(|result| selection >> result & 1 == 1).collect();
                let got = shard.read_results(0, &some, &own, AsOf::At(at), SentRow::default()).unwrap();
                let want: Vec<_> = some.iter().map(|result| whole.readings[*result].clone()).collect();
                prop_assert_eq!(&got.readings, &want, "{:?} at {}", some, at);
                prop_assert_eq!((got.instant, got.edge, got.newest_event), (whole.instant, whole.edge, whole.newest_event));
            }
        }
    }
}
