//! Windows of so many last rows: of the measure, in the total order, and as far back as is said.

use featuregrid_protocol::plan::{Feature, Level, Operator, Plan, Window};
use featuregrid_protocol::time::Span;
use featuregrid_protocol::value::{Reading, Status, Value};

use super::plans::{amount, plan, rows};
use super::{AsOf, Log, count, decimal, none, noon, present, seconds};

/// Operators of a measure over the last three rows, wherever they lie or within so many seconds.
fn last_three(list: &[(Operator, usize)], within: Option<i64>) -> Plan {
    let lifetime: Vec<(Operator, usize, i64)> = list.iter().map(|(of, measure)| (*of, *measure, 0)).collect();
    let mut plan = plan(&[(0, &lifetime)], vec![rows(), amount()]);
    let view = &mut plan.views[0];
    let within = within.map(|span| Level { hop: Span::seconds(5), span: Span::seconds(span) });
    if let Some(level) = within {
        (view.ladders[0].levels, view.ladders[0].lifetime) = (vec![level], false);
    }
    let window = Window::LastN { n: 3, within };
    view.features = view.features.iter().map(|feature| Feature { window, ..feature.clone() }).collect();
    plan
}

#[test]
fn the_last_three_rows_of_a_measure() {
    use Operator::{Count, First, Max, MeanGap, Sum, TimeSinceFirst};
    let list = [(Count, 0), (Count, 1), (Sum, 1), (Max, 1), (First, 1), (MeanGap, 0), (TimeSinceFirst, 1)];
    let mut log = Log::new(last_three(&list, None));
    let read = |log: &mut Log, micros| log.read(0, &[1000, 1000], "u", AsOf::At(noon(micros))).readings;
    let seconds_of = |micros: i128| present(Value::Decimal { unscaled: micros, scale: 6 });
    let gap = |gap: f64| present(Value::Float(gap));
    log.event(0, 0, "u", 0, "9");
    let nine = decimal(900);
    let of_one = [count(1), count(1), nine.clone(), nine.clone(), nine, none(Status::NullValue), seconds_of(1)];
    assert_eq!(read(&mut log, 1), of_one);
    log.event(0, 1, "u", seconds(10), "1");
    log.event(0, 2, "u", seconds(20), "null");
    log.event(0, 3, "u", seconds(30), "2");
    log.event(0, 4, "u", seconds(40), "4");
    // A row without an amount is a row of the view, and none of the amounts: of these three are older.
    let of_three = [
        count(3),
        count(3),
        decimal(700),
        decimal(400),
        decimal(100),
        gap(10.0),
        seconds_of(i128::from(seconds(30)) + 1),
    ];
    assert_eq!(read(&mut log, seconds(40) + 1), of_three);
    // They stay as long as no other comes.
    assert_eq!(read(&mut log, seconds(86_400))[..5], of_three[..5]);
    // One that comes late and happened earlier takes its place in the order: here, none.
    log.event(1, 0, "u", seconds(5), "100");
    assert_eq!(read(&mut log, seconds(40) + 1), of_three);
    // Of one instant the partition decides.
    log.event(1, 1, "u", seconds(40), "8");
    assert_eq!(read(&mut log, seconds(40) + 1)[2..5], [decimal(1400), decimal(800), decimal(200)]);
}

#[test]
fn no_further_back_than_is_said() {
    let mut log = Log::new(last_three(&[(Operator::Sum, 1)], Some(60)));
    for (offset, (second, amount)) in [(0, "1"), (30, "2"), (32, "4"), (34, "8")].into_iter().enumerate() {
        log.event(0, offset as u64, "u", seconds(second), amount);
    }
    let mut sum = |micros| log.first("u", micros);
    assert_eq!(sum(seconds(34)), decimal(700));
    assert_eq!(sum(seconds(34) + 1), decimal(1400));
    assert_eq!(sum(seconds(95) - 1), decimal(1400));
    assert_eq!(sum(seconds(95)), none(Status::NotFound));
}

#[test]
fn bad_numbers_are_none_of_the_last_and_are_said() {
    let mut log = Log::new(last_three(&[(Operator::Sum, 1)], None));
    for (offset, amount) in ["1", "2", "4", "1e30", "8"].into_iter().enumerate() {
        log.event(0, offset as u64, "u", offset as i64, amount);
    }
    assert_eq!(log.first("u", 3), decimal(700));
    assert_eq!(log.first("u", 10), Reading { inexact_input: true, ..decimal(1400) });
}
