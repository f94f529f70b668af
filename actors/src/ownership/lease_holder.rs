//! A node's own lease: its right to have effects, and the proof to others that it is alive. Knows no range.
//!
//! Invariant: the holder believes in its lease for [`LEASE_HOLDER`] from the *sending* of a renewal that succeeded, by its
//! own clock; a successor waits [`LEASE_SUCCESSOR`] from the last change it
//! saw, by its own. The change was seen after the sending, so with rates 5 % apart the holder stops (2.11 s) before the
//! successor acts (2.85 s): trace C8.

use featuregrid_protocol::ids::Incarnation;
use featuregrid_protocol::lease::{Lease, LeaseState};
use featuregrid_protocol::limits::{LEASE_HOLDER, LEASE_RENEW_EVERY, LEASE_SUCCESSOR};
use featuregrid_protocol::plants::{Plant, on};

use crate::control::participant::{decoded, encoded};
use crate::ports::write::{Verdict, Write};
use crate::ports::{Etag, Key, Monotonic, Nonces, Object, PutCondition, Requests, StoreReply};
use crate::steward::Effect;

/// A loop of the data path that proves that it turns. One that has nothing to do reports too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// Polls the log.
    Reader,
    /// Applies rows.
    Fold,
    /// Reads or writes local storage.
    Disk,
}

/// Why a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapse {
    /// A successor took the lease.
    Fenced,
    /// Another process has, or had, the same incarnation.
    Foreign,
    /// It left by itself.
    Left,
    /// Another process of the same incarnation wrote a manifest: neither can be trusted.
    Twin,
}

/// The lease of one life.
#[derive(Clone, Debug)]
pub struct LeaseHolder {
    lease: Lease,
    requests: Requests,
    nonces: Nonces,
    state: State,
    /// What proved progress since the last renewal was sent.
    fresh: [bool; 3],
    /// When the last renewal was sent, successful or not.
    tried: Monotonic,
    /// Whether the next write gives the lease up.
    leaving: bool,
}

#[derive(Clone, Debug)]
enum State {
    /// Being created.
    Creating(Write),
    /// Exists, and is as we last wrote it, as far as we know.
    Held {
        etag: Etag,
        /// When the renewal was sent that succeeded last.
        renewed: Monotonic,
        renewing: Option<(Write, Lease)>,
    },
    /// For ever.
    Lapsed(Lapse),
}

impl LeaseHolder {
    /// Creates the lease of a new life.
    #[must_use]
    pub fn new(me: Incarnation, requests: Requests, mut nonces: Nonces, out: &mut Vec<Effect>) -> Self {
        let lease = Lease { holder: me, sequence: 0, state: LeaseState::Active, nonce: nonces.next_nonce() };
        let key = Key::Lease(me);
        let state = match encoded(&key, &lease, out) {
            Some(body) => State::Creating(Write::new(key, body, PutCondition::Absent)),
            None => State::Lapsed(Lapse::Foreign),
        };
        Self { lease, requests, nonces, state, fresh: [false; 3], tried: Monotonic::MIN, leaving: false }
    }

    /// Goes on with the lease of an older process: the mistake of trace C9.
    #[must_use]
    pub fn adopt(lease: Lease, etag: Etag, requests: Requests, nonces: Nonces) -> Self {
        let state = State::Held { etag, renewed: Monotonic::MIN, renewing: None };
        Self { lease, requests, nonces, state, fresh: [true; 3], tried: Monotonic::MIN, leaving: false }
    }

    /// Whose.
    #[must_use]
    pub fn holder(&self) -> Incarnation {
        self.lease.holder
    }

