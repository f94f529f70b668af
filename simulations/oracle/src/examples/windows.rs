//! Which events a window holds, and what operators make of them.

use featuregrid_protocol::plan::{Feature, LadderPlan, Level, Operator, Plan, Shift, Window};
use featuregrid_protocol::time::Span;
use featuregrid_protocol::value::{Edge, Reading, Status, Value};

use super::plans::{amount, edge, is, plan, rows};
use super::{Log, count, decimal, none, present, seconds};

#[test]
fn one_event_seen_from_five_instants() {
    let mut log = Log::new(edge());
    log.event(0, 0, "u1", 0, "10");
    let five_minutes = seconds(300);
    assert_eq!(log.first("u1", 0), none(Status::NotFound));
    assert_eq!(log.first("u1", 1), count(1));
    assert_eq!(log.first("u1", five_minutes), count(1));
    assert_eq!(log.first("u1", five_minutes + 4_999_999), count(1));
    assert_eq!(log.first("u1", five_minutes + 5_000_000), count(0));
    // The hour's tail is rounded to a minute: it holds the event until 13:00:59.999999.
    assert_eq!(log.first("u1", seconds(3659) + 999_999), count(0));
    assert_eq!(log.first("u1", seconds(3660)), none(Status::NotFound));
    assert_eq!(log.first("u2", 1), none(Status::NotFound));
}

#[test]
fn ten_tenths_are_one() {
    let mut log = Log::new(edge());
    for second in 0..10 {
        log.event(0, second as u64, "u2", seconds(second), "0.1");
    }
    let answer = log.read(0, &[10], "u2", super::AsOf::At(super::noon(seconds(60))));
    assert_eq!(answer.readings, [count(10), count(10), decimal(100)]);
}

#[test]
fn every_operator_over_half_even_amounts() {
    use Operator::{Count, Max, Mean, Min, Sum};
    let list = [Count, Sum, Mean, Min, Max].map(|operator| (operator, 1, 300));
    let mut log = Log::new(plan(&[(0, &list)], vec![rows(), amount()]));
    // 0.00, 0.02, 0.02, -1.00 and 12.50 in hundredths; null is not in the measure.
    for (offset, amount) in ["0.005", "0.015", "0.025", "-1", "\"12.50\"", "null"].iter().enumerate() {
        log.event(0, offset as u64, "u", offset as i64, amount);
    }
    let answer = log.read(0, &[6], "u", super::AsOf::At(super::noon(100)));
    let mean = present(Value::Float(1154.0 / 500.0));
    assert_eq!(answer.readings, [count(5), decimal(1154), mean, decimal(-100), decimal(1250)]);
}

/// The features of a plan, and after them the same ones with a shift.
fn with_shifted(mut plan: Plan, shift: Shift) -> Plan {
    let view = &mut plan.views[0];
    let shifted: Vec<Feature> = view.features.iter().map(|feature| Feature { shift, ..feature.clone() }).collect();
    view.features.extend(shifted);
    plan
}

#[test]
fn the_event_that_triggers_a_read_is_left_out() {
    let counts = &[(Operator::Count, 0, 300), (Operator::Count, 0, 0)];
    let mut log = Log::new(with_shifted(plan(&[(0, counts)], vec![rows()]), Shift::Current));
    let read = |log: &mut Log, micros| {
        let answer = log.read(0, &[1000], "u", super::AsOf::At(super::noon(micros)));
        let values = answer.readings.iter().map(|reading| (reading.value.clone(), reading.status)).collect::<Vec<_>>();
        (answer.edge, values)
    };
    let present = |values: [i128; 4]| values.map(|value| (Value::Int(value), Status::Present)).to_vec();
    log.event(0, 0, "u", 0, "1");
    log.event(0, 1, "u", seconds(3), "1");
    // Both are raw: not more than ten seconds behind T.
    log.event(0, 2, "v", seconds(10), "1");
    assert_eq!(read(&mut log, 0), (Edge::Exact, vec![(Value::Null, Status::NotFound); 4]));
    // The view has a row before the instant, and the shifted features have none.
    assert_eq!(read(&mut log, 1), (Edge::Exact, present([1, 1, 0, 0])));
    assert_eq!(read(&mut log, 2), (Edge::Exact, present([1, 1, 1, 1])));
    assert_eq!(read(&mut log, seconds(3) + 1), (Edge::Exact, present([2, 2, 1, 1])));
    assert_eq!(read(&mut log, seconds(3) + 2), (Edge::Exact, present([2, 2, 2, 2])));
    // The tail goes with it: the events leave a tick later.
    assert_eq!(read(&mut log, seconds(305)), (Edge::Exact, present([0, 2, 2, 2])));
    assert_eq!(read(&mut log, seconds(305) + 1), (Edge::Exact, present([0, 2, 0, 2])));
    // Once the event is tiled, the instant before it is rounded, and said to be.
    log.event(0, 3, "v", seconds(13) + 1, "1");
    assert_eq!(read(&mut log, seconds(3) + 1), (Edge::Rounded, present([2, 2, 0, 0])));
    assert_eq!(read(&mut log, seconds(3) + 2), (Edge::Exact, present([2, 2, 2, 2])));
}

