//! What an expression answers: a walk over its tree, with integers of any size and texts that are copied. Knows no record
//! and no reading.
//!
//! Nothing is compiled, cached or skipped: every argument is computed, whatever the others are.

mod number;

use std::cmp::Ordering;

use featuregrid_protocol::expression::{self, Expression, Function, Kind, Literal, Part, Type};
use featuregrid_protocol::time::{Timestamp, zone};
use featuregrid_protocol::value;
use num_bigint::BigInt;
use xxhash_rust::xxh3::xxh3_64;

use crate::instant;

/// A value of any type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// None.
    Null,
    /// None, because no finite number came of what was there.
    Bad,
    /// True or false.
    Bool(bool),
    /// Of an exact type, unscaled.
    Number(i128),
    /// Finite, and never minus zero.
    Float(f64),
    /// Text.
    Text(String),
    /// An instant.
    Timestamp(Timestamp),
}

/// The value of an expression over `inputs`, of an event at `event_time`.
pub fn evaluate(expression: &Expression, inputs: &dyn Fn(usize, Type) -> Value, event_time: Timestamp) -> Value {
    let of = expression.of;
    match &expression.kind {
        Kind::Input(at) => inputs(*at, of),
        Kind::EventTime => Value::Timestamp(event_time),
        Kind::Literal(literal) => written(literal),
        Kind::Call(function, arguments) => {
            let types: Vec<Type> = arguments.iter().map(|argument| argument.of).collect();
            let values = arguments.iter().map(|argument| evaluate(argument, inputs, event_time)).collect();
            apply(function, values, &types, of)
        }
    }
}

fn written(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Number(unscaled) => Value::Number(*unscaled),
        Literal::Text(text) => Value::Text(text.clone()),
        Literal::Timestamp(timestamp) => Value::Timestamp(*timestamp),
    }
}

fn apply(function: &Function, mut values: Vec<Value>, types: &[Type], of: Type) -> Value {
    let is = |value: &Value, wanted: bool| *value == Value::Bool(wanted);
    let is_absent = |value: &Value| matches!(value, Value::Null | Value::Bad);
    // Those that look at absent values themselves.
    match function {
        Function::And if values.iter().any(|value| is(value, false)) => return Value::Bool(false),
        Function::And if values.iter().all(|value| is(value, true)) => return Value::Bool(true),
        Function::Or if values.iter().any(|value| is(value, true)) => return Value::Bool(true),
        Function::Or if values.iter().all(|value| is(value, false)) => return Value::Bool(false),
        Function::And | Function::Or => return Value::Null,
        Function::If => return values.swap_remove(if is(&values[0], true) { 1 } else { 2 }),
        Function::IsNull => return Value::Bool(is_absent(&values[0])),
        Function::Coalesce => {
            let is_bad = values.contains(&Value::Bad);
            let nothing = if is_bad { Value::Bad } else { Value::Null };
            return values.into_iter().find(|value| !is_absent(value)).unwrap_or(nothing);
        }
        _ => {}
    }
    // All others: with a null it is null, with a bad number bad; and what is no number is never bad.
    let is_number = of.is_number();
    if values.contains(&Value::Null) || (!is_number && values.contains(&Value::Bad)) {
        return Value::Null;
    }
    if values.contains(&Value::Bad) {
        return Value::Bad;
    }
    computed(function, &values, types, of).unwrap_or(if is_number { Value::Bad } else { Value::Null })
}

