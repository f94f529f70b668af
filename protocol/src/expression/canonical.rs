//! The canonical text of an expression: equal where two mean the same whatever the inputs. Knows no input: how each is
//! told is given.
//!
//! The order and repetition of what `&&`, `||` and `in` join do not count. Texts carry their length, so that none can
//! pretend to be two.

use std::collections::BTreeSet;

use super::{Expression, Function, Kind, Literal};

/// The canonical text; `input` tells what an input is, its type is added.
#[must_use]
pub fn canonical(expression: &Expression, input: &dyn Fn(usize) -> String) -> String {
    let of = expression.of;
    match &expression.kind {
        Kind::Input(at) => format!("{} as {of:?}", input(*at)),
        Kind::EventTime => "event_time".to_owned(),
        Kind::Literal(Literal::Text(text)) => format!("text {}:{text}", text.len()),
        Kind::Literal(Literal::Null) => format!("null {of:?}"),
        Kind::Literal(Literal::Bool(value)) => format!("bool {value}"),
        Kind::Literal(Literal::Number(unscaled)) => format!("{of:?} {unscaled}"),
        Kind::Literal(Literal::Timestamp(timestamp)) => format!("timestamp {}", timestamp.0),
        Kind::Call(function, arguments) => {
            let mut parts: Vec<String> = arguments.iter().map(|argument| canonical(argument, input)).collect();
            let joined = match function {
                Function::And | Function::Or => parts.split_off(0),
                Function::In => parts.split_off(1),
                _ => Vec::new(),
            };
            parts.extend(joined.into_iter().collect::<BTreeSet<_>>());
            match (function, parts.as_slice()) {
                (Function::And | Function::Or, [only]) => only.clone(),
                _ => format!("({function:?} {of:?} {})", parts.join(" ")),
            }
        }
    }
}
