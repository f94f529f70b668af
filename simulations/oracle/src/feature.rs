//! One feature over the inputs of its column: what every operator answers. Knows no key, no token and no ladder.
//!
//! A row is *in the measure* where the measure's filter holds and its value is not null. Its value is a number of a
//! domain, a truth or a text, or it is bad: no finite number of the domain, or a text of more than
//! [`limits::TEXT_BYTES_MAX`](featuregrid_protocol::limits::TEXT_BYTES_MAX) bytes. Bad rows are in no answer, and a window
//! that holds one says *inexact input*. The other rows of the window, `n` of them, stand in the total order (event time,
//! source, partition, offset).
//!
//! | operator | answers | of nothing |
//! |---|---|---|
//! | `count`, `rate` | n; n a second over the length of the window | 0 |
//! | `sum` | of the numbers | 0 |
//! | `decayed_count`, `decayed_sum` | each by its weight ([`decay`]) | 0 |
//! | `decayed_mean`, `decayed_variance`, `decayed_stddev` | each by its weight | null |
//! | `mean`, `variance`, `stddev` | exact ratios, rounded once ([`statistics`](crate::statistics)); the root of one | null |
//! | `min`, `max` | the smallest number, the largest | null |
//! | `first`, `last` | the value of the earliest row, of the latest | null |
//! | `first_n`, `last_n`, `last_n_distinct` | values of several rows ([`list`]) | an empty list |
//! | `any`, `all` | whether one is true; whether none is false | null |
//! | `percentile`, `median` | [`percentile`]; the one of 50 | null |
//! | `distinct_count` | how many different ones ([`distinct`]); of truths and texts, how many different numbers stand for them | 0 |
//! | `mode` | the first of the [categories](crate::category) in their order | null |
//! | `mode_share` | the part of n that has it | null |
//! | `top_k`, `top_k_share` | the first k of the categories; the part of n that each has | an empty list |
//! | `histogram` | all of them with their counts | no counts |
//! | `entropy` | how evenly n is spread over them | null |
//! | `anomaly_count` | how many of the numbers, as percentiles know them, are [anomalies](crate::anomaly) beside the baseline | 0 |
//! | `anomaly_rate` | which part of n that is | null |
//! | `time_since_first`, `time_since_last` | seconds from the earliest row, from the latest, to the end of the window | null |
//! | `inter_arrival_mean` | seconds from one row to the next | null |
//!
//! A null is NULL_VALUE, everything else PRESENT; so a list and counts are never null. Where some rows are of categories
//! that are not counted one by one, the status is OVERFLOW: a histogram says how many rows they are (`other`), and what
//! else needs categories is null. A default stands in for NULL_VALUE alone.

use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Constant, Items, Operator, Spread, Window};
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::value::{Counts, Reading, Status, Value};
use num_bigint::{BigInt, BigUint};

use crate::category::Categories;
use crate::item::{Item, number};
use crate::judge::Input;
use crate::statistics::{mean, nearest, variance};
use crate::{anomaly, decay, distinct, list, percentile};

/// A default as the operator would have answered it: a ratio is a float, all else stays what it is.
pub(crate) fn default(operator: Operator, constant: &Constant) -> Value {
    use Operator::{AnomalyRate, Entropy, Mean, MeanGap, ModeShare, Rate, Stddev, Variance};
    use Operator::{DecayedCount, DecayedMean, DecayedStddev, DecayedSum, DecayedVariance};

    match (operator, constant) {
        (_, Constant::Truth(truth)) => Value::Bool(*truth),
        (_, Constant::Text(text)) => Value::Text(text.as_str().into()),
        (
            Mean | Variance(_) | Stddev(_) | MeanGap | Rate | ModeShare | Entropy | DecayedCount | DecayedSum
            | DecayedMean | DecayedVariance | DecayedStddev | AnomalyRate(_),
            Constant::Number { unscaled, domain },
        ) => mean(i128::from(*unscaled), 1, domain.scale()).map_or(Value::Null, Value::Float),
        (_, Constant::Number { unscaled, domain }) => number(i128::from(*unscaled), Items::Numbers(*domain)),
    }
}

/// An input and its place in the total order.
pub(crate) type Placed = (Timestamp, Position, Input);

/// What is asked of the inputs of a window.
pub(crate) struct Question {
    pub(crate) operator: Operator,
    /// Of the measure.
    pub(crate) items: Items,
    pub(crate) window: Window,
    /// Where it ends.
    pub(crate) end: Timestamp,
    /// Where its baseline ends, and the inputs that lie in that; of an operator without one none.
    pub(crate) baseline: (Timestamp, Vec<Placed>),
    pub(crate) partial_coverage: bool,
    /// Whether the window begins further back than it should.
    pub(crate) rounded: bool,
}

