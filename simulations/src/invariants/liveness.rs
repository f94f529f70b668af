//! Some time after the last fault everything is well: each range has an owner that holds its lease, every copy stands at
//! the end of the log under the newest definitions, and no partition was given up while nothing was wrong with it.

use super::{Fact, Invariant};
use crate::world::heap::Micros;

/// See the module.
#[derive(Debug)]
pub(super) struct Liveness;

impl Invariant for Liveness {
    fn name(&self) -> &'static str {
        "liveness"
    }

    fn observe(&mut self, _: Micros, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Halted { node, reason } => Err(format!("{node} gave up: {reason}")),
            Fact::End { missing } if !missing.is_empty() => Err(missing.join("; ")),
            _ => Ok(()),
        }
    }
}
