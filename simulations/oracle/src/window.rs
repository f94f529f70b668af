//! One feature over the inputs of its column. Knows no key, no token and no ladder.

use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Constant, Operator, Spread, Window};
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Reading, Status, Value};
use num_bigint::{BigInt, BigUint};

use crate::field::scale;
use crate::judge::Input;
use crate::statistics::{mean, nearest, variance};

/// From when to when a window reaches, seen from `t`; its end is not in it.
pub(crate) fn edges(window: Window, t: Timestamp) -> (Timestamp, Timestamp) {
    match window {
        Window::Lifetime => (Timestamp::MIN, t),
        Window::Rolling { span, hop } => (floor(t - span, hop), t),
        Window::Tumbling { span } => (floor(t, span), t),
        Window::Complete { .. } => edges_back(window, Span(0), t),
    }
}

/// The same for one that lies so far back: a rolling one then ends on its hop.
pub(crate) fn edges_back(window: Window, back: Span, t: Timestamp) -> (Timestamp, Timestamp) {
    let from = t - back;
    match window {
        Window::Lifetime | Window::Tumbling { .. } => unreachable!("{window:?} has no offset"),
        Window::Rolling { span, hop } => (floor(from - span, hop), floor(from, hop)),
        Window::Complete { span, every, ago } => {
            let end = floor(from, every) - ago;
            (end - span, end)
        }
    }
}

/// The largest multiple of `step` that is not after `t`.
pub(crate) fn floor(t: Timestamp, step: Span) -> Timestamp {
    let (t, step) = (i128::from(t.0), i128::from(step.0));
    let floored = t.div_euclid(step) * step;
    Timestamp(i64::try_from(floored).unwrap_or(i64::MIN))
}

/// A default as the operator would have answered it: a mean is a float, all else stays in its domain.
pub(crate) fn default(operator: Operator, Constant { unscaled, domain }: Constant) -> Value {
    let number = i128::from(unscaled);
    match (operator, domain) {
        (Operator::Mean | Operator::Variance(_) | Operator::Stddev(_) | Operator::MeanGap | Operator::Rate, domain) => {
            mean(number, 1, scale(domain)).map_or(Value::Null, Value::Float)
        }
        (_, Domain::Int) => Value::Int(number),
        (_, Domain::Decimal(scale)) => Value::Decimal { unscaled: number, scale },
    }
}

/// An input and its place in the total order.
pub(crate) type Placed = (Timestamp, Position, Input);

/// What is asked of the inputs of a window.
pub(crate) struct Question {
    pub(crate) operator: Operator,
    /// Of the measure's numbers, if it has any.
    pub(crate) domain: Option<Domain>,
    pub(crate) window: Window,
    /// Where it ends.
    pub(crate) end: Timestamp,
    pub(crate) partial_coverage: bool,
}

/// What the inputs that lie in the window make.
pub(crate) fn answer(question: &Question, inputs: &[Placed]) -> Reading {
    let good: Vec<&Placed> = inputs.iter().filter(|(.., input)| *input != Input::Bad).collect();
    let value = value(question, &good);
    Reading {
        value: value.unwrap_or(Value::Null),
        status: if value.is_some() { Status::Present } else { Status::NullValue },
        inexact_input: good.len() < inputs.len(),
        partial_coverage: question.partial_coverage,
    }
}

fn value(question: &Question, good: &[&Placed]) -> Option<Value> {
    let value_of = |(.., input): &&Placed| match input {
        Input::Value(value) => Some(*value),
        Input::Counted | Input::Bad => None,
    };
    let values: Vec<i64> = good.iter().filter_map(value_of).collect();
    let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
    let number = |unscaled: i128| match question.domain {
        Some(Domain::Decimal(scale)) => Value::Decimal { unscaled, scale },
        Some(Domain::Int) | None => Value::Int(unscaled),
    };
    let scale = question.domain.map_or(0, scale);
    let less = |spread| if spread == Spread::Sample { 1 } else { 0 };
    let mut times: Vec<i128> = good.iter().map(|(ts, ..)| i128::from(ts.0)).collect();
    times.sort_unstable();
    match question.operator {
        Operator::Count => Some(Value::Int(good.len() as i128)),
        Operator::Sum => Some(number(sum)),
        Operator::Mean => mean(sum, values.len() as u64, scale).map(Value::Float),
        Operator::Min => values.iter().min().map(|value| number(i128::from(*value))),
        Operator::Max => values.iter().max().map(|value| number(i128::from(*value))),
        // No two rows have one place.
        Operator::First => {
            good.iter().min_by_key(|(ts, at, _)| (*ts, *at)).and_then(value_of).map(|of| number(of.into()))
        }
        Operator::Last => {
            good.iter().max_by_key(|(ts, at, _)| (*ts, *at)).and_then(value_of).map(|of| number(of.into()))
        }
        Operator::Variance(spread) => variance(&values, less(spread), scale).map(Value::Float),
        Operator::Stddev(spread) => {
            variance(&values, less(spread), scale).map(|variance| Value::Float(variance.sqrt()))
        }
        Operator::TimeSinceLast => {
            let micros = i128::from(question.end.0) - times.last()?;
            Some(Value::Decimal { unscaled: micros, scale: 6 })
        }
        Operator::MeanGap => {
            let gaps: Vec<i128> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            mean(gaps.iter().sum(), gaps.len() as u64, 6).map(Value::Float)
        }
        Operator::Rate => match question.window {
            Window::Rolling { span, .. } | Window::Tumbling { span } | Window::Complete { span, .. } => Some(
                Value::Float(nearest(&BigInt::from(good.len() * 1_000_000), &BigUint::from(span.0.unsigned_abs()))),
            ),
            Window::Lifetime => None,
        },
    }
}
