//! One node's part in the protocols of control and ownership: starts a life, keeps its lease, follows the control log,
//! claims, commits and moves ranges. Knows no store, no network, no clock and no state of a range; composes the machines of
//! [`control`](crate::control) and [`ownership`](crate::ownership) and decides nothing itself but their order.
//!
//! The shell calls an input method with its monotonic time, performs the returned [`Effect`]s in order, and calls
//! [`Steward::tick`] at least every 50 ms. Inputs are facts; nothing is asked twice; every late reply is dropped by its id.

mod effect;
mod holdings;
mod message;
mod start;
mod turn;

use std::collections::{BTreeMap, BTreeSet};

use featuregrid_protocol::control::ControlChange;
use featuregrid_protocol::ids::{ControlIndex, Incarnation, NodeId, Offset, PartitionId};
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::position::{OffsetVector, Positions};
use featuregrid_protocol::range::{RangeId, RangeSet};
use thiserror::Error;

use crate::control::{Coordinator, Participant};
use crate::ownership::{
    CommitError, Lapse, LeaseHolder, MoveError, Progress, Restore, Role, Snapshot, Takeover, Tenure,
};
use crate::ports::gather::Gather;
use crate::ports::{Monotonic, Nonces, Requests, StoreReply};
use crate::snapshot::garbage::{Collector, Pace};

pub use effect::{Conclusion, Effect};
pub use message::Message;
pub use start::{Achieved, Birth, Step};

/// Lanes of ranges, by their index; all other machines are numbered from [`LANES`] on.
const RANGE_LANES: u32 = 1 << 16;
/// See [`RANGE_LANES`].
const LANES: u32 = 1 << 17;

/// Why a proposal was not taken. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProposeError {
    /// The life has not begun, or is over.
    #[error("this node is not running; propose again when it is, or at another node")]
    NotRunning,
    /// One at a time.
    #[error("this node is still working on another proposal; wait for its end, or withdraw it")]
    Busy,
}

/// One life of a node. Begin a new steward, with a new seed, for the next.
#[derive(Clone, Debug)]
pub struct Steward {
    node: NodeId,
    life: u64,
    nonces: Nonces,
    lanes: u32,
    genesis: Option<ControlChange>,
    step: Step,
    achieved: Achieved,
    /// The leases of earlier lives, being read.
    births: Option<(Gather, Requests)>,
    /// Earlier lives to be fenced once this one runs.
    predecessors: Vec<Incarnation>,
    lease: Option<LeaseHolder>,
    participant: Option<Participant>,
    proposal: Option<Proposed>,
    coordinator: Option<Coordinator>,
    /// By index; empty until genesis is known.
    tenures: Vec<Tenure>,
    v0: OffsetVector,
    takeovers: BTreeMap<Incarnation, Takeover>,
    /// Lives that act no more; one more per death that was waited for.
    cleared: BTreeSet<Incarnation>,
    restores: BTreeMap<RangeId, Restore>,
    pace: Pace,
    /// Once the life runs.
    collector: Option<Collector>,
    ended: Option<Lapse>,
}

#[derive(Clone, Debug)]
struct Proposed {
    change: ControlChange,
    overridden: bool,
    due: Monotonic,
}

impl Steward {
    /// Begins a life of `node`. `seed` is drawn at random by the shell: nonces and request ids are made of it. `genesis` is
    /// what this node creates the grid with, should it be the first.
    #[must_use]
    pub fn new(node: NodeId, seed: u64, genesis: Option<ControlChange>) -> Self {
        let mut steward = Self {
            node,
            life: seed,
            nonces: Nonces::new(seed),
            lanes: LANES,
            genesis,
            step: Step::FindBoot,
            achieved: Achieved::default(),
            births: None,
            predecessors: Vec::new(),
            lease: None,
            participant: None,
            proposal: None,
            coordinator: None,
            tenures: Vec::new(),
            v0: OffsetVector::default(),
            takeovers: BTreeMap::new(),
            cleared: BTreeSet::new(),
            restores: BTreeMap::new(),
            pace: Pace::default(),
            collector: None,
            ended: None,
        };
        steward.find_boot();
        steward
    }

