//! What a read must answer, straight from the events: nothing is folded, everything is recomputed. Knows no page.

use std::collections::BTreeMap;

use ethnum::{I256, U256};
use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::limits::{EXACT_ROWS_MAX, INSTANT_STEP, RAW_ROWS_MAX};
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{
    Argument, Calendar, Decay, Feature, Items, Level, Operator, Plan, Session, Shift, Spread, Unit, Window,
};
use featuregrid_protocol::row::{Position, text_word};
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Edge, Reading, Status, Value};

use super::support::{Event, Log, text_of};
use crate::aggregate::{Accumulator, Answer, Collects, Item, Squares, answer, compared, decay, moments, ratio};
use crate::window::AsOf;

/// Next offset by partition.
pub(super) type Vector = BTreeMap<u32, u64>;

#[derive(Debug, PartialEq)]
pub(super) struct Expected {
    pub(super) instant: Timestamp,
    pub(super) edge: Edge,
    pub(super) readings: Vec<Reading>,
}

pub(super) fn t_max(log: &Log, v: &Vector) -> Timestamp {
    v.iter().map(|(partition, next)| log.max_before(*partition, *next)).max().unwrap_or(Timestamp::MIN)
}

/// `begins` says from which offset on a column counts: (ladder, column, partition) -> offset.
pub(super) fn read(
    plan: &Plan,
    log: &Log,
    v: &Vector,
    key: u8,
    as_of: AsOf,
    begins: &dyn Fn(usize, usize, u32) -> u64,
) -> Expected {
    let view = &plan.views[0];
    let t_max = t_max(log, v);
    let visible = log
        .partitions
        .values()
        .flatten()
        .filter(|event| event.key == Some(key) && event.offset < v.get(&event.partition).copied().unwrap_or(0))
        .filter(|event| !log.is_duplicate(event));
    let mut events: Vec<&Event> = visible.collect();
    events.sort_by_key(|event| (event.ts, event.partition, event.offset));
    let in_ladder = |ladder: usize, event: &Event| event.offset >= begins(ladder, 0, event.partition);
    let newest = events.iter().filter(|event| (0..view.ladders.len()).any(|l| in_ladder(l, event))).map(|e| e.ts).max();
    let newest_tiled = (0..view.ladders.len())
        .flat_map(|ladder| {
            let rows: Vec<&&Event> = events.iter().filter(|event| in_ladder(ladder, event)).collect();
            let oldest_raw = rows.len().saturating_sub(RAW_ROWS_MAX);
            let edge = t_max - plan.sources[0].slack_exact();
            let tiled = rows.iter().enumerate().filter(|(at, event)| *at < oldest_raw || event.ts < edge);
            tiled.map(|(_, event)| event.ts).collect::<Vec<_>>()
        })
        .max();
    let (asked, at) = match as_of {
        AsOf::At(at) => (at, at),
        AsOf::Now { clock } => match newest {
            Some(newest) if newest <= clock + plan.sources[0].max_skew => (clock, clock.max(newest + Span(1))),
            _ => (clock, clock),
        },
    };
    if at < t_max - plan.sources[0].slack {
        let readings = view.features.iter().map(|feature| nothing(plan, feature, Status::OutOfRange)).collect();
        return Expected { instant: asked, edge: Edge::Exact, readings };
    }
    let settled = |at: Timestamp| match newest_tiled.is_some_and(|tiled| tiled >= at) {
        true => (at.floor(INSTANT_STEP), Edge::Rounded),
        false => (at, Edge::Exact),
    };
    let (instant, edge) = settled(at);
    let before = (at - Span(1) >= t_max - plan.sources[0].slack).then(|| settled(at - Span(1)));
    let leaves_out = view.features.iter().any(|feature| feature.shift == Shift::Current);
    let is_rounded = |(_, edge)| edge == Edge::Rounded;
    let edge = if leaves_out && before.is_some_and(is_rounded) { Edge::Rounded } else { edge };
    let seen_from = |shift: Shift| match (shift, before) {
        (Shift::Current, Some((before, _))) => before,
        (Shift::Back(back), _) => instant - back,
        _ => instant,
    };
    // More rows than are kept one by one lie about the tail.
    let is_crowded = |ladder: usize, window: Window, shift: Shift| {
        let Window::Exact { span, hop } = window else { return false };
        let begin = (seen_from(shift) - span).floor(hop);
        let about = events.iter().filter(|event| begin <= event.ts && event.ts < begin + hop);
        about.filter(|event| in_ladder(ladder, event)).count() > EXACT_ROWS_MAX
    };
    let edges = |ladder: usize, window: Window, shift: Shift| {
        let from = seen_from(shift);
        let is_back = matches!(shift, Shift::Back(_));
        match window {
            Window::Lifetime | Window::LastN { within: None, .. } => (Timestamp::MIN, from),
            Window::LastN { within: Some(Level { hop, span }), .. } => ((from - span).floor(hop), from),
            Window::Exact { span, .. } if !is_crowded(ladder, window, shift) => (from - span, from),
            Window::Exact { span, hop } => ((from - span).floor(hop), from),
            Window::Rolling { span, hop } => ((from - span).floor(hop), if is_back { from.floor(hop) } else { from }),
            Window::Calendar { calendar, is_complete: false } => (began(calendar, from), from),
            Window::Calendar { calendar, is_complete: true } => {
                let end = began(calendar, from);
                (began(calendar, end - Span::TICK), end)
            }
            Window::Session { session, is_last } => {
                let rows = events.iter().filter(|event| in_ladder(ladder, event));
                walk(session, is_last, from, rows.map(|event| event.ts))
            }
            Window::Tumbling { span } => (from.floor(span), from),
            Window::Decay(Decay { half_life }) => (from.floor(half_life) - Span(47 * half_life.0), from),
            Window::Complete { span, every, ago } => {
                let end = from.floor(every) - ago;
                (end - span, end)
            }
        }
    };
    // A session may have begun before events count: one more there could be of it.
    let is_cut = |feature: &Feature, window: Window| match window {
        Window::Session { session: Session { gap, within, hop }, .. } => {
            let (start, end) = edges(feature.ladder, window, feature.shift);
            start < end && start - ((seen_from(feature.shift) - within).floor(hop) - Span::TICK) <= gap
        }
        _ => false,
    };
    let within = |ladder: usize, column: usize, window: Window, shift: Shift| {
        let (start, end) = edges(ladder, window, shift);
        let rows = events.iter().filter(move |event| start <= event.ts && event.ts < end);
        rows.filter(move |event| event.offset >= begins(ladder, column, event.partition))
    };
    let found = view.ladders.iter().enumerate().any(|(ladder, plan)| {
        let longest = plan.longest().map(|Level { span, hop }| match plan.exact {
            true => Window::Exact { span, hop },
            false => Window::Rolling { span, hop },
        });
        let windows = longest.into_iter().chain(plan.lifetime.then_some(Window::Lifetime));
        windows.into_iter().any(|window| within(ladder, 0, window, Shift::Nothing).next().is_some())
    });
    let shown = |feature: &Feature, value, status, inexact_input| {
        let nothing = nothing(plan, feature, status);
        let baseline = feature.operator.baseline().map(|baseline| baseline.window);
        let windows = || [feature.window].into_iter().chain(baseline);
        let partial_coverage = nothing.partial_coverage || windows().any(|window| is_cut(feature, window));
        let rounded = windows().any(|window| is_crowded(feature.ladder, window, feature.shift));
        Reading { value, inexact_input, partial_coverage, rounded, ..nothing }
    };
    let readings = view.features.iter().map(|feature| {
        if !found {
            return nothing(plan, feature, Status::NotFound);
        }
        if feature.shift == Shift::Current && before.is_none() {
            return nothing(plan, feature, Status::OutOfRange);
        }
        let measure = &view.measures[view.ladders[feature.ladder].columns[feature.column].measure];
        let original = measure.id.0 - 100;
        let rows = within(feature.ladder, feature.column, feature.window, feature.shift)
            .filter(|e| e.present >> original & 1 == 1);
        let is_bad = |event: &&&Event| measure.value.is_some() && event.bad >> original & 1 == 1;
        let (bad, mut good): (Vec<&&Event>, Vec<&&Event>) = rows.partition(is_bad);
        // They stand in the total order.
        good.drain(..feature.window.last_n().map_or(0, |n| good.len().saturating_sub(n.into())));
        let items = measure.items();
        let times: Vec<Timestamp> = good.iter().map(|event| event.ts).collect();
        if Collects::of(feature.operator.keeps(items)).next().is_some() {
            let baseline = feature.operator.baseline().map(|baseline| baseline.window);
            let beside = baseline.into_iter().flat_map(|window| {
                within(feature.ladder, feature.column, window, feature.shift).filter(|e| e.present >> original & 1 == 1)
            });
            let (worse, better): (Vec<&&Event>, Vec<&&Event>) = beside.partition(is_bad);
            let moments = baseline.map(|window| {
                let end = edges(feature.ladder, window, feature.shift).1;
                weighed(feature.operator.decay(window), end, &better, original as usize)
            });
            let reading = collected(feature, items, &good, original as usize, moments.as_ref());
            let Reading { value, status, .. } = reading;
            return shown(feature, value, status, !(bad.is_empty() && worse.is_empty()));
        }
        let end = edges(feature.ladder, feature.window, feature.shift).1;
        let value = match feature.operator.argument() {
            _ if feature.operator.is_decayed() => decayed(feature, end, items, &good, original as usize),
            Argument::Number | Argument::Any | Argument::Truth => {
                let mut ordered: Vec<(_, i128)> = good
                    .iter()
                    .map(|event| {
                        ((event.ts, event.partition, event.offset), i128::from(event.numbers[original as usize]))
                    })
                    .collect();
                ordered.sort_unstable();
                let numbers: Vec<i128> = ordered.into_iter().map(|(_, number)| number).collect();
                compute(feature.operator, items, &numbers)
            }
            Argument::Rows => look(feature, end, &times),
        };
        let status = if value == Value::Null { Status::NullValue } else { Status::Present };
        shown(feature, value, status, !bad.is_empty())
    });
    Expected { instant, edge, readings: readings.collect() }
}

