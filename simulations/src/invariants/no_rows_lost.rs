//! A range has applied exactly the rows that lie before its offset vector: none is lost, none is there twice.

use super::{Fact, Invariant};
use crate::world::heap::Micros;

/// See the module.
#[derive(Debug)]
pub(super) struct NoRowsLost;

impl Invariant for NoRowsLost {
    fn name(&self) -> &'static str {
        "no_rows_lost"
    }

    fn observe(&mut self, _: Micros, fact: &Fact<'_>) -> Result<(), String> {
        let Fact::State { node, range, positions, rows, .. } = fact else { return Ok(()) };
        match rows.iter().find(|(_, here, oracle)| here != oracle) {
            None => Ok(()),
            Some((view, here, oracle)) => {
                let v = featuregrid_protocol::position::offsets(positions);
                Err(format!("{node} {range} {view} at {v:?}: {here} rows applied, the log has {oracle}"))
            }
        }
    }
}
