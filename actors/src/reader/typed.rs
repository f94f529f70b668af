//! The fields that a view's expressions need, each read once per record as its type. Knows no expression's meaning.
//!
//! A field of the wrong type makes an expression unusable whatever stands beside it: so every field an expression names is
//! read before it runs, and a wrong one is told.

use featuregrid_protocol::expression::{Expression, Type};
use featuregrid_protocol::number::{Domain, Number};
use featuregrid_protocol::time::Timestamp;
use smallvec::SmallVec;

use super::decode::Field;
use super::project::WrongType;
use crate::expression::{Cell, Inputs, Row};

/// Which cells an expression reads.
#[derive(Clone, Debug)]
pub(super) struct Needs(Vec<usize>);

impl Needs {
    /// The cells of an expression.
    pub(super) fn of(expression: &Expression, inputs: &mut Inputs) -> Self {
        Self(expression.inputs().into_iter().map(|(slot, of)| inputs.cell(slot, of)).collect())
    }
}

/// The cells of one record, read as they are needed.
#[derive(Debug)]
pub(super) struct Cells<'r> {
    cells: SmallVec<[Cell<'r>; STACKED]>,
    /// Whether a cell was read.
    read: SmallVec<[bool; STACKED]>,
}

/// Cells that need no allocation: more than most views have different fields.
const STACKED: usize = 16;

impl<'r> Cells<'r> {
    /// Of a record of which nothing was read.
    #[inline]
    pub(super) fn new(inputs: &Inputs) -> Self {
        let count = inputs.cells().len();
        // Grown where they stand: as wholes they would be copied here, unused room and all.
        let mut cells = Self { cells: SmallVec::new(), read: SmallVec::new() };
        cells.cells.resize(count, Cell::Null);
        cells.read.resize(count, false);
        cells
    }

    /// Reads what is needed and was not read before.
    pub(super) fn load(&mut self, needs: &Needs, inputs: &Inputs, fields: &'r [Field<'_>]) -> Result<(), WrongType> {
        for cell in &needs.0 {
            if !self.read[*cell] {
                let (slot, of) = inputs.cells()[*cell];
                self.cells[*cell] = typed(&fields[slot], of)?;
                self.read[*cell] = true;
            }
        }
        Ok(())
    }

    /// The row that expressions run over.
    pub(super) fn row(&self, event_time: Timestamp) -> Row<'_> {
        Row { cells: &self.cells, event_time }
    }
}

/// A field as one of a type.
fn typed<'r>(field: &'r Field<'_>, of: Type) -> Result<Cell<'r>, WrongType> {
    Ok(match (of, field) {
        (_, Field::Missing | Field::Null) => Cell::Null,
        (Type::Bool, Field::Bool(value)) => Cell::Bool(*value),
        (Type::Text, Field::Text(text)) => Cell::Text(text),
        (Type::Int, Field::Number(text)) => number(text, Domain::Int)?,
        (Type::Int, Field::Text(text)) => number(text, Domain::Int)?,
        (Type::Decimal(scale), Field::Number(text)) => number(text, Domain::Decimal(scale))?,
        (Type::Decimal(scale), Field::Text(text)) => number(text, Domain::Decimal(scale))?,
        (Type::Timestamp, field) => Cell::Timestamp(instant(field).ok_or(WrongType)?),
        _ => return Err(WrongType),
    })
}

fn number(text: &str, domain: Domain) -> Result<Cell<'static>, WrongType> {
    match domain.parse(text) {
        Number::Unscaled(unscaled) => Ok(Cell::Number(unscaled.into())),
        Number::Bad => Ok(Cell::Bad),
        Number::NotANumber => Err(WrongType),
    }
}

/// RFC 3339 text or whole milliseconds since 1970, within the years that can be written.
pub(super) fn instant(field: &Field<'_>) -> Option<Timestamp> {
    match field {
        Field::Text(text) => Timestamp::parse(text).ok(),
        Field::Number(text) => Timestamp::from_millis(text.parse().ok()?),
        Field::Missing | Field::Null | Field::Bool(_) | Field::Composite => None,
    }
}
