//! Derived features: arithmetic over what the other features of the view answered. Knows no row and no window.

use featuregrid_protocol::plan::{Arithmetic, ArithmeticOp, Constant};
use featuregrid_protocol::value::{Reading, Status, Value};

use crate::field::scale;
use crate::statistics::mean;

/// What a formula answers; `readings` are the results before it.
pub(crate) fn answer(formula: &Arithmetic, readings: &[Reading]) -> Reading {
    let inputs: Vec<&Reading> = named(formula).into_iter().filter_map(|result| readings.get(result)).collect();
    let has = |status| inputs.iter().any(|input| input.status == status);
    let value = number(formula, readings);
    let shared = [Status::NotFound, Status::OutOfRange].into_iter().find(|status| has(*status));
    let status = match (shared, value) {
        (Some(shared), _) => shared,
        (None, None) => Status::NullValue,
        (None, Some(_)) if has(Status::Defaulted) => Status::Defaulted,
        (None, Some(_)) => Status::Present,
    };
    Reading {
        // Adding zero makes the one zero with a sign the one without.
        value: value.map_or(Value::Null, |value| Value::Float(value + 0.0)),
        status,
        inexact_input: inputs.iter().any(|input| input.inexact_input),
        partial_coverage: inputs.iter().any(|input| input.partial_coverage),
    }
}

/// Every result a formula names.
fn named(formula: &Arithmetic) -> Vec<usize> {
    match formula {
        Arithmetic::Result(result) => vec![*result],
        Arithmetic::Constant(_) => Vec::new(),
        Arithmetic::Binary { left, right, .. } => [named(left), named(right)].concat(),
    }
}

/// Nothing where an input is null, where something is divided by zero, and where no float is large enough.
fn number(formula: &Arithmetic, readings: &[Reading]) -> Option<f64> {
    match formula {
        Arithmetic::Result(result) => match readings.get(*result)?.value {
            Value::Null => None,
            Value::Int(int) => mean(int, 1, 0),
            Value::Decimal { unscaled, scale } => mean(unscaled, 1, scale),
            Value::Float(float) => Some(float),
        },
        Arithmetic::Constant(Constant { unscaled, domain }) => mean(i128::from(*unscaled), 1, scale(*domain)),
        Arithmetic::Binary { op, left, right } => {
            let (left, right) = (number(left, readings)?, number(right, readings)?);
            let value = match op {
                ArithmeticOp::Add => left + right,
                ArithmeticOp::Subtract => left - right,
                ArithmeticOp::Multiply => left * right,
                ArithmeticOp::Divide if right == 0.0 => return None,
                ArithmeticOp::Divide => left / right,
            };
            value.is_finite().then_some(value)
        }
    }
}
