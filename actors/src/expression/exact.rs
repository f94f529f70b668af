//! Expressions that are exact numbers: unscaled integers of 128 bits, checked. Knows no float but as an argument.

use std::sync::Arc;

use featuregrid_protocol::expression::{Absent, Expression, Function, Kind, Literal, Part, Type};
use featuregrid_protocol::number::Number;
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::time::{Timestamp, zone};
use xxhash_rust::xxh3::xxh3_64;

use super::quotient;
use super::shared::{Operand, both, bucket, fold, operands, unchecked};
use super::{Code, Inputs, float, instant, shared, text};

pub(super) fn compile(expression: &Expression, inputs: &mut Inputs) -> Code<i128> {
    if let Some(code) = shared::compile(expression, inputs, compile) {
        return code;
    }
    let (function, arguments) = match &expression.kind {
        Kind::Literal(Literal::Number(value)) => {
            let value = *value;
            return Arc::new(move |_| Ok(value));
        }
        Kind::Call(function, arguments) => (function, arguments.as_slice()),
        _ => unchecked(expression),
    };
    let scale = |of: Type| of.scale().unwrap_or_else(|| unchecked(expression));
    match (function, arguments) {
        (Function::Add, [left, right]) => two(left, right, inputs, |left, right| left.checked_add(right)),
        (Function::Subtract, [left, right]) => two(left, right, inputs, |left, right| left.checked_sub(right)),
        (Function::Multiply, [left, right]) => two(left, right, inputs, product),
        (Function::Remainder, [left, right]) => {
            // Of the smallest integer by -1 the remainder is 0, though the quotient does not fit.
            two(left, right, inputs, |left, right| (right != 0).then(|| left.wrapping_rem(right)))
        }
        (Function::Quotient, [left, right]) => {
            let digits = quotient::Digits { left: scale(left.of), right: scale(right.of) };
            let (left, right, to) = (operand(left, inputs), operand(right, inputs), scale(expression.of));
            Arc::new(move |row| {
                let (left, right) = both(left.of(row), right.of(row))?;
                quotient::rounded(left, right, digits, to).ok_or(Absent::Bad)
            })
        }
        (Function::Negate, [value]) => one(value, inputs, i128::checked_neg),
        (Function::Absolute, [value]) => one(value, inputs, i128::checked_abs),
        (Function::Floor, [value]) => whole(value, inputs, f64::floor, i128::div_euclid),
        (Function::Ceiling, [value]) => whole(value, inputs, f64::ceil, |value, power| {
            value.div_euclid(power) + i128::from(value.rem_euclid(power) != 0)
        }),
        (Function::Least, values) => fold(operands(values, inputs, compile), |left, right| left.min(right)),
        (Function::Greatest, values) => fold(operands(values, inputs, compile), |left, right| left.max(right)),
        (Function::Bucketize, [value, bounds @ ..]) if value.of == Type::Float => {
            bucket(Operand::new(value, inputs, float::compile), operands(bounds, inputs, float::compile))
        }
        (Function::Bucketize, [value, bounds @ ..]) => {
            bucket(operand(value, inputs), operands(bounds, inputs, compile))
        }
        (Function::Between, [left, right]) => {
            let [left, right] = [left, right].map(|side| Operand::new(side, inputs, instant::compile));
            Arc::new(move |row| {
                let (left, right) = both(left.of(row), right.of(row))?;
                Ok(i128::from(left.0) - i128::from(right.0))
            })
        }
        (Function::Calendar(part, name), [at]) => {
            calendar(*part, name, at, inputs).unwrap_or_else(|| unchecked(expression))
        }
        (Function::Size, [value]) => {
            let value = text::compile(value, inputs);
            Arc::new(move |row| value(row).map(|value| value.chars().count() as i128))
        }
        (Function::Hash(below), [value]) => {
            let (value, below) = (text::compile(value, inputs), *below);
            Arc::new(move |row| value(row).map(|value| i128::from(xxh3_64(value.as_bytes()) % below)))
        }
        (Function::Convert, [value]) => convert(value, expression.of, inputs),
        _ => unchecked(expression),
    }
}