#[test]
fn the_last_instant_that_can_be_answered_has_none_before_it() {
    let counts = &[(Operator::Count, 0, 300)];
    let mut log = Log::new(with_shifted(plan(&[(0, counts)], vec![rows()]), Shift::Current));
    log.event(0, 0, "u", 0, "1");
    log.event(0, 1, "u", seconds(699), "1");
    // The slack is five minutes.
    log.event(0, 2, "v", seconds(1000), "1");
    let last = 700;
    let read = |log: &mut Log, micros| {
        let answer = log.read(0, &[1000], "u", super::AsOf::At(super::noon(micros)));
        answer.readings.iter().map(|reading| reading.status).collect::<Vec<_>>()
    };
    assert_eq!(read(&mut log, seconds(last) - 1), [Status::OutOfRange, Status::OutOfRange]);
    assert_eq!(read(&mut log, seconds(last)), [Status::Present, Status::OutOfRange]);
    assert_eq!(read(&mut log, seconds(last) + 1), [Status::Present, Status::Present]);
}

#[test]
fn a_window_that_lies_back_has_two_edges_on_its_hop() {
    let mut plan =
        with_shifted(plan(&[(0, &[(Operator::Count, 0, 300)])], vec![rows()]), Shift::Back(Span(seconds(600))));
    // Five minutes, ten minutes ago, at a hop of five seconds.
    let ladder: &mut LadderPlan = &mut plan.views[0].ladders[0];
    ladder.levels = vec![Level { hop: Span(seconds(5)), span: Span(seconds(900)) }];
    let mut log = Log::new(plan);
    log.event(0, 0, "u", seconds(2), "1");
    let mut at = |micros| {
        let answer = log.read(0, &[1000], "u", super::AsOf::At(super::noon(micros)));
        answer.readings.iter().map(|reading| (reading.value.clone(), reading.status)).collect::<Vec<_>>()
    };
    let two = |now: i128, then: i128| vec![(Value::Int(now), Status::Present), (Value::Int(then), Status::Present)];
    assert_eq!(at(seconds(3)), two(1, 0));
    assert_eq!(at(seconds(605) - 1), two(0, 0));
    assert_eq!(at(seconds(605)), two(0, 1));
    assert_eq!(at(seconds(905) - 1), two(0, 1));
    // The longest window reaches as far back as the shifted one does.
    assert_eq!(at(seconds(905)), vec![(Value::Null, Status::NotFound); 2]);
}

#[test]
fn nothing_and_bad_numbers() {
    use Operator::{Count, Max, Mean, Min, Sum};
    let list = [Count, Sum, Mean, Min, Max].map(|operator| (operator, 1, 300));
    let mut log = Log::new(plan(&[(0, &list)], vec![rows(), amount()]));
    log.event(0, 0, "u", 0, "null");
    let empty = none(Status::NullValue);
    let answer = log.read(0, &[1], "u", super::AsOf::At(super::noon(10)));
    assert_eq!(answer.readings, [count(0), decimal(0), empty.clone(), empty.clone(), empty.clone()]);

    log.event(0, 1, "u", 1, "1e30");
    log.event(0, 2, "u", 2, "\"NaN\"");
    let inexact = |reading: Reading| Reading { inexact_input: true, ..reading };
    let answer = log.read(0, &[3], "u", super::AsOf::At(super::noon(10)));
    assert_eq!(answer.readings, [count(0), decimal(0), empty.clone(), empty.clone(), empty.clone()].map(inexact));
}

#[test]
fn lifetime_finds_what_every_window_forgot() {
    let mut log = Log::new(plan(&[(0, &[(Operator::Count, 0, 300), (Operator::Sum, 1, 0)])], vec![rows(), amount()]));
    log.event(0, 0, "u", 0, "1.5");
    log.event(0, 1, "u", seconds(86_400), "2");
    log.event(0, 2, "v", seconds(172_800), "3");
    let answer = log.read(0, &[3], "u", super::AsOf::At(super::noon(seconds(172_800))));
    assert_eq!(answer.readings, [count(0), decimal(350)]);
}

