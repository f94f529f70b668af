//! Ends the right of a dead life to act: fences its lease, waits until it has stopped by itself. Knows no range: claims
//! follow, by whoever wants them.
//!
//! Invariant: when [`Takeover::is_cleared`], no effect of the victim happens any more, and its lease object allows none ever
//! again: the version that was fenced is the last one it wrote, and it was first seen [`LEASE_SUCCESSOR`] ago.

use featuregrid_protocol::ids::Incarnation;
use featuregrid_protocol::lease::{Lease, LeaseState};
use featuregrid_protocol::limits::{LEASE_SUCCESSOR, RECONCILE_EVERY};
use featuregrid_protocol::plants::{Plant, on};

use super::Observer;
use crate::control::participant::{decoded, encoded};
use crate::ports::write::{Verdict, Write};
use crate::ports::{
    GetOutcome, Key, Monotonic, Nonces, Object, PutCondition, RequestId, Requests, StoreReply, StoreRequest,
};
use crate::steward::Effect;

/// One victim.
#[derive(Clone, Debug)]
pub struct Takeover {
    victim: Incarnation,
    requests: Requests,
    nonces: Nonces,
    observer: Observer,
    /// When somebody was interested last.
    suspected: Monotonic,
    /// Whether it is held to be dead, not only suspected.
    down: bool,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    /// Looks at the lease, again and again while the victim is only suspected.
    Looking { reading: Option<RequestId>, due: Monotonic },
    /// Writes FENCED over the version seen last.
    Fencing(Write),
    /// It is fenced; the victim may not know yet.
    Waiting,
    /// It has stopped.
    Cleared,
    /// Its lease moved: it lives.
    Alive,
}

impl Takeover {
    /// Begins to look at the lease of a life that is suspected: the earlier, the sooner the wait is over.
    #[must_use]
    pub fn new(victim: Incarnation, requests: Requests, nonces: Nonces) -> Self {
        let phase = Phase::Looking { reading: None, due: Monotonic::MIN };
        Self { victim, requests, nonces, observer: Observer::default(), suspected: Monotonic::MIN, down: false, phase }
    }

    /// Somebody waits for what it has.
    pub fn suspected(&mut self, now: Monotonic) {
        self.suspected = now;
    }

    /// Whether it only looks, and nobody has asked it to for as long as a wait would last.
    #[must_use]
    pub fn is_idle(&self, now: Monotonic) -> bool {
        matches!(self.phase, Phase::Looking { .. }) && !self.down && now - self.suspected > LEASE_SUCCESSOR
    }

    /// The detector holds it to be dead.
    pub fn down(&mut self) {
        self.down = true;
        if let Phase::Looking { due, .. } = &mut self.phase {
            *due = Monotonic::MIN;
        }
    }

    /// Whether its ranges may be claimed.
    #[must_use]
    pub fn is_cleared(&self) -> bool {
        matches!(self.phase, Phase::Cleared)
    }

    /// Whether it renewed in the face of the fence: the takeover is off, until it is held to be dead again.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        matches!(self.phase, Phase::Alive)
    }

    /// Takes a reply of the store; whether it was awaited.
    pub fn reply(&mut self, now: Monotonic, reply: &StoreReply, out: &mut Vec<Effect>) -> bool {
        let awaited = match (&mut self.phase, reply) {
            (Phase::Looking { reading, .. }, StoreReply::Get { id, outcome }) if *reading == Some(*id) => {
                *reading = None;
                match outcome {
                    GetOutcome::Found(object) => self.saw(now, object, out),
                    GetOutcome::Absent => self.fence(PutCondition::Absent, 0, out),
                    GetOutcome::Unavailable => {}
                }
                true
            }
            (Phase::Fencing(write), _) => write.accept(now, reply),
            _ => false,
        };
        if awaited {
            self.advance(now, out);
        }
        awaited
    }

    /// Does what is due.
    pub fn advance(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        if let Phase::Fencing(write) = &self.phase
            && let Some(verdict) = write.verdict().cloned()
        {
            self.fenced(now, verdict, out);
        }
        if matches!(self.phase, Phase::Waiting) && (self.observer.has_run_out(now) || on(Plant::ClaimWithoutWaiting)) {
            self.phase = Phase::Cleared;
        }
        match &mut self.phase {
            Phase::Looking { reading: reading @ None, due } if *due <= now => {
                let id = self.requests.next_id();
                *reading = Some(id);
                *due = now + RECONCILE_EVERY;
                out.push(Effect::Store(StoreRequest::Get { id, key: Key::Lease(self.victim), bytes: None }));
            }
            Phase::Fencing(write) => out.extend(write.poll(now, &mut self.requests).map(Effect::Store)),
            _ => {}
        }
    }

    fn saw(&mut self, now: Monotonic, object: &Object, out: &mut Vec<Effect>) {
        let Some(lease) = decoded::<Lease>(&Key::Lease(self.victim), object, out) else { return };
        self.observer.observe(now, &object.etag);
        match lease.state {
            LeaseState::Active => self.fence(PutCondition::Matches(object.etag.clone()), lease.sequence, out),
            LeaseState::Fenced => self.phase = Phase::Waiting,
            // It stopped before it wrote that.
            LeaseState::Released => self.phase = Phase::Cleared,
        }
    }

    fn fence(&mut self, condition: PutCondition, sequence: u64, out: &mut Vec<Effect>) {
        if !self.down {
            return;
        }
        let (holder, nonce) = (self.victim, self.nonces.next_nonce());
        let lease = Lease { holder, sequence, state: LeaseState::Fenced, nonce };
        let key = Key::Lease(self.victim);
        if let Some(body) = encoded(&key, &lease, out) {
            self.phase = Phase::Fencing(Write::new(key, body, condition));
        }
    }

    fn fenced(&mut self, now: Monotonic, verdict: Verdict, out: &mut Vec<Effect>) {
        match verdict {
            // Our own write is no sign of life: the wait goes on from the victim's last one.
            Verdict::Done { etag, .. } => {
                if self.observer.last().is_none() {
                    self.observer.observe(now, &etag);
                }
                self.phase = Phase::Waiting;
            }
            Verdict::Lost { found } => {
                let lease = found.and_then(|object| {
                    self.observer.observe(now, &object.etag);
                    decoded::<Lease>(&Key::Lease(self.victim), &object, out)
                });
                self.phase = match lease.map(|lease| lease.state) {
                    Some(LeaseState::Fenced) => Phase::Waiting,
                    Some(LeaseState::Released) => Phase::Cleared,
                    Some(LeaseState::Active) | None => Phase::Alive,
                };
            }
        }
    }
}

#[cfg(test)]
mod tests;
