//! Stored formats of the control log: entries and their decisions, and where partitions begin that no entry names; each
//! created once. Knows no store and no rule of activation: `actors::control` decides.

use serde::{Deserialize, Serialize};

use crate::ids::{ControlIndex, Incarnation, Nonce, Offset, PartitionId};
use crate::position::OffsetVector;

/// A numbered, immutable entry; a function of it and of the events is all that state may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlEntry {
    /// Its number.
    pub index: ControlIndex,
    /// What it changes.
    pub change: ControlChange,
    /// Who prepared it.
    pub coordinator: Incarnation,
    /// Tells two attempts at one number apart.
    pub nonce: Nonce,
}

/// What an entry changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControlChange {
    /// Entry 0: the shape of the grid, pinned for ever, and its first definitions.
    Genesis {
        /// Number of ranges, a power of two.
        ranges: u32,
        /// Earliest offsets when the grid began: retention past these before a snapshot halts the partition.
        v0: OffsetVector,
        /// Text of the definitions.
        definitions: String,
    },
    /// The project's definitions as a whole.
    Definitions {
        /// Text of the definitions.
        definitions: String,
        /// Earliest offsets, when the entry was made, of partitions whose source joins the project with it.
        begins: OffsetVector,
    },
}

impl ControlChange {
    /// Text of the definitions.
    #[must_use]
    pub fn definitions(&self) -> &str {
        let (Self::Genesis { definitions, .. } | Self::Definitions { definitions, .. }) = self;
        definitions
    }

    /// Where partitions begin that no entry before it named.
    #[must_use]
    pub fn begins(&self) -> &OffsetVector {
        let (Self::Genesis { v0: begins, .. } | Self::Definitions { begins, .. }) = self;
        begins
    }
}

/// What became of an entry: exactly one decision per number ever exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// In force from these offsets on.
    Active(OffsetVector),
    /// The number is a no-op.
    Aborted,
}

/// Where the log of a partition began when it was found, after its source had joined: no entry names it.
///
/// It stands in the control log beside the numbered entries, because nothing has to be held for it: nobody reads a record
/// of the partition before the object is there, and every replay begins where it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionBegin {
    /// Which.
    pub partition: PartitionId,
    /// The earliest offset its log had.
    pub begin: Offset,
}
