//! While the store answers, an undecided entry holds a node no longer than 2 s and a few round trips to the store.

use featuregrid_protocol::limits::HOLD_MAX;

use super::{Fact, Invariant};
use crate::world::heap::Micros;

/// Room for a node's slow clock, its turns, and the round trips that create and read a decision.
const ROOM: Micros = 2_500_000;

/// See the module.
#[derive(Debug)]
pub(super) struct HoldBounded;

impl Invariant for HoldBounded {
    fn name(&self) -> &'static str {
        "hold_bounded"
    }

    fn observe(&mut self, _: Micros, fact: &Fact<'_>) -> Result<(), String> {
        let Fact::Held { node, index, for_us, excused_us } = fact else { return Ok(()) };
        let bound = HOLD_MAX.0 + ROOM + excused_us;
        if *for_us <= bound {
            return Ok(());
        }
        Err(format!("{node} was held by {index} for {} ms, at most {} are allowed", for_us / 1_000, bound / 1_000))
    }
}
