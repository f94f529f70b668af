//! What one life has to do with one range: wants it, owns it, commits it, gives it, takes it. Knows no other range and no
//! state; the shell folds and hands in snapshots.
//!
//! Invariant: one write of the manifest is on its way at most, and while its outcome is not certain none other begins.
//! Who has released, or tries to, has stopped effects before, and resumes them only by a claim of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use featuregrid_protocol::ids::{ControlIndex, Epoch, Incarnation};
use featuregrid_protocol::limits::RECONCILE_EVERY;
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::plants::{Plant, on};
use featuregrid_protocol::position::{OffsetVector, Positions, offsets};
use featuregrid_protocol::range::RangeId;
use thiserror::Error;

use super::claim::{Claim, Claimant, Claimed};
use super::commit::{Change, Commit, CommitError, Committed, Known, Snapshot};
use super::planned_move::{Giver, GiverPhase, Taker};
use crate::ports::{Monotonic, Nonces, Requests, StoreReply};
use crate::steward::{Effect, Message};

/// What a life is for a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Its effects count, while its lease is valid.
    Owner,
    /// It folds and answers reads, because the range is about to come or has just left.
    Standby,
    /// Nothing, as far as the protocols know; placement may still keep a copy.
    None,
}

/// What all ranges of a node have in common at an instant.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The node's clock.
    pub now: Monotonic,
    /// Whether its lease is valid.
    pub leased: bool,
    /// Lives that are known to act no more.
    pub cleared: &'a BTreeSet<Incarnation>,
    /// Genesis' offsets.
    pub v0: &'a OffsetVector,
    /// The index in force.
    pub index: ControlIndex,
}

/// Why a move was not begun. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MoveError {
    /// Only an owner can give.
    #[error("range {0} is not owned by this node; ask its owner to move it")]
    NotOwner(RangeId),
    /// One move at a time.
    #[error("range {0} is being moved already; wait for that move to end")]
    Moving(RangeId),
    /// To itself.
    #[error("range {0} is where it should move to")]
    Here(RangeId),
}

/// One range, seen from one life.
#[derive(Clone, Debug)]
pub struct Tenure {
    range: RangeId,
    me: Incarnation,
    requests: Requests,
    nonces: Nonces,
    /// Whether placement wants the range here.
    wished: bool,
    /// The manifest, while it says that the range is ours and no release is known to stand.
    known: Option<Known>,
    writing: Option<Writing>,
    moving: Option<Moving>,
    /// How far the copy here is.
    applied: OffsetVector,
    /// When to claim (again).
    claim_due: Monotonic,
    blocked_by: Option<Incarnation>,
    /// Whether another process of this incarnation was seen.
    twin: bool,
}

#[derive(Clone, Debug)]
enum Writing {
    Claim(Box<Claim>),
    Commit(Box<Commit>),
}

#[derive(Clone, Debug)]
enum Moving {
    Giving(Giver),
    Taking(Taker),
}

impl Tenure {
    /// Nothing yet.
    #[must_use]
    pub fn new(range: RangeId, me: Incarnation, requests: Requests, nonces: Nonces) -> Self {
        Self {
            range,
            me,
            requests,
            nonces,
            wished: false,
            known: None,
            writing: None,
            moving: None,
            applied: OffsetVector::default(),
            claim_due: Monotonic::MIN,
            blocked_by: None,
            twin: false,
        }
    }

    /// What this life is for the range.
    #[must_use]
    pub fn role(&self) -> Role {
        match (&self.known, &self.moving) {
            (Some(_), _) => Role::Owner,
            (None, Some(_)) => Role::Standby,
            (None, None) => Role::None,
        }
    }

