//! What expressions of every type have in common: inputs, null, choices, and how absent values travel. Knows no operation.
//!
//! A closure that calls another costs more than most operations do. So an operation reads a field of the row, and a value
//! that is the same for every row, without a call: they are its [`Operand`]s.

use std::sync::Arc;

use featuregrid_protocol::expression::{Absent, Expression, Function, Kind, Literal};
use featuregrid_protocol::time::Timestamp;

use super::condition::Condition;
use super::{Cell, Code, Inputs, Row};

/// A type whose values are copied.
pub(super) trait Plain: Copy + Send + Sync + 'static {
    /// Out of a cell that has one.
    fn of(cell: Cell<'_>) -> Option<Self>;
}

impl Plain for bool {
    #[inline]
    fn of(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Bool(value) = cell { Some(value) } else { None }
    }
}

impl Plain for i128 {
    #[inline]
    fn of(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Number(value) = cell { Some(value) } else { None }
    }
}

impl Plain for f64 {
    #[inline]
    fn of(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Float(value) = cell { Some(value) } else { None }
    }
}

impl Plain for Timestamp {
    #[inline]
    fn of(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Timestamp(value) = cell { Some(value) } else { None }
    }
}

/// The row of what needs none.
const NONE: Row<'_> = Row { cells: &[], event_time: Timestamp::MIN };

/// What an operation computes with.
#[derive(Clone)]
pub(super) enum Operand<T> {
    /// The same for every row.
    Fixed(Result<T, Absent>),
    /// A field of the row.
    Cell(usize),
    /// Anything else.
    Code(Code<T>),
}

impl<T: Plain> Operand<T> {
    /// A compiled expression; `compile` is that of its type.
    pub(super) fn new(
        expression: &Expression,
        inputs: &mut Inputs,
        compile: fn(&Expression, &mut Inputs) -> Code<T>,
    ) -> Self {
        if let Kind::Input(input) = expression.kind {
            return Self::Cell(inputs.cell(input, expression.of));
        }
        let code = compile(expression, inputs);
        let mut is_fixed = true;
        expression.visit(&mut |part| is_fixed &= !matches!(part.kind, Kind::Input(_) | Kind::EventTime));
        if is_fixed { Self::Fixed(code(&NONE)) } else { Self::Code(code) }
    }

    /// What it is for a row.
    #[inline]
    pub(super) fn of(&self, row: &Row<'_>) -> Result<T, Absent> {
        match self {
            Self::Fixed(value) => *value,
            Self::Cell(cell) => T::of(row.cells[*cell]).ok_or_else(|| absent(row, *cell)),
            Self::Code(code) => code(row),
        }
    }
}

/// An input, a null, `? :` or `coalesce` of a type that is copied.
pub(super) fn compile<T: Plain>(
    expression: &Expression,
    inputs: &mut Inputs,
    whole: fn(&Expression, &mut Inputs) -> Code<T>,
) -> Option<Code<T>> {
    Some(match &expression.kind {
        Kind::Input(input) => {
            let cell = inputs.cell(*input, expression.of);
            Arc::new(move |row| T::of(row.cells[cell]).ok_or_else(|| absent(row, cell)))
        }
        Kind::Literal(Literal::Null) => Arc::new(|_| Err(Absent::Null)),
        Kind::Call(Function::If, arguments) => {
            let condition = Condition::new(&arguments[0], inputs);
            let [then, otherwise] = [1, 2].map(|at| Operand::new(&arguments[at], inputs, whole));
            Arc::new(move |row| if condition.holds(row) { then.of(row) } else { otherwise.of(row) })
        }
        Kind::Call(Function::Coalesce, arguments) => {
            let values = operands(arguments, inputs, whole);
            Arc::new(move |row| {
                let mut nothing = Absent::Null;
                for value in &values {
                    match value.of(row) {
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

/// Several operands of one type.
pub(super) fn operands<T: Plain>(
    values: &[Expression],
    inputs: &mut Inputs,
    compile: fn(&Expression, &mut Inputs) -> Code<T>,
) -> Vec<Operand<T>> {
    values.iter().map(|value| Operand::new(value, inputs, compile)).collect()
}

/// Several expressions, each compiled alike.
pub(super) fn all<C>(values: &[Expression], inputs: &mut Inputs, compile: fn(&Expression, &mut Inputs) -> C) -> Vec<C> {
    values.iter().map(|value| compile(value, inputs)).collect()
}

/// Why a cell has no value.
#[cold]
pub(super) fn absent(row: &Row<'_>, cell: usize) -> Absent {
    if row.cells[cell] == Cell::Bad { Absent::Bad } else { Absent::Null }
}

/// Both; with a null null, else with a bad number bad.
#[inline]
pub(super) fn both<L, R>(left: Result<L, Absent>, right: Result<R, Absent>) -> Result<(L, R), Absent> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (Err(Absent::Null), _) | (_, Err(Absent::Null)) => Err(Absent::Null),
        _ => Err(Absent::Bad),
    }
}

/// One of several values, by the choice between two.
pub(super) fn fold<T: Plain>(values: Vec<Operand<T>>, choose: fn(T, T) -> T) -> Code<T> {
    Arc::new(move |row| {
        let mut values = values.iter().map(|value| value.of(row));
        let first = values.next().unwrap_or(Err(Absent::Null));
        values.fold(first, |chosen, value| both(chosen, value).map(|(chosen, value)| choose(chosen, value)))
    })
}

/// How many of the bounds, which are literals, are not larger than a value.
pub(super) fn bucket<T: Plain + PartialOrd>(value: Operand<T>, bounds: Vec<Operand<T>>) -> Code<i128> {
    match bounds.iter().map(|bound| bound.of(&NONE)).collect::<Result<Vec<T>, Absent>>() {
        Ok(bounds) => Arc::new(move |row| {
            let value = value.of(row)?;
            Ok(bounds.iter().filter(|bound| **bound <= value).count() as i128)
        }),
        Err(absent) => Arc::new(move |row| value.of(row).and(Err(absent))),
    }
}

/// A checked expression is of the type it is compiled as, and calls functions of that type with as many arguments as they have.
pub(super) fn unchecked(expression: &Expression) -> ! {
    unreachable!("only checked expressions are compiled, and this is none: {expression:?}")
}