#[test]
fn a_feature_filter_takes_its_rows_only() {
    let mut purchases = rows();
    purchases.id = featuregrid_protocol::ids::ColumnId(7);
    purchases.filter = Some(is(2, "purchase"));
    let mut log =
        Log::new(plan(&[(0, &[(Operator::Count, 1, 300), (Operator::Count, 0, 300)])], vec![rows(), purchases]));
    let ts = super::noon(0);
    for (offset, kind) in [r#""purchase""#, r#""view""#, "null"].iter().enumerate() {
        let payload = format!(r#"{{"user_id":"u","type":{kind},"ts":"{ts}"}}"#);
        log.payload(0, offset as u64, 0, &payload);
    }
    assert_eq!(log.read(0, &[3], "u", super::AsOf::At(super::noon(1))).readings, [count(1), count(3)]);
}

/// Counts over these windows, in a ladder with tiles of five minutes and an hour of them.
fn counts_over(windows: &[(Window, Shift)]) -> Plan {
    let mut plan = plan(&[(0, &[(Operator::Count, 0, 300)])], vec![rows()]);
    let view = &mut plan.views[0];
    let level = |hop, span| Level { hop: Span(seconds(hop)), span: Span(seconds(span)) };
    view.ladders[0].levels = vec![level(5, 0), level(300, 3600)];
    let of = |(window, shift): &(Window, Shift)| Feature { window: *window, shift: *shift, ..view.features[0].clone() };
    view.features = windows.iter().map(of).collect();
    plan
}

#[test]
fn tumbling_windows_begin_and_end_on_multiples_of_their_length() {
    let span = Span(seconds(300));
    let complete = |ago: i64| Window::Complete { span, every: span, ago: Span(ago * span.0) };
    let windows = [Window::Tumbling { span }, complete(0), complete(1), complete(2)];
    let mut log = Log::new(counts_over(&windows.map(|window| (window, Shift::Nothing))));
    for (offset, second) in [0, 299, 300, 301, 900].into_iter().enumerate() {
        log.event(0, offset as u64, "u", seconds(second), "1");
    }
    let mut at = |micros| {
        let answer = log.read(0, &[1000], "u", super::AsOf::At(super::noon(micros)));
        answer.readings.iter().map(|reading| reading.value.clone()).collect::<Vec<_>>()
    };
    let four = |values: [i128; 4]| values.map(Value::Int).to_vec();
    // T is 12:15 and the slack five minutes.
    assert_eq!(at(seconds(600)), four([0, 2, 2, 0]));
    assert_eq!(at(seconds(899)), four([0, 2, 2, 0]));
    // At the boundary nothing is current, and the window before it is complete; an event there belongs to the next one.
    assert_eq!(at(seconds(900)), four([0, 0, 2, 2]));
    assert_eq!(at(seconds(900) + 1), four([1, 0, 2, 2]));
    assert_eq!(at(seconds(1199)), four([1, 0, 2, 2]));
    assert_eq!(at(seconds(1200)), four([0, 1, 0, 2]));
}

#[test]
fn hopping_windows_become_complete_every_so_often() {
    let hopping =
        |ago| Window::Complete { span: Span(seconds(600)), every: Span(seconds(300)), ago: Span(seconds(ago)) };
    let back = Shift::Back(Span(seconds(299)));
    let mut log =
        Log::new(counts_over(&[(hopping(0), Shift::Nothing), (hopping(0), back), (hopping(0), Shift::Current)]));
    log.event(0, 0, "u", seconds(1), "1");
    log.event(0, 1, "u", seconds(300), "1");
    let mut at = |micros| {
        let answer = log.read(0, &[1000], "u", super::AsOf::At(super::noon(micros)));
        answer.readings.iter().map(|reading| reading.value.clone()).collect::<Vec<_>>()
    };
    let three = |values: [i128; 3]| values.map(Value::Int).to_vec();
    assert_eq!(at(seconds(300)), three([1, 0, 0]));
    assert_eq!(at(seconds(300) + 1), three([1, 0, 1]));
    assert_eq!(at(seconds(598)), three([1, 0, 1]));
    // 12:09:59 less 299 seconds is 12:05.
    assert_eq!(at(seconds(599)), three([1, 1, 1]));
    assert_eq!(at(seconds(600)), three([2, 1, 1]));
    assert_eq!(at(seconds(900)), three([1, 2, 2]));
    assert_eq!(at(seconds(1200)), three([0, 1, 1]));
}

#[test]
fn a_tumbling_window_alone_finds_what_lies_in_it() {
    let mut plan = counts_over(&[(Window::Tumbling { span: Span(seconds(300)) }, Shift::Nothing)]);
    plan.views[0].ladders[0].levels[1].span = Span(0);
    let mut log = Log::new(plan);
    log.event(0, 0, "u", seconds(1), "1");
    assert_eq!(log.first("u", seconds(1) + 1), count(1));
    assert_eq!(log.first("u", seconds(300) - 1), count(1));
    assert_eq!(log.first("u", seconds(300)), none(Status::NotFound));
}