    /// The manifest, while the range is ours.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        self.known.as_ref().map(|known| &known.manifest)
    }

    /// Whether effects are allowed, as far as the range is concerned: the lease is the other half.
    #[must_use]
    pub fn may_act(&self) -> bool {
        self.known.is_some() && self.giving().is_none_or(|giver| giver.phase() == GiverPhase::Preparing)
    }

    /// Where the range has moved to, as readers are told.
    #[must_use]
    pub fn hint(&self) -> Option<Incarnation> {
        self.giving().filter(|giver| matches!(giver.phase(), GiverPhase::Released | GiverPhase::Moved)).map(Giver::to)
    }

    /// How far a move away from here is.
    #[must_use]
    pub fn giving(&self) -> Option<&Giver> {
        match &self.moving {
            Some(Moving::Giving(giver)) => Some(giver),
            _ => None,
        }
    }

    /// Whose life keeps the range from being claimed.
    #[must_use]
    pub fn blocked_by(&self) -> Option<Incarnation> {
        self.blocked_by
    }

    /// Whether a manifest showed that another process of this incarnation acts.
    #[must_use]
    pub fn has_twin(&self) -> bool {
        self.twin
    }

    /// Whether a write on its way may come to refer to this part.
    #[must_use]
    pub fn may_refer_to(&self, name: &str) -> bool {
        matches!(&self.writing, Some(Writing::Commit(commit)) if commit.refers_to(name))
    }

    /// Whether placement wants the range here.
    pub fn wish(&mut self, wished: bool) {
        self.wished = wished;
    }

    /// How far the copy here is.
    pub fn applied(&mut self, v: OffsetVector) {
        self.applied = v;
    }

    /// Begins a planned move.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub fn give(&mut self, with: Circumstances, to: Incarnation, out: &mut Vec<Effect>) -> Result<(), MoveError> {
        let Some(known) = &self.known else { return Err(MoveError::NotOwner(self.range)) };
        if to == self.me {
            return Err(MoveError::Here(self.range));
        }
        if self.moving.is_some() {
            return Err(MoveError::Moving(self.range));
        }
        self.moving = Some(Moving::Giving(Giver::new(with.now, self.range, known.manifest.epoch, to)));
        self.advance(with, out);
        Ok(())
    }

    /// Makes a state durable.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn commit(
        &mut self,
        with: Circumstances,
        snapshot: Snapshot,
        out: &mut Vec<Effect>,
    ) -> Result<(), CommitError> {
        if !self.may_act() {
            return Err(CommitError::NotOwner(self.range));
        }
        self.begin(with, Change::State(snapshot), out)
    }

    /// Moves the manifest to (index, positions) up to which no row came to the range.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn stand(
        &mut self,
        with: Circumstances,
        (at, index): (Positions, ControlIndex),
        out: &mut Vec<Effect>,
    ) -> Result<(), CommitError> {
        if !self.may_act() {
            return Err(CommitError::NotOwner(self.range));
        }
        self.begin(with, Change::Stands(at, index), out)
    }

    /// The state at the cut that [`Effect::StopEffects`] asked for: commits it and releases the range.
    ///
    /// # Errors
    /// See [`CommitError`]; effects stay stopped, and the cut may be handed in again until the phase's deadline.
    pub fn cut(&mut self, with: Circumstances, snapshot: Snapshot, out: &mut Vec<Effect>) -> Result<(), CommitError> {
        match self.giving() {
            Some(giver) if giver.phase() == GiverPhase::Cutting => {
                let to = giver.to();
                self.begin(with, Change::Release(snapshot, to), out)
            }
            _ => Err(CommitError::NotOwner(self.range)),
        }
    }

    /// Another node speaks of this range.
    pub fn receive(&mut self, with: Circumstances, from: Incarnation, message: &Message, out: &mut Vec<Effect>) {
        let now = with.now;
        match (message, &mut self.moving) {
            (Message::Prepare { epoch, .. }, Some(Moving::Taking(taker)))
                if (taker.from(), taker.epoch()) == (from, *epoch) =>
            {
                taker.heard(now);
            }
            (Message::Prepare { epoch, .. }, None | Some(Moving::Taking(_))) if self.known.is_none() => {
                let is_new = self.moving.is_none();
                self.moving = Some(Moving::Taking(Taker::new(now, self.range, from, *epoch)));
                if is_new {
                    out.push(Effect::StandBy { range: self.range });
                }
            }
            (Message::CatchingUp { epoch, v, .. }, Some(Moving::Giving(giver))) => {
                giver.catching_up(from, *epoch, v.clone());
            }
            (Message::Released { epoch, .. }, _) => match &self.known {
                Some(known) if known.manifest.epoch > *epoch => {
                    let message = Message::Claimed { range: self.range, epoch: known.manifest.epoch };
                    out.push(Effect::Send { to: from, message });
                }
                Some(_) => {}
                None => self.claim(with, None),
            },
            (Message::Claimed { epoch, .. }, Some(Moving::Giving(giver)))
                if *epoch > giver.epoch() && giver.phase() == GiverPhase::Released =>
            {
                giver.moved(now, from);
            }
            (Message::Cancelled { epoch, .. }, Some(Moving::Taking(taker)))
                if (taker.from(), taker.epoch()) == (from, *epoch) =>
            {
                self.leave_standby(out);
            }
            _ => {}
        }
        self.advance(with, out);
    }

    /// Takes a reply of the store; whether it was awaited.
    pub fn reply(&mut self, with: Circumstances, reply: &StoreReply, out: &mut Vec<Effect>) -> bool {
        let awaited = match &mut self.writing {
            Some(Writing::Claim(claim)) => claim.reply(with.now, reply, with.cleared, out),
            Some(Writing::Commit(commit)) => commit.reply(with.now, reply),
            None => false,
        };
        if awaited {
            self.advance(with, out);
        }
        awaited
    }

    /// Does what is due.
    pub fn advance(&mut self, with: Circumstances, out: &mut Vec<Effect>) {
        self.settle(with, out);
        self.proceed(with, out);
        let index_is_old = self.known.as_ref().is_some_and(|known| known.manifest.index < with.index);
        if index_is_old && self.writing.is_none() && self.may_act() && with.leased {
            // It cannot fail but by size, and then the next snapshot's commit says so.
            let _ = self.begin(with, Change::Index(with.index), out);
        }
        if self.blocked_by.is_some_and(|life| with.cleared.contains(&life)) {
            self.blocked_by = None;
            self.claim_due = with.now;
        }
        let waits = match &self.moving {
            Some(Moving::Giving(giver)) => giver.phase() != GiverPhase::Moved,
            Some(Moving::Taking(_)) => true,
            None => false,
        };
        if self.wished && self.known.is_none() && !waits && self.claim_due <= with.now {
            self.claim(with, None);
        }
        match &mut self.writing {
            Some(Writing::Claim(claim)) => claim.advance(with.now, with.leased, &mut self.requests, out),
            Some(Writing::Commit(commit)) => commit.advance(with.now, with.leased, &mut self.requests, out),
            None => {}
        }
    }

    fn begin(&mut self, with: Circumstances, change: Change, out: &mut Vec<Effect>) -> Result<(), CommitError> {
        let Some(known) = &self.known else { return Err(CommitError::NotOwner(self.range)) };
        if self.writing.is_some() {
            return Err(CommitError::Undecided(self.range));
        }
        if !with.leased {
            return Err(CommitError::NotLeased(self.range));
        }
        let mut commit = Commit::new(known, change, self.nonces.next_nonce(), self.nonces.next_nonce())?;
        commit.advance(with.now, with.leased, &mut self.requests, out);
        self.writing = Some(Writing::Commit(Box::new(commit)));
        Ok(())
    }

    fn claim(&mut self, with: Circumstances, released: Option<Epoch>) {
        if self.writing.is_none() && self.known.is_none() {
            let (me, nonce) = (self.me, self.nonces.next_nonce());
            let claimant = Claimant { me, nonce, released, v0: with.v0.clone(), index: with.index };
            self.writing = Some(Writing::Claim(Box::new(Claim::new(self.range, claimant))));
        }
    }

    /// Acts on a write whose outcome is certain.
    fn settle(&mut self, with: Circumstances, out: &mut Vec<Effect>) {
        match &self.writing {
            Some(Writing::Claim(claim)) => {
                if let Some(outcome) = claim.outcome().cloned() {
                    self.writing = None;
                    self.claimed(with, outcome, out);
                }
            }
            Some(Writing::Commit(commit)) => {
                let releases = commit.releases();
                if let Some(outcome) = commit.outcome(out) {
                    self.writing = None;
                    self.committed(with, releases, outcome, out);
                }
            }
            None => {}
        }
    }

    fn claimed(&mut self, with: Circumstances, outcome: Claimed, out: &mut Vec<Effect>) {
        let range = self.range;
        self.claim_due = with.now + RECONCILE_EVERY;
        self.blocked_by = None;
        match outcome {
            Claimed::Mine(known) => {
                if let Some(Moving::Taking(taker)) = &self.moving {
                    let message = Message::Claimed { range, epoch: known.manifest.epoch };
                    out.push(Effect::Send { to: taker.from(), message });
                }
                self.moving = None;
                out.push(Effect::Promote { range, manifest: Arc::new(known.manifest.clone()) });
                self.known = Some(known);
            }
            Claimed::Refused { epoch, owner, released_to } => {
                self.blocked_by = owner.or(released_to);
                if let (None, Some(to)) = (owner, released_to) {
                    // Its former owner may have died before it said so.
                    out.push(Effect::Send { to, message: Message::Released { range, epoch } });
                }
                match &mut self.moving {
                    Some(Moving::Giving(giver)) => match owner {
                        Some(owner) => giver.moved(with.now, owner),
                        None if giver.phase() == GiverPhase::Reclaiming => {
                            giver.enter(with.now, GiverPhase::Released);
                        }
                        None => {}
                    },
                    Some(Moving::Taking(taker)) if epoch > taker.epoch() => self.leave_standby(out),
                    _ => {}
                }
            }
        }
    }

    fn committed(&mut self, with: Circumstances, releases: bool, outcome: Committed, out: &mut Vec<Effect>) {
        let range = self.range;
        match outcome {
            Committed::Done(known) => {
                let epoch = known.manifest.epoch;
                out.push(Effect::Committed { range, epoch, v: offsets(&known.manifest.positions) });
                if releases {
                    self.known = None;
                    out.push(Effect::Demote { range, epoch, to: known.manifest.released_to });
                    if let Some(Moving::Giving(giver)) = &mut self.moving {
                        giver.enter(with.now, GiverPhase::Released);
                    }
                } else {
                    self.known = Some(known);
                }
            }
            Committed::Lost(found) => {
                if on(Plant::C1UnknownRelease) && found == self.known {
                    self.resume(out);
                    return;
                }
                let epoch = self.known.take().map(|known| known.manifest.epoch).unwrap_or_default();
                self.moving = None;
                let found = found.map(|known| known.manifest);
                self.twin = found.as_ref().is_some_and(|found| found.owner == Some(self.me));
                out.push(Effect::Demote { range, epoch, to: found.and_then(|found| found.owner) });
            }
        }
    }

    /// Goes on with a planned move.
    fn proceed(&mut self, with: Circumstances, out: &mut Vec<Effect>) {
        let (now, range) = (with.now, self.range);
        // What has left may land: then only its outcome counts (trace C1).
        let undecided = matches!(&self.writing, Some(Writing::Commit(commit)) if commit.was_sent());
        match &mut self.moving {
            Some(Moving::Giving(giver)) => {
                giver.remind(now, out);
                let overdue = giver.is_overdue(now);
                match giver.phase() {
                    // An undecided write would keep the cut from being committed.
                    GiverPhase::Preparing if self.writing.is_none() && with.leased && giver.is_close(&self.applied) => {
                        giver.enter(now, GiverPhase::Cutting);
                        out.push(Effect::StopEffects { range });
                    }
                    GiverPhase::Preparing if overdue => {
                        giver.cancel(out);
                        self.moving = None;
                    }
                    GiverPhase::Cutting if overdue && !undecided => self.resume(out),
                    GiverPhase::Released if overdue => {
                        let released = giver.epoch();
                        giver.enter(now, GiverPhase::Reclaiming);
                        self.claim(with, Some(released));
                    }
                    GiverPhase::Moved if overdue => {
                        self.moving = None;
                        out.push(Effect::Forget { range });
                    }
                    _ => {}
                }
            }
            Some(Moving::Taking(taker)) => {
                taker.remind(now, &self.applied, out);
                if taker.is_overdue(now) && self.writing.is_none() {
                    self.leave_standby(out);
                } else if taker.should_look(now) && self.claim_due <= now {
                    self.claim(with, None);
                }
            }
            None => {}
        }
    }

    /// The move is off, and the range still ours.
    fn resume(&mut self, out: &mut Vec<Effect>) {
        if let Some(Moving::Giving(giver)) = self.moving.take() {
            giver.cancel(out);
        }
        self.writing = None;
        out.push(Effect::ResumeEffects { range: self.range });
    }

    fn leave_standby(&mut self, out: &mut Vec<Effect>) {
        self.moving = None;
        out.push(Effect::LeaveStandby { range: self.range });
    }
}

#[cfg(test)]
mod tests;
