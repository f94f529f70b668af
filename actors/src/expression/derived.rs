//! Derived features: an expression over results of the same view and values sent with the read. Knows no page and no
//! window.

use featuregrid_protocol::expression::Type;
use featuregrid_protocol::plan::{Given, ViewPlan};
use featuregrid_protocol::request::{Sent, SentRow};
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::value::{Reading, Status, Value};

use super::{Cell, Inputs, Program, Row};
use crate::aggregate;

/// The derived features of a view, ready to run, each after those it uses.
#[derive(Debug)]
pub struct Derivations(Vec<Derivation>);

#[derive(Debug)]
struct Derivation {
    program: Program,
    /// What it reads, cell by cell.
    inputs: Vec<Given>,
    /// Of what it answers.
    of: Type,
    /// What stands in for null.
    default: Option<Value>,
}

impl Derivations {
    /// Compiles those of a view.
    #[must_use]
    pub fn new(view: &ViewPlan) -> Self {
        let compiled = view.derived.iter().map(|derived| {
            let mut inputs = Inputs::default();
            let program = Program::new(&derived.formula, &mut inputs);
            let inputs = inputs.cells().iter().map(|(input, _)| view.given(*input)).collect();
            let of = derived.formula.of;
            Derivation {
                program,
                inputs,
                of,
                default: derived.default.as_ref().map(|constant| aggregate::default(of, constant)),
            }
        });
        Self(compiled.collect())
    }

    /// What one of them answers, from the results before it and what was sent.
    ///
    /// # Panics
    /// If the view has no such derived feature.
    #[must_use]
    pub fn answer(&self, derived: usize, readings: &[Reading], sent: SentRow<'_>) -> Reading {
        self.0[derived].answer(readings, sent)
    }
}

impl Derivation {
    fn answer(&self, readings: &[Reading], sent: SentRow<'_>) -> Reading {
        let mut shared = Reading {
            value: Value::Null,
            status: Status::Present,
            inexact_input: false,
            partial_coverage: false,
            rounded: false,
        };
        let mut cells: smallvec::SmallVec<[Cell<'_>; 8]> = smallvec::SmallVec::new();
        let mut absent = Status::NullValue;
        for given in &self.inputs {
            cells.push(match *given {
                Given::Sent(value) => of_request(sent.get(value)),
                Given::Result(result) => {
                    let reading = &readings[result];
                    shared.inexact_input |= reading.inexact_input;
                    shared.rounded |= reading.rounded;
                    shared.partial_coverage |= reading.partial_coverage;
                    match reading.status {
                        Status::NotFound | Status::OutOfRange => shared.status = reading.status,
                        Status::Defaulted if shared.status == Status::Present => shared.status = Status::Defaulted,
                        Status::Overflow => absent = Status::Overflow,
                        Status::Defaulted | Status::Present | Status::NullValue | Status::OutsideMaxAge => {}
                    }
                    of_result(&reading.value)
                }
            });
        }
        if matches!(shared.status, Status::NotFound | Status::OutOfRange) {
            return shared;
        }
        let value = self.program.run(&Row { cells: &cells, event_time: Timestamp::MIN }, |cell| match cell {
            Cell::Number(unscaled) => number(unscaled, self.of),
            Cell::Float(value) => Value::Float(value),
            Cell::Null | Cell::Bad | Cell::Bool(_) | Cell::Text(_) | Cell::Timestamp(_) => Value::Null,
        });
        match (value, &self.default) {
            (Value::Null, Some(value)) if absent == Status::NullValue => {
                Reading { value: value.clone(), status: Status::Defaulted, ..shared }
            }
            (Value::Null, _) => Reading { status: absent, ..shared },
            (value, _) => Reading { value, ..shared },
        }
    }
}

fn of_result(value: &Value) -> Cell<'_> {
    match value {
        // Definitions refuse formulas over several values.
        Value::Null | Value::List(_) | Value::Counts(_) => Cell::Null,
        Value::Bool(truth) => Cell::Bool(*truth),
        Value::Int(value) | Value::Decimal { unscaled: value, .. } => Cell::Number(*value),
        Value::Float(value) => Cell::Float(*value),
        Value::Text(text) => Cell::Text(text),
    }
}

fn of_request(sent: &Sent) -> Cell<'_> {
    match sent {
        Sent::Null => Cell::Null,
        Sent::Bool(value) => Cell::Bool(*value),
        Sent::Number(unscaled) => Cell::Number((*unscaled).into()),
        Sent::Text(text) => Cell::Text(text),
        Sent::Timestamp(at) => Cell::Timestamp(*at),
    }
}

/// An exact number of a type.
fn number(unscaled: i128, of: Type) -> Value {
    match of.scale() {
        None | Some(0) => Value::Int(unscaled),
        Some(scale) => Value::Decimal { unscaled, scale },
    }
}
