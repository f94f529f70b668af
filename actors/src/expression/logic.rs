//! Expressions that are true or false. Knows no arithmetic.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use featuregrid_protocol::expression::{Absent, CompareOp, Expression, Function, Kind, Literal, Type, pattern};
use featuregrid_protocol::plants::{self, Plant};

use super::shared::{Operand, Plain, both, operands, unchecked};
use super::{Cell, Code, Inputs, Program, Row, TextCode, exact, float, instant, shared, text};

pub(super) fn compile(expression: &Expression, inputs: &mut Inputs) -> Code<bool> {
    if let Some(code) = shared::compile(expression, inputs, compile) {
        return code;
    }
    let (function, arguments) = match &expression.kind {
        Kind::Literal(Literal::Bool(value)) => {
            let value = *value;
            return Arc::new(move |_| Ok(value));
        }
        Kind::Call(function, arguments) => (function, arguments.as_slice()),
        _ => unchecked(expression),
    };
    match (function, arguments) {
        (Function::And, parts) => joined(parts, inputs, false),
        (Function::Or, parts) => joined(parts, inputs, true),
        (Function::Not, [part]) => {
            let part = Operand::new(part, inputs, compile);
            Arc::new(move |row| part.of(row).map(|value| !value))
        }
        (Function::IsNull, [value]) => {
            let value = Program::new(value, inputs);
            Arc::new(move |row| Ok(value.is_absent(row)))
        }
        (Function::Compare(op), [left, right]) => compare(*op, left, right, inputs),
        (Function::In, [value, list @ ..]) => is_in(value, list, inputs),
        (Function::Matches, [value, Expression { kind: Kind::Literal(Literal::Text(text)), .. }]) => {
            let Ok(pattern) = pattern(text) else { unchecked(expression) };
            let value = text::compile(value, inputs);
            Arc::new(move |row| truth(value(row).map(|value| pattern.is_match(value.as_bytes()))))
        }
        (Function::Contains, [left, right]) => texts(left, right, inputs, |left, right| left.contains(right)),
        (Function::StartsWith, [left, right]) => texts(left, right, inputs, |left, right| left.starts_with(right)),
        (Function::EndsWith, [left, right]) => texts(left, right, inputs, |left, right| left.ends_with(right)),
        _ => unchecked(expression),
    }
}

/// What is no number is never bad.
fn truth<T>(value: Result<T, Absent>) -> Result<T, Absent> {
    value.map_err(|_| Absent::Null)
}

/// `&&` or `||`: the first part that is `decides` decides.
fn joined(parts: &[Expression], inputs: &mut Inputs, decides: bool) -> Code<bool> {
    let parts = operands(parts, inputs, compile);
    Arc::new(move |row| {
        let mut answer = Ok(!decides);
        for part in &parts {
            match part.of(row) {
                Ok(value) if value == decides => return Ok(decides),
                Ok(_) => {}
                Err(_) if plants::on(Plant::NullDecides) => return Err(Absent::Null),
                Err(_) => answer = Err(Absent::Null),
            }
        }
        answer
    })
}

fn texts(left: &Expression, right: &Expression, inputs: &mut Inputs, is: fn(&str, &str) -> bool) -> Code<bool> {
    let left = text::compile(left, inputs);
    if let Kind::Literal(Literal::Text(right)) = &right.kind {
        let right = right.clone();
        return Arc::new(move |row| truth(left(row).map(|left| is(&left, &right))));
    }
    let right = text::compile(right, inputs);
    Arc::new(move |row| truth(both(left(row), right(row)).map(|(left, right)| is(&left, &right))))
}