/// With every argument there; `None` where nothing comes of them.
fn computed(function: &Function, values: &[Value], types: &[Type], of: Type) -> Option<Value> {
    let truth = |value| Some(Value::Bool(value));
    match (function, values) {
        (Function::Not, [Value::Bool(value)]) => truth(!value),
        (Function::Compare(op), [left, right]) => truth(op.holds(order(left, right)?)),
        (Function::In, [value, list @ ..]) => truth(list.contains(value)),
        (Function::Concat, [Value::Text(left), Value::Text(right)]) => Some(Value::Text(format!("{left}{right}"))),
        (Function::Lower, [Value::Text(text)]) => Some(Value::Text(letters(text, 'A'..='Z', 32))),
        (Function::Upper, [Value::Text(text)]) => Some(Value::Text(letters(text, 'a'..='z', -32))),
        (Function::Trim, [Value::Text(text)]) => Some(Value::Text(text.trim_matches([' ', '\t', '\n', '\r']).into())),
        (Function::Size, [Value::Text(text)]) => Some(Value::Number(text.chars().count() as i128)),
        (Function::Contains, [Value::Text(text), Value::Text(part)]) => truth(places(text, part).next().is_some()),
        (Function::StartsWith, [Value::Text(text), Value::Text(part)]) => truth(places(text, part).any(|at| at == 0)),
        (Function::EndsWith, [Value::Text(text), Value::Text(part)]) => {
            truth(places(text, part).any(|at| at + part.len() == text.len()))
        }
        (Function::Matches, [Value::Text(text), Value::Text(pattern)]) => {
            truth(expression::pattern(pattern).ok()?.find(text.as_bytes()).is_some())
        }
        (Function::Hash(below), [Value::Text(text)]) => {
            Some(Value::Number(i128::from(xxh3_64(text.as_bytes())) % i128::from(*below)))
        }
        (Function::Between, [Value::Timestamp(left), Value::Timestamp(right)]) => {
            Some(Value::Number(i128::from(left.0) - i128::from(right.0)))
        }
        (Function::Calendar(part, zone), [Value::Timestamp(at)]) => calendar(*part, zone, *at).map(Value::Number),
        (Function::Bucketize, [value, bounds @ ..]) => {
            let below = bounds.iter().filter(|bound| order(bound, value).is_some_and(Ordering::is_le));
            Some(Value::Number(below.count() as i128))
        }
        (Function::Least, values) => furthest(values, Ordering::Less),
        (Function::Greatest, values) => furthest(values, Ordering::Greater),
        (Function::Convert, [value]) => convert(value, types[0], of),
        (_, [Value::Float(_), ..]) => floats(function, values).and_then(|value| match of {
            Type::Int => number::of_float(value, 0).map(Value::Number),
            _ => number::finite(value).map(Value::Float),
        }),
        (Function::Divide, [Value::Number(left), Value::Number(right)]) => {
            let (left, right) = (number::fraction(*left, types[0])?, number::fraction(*right, types[1])?);
            number::nearest(left.0 * right.1, left.1 * right.0).map(Value::Float)
        }
        _ => exact(function, values, types, of).and_then(|value| i128::try_from(value).ok()).map(Value::Number),
    }
}

/// Exact numbers, with integers of any size.
fn exact(function: &Function, values: &[Value], types: &[Type], of: Type) -> Option<BigInt> {
    let numbers: Option<Vec<BigInt>> = values
        .iter()
        .map(|value| match value {
            Value::Number(number) => Some(BigInt::from(*number)),
            _ => None,
        })
        .collect();
    let numbers = numbers?;
    let zero = BigInt::from(0);
    Some(match (function, numbers.as_slice()) {
        (Function::Add, [left, right]) => left + right,
        (Function::Subtract, [left, right]) => left - right,
        (Function::Multiply, [left, right]) => left * right,
        (Function::Remainder, [left, right]) if *right != zero => left % right,
        (Function::Negate, [value]) => -value,
        (Function::Absolute, [value]) => {
            if *value < zero {
                -value
            } else {
                value.clone()
            }
        }
        (Function::Floor, [value]) => number::floor(value, &number::power(types[0].scale()?)),
        (Function::Ceiling, [value]) => -number::floor(&-value, &number::power(types[0].scale()?)),
        (Function::Quotient, [left, right]) if *right != zero => {
            // (left / 10^a) / (right / 10^b) x 10^s
            let (above, below) = (number::power(types[1].scale()? + of.scale()?), number::power(types[0].scale()?));
            number::half_even(left * above, right * below)
        }
        _ => return None,
    })
}

