//! What the one node does that proposes an entry: creates it, gathers what everybody has sent or applied, decides A.
//! Knows no other proposal: create-if-absent settles which one has the number.
//!
//! Invariant: no offset at or after A was sent or applied under the old index by anybody whose work counts. Reports cover
//! those who live; manifests cover what the dead left durable (trace B5); an owner who neither reported nor began under
//! the hold could still commit more, so then the number is aborted.

use std::collections::{BTreeMap, BTreeSet};

use featuregrid_protocol::control::{ControlEntry, Decision};
use featuregrid_protocol::ids::{ControlIndex, Incarnation};
use featuregrid_protocol::lease::{Lease, LeaseState};
use featuregrid_protocol::limits::HOLD_MAX;
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::plants::{Plant, on};
use featuregrid_protocol::position::{OffsetVector, offsets};
use featuregrid_protocol::range::RangeId;

use super::participant::{decoded, encoded};
use crate::ports::gather::{Gather, Gathered};
use crate::ports::write::{Verdict, Write};
use crate::ports::{Key, Monotonic, Prefix, PutCondition, Requests, StoreReply};
use crate::steward::{Conclusion, Effect, Message};

/// What a proposal starts from.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The entry; its index is the first free one.
    pub entry: ControlEntry,
    /// The newest entry in force, and since when.
    pub active: (ControlIndex, OffsetVector),
    /// Every range of the grid.
    pub ranges: Vec<RangeId>,
    /// Whether an operator takes responsibility for manifests with an older index, as of a halted partition.
    pub overridden: bool,
}

/// One proposal on its way.
#[derive(Clone, Debug)]
pub struct Coordinator {
    proposal: Proposal,
    requests: Requests,
    phase: Phase,
    /// Lives whose lease was listed after the entry was created, whatever its state.
    listed: BTreeSet<Incarnation>,
    /// Those of them that have to report.
    expected: BTreeSet<Incarnation>,
    reports: BTreeMap<Incarnation, OffsetVector>,
}

#[derive(Clone, Debug)]
enum Phase {
    /// Do all manifests store the index in force?
    Checking(Gather),
    /// Takes the number.
    Creating(Write),
    /// Who has to report? Listed after the entry was created, so that whoever is missing reads the entry first (B4).
    Listing { leases: Gather, since: Monotonic },
    /// Waits for them.
    Collecting { since: Monotonic },
    /// What did those leave who do not report?
    Reading(Gather),
    /// Who joined meanwhile? Listed after the manifests were read, so that every owner read there is listed.
    Relisting { manifests: BTreeMap<RangeId, Manifest>, leases: Gather },
    /// Decides, or obeys whoever was first.
    Deciding { write: Write, decision: Decision },
    /// Ended.
    Concluded(Conclusion),
}

impl Coordinator {
    /// Begins.
    #[must_use]
    pub fn new(proposal: Proposal, requests: Requests) -> Self {
        let manifests = Gather::keys(proposal.ranges.iter().copied().map(Key::Manifest));
        Self {
            proposal,
            requests,
            phase: Phase::Checking(manifests),
            listed: BTreeSet::new(),
            expected: BTreeSet::new(),
            reports: BTreeMap::new(),
        }
    }

    /// The number it works on.
    #[must_use]
    pub fn index(&self) -> ControlIndex {
        self.proposal.entry.index
    }

    /// How it ended.
    #[must_use]
    pub fn conclusion(&self) -> Option<&Conclusion> {
        match &self.phase {
            Phase::Concluded(conclusion) => Some(conclusion),
            _ => None,
        }
    }

    /// A held node says what it sent or applied. Its first word counts: it does not move while it is held.
    pub fn report(
        &mut self,
        now: Monotonic,
        from: Incarnation,
        index: ControlIndex,
        frontier: OffsetVector,
        out: &mut Vec<Effect>,
    ) {
        if index == self.index() {
            self.reports.entry(from).or_insert(frontier);
            self.advance(now, out);
        }
    }

    /// Takes a reply of the store; whether it was awaited.
    pub fn reply(&mut self, now: Monotonic, reply: &StoreReply, out: &mut Vec<Effect>) -> bool {
        let awaited = match &mut self.phase {
            Phase::Creating(write) | Phase::Deciding { write, .. } => write.accept(now, reply),
            Phase::Checking(gather) | Phase::Reading(gather) => gather.accept(now, reply),
            Phase::Listing { leases, .. } | Phase::Relisting { leases, .. } => leases.accept(now, reply),
            Phase::Collecting { .. } | Phase::Concluded(_) => false,
        };
        if awaited {
            self.advance(now, out);
        }
        awaited
    }

    /// Does what is due.
    pub fn advance(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        while let Some(next) = self.step(now, out) {
            self.phase = next;
        }
        let requests = &mut self.requests;
        match &mut self.phase {
            Phase::Creating(write) | Phase::Deciding { write, .. } => {
                out.extend(write.poll(now, requests).map(Effect::Store));
            }
            Phase::Checking(gather) | Phase::Reading(gather) => {
                out.extend(gather.poll(now, requests).into_iter().map(Effect::Store));
            }
            Phase::Listing { leases, .. } | Phase::Relisting { leases, .. } => {
                out.extend(leases.poll(now, requests).into_iter().map(Effect::Store));
            }
            Phase::Collecting { .. } | Phase::Concluded(_) => {}
        }
    }

