//! Expressions that are floats: IEEE 754 and `libm`, the same bits everywhere. No answer is infinite, `NaN` or minus zero.

use std::sync::Arc;

use featuregrid_protocol::expression::{Absent, Expression, Function, Kind, Type};

use super::quotient;
use super::shared::{Operand, both, fold, operands, unchecked};
use super::{Code, Inputs, exact, shared, text};

pub(super) fn compile(expression: &Expression, inputs: &mut Inputs) -> Code<f64> {
    if let Some(code) = shared::compile(expression, inputs, compile) {
        return code;
    }
    let Kind::Call(function, arguments) = &expression.kind else { unchecked(expression) };
    match (function, arguments.as_slice()) {
        (Function::Divide, [left, right]) if left.of != Type::Float => {
            let digits = quotient::Digits { left: left.of.scale().unwrap_or(0), right: right.of.scale().unwrap_or(0) };
            let [left, right] = [left, right].map(|side| Operand::new(side, inputs, exact::compile));
            Arc::new(move |row| {
                let (left, right) = both(left.of(row), right.of(row))?;
                quotient::nearest(left, right, digits).ok_or(Absent::Bad)
            })
        }
        (Function::Add, [left, right]) => two(left, right, inputs, |left, right| left + right),
        (Function::Subtract, [left, right]) => two(left, right, inputs, |left, right| left - right),
        (Function::Multiply, [left, right]) => two(left, right, inputs, |left, right| left * right),
        (Function::Divide, [left, right]) => two(left, right, inputs, |left, right| left / right),
        (Function::Power, [left, right]) => two(left, right, inputs, libm::pow),
        (Function::Negate, [value]) => one(value, inputs, |value| -value),
        (Function::Absolute, [value]) => one(value, inputs, f64::abs),
        (Function::Log, [value]) => one(value, inputs, libm::log),
        (Function::Exp, [value]) => one(value, inputs, libm::exp),
        (Function::SquareRoot, [value]) => one(value, inputs, f64::sqrt),
        (Function::Least, values) => {
            fold(operands(values, inputs, compile), |left, right| if right < left { right } else { left })
        }
        (Function::Greatest, values) => {
            fold(operands(values, inputs, compile), |left, right| if right > left { right } else { left })
        }
        (Function::Convert, [value]) => convert(value, inputs),
        _ => unchecked(expression),
    }
}

fn one(value: &Expression, inputs: &mut Inputs, compute: fn(f64) -> f64) -> Code<f64> {
    let value = Operand::new(value, inputs, compile);
    Arc::new(move |row| finite(compute(value.of(row)?)))
}

fn two(
    left: &Expression,
    right: &Expression,
    inputs: &mut Inputs,
    compute: impl Fn(f64, f64) -> f64 + Send + Sync + 'static,
) -> Code<f64> {
    let [left, right] = [left, right].map(|side| Operand::new(side, inputs, compile));
    Arc::new(move |row| {
        let (left, right) = both(left.of(row), right.of(row))?;
        finite(compute(left, right))
    })
}

fn convert(value: &Expression, inputs: &mut Inputs) -> Code<f64> {
    match value.of.scale() {
        Some(scale) => {
            let value = Operand::new(value, inputs, exact::compile);
            let digits = quotient::Digits { left: scale, right: 0 };
            Arc::new(move |row| quotient::nearest(value.of(row)?, 1, digits).ok_or(Absent::Bad))
        }
        None => {
            let value = text::compile(value, inputs);
            Arc::new(move |row| finite(value(row)?.parse().map_err(|_| Absent::Bad)?))
        }
    }
}

/// A value, without the sign of a zero.
fn finite(value: f64) -> Result<f64, Absent> {
    if value.is_finite() { Ok(value + 0.0) } else { Err(Absent::Bad) }
}
