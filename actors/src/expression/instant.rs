//! Expressions that are instants. Knows no zone.

use std::sync::Arc;

use featuregrid_protocol::expression::{Absent, Expression, Function, Kind, Literal};
use featuregrid_protocol::time::Timestamp;

use super::shared::unchecked;
use super::{Code, Inputs, shared, text};

pub(super) fn compile(expression: &Expression, inputs: &mut Inputs) -> Code<Timestamp> {
    if let Some(code) = shared::compile(expression, inputs, compile) {
        return code;
    }
    match &expression.kind {
        Kind::EventTime => Arc::new(|row| Ok(row.event_time)),
        Kind::Literal(Literal::Timestamp(value)) => {
            let value = *value;
            Arc::new(move |_| Ok(value))
        }
        Kind::Call(Function::Convert, arguments) => {
            let Some(value) = arguments.first() else { unchecked(expression) };
            let value = text::compile(value, inputs);
            Arc::new(move |row| Timestamp::parse(&value(row)?).map_err(|_| Absent::Null))
        }
        _ => unchecked(expression),
    }
}
