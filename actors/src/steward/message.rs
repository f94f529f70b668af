//! What nodes tell each other for protocols B and C. Each may be lost, doubled, late: every one is either repeated or a
//! hint that saves time, and none is a fact about ownership (law 5). Knows no transport.

use featuregrid_protocol::ids::{ControlIndex, Epoch};
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::range::RangeId;
use serde::{Deserialize, Serialize};

/// From one life to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Coordinator to all: the entry or its decision stands in the control log, look now.
    Look {
        /// Which.
        index: ControlIndex,
    },
    /// To the coordinator, repeated until the decision: what this node has sent or applied, and goes no further than.
    Report {
        /// The entry that holds it.
        index: ControlIndex,
        /// Next offsets; partitions not named are held at 0.
        frontier: OffsetVector,
    },
    /// Owner to successor, repeated: become a standby of the range.
    Prepare {
        /// Which.
        range: RangeId,
        /// The owner's.
        epoch: Epoch,
    },
    /// Successor to owner, repeated: how far its copy is.
    CatchingUp {
        /// Which.
        range: RangeId,
        /// The owner's.
        epoch: Epoch,
        /// The copy's next offsets.
        v: OffsetVector,
    },
    /// Owner to successor, repeated: the range is released to you, claim it.
    Released {
        /// Which.
        range: RangeId,
        /// The one that ended.
        epoch: Epoch,
    },
    /// Successor to former owner: it is claimed.
    Claimed {
        /// Which.
        range: RangeId,
        /// The successor's.
        epoch: Epoch,
    },
    /// Owner to successor: the move is off.
    Cancelled {
        /// Which.
        range: RangeId,
        /// The owner's.
        epoch: Epoch,
    },
}