    /// Whether the lease was created, and did not lapse.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.state, State::Held { .. })
    }

    /// Whether effects are allowed at this instant. To be asked right before each.
    #[must_use]
    pub fn is_valid(&self, now: Monotonic) -> bool {
        let length = if on(Plant::C8EqualClocks) { LEASE_SUCCESSOR } else { LEASE_HOLDER };
        match &self.state {
            State::Held { renewed, .. } => now < *renewed + length && !self.leaving,
            State::Creating(_) | State::Lapsed(_) => false,
        }
    }

    /// Why it ended, if it did.
    #[must_use]
    pub fn lapse(&self) -> Option<Lapse> {
        match self.state {
            State::Lapsed(lapse) => Some(lapse),
            _ => None,
        }
    }

    /// A loop of the data path turned.
    pub fn progressed(&mut self, what: Progress) {
        self.fresh[what as usize] = true;
    }

    /// Gives the lease up, so that successors need not wait. Effects have stopped and every range was released before.
    pub fn leave(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        self.leaving = true;
        self.advance(now, out);
    }

    /// Another process of this incarnation was seen: the life ends.
    pub fn end(&mut self, lapse: Lapse) {
        self.state = State::Lapsed(lapse);
    }

    /// Takes a reply of the store; whether it was awaited.
    pub fn reply(&mut self, now: Monotonic, reply: &StoreReply, out: &mut Vec<Effect>) -> bool {
        let write = match &mut self.state {
            State::Creating(write) | State::Held { renewing: Some((write, _)), .. } => write,
            State::Held { renewing: None, .. } | State::Lapsed(_) => return false,
        };
        if !write.accept(now, reply) {
            return false;
        }
        if let Some(verdict) = write.verdict().cloned() {
            self.decided(verdict, out);
        }
        self.advance(now, out);
        true
    }

    /// Does what is due.
    pub fn advance(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        if matches!(self.state, State::Held { renewing: None, .. }) {
            // A node whose data path stands still must not look alive for ever.
            if self.leaving {
                self.write(LeaseState::Released, out);
            } else if now - self.tried >= LEASE_RENEW_EVERY && self.fresh == [true; 3] {
                self.write(LeaseState::Active, out);
            }
        }
        if let State::Creating(write) | State::Held { renewing: Some((write, _)), .. } = &mut self.state
            && let Some(request) = write.poll(now, &mut self.requests)
        {
            self.tried = now;
            out.push(Effect::Store(request));
        }
    }

    fn write(&mut self, state: LeaseState, out: &mut Vec<Effect>) {
        let State::Held { etag, renewing, .. } = &mut self.state else { return };
        let next = Lease { sequence: self.lease.sequence + 1, state, nonce: self.nonces.next_nonce(), ..self.lease };
        let key = Key::Lease(next.holder);
        if let Some(body) = encoded(&key, &next, out) {
            *renewing = Some((Write::new(key, body, PutCondition::Matches(etag.clone())), next));
            self.fresh = [false; 3];
        }
    }

    fn decided(&mut self, verdict: Verdict, out: &mut Vec<Effect>) {
        let next = match &mut self.state {
            State::Held { renewing, .. } => renewing.take().map(|(_, next)| next),
            State::Creating(_) | State::Lapsed(_) => None,
        };
        self.lease = next.unwrap_or_else(|| self.lease.clone());
        self.state = match verdict {
            Verdict::Done { .. } if self.lease.state == LeaseState::Released => State::Lapsed(Lapse::Left),
            Verdict::Done { etag, sent } => State::Held { etag, renewed: sent, renewing: None },
            Verdict::Lost { found } => State::Lapsed(self.lost(found.as_ref(), out)),
        };
    }

    fn lost(&self, found: Option<&Object>, out: &mut Vec<Effect>) -> Lapse {
        let found: Option<Lease> = found.and_then(|object| decoded(&Key::Lease(self.lease.holder), object, out));
        match found.map(|lease| lease.state) {
            Some(LeaseState::Fenced) => Lapse::Fenced,
            Some(LeaseState::Active | LeaseState::Released) | None => Lapse::Foreign,
        }
    }
}

#[cfg(test)]
mod tests;