/// Where a unit began, of a place whose clocks are never set, from October 1969 to April 1970.
fn began(calendar: Calendar, t: Timestamp) -> Timestamp {
    let hour = Span::seconds(3600);
    let day = Span(24 * hour.0);
    let ahead = match calendar.zone.name() {
        "UTC" => Span(0),
        "Asia/Tokyo" => Span(9 * hour.0),
        other => unreachable!("no plan here has {other}"),
    };
    let there = t + ahead;
    let began = match calendar.unit {
        Unit::Hour => there.floor(hour),
        Unit::Day => there.floor(day),
        // The first Monday of 1970 was the fifth.
        Unit::Week => (there - Span(4 * day.0)).floor(Span(7 * day.0)) + Span(4 * day.0),
        Unit::Month => {
            // Of October 1969 to April 1970: on which day from 1970 on it begins, and how many it has.
            let months = [(-92, 31), (-61, 30), (-31, 31), (0, 31), (31, 28), (59, 31), (90, 30)];
            let months = months.map(|(first, days)| (first * day.0, days * day.0));
            let of_it = |(first, length): &(i64, i64)| (*first..first + length).contains(&there.0);
            Timestamp(months.into_iter().find(of_it).expect("a month that is known").0)
        }
    };
    began - ahead
}

/// From session to session, of rows in the order of time.
fn walk(
    session: Session,
    is_last: bool,
    from: Timestamp,
    rows: impl Iterator<Item = Timestamp>,
) -> (Timestamp, Timestamp) {
    let Session { gap, within, hop } = session;
    let mut sessions: Vec<(Timestamp, Timestamp)> = Vec::new();
    for ts in rows.filter(|ts| *ts < from && (from - within).floor(hop) <= *ts) {
        match sessions.last_mut() {
            Some((_, last)) if ts - *last <= gap => *last = ts,
            _ => sessions.push((ts, ts)),
        }
    }
    let under_way = sessions.pop_if(|(_, last)| from - *last <= gap);
    match (is_last, under_way, sessions.pop()) {
        (false, Some((first, _)), _) => (first, from),
        (true, _, Some((first, last))) => (first, last + gap),
        _ => (from, from),
    }
}