fn operand(expression: &Expression, inputs: &mut Inputs) -> Operand<i128> {
    Operand::new(expression, inputs, compile)
}

/// Almost all numbers are words: their product needs no check.
#[inline]
fn product(left: i128, right: i128) -> Option<i128> {
    match (i64::try_from(left), i64::try_from(right)) {
        (Ok(left), Ok(right)) => Some(i128::from(left) * i128::from(right)),
        _ if plants::on(Plant::ProductWraps) => Some(left.wrapping_mul(right)),
        _ => left.checked_mul(right),
    }
}

fn two(
    left: &Expression,
    right: &Expression,
    inputs: &mut Inputs,
    compute: impl Fn(i128, i128) -> Option<i128> + Send + Sync + 'static,
) -> Code<i128> {
    let (left, right) = (operand(left, inputs), operand(right, inputs));
    Arc::new(move |row| {
        let (left, right) = both(left.of(row), right.of(row))?;
        compute(left, right).ok_or(Absent::Bad)
    })
}

/// To a whole number, by its own rule for floats and for exact numbers.
fn whole(
    value: &Expression,
    inputs: &mut Inputs,
    of_float: fn(f64) -> f64,
    of_exact: fn(i128, i128) -> i128,
) -> Code<i128> {
    match value.of.scale() {
        Some(scale) => {
            let (value, power) = (operand(value, inputs), 10i128.pow(scale.into()));
            Arc::new(move |row| Ok(of_exact(value.of(row)?, power)))
        }
        None => {
            let value = Operand::new(value, inputs, float::compile);
            Arc::new(move |row| quotient::of_float(of_float(value.of(row)?), 0).ok_or(Absent::Bad))
        }
    }
}

fn convert(value: &Expression, to: Type, inputs: &mut Inputs) -> Code<i128> {
    let Some(domain) = to.domain() else { unchecked(value) };
    let scale = domain.scale();
    match value.of {
        Type::Float => {
            let value = Operand::new(value, inputs, float::compile);
            Arc::new(move |row| quotient::of_float(value.of(row)?, scale).ok_or(Absent::Bad))
        }
        Type::Text => {
            let value = text::compile(value, inputs);
            Arc::new(move |row| match domain.parse(&value(row)?) {
                Number::Unscaled(unscaled) => Ok(unscaled.into()),
                Number::Bad | Number::NotANumber => Err(Absent::Bad),
            })
        }
        Type::Bool | Type::Timestamp => unchecked(value),
        Type::Int | Type::Decimal(_) => {
            let from = value.of.scale().unwrap_or(0);
            match scale.checked_sub(from) {
                Some(more) => {
                    let power = 10i128.pow(more.into());
                    one(value, inputs, move |value| value.checked_mul(power))
                }
                None => {
                    let power = 10i128.pow((from - scale).into());
                    one(value, inputs, move |value| Some(quotient::half_even(value, power)))
                }
            }
        }
    }
}

fn one(
    value: &Expression,
    inputs: &mut Inputs,
    compute: impl Fn(i128) -> Option<i128> + Send + Sync + 'static,
) -> Code<i128> {
    let value = operand(value, inputs);
    Arc::new(move |row| compute(value.of(row)?).ok_or(Absent::Bad))
}

/// `None` where the zone is none.
fn calendar(part: Part, name: &str, at: &Expression, inputs: &mut Inputs) -> Option<Code<i128>> {
    let name = if plants::on(Plant::ZoneForgotten) { "UTC" } else { name };
    let (zone, at) = (zone::find(name)?, Operand::new(at, inputs, instant::compile));
    Some(Arc::new(move |row| {
        let Timestamp(micros) = at.of(row)?;
        let instant = jiff::Timestamp::from_microsecond(micros).map_err(|_| Absent::Bad)?;
        let date = zone.to_datetime(instant);
        Ok(match part {
            Part::Hour => date.hour().into(),
            Part::Weekday => date.weekday().to_monday_one_offset().into(),
            Part::Day => date.day().into(),
            Part::Month => date.month().into(),
            Part::Year => date.year().into(),
        })
    }))
}
