//! Expressions compiled to closures over a row of typed cells. Knows no record, no field format and no clock.
//!
//! Everything that can be decided once is: which closure, which cell, which digits, which literal. A row is then a slice
//! of [`Cell`]s, each read once however many expressions use it, and numbers, truth values and the text of fields are
//! passed without a copy. What an operation means stands in [`featuregrid_protocol::expression`].
//!
//! ```text
//! condition    what a filter asks: whether it is certainly true
//! shared       operands, null, choices      logic, exact, float, instant, text    a closure for each operation of a type
//! ```

mod condition;
mod derived;
mod exact;
mod float;
mod instant;
mod logic;
mod quotient;
mod shared;
mod text;

use std::fmt;
use std::sync::Arc;

pub use self::derived::Derivations;

use self::condition::Condition;
use self::shared::Operand;

use featuregrid_protocol::expression::{Absent, Expression, Type};
use featuregrid_protocol::time::Timestamp;

/// One input of a row, read as its type.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Cell<'r> {
    /// Missing or null.
    #[default]
    Null,
    /// A number, but no finite one of its type.
    Bad,
    /// True or false.
    Bool(bool),
    /// Of an exact type, unscaled.
    Number(i128),
    /// Finite, and never minus zero.
    Float(f64),
    /// Text.
    Text(&'r str),
    /// An instant.
    Timestamp(Timestamp),
}

/// What expressions are computed over.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r> {
    /// As [`Inputs`] numbers them.
    pub cells: &'r [Cell<'r>],
    /// Of the event; of no meaning where there is none.
    pub event_time: Timestamp,
}

/// The cells that expressions were compiled to read: one for each input and type.
#[derive(Clone, Debug, Default)]
pub struct Inputs(Vec<(usize, Type)>);

impl Inputs {
    /// The cell of an input.
    pub fn cell(&mut self, input: usize, of: Type) -> usize {
        self.0.iter().position(|known| *known == (input, of)).unwrap_or_else(|| {
            self.0.push((input, of));
            self.0.len() - 1
        })
    }

    /// Input and type of every cell.
    #[must_use]
    pub fn cells(&self) -> &[(usize, Type)] {
        &self.0
    }
}

/// A closure over a row.
type Code<T> = Arc<dyn Fn(&Row<'_>) -> Result<T, Absent> + Send + Sync>;
/// A closure that answers text, of the row where it can.
type TextCode = Arc<dyn for<'r> Fn(&Row<'r>) -> Result<std::borrow::Cow<'r, str>, Absent> + Send + Sync>;

/// A compiled condition.
#[derive(Clone)]
pub struct Filter(Condition);

impl Filter {
    /// Compiles an expression that is true or false.
    #[must_use]
    pub fn new(expression: &Expression, inputs: &mut Inputs) -> Self {
        Self(Condition::new(expression, inputs))
    }

    /// Whether it is true; null is not.
    #[must_use]
    pub fn holds(&self, row: &Row<'_>) -> bool {
        self.0.holds(row)
    }
}

/// A compiled expression of any type.
#[derive(Clone)]
pub struct Program(Run);

#[derive(Clone)]
enum Run {
    Bool(Operand<bool>),
    Number(Operand<i128>),
    Float(Operand<f64>),
    Text(TextCode),
    Timestamp(Operand<Timestamp>),
}

impl Program {
    /// Compiles an expression.
    #[must_use]
    pub fn new(expression: &Expression, inputs: &mut Inputs) -> Self {
        Self(match expression.of {
            Type::Bool => Run::Bool(Operand::new(expression, inputs, logic::compile)),
            Type::Int | Type::Decimal(_) => Run::Number(Operand::new(expression, inputs, exact::compile)),
            Type::Float => Run::Float(Operand::new(expression, inputs, float::compile)),
            Type::Text => Run::Text(text::compile(expression, inputs)),
            Type::Timestamp => Run::Timestamp(Operand::new(expression, inputs, instant::compile)),
        })
    }

    /// What it answers is shown to `see`; a text lives no longer.
    pub fn run<T>(&self, row: &Row<'_>, see: impl FnOnce(Cell<'_>) -> T) -> T {
        let absent = |absent| match absent {
            Absent::Null => Cell::Null,
            Absent::Bad => Cell::Bad,
        };
        match &self.0 {
            Run::Bool(value) => see(value.of(row).map_or_else(absent, Cell::Bool)),
            Run::Number(value) => see(value.of(row).map_or_else(absent, Cell::Number)),
            Run::Float(value) => see(value.of(row).map_or_else(absent, Cell::Float)),
            Run::Timestamp(value) => see(value.of(row).map_or_else(absent, Cell::Timestamp)),
            Run::Text(code) => match code(row) {
                Ok(text) => see(Cell::Text(&text)),
                Err(reason) => see(absent(reason)),
            },
        }
    }

    /// Whether there is no value.
    fn is_absent(&self, row: &Row<'_>) -> bool {
        self.run(row, |cell| matches!(cell, Cell::Null | Cell::Bad))
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Program")
    }
}
