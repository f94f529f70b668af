//! Expressions that are texts: those of the row are borrowed, others are made. Letters are ASCII's, because Unicode's
//! tables change and state does not.

use std::borrow::Cow;
use std::sync::Arc;

use featuregrid_protocol::expression::{Absent, Expression, Function, Kind, Literal, Type};
use featuregrid_protocol::value::Value;

use super::condition::Condition;
use super::shared::{all, both, unchecked};
use super::{Cell, Inputs, TextCode, exact, float, instant, logic};

/// What `trim` takes away.
const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

pub(super) fn compile(expression: &Expression, inputs: &mut Inputs) -> TextCode {
    let (function, arguments) = match &expression.kind {
        Kind::Input(input) => {
            let cell = inputs.cell(*input, expression.of);
            return Arc::new(move |row| match row.cells[cell] {
                Cell::Text(text) => Ok(Cow::Borrowed(text)),
                _ => Err(Absent::Null),
            });
        }
        Kind::Literal(Literal::Text(text)) => {
            let text = text.clone();
            return Arc::new(move |_| Ok(Cow::Owned(text.clone())));
        }
        Kind::Literal(Literal::Null) => return Arc::new(|_| Err(Absent::Null)),
        Kind::Call(function, arguments) => (function, arguments.as_slice()),
        _ => unchecked(expression),
    };
    match (function, arguments) {
        (Function::If, [condition, then, otherwise]) => {
            let condition = Condition::new(condition, inputs);
            let (then, otherwise) = (compile(then, inputs), compile(otherwise, inputs));
            Arc::new(move |row| if condition.holds(row) { then(row) } else { otherwise(row) })
        }
        (Function::Coalesce, values) => {
            let codes = all(values, inputs, compile);
            Arc::new(move |row| codes.iter().find_map(|code| code(row).ok()).ok_or(Absent::Null))
        }
        (Function::Concat, [left, right]) => {
            let (left, right) = (compile(left, inputs), compile(right, inputs));
            Arc::new(move |row| {
                let (left, right) = both(left(row), right(row))?;
                Ok(Cow::Owned([left.as_ref(), right.as_ref()].concat()))
            })
        }
        (Function::Lower, [value]) => cased(value, inputs, u8::is_ascii_uppercase, str::to_ascii_lowercase),
        (Function::Upper, [value]) => cased(value, inputs, u8::is_ascii_lowercase, str::to_ascii_uppercase),
        (Function::Trim, [value]) => {
            let value = compile(value, inputs);
            Arc::new(move |row| {
                Ok(match value(row)? {
                    Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(SPACE)),
                    Cow::Owned(text) if text.trim_matches(SPACE).len() == text.len() => Cow::Owned(text),
                    Cow::Owned(text) => Cow::Owned(text.trim_matches(SPACE).to_owned()),
                })
            })
        }
        (Function::Convert, [value]) => convert(value, inputs),
        _ => unchecked(expression),
    }
}

/// Small or capital letters; a text that has none of the others stays as it is.
fn cased(value: &Expression, inputs: &mut Inputs, moves: fn(&u8) -> bool, moved: fn(&str) -> String) -> TextCode {
    let value = compile(value, inputs);
    Arc::new(move |row| {
        let text = value(row)?;
        Ok(if text.as_bytes().iter().any(moves) { Cow::Owned(moved(&text)) } else { text })
    })
}

fn convert(value: &Expression, inputs: &mut Inputs) -> TextCode {
    let made = |text: String| Cow::Owned(text);
    match value.of {
        Type::Bool => {
            let value = logic::compile(value, inputs);
            Arc::new(move |row| value(row).map(|value| Cow::Borrowed(if value { "true" } else { "false" })))
        }
        Type::Int | Type::Decimal(_) => {
            let (scale, value) = (value.of.scale().unwrap_or(0), exact::compile(value, inputs));
            Arc::new(move |row| {
                let value = value(row).map_err(|_| Absent::Null)?;
                Ok(made(Value::Decimal { unscaled: value, scale }.to_string()))
            })
        }
        Type::Float => {
            let value = float::compile(value, inputs);
            Arc::new(move |row| value(row).map(|value| made(value.to_string())).map_err(|_| Absent::Null))
        }
        Type::Timestamp => {
            let value = instant::compile(value, inputs);
            Arc::new(move |row| value(row).map(|value| made(value.to_string())))
        }
        Type::Text => compile(value, inputs),
    }
}
