//! What expressions of every type have in common: inputs, null, choices, and how absent values travel. Knows no operation.

use std::sync::Arc;

use featuregrid_protocol::expression::{Absent, Expression, Function, Kind, Literal};

use super::{Cell, Code, Inputs, Row, logic};

/// An input, a null, `? :` or `coalesce` of a type that is copied; `read` takes it out of a cell.
pub(super) fn compile<T: Copy + Send + Sync + 'static>(
    expression: &Expression,
    inputs: &mut Inputs,
    read: fn(Cell<'_>) -> Option<T>,
    whole: fn(&Expression, &mut Inputs) -> Code<T>,
) -> Option<Code<T>> {
    Some(match &expression.kind {
        Kind::Input(input) => {
            let cell = inputs.cell(*input, expression.of);
            Arc::new(move |row| read(row.cells[cell]).ok_or_else(|| absent(row, cell)))
        }
        Kind::Literal(Literal::Null) => Arc::new(|_| Err(Absent::Null)),
        Kind::Call(Function::If, arguments) => {
            let condition = logic::compile(&arguments[0], inputs);
            let (then, otherwise) = (whole(&arguments[1], inputs), whole(&arguments[2], inputs));
            Arc::new(move |row| if condition(row) == Ok(true) { then(row) } else { otherwise(row) })
        }
        Kind::Call(Function::Coalesce, arguments) => {
            let codes = all(arguments, inputs, whole);
            Arc::new(move |row| {
                let mut nothing = Absent::Null;
                for code in &codes {
                    match code(row) {
                        Ok(value) => return Ok(value),
                        Err(Absent::Bad) => nothing = Absent::Bad,
                        Err(Absent::Null) => {}
                    }
                }
                Err(nothing)
            })
        }
        _ => return None,
    })
}

/// Several expressions, each compiled alike.
pub(super) fn all<C>(values: &[Expression], inputs: &mut Inputs, compile: fn(&Expression, &mut Inputs) -> C) -> Vec<C> {
    values.iter().map(|value| compile(value, inputs)).collect()
}

/// Why a cell has no value.
pub(super) fn absent(row: &Row<'_>, cell: usize) -> Absent {
    if row.cells[cell] == Cell::Bad { Absent::Bad } else { Absent::Null }
}

/// Both; with a null null, else with a bad number bad.
pub(super) fn both<L, R>(left: Result<L, Absent>, right: Result<R, Absent>) -> Result<(L, R), Absent> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (Err(Absent::Null), _) | (_, Err(Absent::Null)) => Err(Absent::Null),
        _ => Err(Absent::Bad),
    }
}

/// One of several values, by the choice between two.
pub(super) fn fold<T: Send + Sync + 'static>(codes: Vec<Code<T>>, choose: fn(T, T) -> T) -> Code<T> {
    Arc::new(move |row| {
        let mut values = codes.iter().map(|code| code(row));
        let first = values.next().unwrap_or(Err(Absent::Null));
        values.fold(first, |chosen, value| both(chosen, value).map(|(chosen, value)| choose(chosen, value)))
    })
}

/// How many of the bounds behind the first code are not larger than what it answers.
pub(super) fn bucket<T: PartialOrd + Send + Sync + 'static>(mut codes: Vec<Code<T>>) -> Code<i128> {
    let bounds = codes.split_off(1);
    Arc::new(move |row| {
        let mut below = 0;
        let value = codes[0](row)?;
        for bound in &bounds {
            below += i128::from(bound(row)? <= value);
        }
        Ok(below)
    })
}

/// A checked expression is of the type it is compiled as, and calls functions of that type with as many arguments as they have.
pub(super) fn unchecked(expression: &Expression) -> ! {
    unreachable!("only checked expressions are compiled, and this is none: {expression:?}")
}
