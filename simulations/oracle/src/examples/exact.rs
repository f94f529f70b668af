//! Windows that are cut at the tick, and what becomes of them where there are too many rows.

use featuregrid_protocol::limits::EXACT_ROWS_MAX;
use featuregrid_protocol::plan::{Feature, Measure, Operator, Plan, Shift, Window};
use featuregrid_protocol::time::Span;
use featuregrid_protocol::value::{Edge, Reading, Status};

use super::plans::{amount, plan, rows};
use super::{Log, count, decimal, none, noon, seconds};
use crate::AsOf;

const SPAN: Span = Span::seconds(300);

/// Features of five minutes whose hop would be five seconds, without the current event where that is said.
fn exact(list: &[(Operator, usize, Shift)], measures: Vec<Measure>) -> Plan {
    let mut plan = plan(&[(0, &[(Operator::Count, 0, 300)])], measures);
    let view = &mut plan.views[0];
    view.ladders[0].exact = true;
    let window = Window::Exact { span: SPAN, hop: Span::seconds(5) };
    let name = |operator, shift| format!("{operator:?} {shift:?}");
    let of = |(operator, column, shift): &(Operator, usize, Shift)| Feature {
        name: name(*operator, *shift),
        operator: *operator,
        column: *column,
        window,
        shift: *shift,
        ..view.features[0].clone()
    };
    view.features = list.iter().map(of).collect();
    plan
}

fn rounded(reading: Reading) -> Reading {
    Reading { rounded: true, ..reading }
}

#[test]
fn a_row_leaves_after_the_tick_at_which_it_is_as_old_as_the_window() {
    let list = [(Operator::Count, 0, Shift::Nothing), (Operator::Count, 0, Shift::Current)];
    let mut log = Log::new(exact(&list, vec![rows()]));
    let (first, second) = (seconds(2) + 1, seconds(4));
    log.event(0, 0, "u", first, "1");
    log.event(0, 1, "u", second, "1");
    let mut at = |micros| log.read(0, &[1000], "u", AsOf::At(noon(micros))).readings;
    assert_eq!(at(second), [count(1), count(1)]);
    assert_eq!(at(second + 1), [count(2), count(1)]);
    assert_eq!(at(first + SPAN.0), [count(2), count(2)]);
    assert_eq!(at(first + SPAN.0 + 1), [count(1), count(2)]);
    assert_eq!(at(first + SPAN.0 + 2), [count(1), count(1)]);
    assert_eq!(at(second + SPAN.0), [count(1), count(1)]);
    // The view has no longer window.
    assert_eq!(at(second + SPAN.0 + 1), vec![none(Status::NotFound); 2]);
}

#[test]
fn more_rows_than_are_kept_about_the_tail_round_it() {
    let most = EXACT_ROWS_MAX as i64;
    let list = [(Operator::Count, 0, Shift::Nothing), (Operator::Sum, 1, Shift::Nothing)];
    let mut log = Log::new(exact(&list, vec![rows(), amount()]));
    // A row of the view is a row, whether it has an amount or not; those of five seconds lie apart from their neighbours.
    let amount = |nth: i64| if nth == 0 { "1" } else { "null" };
    (0..most).for_each(|nth| log.event(0, nth as u64, "u", seconds(5) + nth, amount(nth)));
    log.event(1, 0, "u", seconds(5) - 1, "2");
    log.event(1, 1, "u", seconds(10), "4");
    let at = |log: &mut Log, micros: i64| {
        let answer = log.read(0, &[1000, 1000, 1000], "u", AsOf::At(noon(micros + SPAN.0)));
        assert_eq!(answer.edge, Edge::Exact);
        answer.readings
    };
    let all = i128::from(most);
    assert_eq!(at(&mut log, seconds(5) - 1), [count(all + 2), decimal(700)]);
    assert_eq!(at(&mut log, seconds(5)), [count(all + 1), decimal(500)]);
    assert_eq!(at(&mut log, seconds(5) + 1), [count(all), decimal(400)]);
    assert_eq!(at(&mut log, seconds(10) - 1), [count(1), decimal(400)]);
    // One more, in whatever partition and place: the five seconds go at once, and what is read says so.
    log.event(2, 0, "u", seconds(9), "8");
    assert_eq!(at(&mut log, seconds(5)), [count(all + 2), decimal(1300)].map(rounded));
    assert_eq!(at(&mut log, seconds(5) + 1), [count(all + 2), decimal(1300)].map(rounded));
    assert_eq!(at(&mut log, seconds(10) - 1), [count(all + 2), decimal(1300)].map(rounded));
    // Before and behind them nothing has changed.
    assert_eq!(at(&mut log, seconds(5) - 1), [count(all + 3), decimal(1500)]);
    assert_eq!(at(&mut log, seconds(10)), [count(1), decimal(400)]);
    assert_eq!(at(&mut log, seconds(10) + 1), vec![none(Status::NotFound); 2]);
}

#[test]
fn what_is_rounded_is_found() {
    let mut log = Log::new(exact(&[(Operator::Count, 0, Shift::Nothing)], vec![rows()]));
    let all = EXACT_ROWS_MAX as i64 + 1;
    (0..all).for_each(|nth| log.event(0, nth as u64, "u", nth, "1"));
    assert_eq!(log.first("u", seconds(5) + SPAN.0 - 1), rounded(count(all.into())));
    assert_eq!(log.first("u", seconds(5) + SPAN.0), none(Status::NotFound));
}
