//! One feature over the inputs of its column. Knows no key, no token and no ladder.

use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Constant, Operator, Window};
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Reading, Status, Value};

use crate::field::scale;
use crate::judge::Input;
use crate::mean::mean;

/// Whether an event lies in a window seen from `t`: `floor_hop(t - span) <= ts < t`.
pub(crate) fn lies_in(window: Window, ts: Timestamp, t: Timestamp) -> bool {
    let started = match window {
        Window::Lifetime => true,
        Window::Rolling { span, hop } => floor(t - span, hop) <= ts,
    };
    started && ts < t
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
        (Operator::Mean, domain) => mean(number, 1, scale(domain)).map_or(Value::Null, Value::Float),
        (_, Domain::Int) => Value::Int(number),
        (_, Domain::Decimal(scale)) => Value::Decimal { unscaled: number, scale },
    }
}

/// What the inputs that lie in the window make.
pub(crate) fn answer(operator: Operator, domain: Option<Domain>, inputs: &[Input], partial_coverage: bool) -> Reading {
    let values: Vec<i64> = inputs
        .iter()
        .filter_map(|input| match input {
            Input::Value(value) => Some(*value),
            Input::Counted | Input::Bad => None,
        })
        .collect();
    let bad = inputs.iter().filter(|input| **input == Input::Bad).count();
    let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
    let number = |unscaled: i128| match domain {
        Some(Domain::Decimal(scale)) => Value::Decimal { unscaled, scale },
        Some(Domain::Int) | None => Value::Int(unscaled),
    };
    let value = match operator {
        Operator::Count => Some(Value::Int((inputs.len() - bad) as i128)),
        Operator::Sum => Some(number(sum)),
        Operator::Mean => mean(sum, values.len() as u64, domain.map_or(0, scale)).map(Value::Float),
        Operator::Min => values.iter().min().map(|value| number(i128::from(*value))),
        Operator::Max => values.iter().max().map(|value| number(i128::from(*value))),
    };
    Reading {
        value: value.unwrap_or(Value::Null),
        status: if value.is_some() { Status::Present } else { Status::NullValue },
        inexact_input: bad > 0,
        partial_coverage,
    }
}
