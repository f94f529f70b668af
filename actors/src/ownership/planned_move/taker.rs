//! The successor's side of a planned move: how long to stand by, when to look whether the range was released. Knows no
//! manifest.

use featuregrid_protocol::ids::{Epoch, Incarnation};
use featuregrid_protocol::limits::{MOVE_CATCH_UP_MAX, MOVE_RESEND_EVERY, RECONCILE_EVERY};
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::range::RangeId;

use crate::ports::Monotonic;
use crate::steward::{Effect, Message};

/// One move to here.
#[derive(Clone, Debug)]
pub struct Taker {
    range: RangeId,
    from: Incarnation,
    epoch: Epoch,
    since: Monotonic,
    /// When the owner spoke last.
    heard: Monotonic,
    resend: Monotonic,
}

impl Taker {
    /// The owner asked for it.
    #[must_use]
    pub fn new(now: Monotonic, range: RangeId, from: Incarnation, epoch: Epoch) -> Self {
        Self { range, from, epoch, since: now, heard: now, resend: now }
    }

    /// From whom.
    #[must_use]
    pub fn from(&self) -> Incarnation {
        self.from
    }

    /// Under which epoch it has the range.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The owner spoke.
    pub fn heard(&mut self, now: Monotonic) {
        self.heard = now;
    }

    /// Whether the owner is so silent that the manifest should be asked: it may have released and died.
    #[must_use]
    pub fn should_look(&self, now: Monotonic) -> bool {
        now - self.heard >= RECONCILE_EVERY
    }

    /// Whether it has lasted longer than it may.
    #[must_use]
    pub fn is_overdue(&self, now: Monotonic) -> bool {
        now - self.since >= MOVE_CATCH_UP_MAX
    }

    /// Repeats what the owner has to know.
    pub fn remind(&mut self, now: Monotonic, v: &OffsetVector, out: &mut Vec<Effect>) {
        if self.resend <= now {
            self.resend = now + MOVE_RESEND_EVERY;
            let message = Message::CatchingUp { range: self.range, epoch: self.epoch, v: v.clone() };
            out.push(Effect::Send { to: self.from, message });
        }
    }
}
