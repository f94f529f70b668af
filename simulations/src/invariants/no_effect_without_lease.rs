//! An owner has effects only while the manifest in the store names it, in its epoch: from the moment a successor's claim
//! or its own release landed, there is none.

use super::{Fact, Invariant};
use crate::world::heap::Micros;

/// See the module.
#[derive(Debug)]
pub(super) struct NoEffectWithoutLease;

impl Invariant for NoEffectWithoutLease {
    fn name(&self) -> &'static str {
        "no_effect_without_lease"
    }

    fn observe(&mut self, _: Micros, fact: &Fact<'_>) -> Result<(), String> {
        let Fact::Output { node, range, epoch, standing, .. } = fact else { return Ok(()) };
        match standing {
            Some(manifest) if manifest.owner == Some(*node) && manifest.epoch == *epoch => Ok(()),
            Some(manifest) => Err(format!(
                "{node} had an effect on {range} in {epoch}, but the range is {:?}'s in {}",
                manifest.owner, manifest.epoch
            )),
            None => Err(format!("{node} had an effect on {range} in {epoch}, which nobody ever claimed")),
        }
    }
}