/// What the inputs that lie in the window make.
pub(crate) fn answer(question: &Question, mut inputs: Vec<Placed>) -> Reading {
    let is_bad = |(.., input): &Placed| *input == Input::Bad;
    let inexact_input = inputs.iter().chain(&question.baseline.1).any(is_bad);
    count(&mut inputs, question.window);
    let (value, status) = answered(question, &inputs);
    let (partial_coverage, rounded) = (question.partial_coverage, question.rounded);
    Reading { value, status, inexact_input, partial_coverage, rounded }
}

/// Leaves the rows of a window that count, in the total order: bad ones never do, and of many only the last where the
/// window says so.
fn count(inputs: &mut Vec<Placed>, window: Window) {
    inputs.retain(|(.., input)| *input != Input::Bad);
    // No two rows have one place.
    inputs.sort_by_key(|(ts, at, _)| (*ts, *at));
    if let Some(n) = window.last_n() {
        *inputs = inputs.split_off(inputs.len().saturating_sub(n.into()));
    }
}

/// Of rows without bad ones, in the total order.
fn answered(question: &Question, rows: &[Placed]) -> (Value, Status) {
    let item = |(.., input): &'_ Placed| match input {
        Input::Value(item) | Input::Ranked(_, item) => Some(item.clone()),
        Input::Counted | Input::Bad => None,
    };
    let items: Vec<Item> = rows.iter().filter_map(item).collect();
    match question.operator {
        Operator::Mode
        | Operator::ModeShare
        | Operator::TopK(_)
        | Operator::TopKShare(_)
        | Operator::Histogram
        | Operator::Entropy => of_categories(question, &Categories::of(&items)),
        _ => known(of_rows(question, rows, &items)),
    }
}

fn known(value: Option<Value>) -> (Value, Status) {
    match value {
        Some(value) => (value, Status::Present),
        None => (Value::Null, Status::NullValue),
    }
}

fn of_categories(question: &Question, categories: &Categories) -> (Value, Status) {
    let sorted = categories.sorted();
    let shown = |item: &Item| item.value(question.items);
    let share = |count: u64| Value::Float(categories.share(count));
    let value = match question.operator {
        Operator::Mode => sorted.first().map(|(item, _)| shown(item)),
        Operator::ModeShare => sorted.first().map(|(_, count)| share(*count)),
        Operator::TopK(k) => Some(Value::List(sorted.iter().take(k.into()).map(|(item, _)| shown(item)).collect())),
        Operator::TopKShare(k) => {
            Some(Value::List(sorted.iter().take(k.into()).map(|(_, count)| share(*count)).collect()))
        }
        Operator::Histogram => {
            let values = sorted.iter().map(|(item, count)| (shown(item), *count)).collect();
            Some(Value::Counts(Box::new(Counts { values, other: categories.other })))
        }
        Operator::Entropy => categories.entropy().map(Value::Float),
        other => unreachable!("{other:?} counts no categories"),
    };
    match (categories.other, question.operator) {
        (0, _) => known(value),
        (_, Operator::Histogram) => (value.unwrap_or(Value::Null), Status::Overflow),
        _ => (Value::Null, Status::Overflow),
    }
}