    /// Looks for garbage at another pace than usual.
    #[must_use]
    pub fn collecting(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    // What the steward says.

    /// The incarnation, once it is leased.
    #[must_use]
    pub fn incarnation(&self) -> Option<Incarnation> {
        self.lease.as_ref().filter(|_| self.step > Step::Lease).map(LeaseHolder::holder)
    }

    /// Where the life stands.
    #[must_use]
    pub fn step(&self) -> Step {
        self.step
    }

    /// Whether it may send, apply and claim: it runs and is not over.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.step == Step::Running && self.ended.is_none()
    }

    /// Why it is over.
    #[must_use]
    pub fn ended(&self) -> Option<Lapse> {
        self.ended
    }

    /// Whether the lease allows effects at this instant.
    #[must_use]
    pub fn is_leased(&self, now: Monotonic) -> bool {
        self.ended.is_none() && self.lease.as_ref().is_some_and(|lease| lease.is_valid(now))
    }

    /// Whether an effect of this range may happen at this instant. To be asked right before each.
    #[must_use]
    pub fn may_have_effects(&self, now: Monotonic, range: RangeId) -> bool {
        self.is_running() && self.is_leased(now) && self.tenure(range).is_some_and(Tenure::may_act)
    }

    /// What this life is for a range.
    #[must_use]
    pub fn role(&self, range: RangeId) -> Role {
        self.tenure(range).filter(|_| self.is_running()).map_or(Role::None, Tenure::role)
    }

    /// The manifest of a range that is owned here.
    #[must_use]
    pub fn manifest(&self, range: RangeId) -> Option<&Manifest> {
        self.tenure(range)?.manifest()
    }

    /// Where a range has moved to from here, as readers are told.
    #[must_use]
    pub fn hint(&self, range: RangeId) -> Option<Incarnation> {
        self.tenure(range)?.hint()
    }

    /// Everything known here about one range.
    #[must_use]
    pub fn tenure(&self, range: RangeId) -> Option<&Tenure> {
        self.tenures.get(range.index()).filter(|_| self.tenures.len() == 1 << range.bits)
    }

    /// Every range of the grid, once genesis is known.
    #[must_use]
    pub fn ranges(&self) -> Vec<RangeId> {
        if self.tenures.is_empty() { Vec::new() } else { RangeId::split_evenly(self.tenures.len() as u32) }
    }

    /// The next offset this node may reach by sending or applying; `None` without a hold.
    #[must_use]
    pub fn limit(&self, partition: PartitionId) -> Option<Offset> {
        self.participant.as_ref().and_then(|participant| participant.limit(partition))
    }

    /// The undecided entry that holds this node.
    #[must_use]
    pub fn held_by(&self) -> Option<ControlIndex> {
        self.participant.as_ref().and_then(Participant::held_by)
    }

    // What the shell tells it.

    /// Time has passed.
    pub fn tick(&mut self, now: Monotonic) -> Vec<Effect> {
        self.turn(now, |_, _| {})
    }

    /// The store answered.
    pub fn reply(&mut self, now: Monotonic, reply: &StoreReply) -> Vec<Effect> {
        self.turn(now, |steward, out| {
            if reply.id().life == steward.life {
                steward.route(now, reply, out);
            }
        })
    }

    /// Another life sent a message.
    pub fn receive(&mut self, now: Monotonic, from: Incarnation, message: &Message) -> Vec<Effect> {
        self.turn(now, |steward, out| steward.take(now, from, message, out))
    }

    /// A loop of the data path turned; without all three the lease is not renewed.
    pub fn progressed(&mut self, what: Progress) {
        if let Some(lease) = &mut self.lease {
            lease.progressed(what);
        }
    }

    /// Answers [`Effect::Restore`]: nothing that was folded without a lease is left.
    pub fn restored(&mut self, now: Monotonic) -> Vec<Effect> {
        self.turn(now, |steward, _| steward.achieved.restored = true)
    }

    /// Answers [`Effect::Hold`]: nothing is sent or applied past these next offsets.
    pub fn held(&mut self, now: Monotonic, index: ControlIndex, frontier: OffsetVector) -> Vec<Effect> {
        self.turn(now, |steward, out| {
            if let Some(participant) = &mut steward.participant {
                participant.held(now, index, frontier, out);
            }
        })
    }

    /// A frame or a reply named a control index this node does not know.
    pub fn saw_index(&mut self, now: Monotonic, index: ControlIndex) -> Vec<Effect> {
        self.turn(now, |steward, out| {
            if let Some(participant) = &mut steward.participant {
                participant.hint(now, index, out);
            }
        })
    }