/// Functions of floats, as IEEE 754 or `libm` says.
fn floats(function: &Function, values: &[Value]) -> Option<f64> {
    let floats: Option<Vec<f64>> = values
        .iter()
        .map(|value| match value {
            Value::Float(float) => Some(*float),
            _ => None,
        })
        .collect();
    Some(match (function, floats?.as_slice()) {
        (Function::Add, [left, right]) => left + right,
        (Function::Subtract, [left, right]) => left - right,
        (Function::Multiply, [left, right]) => left * right,
        (Function::Divide, [left, right]) => left / right,
        (Function::Negate, [value]) => -value,
        (Function::Absolute, [value]) => value.abs(),
        (Function::Floor, [value]) => value.floor(),
        (Function::Ceiling, [value]) => value.ceil(),
        (Function::Log, [value]) => libm::log(*value),
        (Function::Exp, [value]) => libm::exp(*value),
        (Function::SquareRoot, [value]) => value.sqrt(),
        (Function::Power, [value, exponent]) => libm::pow(*value, *exponent),
        _ => return None,
    })
}

fn convert(value: &Value, from: Type, to: Type) -> Option<Value> {
    match (value, to) {
        (Value::Number(unscaled), Type::Text) => {
            let value = value::Value::Decimal { unscaled: *unscaled, scale: from.scale()? };
            Some(Value::Text(value.to_string()))
        }
        (Value::Number(unscaled), Type::Float) => {
            let (above, below) = number::fraction(*unscaled, from)?;
            number::nearest(above, below).map(Value::Float)
        }
        (Value::Number(unscaled), _) => {
            let value = number::half_even(number::power(to.scale()?) * unscaled, number::power(from.scale()?));
            i128::try_from(value).ok().map(Value::Number)
        }
        (Value::Float(float), Type::Text) => Some(Value::Text(float.to_string())),
        (Value::Float(float), _) => number::of_float(*float, to.scale()?).map(Value::Number),
        (Value::Bool(value), Type::Text) => Some(Value::Text(value.to_string())),
        (Value::Timestamp(at), Type::Text) => Some(Value::Text(at.to_string())),
        (Value::Text(text), Type::Float) => text.parse().ok().and_then(number::finite).map(Value::Float),
        (Value::Text(text), Type::Timestamp) => instant::of_text(text).map(Value::Timestamp),
        (Value::Text(text), _) => match crate::number::read(text, to.scale()?) {
            crate::number::Number::Unscaled(unscaled) => Some(Value::Number(unscaled.into())),
            crate::number::Number::Bad | crate::number::Number::Nonsense => None,
        },
        _ => None,
    }
}

/// The first of the values than which no other lies further on that side.
fn furthest(values: &[Value], side: Ordering) -> Option<Value> {
    let (first, rest) = values.split_first()?;
    let further = |found, value| if order(value, found) == Some(side) { value } else { found };
    Some(rest.iter().fold(first, further).clone())
}

/// How two values of one type compare.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => Some(left.cmp(right)),
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::Text(left), Value::Text(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// With some letters moved.
fn letters(text: &str, which: std::ops::RangeInclusive<char>, by: i32) -> String {
    let moved = |c: char| char::from_u32((c as u32).wrapping_add_signed(by)).unwrap_or(c);
    text.chars().map(|c| if which.contains(&c) { moved(c) } else { c }).collect()
}

/// Every byte where a part begins in a text.
fn places<'t>(text: &'t str, part: &'t str) -> impl Iterator<Item = usize> + 't {
    (0..=text.len()).filter(move |at| text.as_bytes()[*at..].starts_with(part.as_bytes()))
}

/// A part of the date and time in a zone, counted year by year; `None` outside the years 1 to 9999.
fn calendar(part: Part, name: &str, at: Timestamp) -> Option<i128> {
    let instant = jiff::Timestamp::from_microsecond(at.0).ok()?;
    let offset = i64::from(zone::find(name)?.to_offset(instant).seconds());
    let seconds = at.0.div_euclid(1_000_000) + offset;
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = instant::date(days);
    Some(i128::from(match part {
        Part::Hour => second / 3_600,
        // 1970 began on a Thursday.
        Part::Weekday => (days + 3).rem_euclid(7) + 1,
        Part::Day => day,
        Part::Month => month,
        Part::Year => year,
    }))
}

#[cfg(test)]
mod tests;
