//! The epoch of a range rises by one with every claim, and with nothing else.

use super::{Fact, Invariant};
use crate::world::heap::Micros;

/// See the module.
#[derive(Debug)]
pub(super) struct EpochsRiseByOne;

impl Invariant for EpochsRiseByOne {
    fn name(&self) -> &'static str {
        "epochs_rise_by_one"
    }

    fn observe(&mut self, _: Micros, fact: &Fact<'_>) -> Result<(), String> {
        let Fact::Manifest { before: Some(before), after } = fact else { return Ok(()) };
        let (from, to) = (before.epoch.0, after.epoch.0);
        let claimed = after.owner.is_some() && after.owner != before.owner;
        let holds = if claimed { to == from + 1 } else { to == from };
        if holds {
            Ok(())
        } else {
            Err(format!("{}: {:?} {} -> {:?} {}", after.range, before.owner, from, after.owner, to))
        }
    }
}