/// `None` where there is no value.
fn of_rows(question: &Question, rows: &[Placed], items: &[Item]) -> Option<Value> {
    let numbers: Vec<i64> = items.iter().map(Item::number).collect();
    let sum: i128 = numbers.iter().map(|number| i128::from(*number)).sum();
    let times: Vec<i128> = rows.iter().map(|(ts, ..)| i128::from(ts.0)).collect();

    let shown = |item: &Item| item.value(question.items);
    let listed = |items: Vec<Item>| Some(Value::List(items.iter().map(shown).collect()));
    let exact = |unscaled: i128| number(unscaled, question.items);
    let scale = if let Items::Numbers(domain) = question.items { domain.scale() } else { 0 };
    let less = |spread| if spread == Spread::Sample { 1 } else { 0 };
    match question.operator {
        Operator::Count => Some(Value::Int(rows.len() as i128)),
        Operator::Sum => Some(exact(sum)),
        Operator::Mean => mean(sum, numbers.len() as u64, scale).map(Value::Float),
        Operator::Min => numbers.iter().min().map(|number| exact((*number).into())),
        Operator::Max => numbers.iter().max().map(|number| exact((*number).into())),
        Operator::First => items.first().map(shown),
        Operator::Last => items.last().map(shown),
        Operator::MinBy => list::ranked(rows).first().map(|item| shown(item)),
        Operator::MaxBy => list::ranked(rows).last().map(|item| shown(item)),
        Operator::FirstN(n) => listed(list::first(items, n)),
        Operator::LastN(n) => listed(list::last(items, n)),
        Operator::LastNDistinct(n) => listed(list::last_distinct(items, n)),
        Operator::Variance(spread) => variance(&numbers, less(spread), scale).map(Value::Float),
        Operator::Stddev(spread) => {
            variance(&numbers, less(spread), scale).map(|variance| Value::Float(variance.sqrt()))
        }
        Operator::Percentile(percent) => percentile::of(&numbers, percent).map(|number| exact(number.into())),
        Operator::Median => percentile::of(&numbers, Operator::HALF).map(|number| exact(number.into())),
        Operator::DistinctCount => Some(Value::Int(distinct::count(numbers))),
        Operator::Any => (!items.is_empty()).then(|| Value::Bool(items.contains(&Item::Truth(true)))),
        Operator::All => (!items.is_empty()).then(|| Value::Bool(!items.contains(&Item::Truth(false)))),
        Operator::TimeSinceFirst | Operator::TimeSinceLast => {
            let since = if question.operator == Operator::TimeSinceFirst { times.first()? } else { times.last()? };
            let micros = i128::from(question.end.0) - since;
            Some(number(micros, Items::Numbers(Domain::Decimal(6))))
        }
        Operator::MeanGap => {
            let gaps: Vec<i128> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            mean(gaps.iter().sum(), gaps.len() as u64, 6).map(Value::Float)
        }
        Operator::Rate => match question.window {
            Window::Rolling { span, .. }
            | Window::Exact { span, .. }
            | Window::Tumbling { span }
            | Window::Complete { span, .. } => {
                let (count, span) = (BigInt::from(rows.len() * 1_000_000), BigUint::from(span.0.unsigned_abs()));
                Some(Value::Float(nearest(&count, &span)))
            }
            Window::Lifetime
            | Window::LastN { .. }
            | Window::Calendar { .. }
            | Window::Session { .. }
            | Window::Decay(_) => None,
        },
        Operator::DecayedCount => {
            let rows: Vec<decay::Weighted> = rows.iter().map(|(ts, ..)| (*ts, 1)).collect();
            Some(Value::Float(decay::sum(question.window.decay()?, question.end, &rows, 0)))
        }
        Operator::DecayedSum | Operator::DecayedMean | Operator::DecayedVariance | Operator::DecayedStddev => {
            let rows: Vec<decay::Weighted> = rows.iter().map(|(ts, ..)| *ts).zip(numbers).collect();
            let (decay, t) = (question.window.decay()?, question.end);
            match question.operator {
                Operator::DecayedSum => Some(Value::Float(decay::sum(decay, t, &rows, scale))),
                Operator::DecayedVariance => decay::variance(decay, t, &rows, scale).map(Value::Float),
                Operator::DecayedStddev => {
                    decay::variance(decay, t, &rows, scale).map(|variance| Value::Float(variance.sqrt()))
                }
                _ => decay::mean(decay, t, &rows, scale).map(Value::Float),
            }
        }
        Operator::AnomalyCount(baseline) => {
            Some(Value::Int(anomaly::count(&percentile::known(&numbers), &weighed(question), baseline.sigmas)? as i128))
        }
        Operator::AnomalyRate(baseline) => {
            let count = anomaly::count(&percentile::known(&numbers), &weighed(question), baseline.sigmas)?;
            mean(count as i128, numbers.len() as u64, 0).map(Value::Float)
        }
        other => unreachable!("{other:?} counts categories"),
    }
}

/// The numbers of the baseline, and what each weighs.
fn weighed(question: &Question) -> Vec<(BigUint, i64)> {
    let (end, mut inputs) = question.baseline.clone();
    question.operator.baseline().iter().for_each(|baseline| count(&mut inputs, baseline.window));
    let decay = question.operator.decay(question.window);
    let weight = |ts| decay.map_or(BigUint::from(1u8), |decay| decay::left(decay, end, ts));
    let numbers = inputs.into_iter().filter_map(|(ts, _, input)| match input {
        Input::Value(item) => Some((weight(ts), item.number())),
        Input::Counted | Input::Ranked(..) | Input::Bad => None,
    });
    numbers.collect()
}
