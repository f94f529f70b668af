//! Stored format of a range's manifest: who owns it and which state is durable. Knows no store: `actors::ownership`
//! decides what is committed.

use serde::{Deserialize, Serialize};

use crate::ids::{ControlIndex, Epoch, Incarnation, Nonce};
use crate::position::{OffsetVector, Positions, offsets};
use crate::range::RangeId;

/// The one object per range; changed only by conditional write, so each version has one writer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Which range.
    pub range: RangeId,
    /// Rises by one with every claim.
    pub epoch: Epoch,
    /// The one whose effects count; `None` before the first claim and after a release.
    pub owner: Option<Incarnation>,
    /// Where a release points; only that life may claim until it is gone.
    pub released_to: Option<Incarnation>,
    /// State that `parts` hold: offsets, prefix maxima, accounting.
    pub positions: Positions,
    /// Control index the parts were written under.
    pub index: ControlIndex,
    /// Immutable objects, oldest first.
    pub parts: Vec<Part>,
    /// Keeps equal contents apart, and decides an unknown outcome.
    pub nonce: Nonce,
}

/// A data object a manifest refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// Its random name in the object store.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// The v at which it was taken.
    pub v: OffsetVector,
}

impl Manifest {
    /// The v of its parts: what changed after it is in none of them. No row came between it and the positions.
    #[must_use]
    pub fn parts_v(&self) -> OffsetVector {
        self.parts.last().map_or_else(|| offsets(&self.positions), |part| part.v.clone())
    }
}
