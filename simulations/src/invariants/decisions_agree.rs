//! One decision per entry of the control log, which every node obeys; activation offsets never fall.

use std::collections::BTreeMap;

use featuregrid_protocol::control::Decision;
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::position::OffsetVector;

use super::{Fact, Invariant};
use crate::world::heap::Micros;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct DecisionsAgree {
    decided: BTreeMap<ControlIndex, Decision>,
    at: OffsetVector,
}

impl Invariant for DecisionsAgree {
    fn name(&self) -> &'static str {
        "decisions_agree"
    }

    fn observe(&mut self, _: Micros, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Decided { index, decision } => {
                if let Some(before) = self.decided.insert(*index, (*decision).clone())
                    && before != **decision
                {
                    return Err(format!("{index}: {before:?} became {decision:?}"));
                }
                if let Decision::Active(at) = decision {
                    if !at.covers(&self.at) {
                        return Err(format!("{index}: A fell from {:?} to {at:?}", self.at));
                    }
                    self.at = at.clone();
                }
                Ok(())
            }
            Fact::Obeyed { node, index, decision } if index.0 > 0 => match self.decided.get(index) {
                Some(known) if known == *decision => Ok(()),
                known => Err(format!("{node} obeyed {decision:?} for {index}, the store says {known:?}")),
            },
            _ => Ok(()),
        }
    }
}
