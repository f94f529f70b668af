//! Every manifest that ever stands can be restored alone: its parts exist, decode, and stand at the manifest's own
//! positions under its index.

use super::{Fact, Invariant};
use crate::world::heap::Micros;

/// See the module.
#[derive(Debug)]
pub(super) struct SnapshotRestorable;

impl Invariant for SnapshotRestorable {
    fn name(&self) -> &'static str {
        "snapshot_restorable"
    }

    fn observe(&mut self, _: Micros, fact: &Fact<'_>) -> Result<(), String> {
        let Fact::Restored { manifest, state } = fact else { return Ok(()) };
        let place = format!("{} {} of {:?}", manifest.range, manifest.epoch, manifest.owner);
        match state {
            Err(why) => Err(format!("{place}: {why}")),
            Ok((index, _)) if *index > manifest.index => {
                Err(format!("{place}: the parts are of {index}, the manifest of {}", manifest.index))
            }
            Ok((_, positions)) if **positions != manifest.positions => {
                Err(format!("{place}: the parts stand at {positions:?}, the manifest at {:?}", manifest.positions))
            }
            Ok(_) => Ok(()),
        }
    }
}
