//! Derived features: an expression over what the other features of the view answered, and over what was sent with the
//! read. Knows no row and no window.
//!
//! An input that overflowed is null as any other; but a null that comes of it says so, and no default hides it.

use featuregrid_protocol::expression::Type;
use featuregrid_protocol::plan::{Derived, Operator, ViewPlan};
use featuregrid_protocol::request::Sent;
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::value::{self, Reading, Status};

use crate::expression::{Value, evaluate};
use crate::feature;

/// What a derived feature answers; `readings` are the results before it.
pub(crate) fn answer(view: &ViewPlan, derived: &Derived, readings: &[Reading], sent: &[Sent]) -> Reading {
    // Its inputs are all results of the view and, behind them, all values that can be sent.
    let results = view.features.len() + view.derived.len();
    let named = derived.formula.inputs();
    let inputs: Vec<&Reading> =
        named.iter().filter(|(input, _)| *input < results).filter_map(|(result, _)| readings.get(*result)).collect();
    let has = |status| inputs.iter().any(|input| input.status == status);
    let shared = [Status::NotFound, Status::OutOfRange].into_iter().find(|status| has(*status));
    let input = |input: usize, _| match input.checked_sub(results) {
        None => result(readings.get(input)),
        Some(at) => of_request(sent.get(at)),
    };
    let value = match shared {
        Some(_) => value::Value::Null,
        None => number(evaluate(&derived.formula, &input, Timestamp::MIN), derived.formula.of),
    };
    let (value, status) = match (shared, value, &derived.default) {
        (Some(shared), value, _) => (value, shared),
        (None, value::Value::Null, _) if has(Status::Overflow) => (value::Value::Null, Status::Overflow),
        (None, value::Value::Null, None) => (value::Value::Null, Status::NullValue),
        (None, value::Value::Null, Some(default)) => {
            let operator = if derived.formula.of == Type::Float { Operator::Mean } else { Operator::Sum };
            (feature::default(operator, default), Status::Defaulted)
        }
        (None, value, _) if has(Status::Defaulted) => (value, Status::Defaulted),
        (None, value, _) => (value, Status::Present),
    };
    Reading {
        value,
        status,
        inexact_input: inputs.iter().any(|input| input.inexact_input),
        partial_coverage: inputs.iter().any(|input| input.partial_coverage),
        rounded: inputs.iter().any(|input| input.rounded),
    }
}

/// Whether some feature has a part in a result: what comes of sent values alone says nothing of the entity.
pub(crate) fn is_of_the_entity(view: &ViewPlan, result: usize) -> bool {
    let Some(derived) = result.checked_sub(view.features.len()) else { return true };
    let results = view.features.len() + view.derived.len();
    let inputs = view.derived.get(derived).map(|derived| derived.formula.inputs()).unwrap_or_default();
    inputs.into_iter().any(|(input, _)| input < results && is_of_the_entity(view, input))
}

fn result(reading: Option<&Reading>) -> Value {
    match reading.map(|reading| &reading.value) {
        None | Some(value::Value::Null) => Value::Null,
        Some(value::Value::Bool(truth)) => Value::Bool(*truth),
        Some(value::Value::Int(int)) => Value::Number(*int),
        Some(value::Value::Decimal { unscaled, .. }) => Value::Number(*unscaled),
        Some(value::Value::Float(float)) => Value::Float(*float),
        Some(value::Value::Text(text)) => Value::Text(text.to_string()),
        Some(value::Value::List(_) | value::Value::Counts(_)) => unreachable!("an expression takes one value"),
    }
}

fn of_request(sent: Option<&Sent>) -> Value {
    match sent {
        None | Some(Sent::Null) => Value::Null,
        Some(Sent::Bool(value)) => Value::Bool(*value),
        Some(Sent::Number(unscaled)) => Value::Number(i128::from(*unscaled)),
        Some(Sent::Text(text)) => Value::Text(text.to_string()),
        Some(Sent::Timestamp(at)) => Value::Timestamp(*at),
    }
}

fn number(value: Value, of: Type) -> value::Value {
    match (value, of) {
        (Value::Number(unscaled), Type::Decimal(scale)) if scale > 0 => value::Value::Decimal { unscaled, scale },
        (Value::Number(int), _) => value::Value::Int(int),
        (Value::Float(float), _) => value::Value::Float(float),
        _ => value::Value::Null,
    }
}