fn nothing(plan: &Plan, feature: &Feature, status: Status) -> Reading {
    let column = plan.views[0].ladders[feature.ladder].columns[feature.column];
    let partial_coverage = column.since.0 > 0;
    Reading { value: Value::Null, status, inexact_input: false, partial_coverage, rounded: false }
}

fn look(feature: &Feature, end: Timestamp, times: &[Timestamp]) -> Value {
    let (first, last) = (times.iter().min(), times.iter().max());
    let seconds = |micros: i64| Value::Decimal { unscaled: i128::from(micros), scale: 6 };
    let mean = |micros: i64, of: usize| Value::Float(ratio::nearest(micros.into(), of as u128 * 1_000_000));
    match (feature.operator, first.zip(last)) {
        (Operator::Count, _) => Value::Int(times.len() as i128),
        (Operator::Rate, _) => feature.window.span().map_or(Value::Null, |span| {
            Value::Float(ratio::nearest(times.len() as i128 * 1_000_000, span.0.unsigned_abs().into()))
        }),
        (Operator::TimeSinceFirst, Some((first, _))) => seconds(end.0 - first.0),
        (Operator::TimeSinceLast, Some((_, last))) => seconds(end.0 - last.0),
        (Operator::MeanGap, Some((first, last))) if times.len() > 1 => mean(last.0 - first.0, times.len() - 1),
        _ => Value::Null,
    }
}

