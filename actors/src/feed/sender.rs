//! The reader's side of a partition: who wants which rows from where, and what has been sent. Knows no placement: what
//! a subscriber asks for is what it gets, wherever a map says its ranges belong (trace A6).
//!
//! A subscription is *live* while its cursor stands at a chunk of the ring that holds rows of its whole set, *ahead*
//! while its subscriber is further than this reader, and else served by a *replay*: the log is read again from the
//! subscriber's own triple, so that lateness, prefix max and accounting come out as the first time. A replay ends where
//! a chunk of the ring begins; there the subscription goes live without gap or overlap.
//!
//! Nothing here blocks: who gives no credit back gets nothing, and once its cursor has left the ring it is replayed to.

mod effect;
mod live;
mod messages;
mod replay;
mod subscription;
mod switch;
mod tick;

use std::collections::BTreeMap;

use featuregrid_protocol::ids::{ControlIndex, Generation, Incarnation, LeaderEpoch, Offset, PartitionId, TopicId};
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::position::PartitionPosition;

use super::halt::HaltReason;
use super::interest::Interest;
use super::ring::Ring;
use super::start::start_of;

pub use effect::{Effect, ReplayId};
use subscription::Subscription;

/// Where a reader reads: the identity of its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The topic's identity.
    pub topic: TopicId,
    /// The partition.
    pub partition: PartitionId,
    /// The leader the log is read from.
    pub leader: LeaderEpoch,
}

/// Counts of what a sender did; they only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Frames with an interval.
    pub frames: u64,
    /// Empty frames.
    pub idle_frames: u64,
    /// Replays opened.
    pub replays: u64,
    /// Live subscriptions whose cursor left the ring before they gave credit back.
    pub fell_behind: u64,
    /// Nacks that moved a cursor.
    pub nacks: u64,
    /// Times the log was read again for all.
    pub rereads: u64,
    /// Subscriptions forgotten because their subscriber was silent.
    pub expired: u64,
    /// Subscriptions refused.
    pub refused: u64,
}

/// The feed of one source partition, on its reader's node.
#[derive(Clone, Debug)]
pub struct Sender {
    me: Incarnation,
    origin: Origin,
    ring: Ring,
    interest: Interest,
    subscriptions: BTreeMap<Generation, Subscription>,
    replays: BTreeMap<ReplayId, Generation>,
    replay_last: u64,
    /// The newest entry whose activation is known, and its offset here.
    active: (ControlIndex, Offset),
    hold: Option<Offset>,
    /// Chunks were refused: the log must be read again from the head.
    refused_chunks: bool,
    halted: Option<HaltReason>,
    statistics: Statistics,
    #[cfg(feature = "plants")]
    stale_map: BTreeMap<featuregrid_protocol::ids::NodeId, super::coverage::Coverage>,
}

impl Sender {
    /// A reader in its life `me` that begins at the triple `start`, with `index` in force from `index_from` on.
    #[must_use]
    pub fn new(
        me: Incarnation,
        origin: Origin,
        start: &PartitionPosition,
        index: ControlIndex,
        index_from: Offset,
    ) -> Self {
        Self {
            me,
            origin,
            ring: Ring::new(start_of(start)),
            interest: Interest::default(),
            subscriptions: BTreeMap::new(),
            replays: BTreeMap::new(),
            replay_last: 0,
            active: (index, index_from),
            hold: None,
            refused_chunks: false,
            halted: None,
            statistics: Statistics::default(),
            #[cfg(feature = "plants")]
            stale_map: BTreeMap::new(),
        }
    }

    /// Where the next chunk must begin: the host's interpreter starts here.
    #[must_use]
    pub fn head(&self) -> &PartitionPosition {
        self.ring.head()
    }

    /// What a report to a control entry says: the next offset after everything decoded, hence after everything sent.
    #[must_use]
    pub fn next_offset(&self) -> Offset {
        let next = self.ring.head().next;
        if plants::on(Plant::B2ReportsLargest) { next.saturating_sub(1) } else { next }
    }

    /// Why nothing is sent any more.
    #[must_use]
    pub fn halted(&self) -> Option<&HaltReason> {
        self.halted.as_ref()
    }

    /// The log that is read.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn subscriptions(&self) -> usize {
        self.subscriptions.len()
    }

    /// Decoded chunks that are kept.
    #[must_use]
    pub fn ring_chunks(&self) -> usize {
        self.ring.len()
    }

    /// What was done so far.
    #[must_use]
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The map that trace A6 lets this reader consult: what it believes each node to own.
    #[cfg(feature = "plants")]
    pub fn set_stale_map(
        &mut self,
        owned: &BTreeMap<featuregrid_protocol::ids::NodeId, featuregrid_protocol::range::RangeSet>,
    ) {
        self.stale_map = owned.iter().map(|(node, set)| (*node, super::coverage::Coverage::of(set.iter()))).collect();
    }

    fn halt(&mut self, reason: HaltReason, out: &mut Vec<Effect>) {
        for id in std::mem::take(&mut self.replays).into_keys() {
            out.push(Effect::CloseReplay { id });
        }
        self.halted = Some(reason.clone());
        out.push(Effect::Halt(reason));
    }
}

#[cfg(test)]
mod tests;
