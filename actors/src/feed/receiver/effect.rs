//! What becomes of a frame, and what a receiver wants done. Knows not how.

use std::sync::Arc;

use featuregrid_protocol::ids::{ControlIndex, LeaderEpoch, NodeId, Offset};
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::range::RangeSet;

use crate::feed::halt::HaltReason;
use crate::feed::messages::ToReader;

/// What becomes of a frame. Act on it before the effects that came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Apply its rows to these ranges and move their position over it, now: the receiver counts on it.
    Apply(Arc<RangeSet>),
    /// Nothing to apply.
    Dropped(Dropped),
}

/// Why a frame is not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Everything it covers was applied.
    Duplicate,
    /// It is empty and stands at `v`: nothing was lost.
    Idle,
    /// It begins after `v`, or covers both sides of it; the reader was told.
    Gap,
    /// Its generation is not ours, or no longer.
    StaleGeneration,
    /// It was read from an older leader.
    LowerLeaderEpoch,
    /// It was read from a newer leader that was not checked for truncation yet.
    LeaderUnchecked,
    /// It was decoded under an index that was not in force over all of its interval.
    OtherIndex,
    /// It was decoded under an index this node does not know yet.
    NewerIndex,
    /// Its group waits: for a decision of the control log, or for ranges that are to join.
    Held,
    /// Its topic or its prefix is not ours; a second reader is asked.
    Mismatch,
    /// It is about another partition.
    OtherPartition,
    /// The partition has halted.
    Halted,
}

/// To be performed in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send `message` to the reader on `to`.
    Send {
        /// The reader's node.
        to: NodeId,
        /// What it is told.
        message: ToReader,
    },
    /// Read the control log up to `index` at least, then call
    /// [`Receiver::on_control`](super::Receiver::on_control).
    FetchControl {
        /// The index a frame names.
        index: ControlIndex,
    },
    /// Ask the broker, as `leader`, where the log of leader `since` ends, then call
    /// [`Receiver::on_leader_checked`](super::Receiver::on_leader_checked).
    CheckTruncation {
        /// The newer leader.
        leader: LeaderEpoch,
        /// The leader everything applied came from.
        since: LeaderEpoch,
    },
    /// Let another node's reader find its own triple at `at.next`, starting at [`start_of`](crate::feed::start_of) the
    /// newest manifest's triple at or before it, then call
    /// [`Receiver::on_second_reader`](super::Receiver::on_second_reader).
    AskSecondReader {
        /// Where this node stands.
        at: PartitionPosition,
        /// The reader that disagrees with us and should not be the one asked.
        first: Option<NodeId>,
        /// Next offset of the frame in question, for people.
        frame_to: Offset,
    },
    /// The log cannot be followed any more; nothing more will be applied. A human must look.
    Halt(HaltReason),
}