    /// The phase that follows, if this one is complete.
    fn step(&mut self, now: Monotonic, out: &mut Vec<Effect>) -> Option<Phase> {
        match &self.phase {
            Phase::Checking(manifests) => self.checked(manifests.done()?, out),
            Phase::Creating(write) => match write.verdict()? {
                Verdict::Done { .. } => Some(Phase::Listing { leases: Gather::prefix(Prefix::Leases), since: now }),
                Verdict::Lost { .. } => Some(Phase::Concluded(Conclusion::Superseded)),
            },
            Phase::Listing { leases, since } => {
                let (since, leases) = (*since, leases.done()?.clone());
                self.listed(since, &leases, out)
            }
            Phase::Collecting { .. } if self.expected.iter().all(|life| self.reports.contains_key(life)) => {
                Some(Phase::Reading(Gather::keys(self.proposal.ranges.iter().copied().map(Key::Manifest))))
            }
            // Whoever is missing is dead or cut off; every node may abort now, and so do we.
            Phase::Collecting { since } if now - *since >= HOLD_MAX => self.decide(Decision::Aborted, out),
            Phase::Collecting { .. } => None,
            Phase::Reading(manifests) => {
                let manifests = manifests_of(manifests.done()?, out);
                match manifests {
                    Some(manifests) => Some(Phase::Relisting { manifests, leases: Gather::prefix(Prefix::Leases) }),
                    None => self.decide(Decision::Aborted, out),
                }
            }
            Phase::Relisting { manifests, leases } => {
                let joined = holders(leases.done()?).filter(|life| !self.listed.contains(life)).collect();
                self.decide(self.decision(manifests, &joined), out)
            }
            Phase::Deciding { write, decision } => {
                let decision = match write.verdict()? {
                    Verdict::Done { .. } => decision.clone(),
                    // What stands there counts, whoever wrote it.
                    Verdict::Lost { found } => decoded(&Key::Decision(self.index()), found.as_ref()?, out)?,
                };
                self.tell_all(out);
                Some(Phase::Concluded(Conclusion::Decided(decision)))
            }
            Phase::Concluded(_) => None,
        }
    }

    /// Nobody may be more than one activation behind: else n is not prepared.
    fn checked(&self, manifests: &Gathered, out: &mut Vec<Effect>) -> Option<Phase> {
        let manifests = manifests_of(manifests, out);
        let behind = manifests.and_then(|manifests| {
            manifests.values().find(|manifest| manifest.index < self.proposal.active.0).map(|manifest| manifest.range)
        });
        if let (Some(range), false) = (behind, self.proposal.overridden) {
            return Some(Phase::Concluded(Conclusion::NotReady(range)));
        }
        let key = Key::Control(self.index());
        let body = encoded(&key, &self.proposal.entry, out)?;
        Some(Phase::Creating(Write::new(key, body, PutCondition::Absent)))
    }

    fn listed(&mut self, since: Monotonic, leases: &Gathered, out: &mut Vec<Effect>) -> Option<Phase> {
        for (key, object) in leases {
            let Key::Lease(life) = key else { continue };
            self.listed.insert(*life);
            let lease: Option<Lease> = object.as_ref().and_then(|object| decoded(key, object, out));
            // A lease that does not decode may be anybody's right to act: it is waited for, and n aborted in the end.
            if lease.is_none_or(|lease| lease.state == LeaseState::Active) {
                self.expected.insert(*life);
            }
        }
        self.tell_all(out);
        Some(Phase::Collecting { since })
    }

    fn decision(&self, manifests: &BTreeMap<RangeId, Manifest>, joined: &BTreeSet<Incarnation>) -> Decision {
        let held = |life: &Incarnation| self.reports.contains_key(life) || joined.contains(life);
        if !manifests.values().filter_map(|manifest| manifest.owner).all(|owner| held(&owner)) {
            return Decision::Aborted;
        }
        let mut at = OffsetVector::default();
        self.reports.values().for_each(|frontier| at.raise(frontier));
        if !on(Plant::B5DeadOwnerAhead) {
            manifests.values().for_each(|manifest| at.raise(&offsets(&manifest.positions)));
        }
        if !on(Plant::B9WithoutPrevious) {
            at.raise(&self.proposal.active.1);
        }
        Decision::Active(at)
    }

    fn decide(&self, decision: Decision, out: &mut Vec<Effect>) -> Option<Phase> {
        let key = Key::Decision(self.index());
        let body = encoded(&key, &decision, out)?;
        Some(Phase::Deciding { write: Write::new(key, body, PutCondition::Absent), decision })
    }

    /// Saves the others a part of their polling.
    fn tell_all(&self, out: &mut Vec<Effect>) {
        let message = Message::Look { index: self.index() };
        out.extend(self.expected.iter().map(|life| Effect::Send { to: *life, message: message.clone() }));
    }
}

/// Every manifest there is; `None` if one does not decode.
fn manifests_of(gathered: &Gathered, out: &mut Vec<Effect>) -> Option<BTreeMap<RangeId, Manifest>> {
    let mut manifests = BTreeMap::new();
    for (key, object) in gathered {
        if let (Key::Manifest(range), Some(object)) = (key, object) {
            manifests.insert(*range, decoded(key, object, out)?);
        }
    }
    Some(manifests)
}

fn holders(leases: &Gathered) -> impl Iterator<Item = Incarnation> {
    leases.keys().filter_map(|key| if let Key::Lease(life) = key { Some(*life) } else { None })
}

#[cfg(test)]
mod tests;
