//! What a manifest says to be durable never falls, on any partition, whoever owns the range.

use featuregrid_protocol::position;

use super::{Fact, Invariant};
use crate::world::heap::Micros;

/// See the module.
#[derive(Debug)]
pub(super) struct CommittedVMonotone;

impl Invariant for CommittedVMonotone {
    fn name(&self) -> &'static str {
        "committed_v_monotone"
    }

    fn observe(&mut self, _: Micros, fact: &Fact<'_>) -> Result<(), String> {
        let Fact::Manifest { before: Some(before), after } = fact else { return Ok(()) };
        let (was, is) = (position::offsets(&before.positions), position::offsets(&after.positions));
        if !is.covers(&was) {
            return Err(format!("{} {}: {was:?} -> {is:?}", after.range, after.epoch));
        }
        if after.index < before.index {
            return Err(format!("{} {}: control index {} -> {}", after.range, after.epoch, before.index, after.index));
        }
        Ok(())
    }
}
