//! The owner's side of a planned move: when to stop, when to give up, when to take back. Knows no manifest.

use featuregrid_protocol::ids::{Epoch, Incarnation};
use featuregrid_protocol::limits::{
    MOVE_CATCH_UP_MAX, MOVE_CUT_MAX, MOVE_LAG_MAX, MOVE_RESEND_EVERY, MOVE_SILENCE_MAX, MOVED_HINT,
};
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Span;

use crate::ports::Monotonic;
use crate::steward::{Effect, Message};

/// How far a move is, as its giver sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiverPhase {
    /// The successor stands by and catches up; effects and commits go on here.
    Preparing,
    /// Effects have stopped; the state at the cut is awaited, then committed with the release.
    Cutting,
    /// The release stands; the successor is to claim.
    Released,
    /// It was silent; the claim back is on its way.
    Reclaiming,
    /// Somebody else has it; readers are told who.
    Moved,
}

/// One move away from here.
#[derive(Clone, Debug)]
pub struct Giver {
    range: RangeId,
    epoch: Epoch,
    to: Incarnation,
    phase: GiverPhase,
    since: Monotonic,
    resend: Monotonic,
    /// How far the successor's copy is.
    theirs: Option<OffsetVector>,
}

impl Giver {
    /// Begins to give the range of this epoch to `to`.
    #[must_use]
    pub fn new(now: Monotonic, range: RangeId, epoch: Epoch, to: Incarnation) -> Self {
        Self { range, epoch, to, phase: GiverPhase::Preparing, since: now, resend: now, theirs: None }
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> GiverPhase {
        self.phase
    }

    /// To whom.
    #[must_use]
    pub fn to(&self) -> Incarnation {
        self.to
    }

    /// The epoch that ends or ended here.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The next phase begins.
    pub fn enter(&mut self, now: Monotonic, phase: GiverPhase) {
        (self.phase, self.since, self.resend) = (phase, now, now);
    }

    /// The range is known to be at `to`.
    pub fn moved(&mut self, now: Monotonic, to: Incarnation) {
        if self.phase != GiverPhase::Moved || self.to != to {
            self.to = to;
            self.enter(now, GiverPhase::Moved);
        }
    }

    /// The successor says how far it is.
    pub fn catching_up(&mut self, from: Incarnation, epoch: Epoch, v: OffsetVector) {
        if from == self.to && epoch == self.epoch {
            self.theirs = Some(v);
        }
    }

    /// Whether the successor is close enough behind `mine` to be let in.
    #[must_use]
    pub fn is_close(&self, mine: &OffsetVector) -> bool {
        self.theirs.as_ref().is_some_and(|theirs| {
            let lag: u64 = mine.0.iter().map(|(partition, next)| next.saturating_sub(theirs.get(*partition))).sum();
            lag <= MOVE_LAG_MAX
        })
    }

    /// Whether the phase has lasted longer than it may.
    #[must_use]
    pub fn is_overdue(&self, now: Monotonic) -> bool {
        let allowed = match self.phase {
            GiverPhase::Preparing => MOVE_CATCH_UP_MAX,
            GiverPhase::Cutting => MOVE_CUT_MAX,
            GiverPhase::Released => MOVE_SILENCE_MAX,
            // Only the store can end it.
            GiverPhase::Reclaiming => Span(i64::MAX),
            GiverPhase::Moved => MOVED_HINT,
        };
        now - self.since >= allowed
    }

    /// Repeats what the successor has to know.
    pub fn remind(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        let (range, epoch) = (self.range, self.epoch);
        let message = match self.phase {
            GiverPhase::Preparing => Message::Prepare { range, epoch },
            GiverPhase::Released => Message::Released { range, epoch },
            GiverPhase::Cutting | GiverPhase::Reclaiming | GiverPhase::Moved => return,
        };
        if self.resend <= now {
            self.resend = now + MOVE_RESEND_EVERY;
            out.push(Effect::Send { to: self.to, message });
        }
    }

    /// The move is off.
    pub fn cancel(&self, out: &mut Vec<Effect>) {
        let message = Message::Cancelled { range: self.range, epoch: self.epoch };
        out.push(Effect::Send { to: self.to, message });
    }
}