/// Row by row, halved as often as a half-life has begun since. Weights and roundings have their own tests.
fn decayed(feature: &Feature, end: Timestamp, items: Items, rows: &[&&Event], measure: usize) -> Value {
    let Some(decay) = feature.window.decay() else { return Value::Null };
    let total = weighed(Some(decay), end, rows, measure);
    let plain = Answer {
        operator: feature.operator,
        items,
        span: None,
        decay: Some(decay),
        default: None,
        partial_coverage: false,
    };
    answer(&plain, &total, None, end).value
}

/// What rows that decay, or do not, add up to at the end of a window.
fn weighed(decay: Option<Decay>, end: Timestamp, rows: &[&&Event], measure: usize) -> Accumulator {
    let mut total = Accumulator { n: rows.len() as u64, ..Accumulator::default() };
    for event in rows {
        let number = event.numbers[measure];
        total.sum += i128::from(number);
        total.squares = total.squares.plus(Squares::of(number));
        if let Some(decay) = decay {
            let since = end.floor(decay.half_life) - event.ts.floor(decay.half_life);
            let left = I256::from(decay::weight(decay, event.ts)) << (47 - since.0 / decay.half_life.0) as u32;
            total.weights += left;
            total.weighted += left * I256::from(number);
            total.weighted_squares += left.as_u256() * U256::from(number.unsigned_abs()).pow(2);
        }
    }
    total
}

/// Of rows that are collected one by one, in whatever order they are told: the collections have their own tests, and so
/// has what is compared with a baseline.
fn collected(
    feature: &Feature,
    items: Items,
    rows: &[&&Event],
    measure: usize,
    baseline: Option<&Accumulator>,
) -> Reading {
    let mut collection = Collects::of(feature.operator.keeps(items)).next().unwrap().nothing();
    for event in rows {
        let number = event.numbers[measure];
        let text = (items == Items::Texts).then(|| text_of(number));
        let position = Position { partition: PartitionId(event.partition), offset: event.offset };
        let word = text.as_deref().map_or(number, text_word);
        collection.add(&Item { ts: event.ts, position, word, text: text.as_deref() });
    }
    let (operator, decay) = (feature.operator, feature.operator.decay(feature.window));
    let plain = Answer { operator, items, span: None, decay, default: None, partial_coverage: false };
    let counted = Accumulator { n: rows.len() as u64, ..Accumulator::default() };
    match baseline {
        Some(baseline) => compared(&plain, &counted, &collection, baseline),
        None => answer(&plain, &counted, Some(&collection), Timestamp(0)),
    }
}

/// Of numbers in the total order.
fn compute(operator: Operator, items: Items, numbers: &[i128]) -> Value {
    let domain = items.domain();
    let number = |unscaled| match items {
        Items::Numbers(Domain::Int) => Value::Int(unscaled),
        Items::Numbers(Domain::Decimal(scale)) => Value::Decimal { unscaled, scale },
        Items::Truths => Value::Bool(unscaled != 0),
        Items::Texts => unreachable!("texts are collected"),
    };
    let (sum, n) = (numbers.iter().sum::<i128>(), numbers.len() as u64);
    // The rounding has its own tests against big integers; here only what is divided by what.
    let variance = |divisor| {
        let squares = numbers.iter().map(|number| Squares::of(*number as i64)).fold(Squares::default(), Squares::plus);
        moments::variance(&Accumulator { n, sum, squares, ..Accumulator::default() }, divisor, domain.scale())
    };
    match operator {
        Operator::Sum => number(sum),
        Operator::Variance(Spread::Sample) | Operator::Stddev(Spread::Sample) if n < 2 => Value::Null,
        _ if n == 0 => Value::Null,
        Operator::Min | Operator::All => numbers.iter().min().copied().map_or(Value::Null, number),
        Operator::Max | Operator::Any => numbers.iter().max().copied().map_or(Value::Null, number),
        Operator::First => numbers.first().copied().map_or(Value::Null, number),
        Operator::Last => numbers.last().copied().map_or(Value::Null, number),
        Operator::Mean => Value::Float(ratio::nearest(sum, u128::from(n) * 10u128.pow(domain.scale().into()))),
        Operator::Variance(Spread::Population) => Value::Float(variance(n)),
        Operator::Variance(Spread::Sample) => Value::Float(variance(n - 1)),
        Operator::Stddev(Spread::Population) => Value::Float(variance(n).sqrt()),
        Operator::Stddev(Spread::Sample) => Value::Float(variance(n - 1).sqrt()),
        Operator::Count | Operator::TimeSinceFirst | Operator::TimeSinceLast | Operator::MeanGap | Operator::Rate => {
            unreachable!("{operator:?} looks at rows")
        }
        _ => unreachable!("{operator:?} reads what was collected"),
    }
}