fn compare(op: CompareOp, left: &Expression, right: &Expression, inputs: &mut Inputs) -> Code<bool> {
    match (&left.kind, &right.kind) {
        (Kind::Input(input), Kind::Literal(Literal::Text(literal))) => {
            let (cell, literal) = (inputs.cell(*input, left.of), literal.clone());
            match op {
                CompareOp::Eq | CompareOp::Ne => {
                    let wanted = op == CompareOp::Eq;
                    Arc::new(move |row| match row.cells[cell] {
                        Cell::Text(value) => Ok((value == literal) == wanted),
                        _ => Err(Absent::Null),
                    })
                }
                _ => by_op(op, move |row| match row.cells[cell] {
                    Cell::Text(value) => Ok(value.cmp(literal.as_str())),
                    _ => Err(Absent::Null),
                }),
            }
        }
        _ => match left.of {
            Type::Bool => ordered(op, [left, right], inputs, compile, bool::cmp),
            Type::Int | Type::Decimal(_) => ordered(op, [left, right], inputs, exact::compile, i128::cmp),
            Type::Timestamp => ordered(op, [left, right], inputs, instant::compile, Ord::cmp),
            // There is no NaN.
            Type::Float => ordered(op, [left, right], inputs, float::compile, f64::total_cmp),
            Type::Text => {
                let (left, right) = (text::compile(left, inputs), text::compile(right, inputs));
                by_op(op, move |row| both(left(row), right(row)).map(|(left, right)| left.cmp(&right)))
            }
        },
    }
}

fn ordered<T: Plain>(
    op: CompareOp,
    sides: [&Expression; 2],
    inputs: &mut Inputs,
    compile: fn(&Expression, &mut Inputs) -> Code<T>,
    order: impl Fn(&T, &T) -> Ordering + Send + Sync + 'static,
) -> Code<bool> {
    let [left, right] = sides.map(|side| Operand::new(side, inputs, compile));
    by_op(op, move |row| both(left.of(row), right.of(row)).map(|(left, right)| order(&left, &right)))
}

/// One closure for each comparison, so that a row does not ask which it is.
fn by_op(op: CompareOp, order: impl Fn(&Row<'_>) -> Result<Ordering, Absent> + Send + Sync + 'static) -> Code<bool> {
    match op {
        CompareOp::Eq => Arc::new(move |row| truth(order(row).map(Ordering::is_eq))),
        CompareOp::Ne => Arc::new(move |row| truth(order(row).map(Ordering::is_ne))),
        CompareOp::Lt => Arc::new(move |row| truth(order(row).map(Ordering::is_lt))),
        CompareOp::Le => Arc::new(move |row| truth(order(row).map(Ordering::is_le))),
        CompareOp::Gt => Arc::new(move |row| truth(order(row).map(Ordering::is_gt))),
        CompareOp::Ge => Arc::new(move |row| truth(order(row).map(Ordering::is_ge))),
    }
}

fn is_in(value: &Expression, list: &[Expression], inputs: &mut Inputs) -> Code<bool> {
    match value.of {
        Type::Bool => member(value, list, inputs, compile),
        Type::Int | Type::Decimal(_) => member(value, list, inputs, exact::compile),
        Type::Float => member(value, list, inputs, float::compile),
        Type::Timestamp => member(value, list, inputs, instant::compile),
        Type::Text => {
            let value: TextCode = text::compile(value, inputs);
            let texts = list.iter().filter_map(|one| match &one.kind {
                Kind::Literal(Literal::Text(text)) => Some(text.clone()),
                _ => None,
            });
            let texts: Vec<String> = texts.collect();
            Arc::new(move |row| truth(value(row).map(|value: Cow<'_, str>| texts.iter().any(|text| *text == *value))))
        }
    }
}

fn member<T: Plain + PartialEq>(
    value: &Expression,
    list: &[Expression],
    inputs: &mut Inputs,
    compile: fn(&Expression, &mut Inputs) -> Code<T>,
) -> Code<bool> {
    let value = Operand::new(value, inputs, compile);
    let list = operands(list, inputs, compile);
    Arc::new(move |row| {
        let value = truth(value.of(row))?;
        Ok(list.iter().any(|one| one.of(row).is_ok_and(|one| one == value)))
    })
}
