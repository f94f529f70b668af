//! Law 1: the state of a range at (control index, offset vector) is the same canonical bytes wherever and however a
//! node got there: live, replayed, restored, as owner or as standby. Its accounting equals the oracle's.

use std::collections::BTreeMap;

use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::position::{self, OffsetVector};
use featuregrid_protocol::range::RangeId;

use super::{Fact, Invariant};
use crate::world::heap::Micros;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct StateIsFunctionOfLogs {
    seen: BTreeMap<(RangeId, ControlIndex, OffsetVector), (u64, String)>,
}

impl Invariant for StateIsFunctionOfLogs {
    fn name(&self) -> &'static str {
        "state_is_function_of_logs"
    }

    fn observe(&mut self, at: Micros, fact: &Fact<'_>) -> Result<(), String> {
        let Fact::State { node, range, index, positions, hash, accounting, .. } = fact else { return Ok(()) };
        for (partition, position) in *positions {
            let want = accounting.get(partition).cloned().unwrap_or_default();
            if position.counters != want {
                let found = &position.counters;
                return Err(format!("{node} {range} {partition} at {}: want {want:?} got {found:?}", position.next));
            }
        }
        let v = position::offsets(positions);
        let here = format!("{node} at {} ms", at / 1_000);
        let (known, there) = self.seen.entry((*range, *index, v.clone())).or_insert((*hash, here.clone()));
        if known == hash {
            return Ok(());
        }
        Err(format!("{range} under {index} at {v:?}: {here} differs from {there}"))
    }
}
