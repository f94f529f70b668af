//! What a node is to do for protocols B and C, one documented variant each: read top to bottom it is the life of a
//! node. Knows not how any of it is done.

use std::sync::Arc;

use featuregrid_protocol::codec::CodecError;
use featuregrid_protocol::control::{ControlEntry, Decision};
use featuregrid_protocol::ids::{ControlIndex, Epoch, Incarnation};
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::range::RangeId;

use super::Message;
use crate::ownership::Lapse;
use crate::ports::{Key, StoreRequest};

/// Performed by the shell in the order given. Where a variant names an answer, the machines wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask the store; answered by `Steward::reply`.
    Store(StoreRequest),
    /// Carry a message to the process of that life, or lose it.
    Send {
        /// Whose.
        to: Incarnation,
        /// What.
        message: Message,
    },
    /// An object of the grid does not decode: a person has to look. What needs it waits, and is tried again.
    Damaged {
        /// Which.
        key: Key,
        /// How.
        error: CodecError,
    },

    /// The process lives as this incarnation now. Nothing is sent or applied yet.
    Leased(Incarnation),
    /// Drop every state that was folded without a lease, restore what is wanted from manifests, and answer with
    /// `Steward::restored` (trace B7).
    Restore,
    /// Send, apply and serve from now on, but not past a hold.
    Run,
    /// This life is over and never has effects again. To go on, begin a new one with a new steward; until that one
    /// says [`Effect::Restore`], what is folded and served is provisional.
    End(Lapse),

    /// Stop sending and applying at once; when that is so, answer with `Steward::held` and the next offsets after all
    /// that was sent or applied. Nothing may pass `Steward::limit` until the decision.
    Hold {
        /// The entry that is prepared.
        index: ControlIndex,
    },
    /// The entry is in force from `at` on: compile it, tell the [`History`](crate::control::History), switch there.
    /// Ends a hold for it.
    Activate {
        /// What changes.
        entry: ControlEntry,
        /// From these offsets on.
        at: OffsetVector,
    },
    /// The number is a no-op. Ends a hold for it.
    Abort {
        /// Which.
        index: ControlIndex,
    },
    /// This node's proposal ended, or will be tried again.
    Proposed {
        /// Under which number.
        index: ControlIndex,
        /// How.
        conclusion: Conclusion,
    },

    /// Fold and serve a copy of this range: it is about to move here.
    StandBy {
        /// Which.
        range: RangeId,
    },
    /// The move did not happen; the copy need not be kept.
    LeaveStandby {
        /// Which.
        range: RangeId,
    },
    /// The range is owned here. State behind the manifest's positions catches up or is restored before it is committed;
    /// effects are allowed while `Steward::may_have_effects` says so.
    Promote {
        /// Which.
        range: RangeId,
        /// As it was claimed.
        manifest: Arc<Manifest>,
    },
    /// Stop effects of this range and answer with `Steward::cut`: the state at the cut, which the successor begins with.
    StopEffects {
        /// Which.
        range: RangeId,
    },
    /// The move was given up before the release; effects of this range go on.
    ResumeEffects {
        /// Which.
        range: RangeId,
    },
    /// State up to `v` is durable.
    Committed {
        /// Which.
        range: RangeId,
        /// Under which ownership.
        epoch: Epoch,
        /// Up to here.
        v: OffsetVector,
    },
    /// The range is not owned here any more; the copy folds and serves on as a standby until it is forgotten.
    Demote {
        /// Which.
        range: RangeId,
        /// The epoch that ended here.
        epoch: Epoch,
        /// Who has it now, if that is known.
        to: Option<Incarnation>,
    },
    /// Everybody had time to learn who has the range: the copy need not be kept.
    Forget {
        /// Which.
        range: RangeId,
    },
    /// What `Steward::restore` asked for: the newest durable state.
    Restored {
        /// Which.
        range: RangeId,
        /// `None` if the range was never claimed: it begins at genesis' offsets.
        manifest: Option<Arc<Manifest>>,
        /// The bytes of its parts, oldest first.
        parts: Vec<Arc<[u8]>>,
    },
}

/// How a proposal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Decided.
    Decided(Decision),
    /// Another proposal took the number: look at it, and propose again if it is still wanted.
    Superseded,
    /// A range's manifest stores an older index than the one in force: its owner is behind, or there is none. It is
    /// tried again; an operator may override.
    NotReady(RangeId),
}
