//! Derived features: an expression over results of the same view, at the read. Knows no page and no window.

use featuregrid_protocol::plan::ViewPlan;
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::value::{Reading, Status, Value};

use super::{Cell, Inputs, Program, Row};

/// The derived features of a view, ready to run, each after those it uses.
#[derive(Debug)]
pub struct Derivations(Vec<Derivation>);

#[derive(Debug)]
struct Derivation {
    program: Program,
    /// The results it reads, cell by cell.
    inputs: Inputs,
    /// Digits after the point of what it answers, where that is exact.
    scale: Option<u8>,
}

impl Derivations {
    /// Compiles those of a view.
    #[must_use]
    pub fn new(view: &ViewPlan) -> Self {
        let compiled = view.derived.iter().map(|derived| {
            let mut inputs = Inputs::default();
            let program = Program::new(&derived.formula, &mut inputs);
            Derivation { program, inputs, scale: derived.formula.of.scale() }
        });
        Self(compiled.collect())
    }

    /// What one of them answers, from the results before it.
    ///
    /// # Panics
    /// If the view has no such derived feature.
    #[must_use]
    pub fn answer(&self, derived: usize, readings: &[Reading]) -> Reading {
        self.0[derived].answer(readings)
    }
}

impl Derivation {
    fn answer(&self, readings: &[Reading]) -> Reading {
        let mut shared =
            Reading { value: Value::Null, status: Status::Present, inexact_input: false, partial_coverage: false };
        let mut cells: smallvec::SmallVec<[Cell<'_>; 8]> = smallvec::SmallVec::new();
        let mut absent = Status::NullValue;
        for (input, _) in self.inputs.cells() {
            let Some(reading) = readings.get(*input) else {
                cells.push(Cell::Null);
                continue;
            };
            shared.inexact_input |= reading.inexact_input;
            shared.partial_coverage |= reading.partial_coverage;
            match reading.status {
                Status::NotFound | Status::OutOfRange => shared.status = reading.status,
                Status::Defaulted if shared.status == Status::Present => shared.status = Status::Defaulted,
                Status::Overflow => absent = Status::Overflow,
                Status::Defaulted | Status::Present | Status::NullValue | Status::OutsideMaxAge => {}
            }
            cells.push(match &reading.value {
                // Definitions refuse formulas over several values.
                Value::Null | Value::List(_) | Value::Counts(_) => Cell::Null,
                Value::Bool(truth) => Cell::Bool(*truth),
                Value::Int(value) | Value::Decimal { unscaled: value, .. } => Cell::Number(*value),
                Value::Float(value) => Cell::Float(*value),
                Value::Text(text) => Cell::Text(text),
            });
        }
        if matches!(shared.status, Status::NotFound | Status::OutOfRange) {
            return shared;
        }
        let value = self.program.run(&Row { cells: &cells, event_time: Timestamp::MIN }, |cell| match cell {
            Cell::Number(unscaled) => match self.scale {
                None | Some(0) => Value::Int(unscaled),
                Some(scale) => Value::Decimal { unscaled, scale },
            },
            Cell::Float(value) => Value::Float(value),
            Cell::Null | Cell::Bad | Cell::Bool(_) | Cell::Text(_) | Cell::Timestamp(_) => Value::Null,
        });
        let status = if value == Value::Null { absent } else { shared.status };
        Reading { value, status, ..shared }
    }
}
