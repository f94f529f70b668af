//! Takes a range: reads its manifest, and if nobody has it, writes the next epoch into it. Knows no state of the range.
//!
//! Invariant: epochs rise by one, and each has one owner: the write is conditional on the version that was judged.

use std::collections::BTreeSet;

use featuregrid_protocol::ids::{ControlIndex, Epoch, Incarnation, Nonce};
use featuregrid_protocol::limits::RECONCILE_EVERY;
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::position::{OffsetVector, PartitionPosition};
use featuregrid_protocol::range::RangeId;

use super::Known;
use crate::control::participant::{decoded, encoded};
use crate::ports::write::{Verdict, Write};
use crate::ports::{GetOutcome, Key, Monotonic, Object, PutCondition, RequestId, Requests, StoreReply, StoreRequest};
use crate::steward::Effect;

/// Who asks, and what the range begins with if nobody ever had it.
#[derive(Clone, Debug)]
pub struct Claimant {
    /// The owner to be.
    pub me: Incarnation,
    /// Keeps this write apart from every other.
    pub nonce: Nonce,
    /// The epoch this life released itself: it may take that back from a silent successor.
    pub released: Option<Epoch>,
    /// Genesis' offsets.
    pub v0: OffsetVector,
    /// The index in force.
    pub index: ControlIndex,
}

/// How a claim ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The range is ours.
    Mine(Known),
    /// It was somebody else's when it was read, or became so before the write landed.
    Refused {
        /// The owner's epoch, or the last one's.
        epoch: Epoch,
        /// Who has it.
        owner: Option<Incarnation>,
        /// Or for whom it waits.
        released_to: Option<Incarnation>,
    },
}

/// One claim on its way.
#[derive(Clone, Debug)]
pub struct Claim {
    range: RangeId,
    claimant: Claimant,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Reading { reading: Option<RequestId>, due: Monotonic },
    Writing { write: Write, manifest: Box<Manifest> },
    Ended(Claimed),
}

impl Claim {
    /// Begins.
    #[must_use]
    pub fn new(range: RangeId, claimant: Claimant) -> Self {
        Self { range, claimant, phase: Phase::Reading { reading: None, due: Monotonic::MIN } }
    }

    /// How it ended, once that is certain.
    #[must_use]
    pub fn outcome(&self) -> Option<&Claimed> {
        match &self.phase {
            Phase::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Does what is due; `leased` says whether this life may begin a write now.
    pub fn advance(&mut self, now: Monotonic, leased: bool, requests: &mut Requests, out: &mut Vec<Effect>) {
        match &mut self.phase {
            Phase::Reading { reading: reading @ None, due } if *due <= now => {
                let id = requests.next_id();
                *reading = Some(id);
                *due = now + RECONCILE_EVERY;
                out.push(Effect::Store(StoreRequest::Get { id, key: Key::Manifest(self.range), bytes: None }));
            }
            Phase::Writing { write, .. } if leased || write.was_sent() => {
                out.extend(write.poll(now, requests).map(Effect::Store));
            }
            _ => {}
        }
    }

    /// Takes a reply of the store; whether it was awaited. `cleared` are the lives that are known to act no more.
    pub fn reply(
        &mut self,
        now: Monotonic,
        reply: &StoreReply,
        cleared: &BTreeSet<Incarnation>,
        out: &mut Vec<Effect>,
    ) -> bool {
        match (&mut self.phase, reply) {
            (Phase::Reading { reading, .. }, StoreReply::Get { id, outcome }) if *reading == Some(*id) => {
                *reading = None;
                let found = match outcome {
                    GetOutcome::Unavailable => return true,
                    GetOutcome::Absent => None,
                    GetOutcome::Found(object) => Some(object),
                };
                if let Some(phase) = self.judge(found, cleared, out) {
                    self.phase = phase;
                }
                true
            }
            (Phase::Writing { write, manifest }, _) => {
                if !write.accept(now, reply) {
                    return false;
                }
                let ended = match write.verdict() {
                    None => return true,
                    Some(Verdict::Done { etag, .. }) => {
                        Some(Claimed::Mine(Known { manifest: (**manifest).clone(), etag: etag.clone() }))
                    }
                    Some(Verdict::Lost { found }) => {
                        let key = Key::Manifest(self.range);
                        found.as_ref().and_then(|object| decoded(&key, object, out)).map(|found| refused(&found))
                    }
                };
                // A manifest that vanished or does not decode is read again.
                let again = Phase::Reading { reading: None, due: now + RECONCILE_EVERY };
                self.phase = ended.map_or(again, Phase::Ended);
                true
            }
            _ => false,
        }
    }

    fn judge(&self, found: Option<&Object>, cleared: &BTreeSet<Incarnation>, out: &mut Vec<Effect>) -> Option<Phase> {
        let key = Key::Manifest(self.range);
        let (manifest, condition) = match found {
            None => (self.first(), PutCondition::Absent),
            Some(object) => {
                let found: Manifest = decoded(&key, object, out)?;
                if found.owner == Some(self.claimant.me) {
                    let known = Known { manifest: found, etag: object.etag.clone() };
                    return Some(Phase::Ended(Claimed::Mine(known)));
                }
                if !self.may_claim(&found, cleared) {
                    return Some(Phase::Ended(refused(&found)));
                }
                (self.next(found), PutCondition::Matches(object.etag.clone()))
            }
        };
        let write = Write::new(key.clone(), encoded(&key, &manifest, out)?, condition);
        Some(Phase::Writing { write, manifest: Box::new(manifest) })
    }

    /// Free, released to us, ours to take back, or of someone who acts no more.
    fn may_claim(&self, found: &Manifest, cleared: &BTreeSet<Incarnation>) -> bool {
        match (found.owner, found.released_to) {
            (Some(owner), _) => cleared.contains(&owner),
            (None, None) => true,
            (None, Some(to)) => {
                to == self.claimant.me || cleared.contains(&to) || self.claimant.released == Some(found.epoch)
            }
        }
    }

    fn first(&self) -> Manifest {
        let starts = self.claimant.v0.0.iter();
        Manifest {
            range: self.range,
            epoch: Epoch(1),
            owner: Some(self.claimant.me),
            released_to: None,
            positions: starts.map(|(partition, next)| (*partition, PartitionPosition::start(*next))).collect(),
            index: self.claimant.index,
            parts: Vec::new(),
            nonce: self.claimant.nonce,
        }
    }

    fn next(&self, found: Manifest) -> Manifest {
        Manifest {
            epoch: Epoch(found.epoch.0 + 1),
            owner: Some(self.claimant.me),
            released_to: None,
            nonce: self.claimant.nonce,
            ..found
        }
    }
}

fn refused(found: &Manifest) -> Claimed {
    Claimed::Refused { epoch: found.epoch, owner: found.owner, released_to: found.released_to }
}

#[cfg(test)]
mod tests;