    /// Brings a change into force, and tries again until that has happened, it is superseded or withdrawn.
    ///
    /// # Errors
    /// See [`ProposeError`].
    pub fn propose(
        &mut self,
        now: Monotonic,
        change: ControlChange,
        overridden: bool,
    ) -> Result<Vec<Effect>, ProposeError> {
        if !self.is_running() {
            return Err(ProposeError::NotRunning);
        }
        if self.proposal.is_some() {
            return Err(ProposeError::Busy);
        }
        self.proposal = Some(Proposed { change, overridden, due: now });
        Ok(self.tick(now))
    }

    /// No further number is tried for the proposal; the one on its way ends as it will.
    pub fn withdraw(&mut self) {
        self.proposal = None;
    }

    /// Placement wants these ranges here, and no others. Ranges of the living come by their owner's move only.
    pub fn wish(&mut self, now: Monotonic, ranges: &RangeSet) -> Vec<Effect> {
        let all = self.ranges();
        self.turn(now, |steward, _| {
            for (tenure, range) in steward.tenures.iter_mut().zip(all) {
                tenure.wish(ranges.contains(range));
            }
        })
    }

    /// How far the copy of a range here is; asked for at least while the range moves.
    pub fn applied(&mut self, range: RangeId, v: OffsetVector) {
        if let Some(tenure) = self.tenure_mut(range) {
            tenure.applied(v);
        }
    }

    /// Begins a planned move of a range that is owned here.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub fn give(&mut self, now: Monotonic, range: RangeId, to: Incarnation) -> Result<Vec<Effect>, MoveError> {
        let mut result = Err(MoveError::NotOwner(range));
        let effects = self.turn(now, |steward, out| {
            if steward.is_running() {
                let given = steward.with(now, range, |tenure, with| tenure.give(with, to, out));
                result = given.unwrap_or(Err(MoveError::NotOwner(range)));
            }
        });
        result.map(|()| effects)
    }

    /// Makes a state of an owned range durable.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn commit(&mut self, now: Monotonic, range: RangeId, snapshot: Snapshot) -> Result<Vec<Effect>, CommitError> {
        self.commit_by(now, range, |tenure, with, out| tenure.commit(with, snapshot, out))
    }

    /// Moves the manifest of an owned range to (positions, index) up to which no row came to it: nothing is uploaded.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn stand(
        &mut self,
        now: Monotonic,
        range: RangeId,
        at: (Positions, ControlIndex),
    ) -> Result<Vec<Effect>, CommitError> {
        self.commit_by(now, range, |tenure, with, out| tenure.stand(with, at, out))
    }

    /// Answers [`Effect::StopEffects`]: the state the successor begins with.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn cut(&mut self, now: Monotonic, range: RangeId, snapshot: Snapshot) -> Result<Vec<Effect>, CommitError> {
        self.commit_by(now, range, |tenure, with, out| tenure.cut(with, snapshot, out))
    }

    /// Reads the newest durable state of a range; answered by [`Effect::Restored`].
    pub fn restore(&mut self, now: Monotonic, range: RangeId) -> Vec<Effect> {
        self.turn(now, |steward, _| {
            let requests = steward.lane();
            steward.restores.insert(range, Restore::new(range, requests));
        })
    }

    /// The detector suspects a life: its lease is watched, so that a takeover need not wait long.
    pub fn suspect(&mut self, now: Monotonic, life: Incarnation) -> Vec<Effect> {
        self.turn(now, |steward, _| {
            steward.takeover(now, life);
        })
    }

    /// The detector holds a life to be dead: its lease is fenced and waited out. To be repeated while the detector says so.
    pub fn down(&mut self, now: Monotonic, life: Incarnation) -> Vec<Effect> {
        self.turn(now, |steward, _| {
            if let Some(takeover) = steward.takeover(now, life) {
                takeover.down();
            }
        })
    }

    /// Gives the lease up. Every range was given away before, and nothing is done after.
    pub fn leave(&mut self, now: Monotonic) -> Vec<Effect> {
        self.turn(now, |steward, out| {
            if let Some(lease) = &mut steward.lease {
                lease.leave(now, out);
            }
        })
    }
}
