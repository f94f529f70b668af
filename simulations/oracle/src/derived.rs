//! Derived features: an expression over what the other features of the view answered. Knows no row and no window.
//!
//! An input without a value is null, for whatever reason: one that overflowed is no other null than one of nothing.

use featuregrid_protocol::expression::{Expression, Type};
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::value::{self, Reading, Status};

use crate::expression::{Value, evaluate};

/// What a formula answers; `readings` are the results before it.
pub(crate) fn answer(formula: &Expression, readings: &[Reading]) -> Reading {
    let named = formula.inputs();
    let inputs: Vec<&Reading> = named.iter().filter_map(|(result, _)| readings.get(*result)).collect();
    let has = |status| inputs.iter().any(|input| input.status == status);
    let shared = [Status::NotFound, Status::OutOfRange].into_iter().find(|status| has(*status));
    let value = match shared {
        Some(_) => value::Value::Null,
        None => number(formula, readings),
    };
    let status = match (shared, &value) {
        (Some(shared), _) => shared,
        (None, value::Value::Null) => Status::NullValue,
        (None, _) if has(Status::Defaulted) => Status::Defaulted,
        (None, _) => Status::Present,
    };
    Reading {
        value,
        status,
        inexact_input: inputs.iter().any(|input| input.inexact_input),
        partial_coverage: inputs.iter().any(|input| input.partial_coverage),
    }
}

fn number(formula: &Expression, readings: &[Reading]) -> value::Value {
    let input = |result: usize, _| match readings.get(result).map(|reading| &reading.value) {
        None | Some(value::Value::Null) => Value::Null,
        Some(value::Value::Bool(truth)) => Value::Bool(*truth),
        Some(value::Value::Int(int)) => Value::Number(*int),
        Some(value::Value::Decimal { unscaled, .. }) => Value::Number(*unscaled),
        Some(value::Value::Float(float)) => Value::Float(*float),
        Some(value::Value::Text(text)) => Value::Text(text.to_string()),
        Some(value::Value::List(_) | value::Value::Counts(_)) => unreachable!("an expression takes one value"),
    };
    match (evaluate(formula, &input, Timestamp::MIN), formula.of) {
        (Value::Number(unscaled), Type::Decimal(scale)) if scale > 0 => value::Value::Decimal { unscaled, scale },
        (Value::Number(int), _) => value::Value::Int(int),
        (Value::Float(float), _) => value::Value::Float(float),
        _ => value::Value::Null,
    }
}
