//! An epoch of a range belongs to one life of one node, in manifests and in outputs; a life is one process.

use std::collections::BTreeMap;

use featuregrid_protocol::ids::{Epoch, Incarnation};
use featuregrid_protocol::range::RangeId;

use super::{Fact, Invariant};
use crate::world::heap::Micros;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct SingleOwnerPerEpoch {
    owners: BTreeMap<(RangeId, Epoch), Incarnation>,
    processes: BTreeMap<Incarnation, u64>,
}

impl Invariant for SingleOwnerPerEpoch {
    fn name(&self) -> &'static str {
        "single_owner_per_epoch"
    }

    fn observe(&mut self, _: Micros, fact: &Fact<'_>) -> Result<(), String> {
        let (range, epoch, owner) = match fact {
            Fact::Manifest { after, .. } => match after.owner {
                Some(owner) => (after.range, after.epoch, owner),
                None => return Ok(()),
            },
            Fact::Output { node, range, epoch, process, .. } => {
                let known = *self.processes.entry(*node).or_insert(*process);
                if known != *process {
                    return Err(format!("{range} {epoch}: two processes act as {node}"));
                }
                (*range, *epoch, *node)
            }
            _ => return Ok(()),
        };
        let known = *self.owners.entry((range, epoch)).or_insert(owner);
        if known == owner { Ok(()) } else { Err(format!("{range} {epoch}: {known} and {owner}")) }
    }
}
