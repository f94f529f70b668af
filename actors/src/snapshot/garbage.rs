//! Removes parts that nothing refers to any more (PROTOCOLS C4). Knows not what a part holds.
//!
//! Only the owner of a range collects its parts, and this is why none is missed that counts:
//! - It lists first and reads the manifest after: what a manifest written in between refers to was uploaded after the listing, or is
//!   in the manifest that is read.
//! - A write of its own whose outcome is not certain may land later, so what it refers to is no garbage (trace C2).
//! - A write of anybody else rests on a version of the manifest that the owner's claim has replaced: it cannot land.
//!
//! The age, by the store's own clock, is for those who still read what an older manifest named.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use featuregrid_protocol::ids::Incarnation;
use featuregrid_protocol::limits::{GARBAGE_AGE, GARBAGE_EVERY, STORE_READS_MAX, STORE_RETRY_AFTER};
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Span;

use crate::control::participant::decoded;
use crate::ports::gather::Gather;
use crate::ports::{Key, ListOutcome, Monotonic, Prefix, RequestId, Requests, StoreReply, StoreRequest};
use crate::steward::Effect;

/// How often is looked, and how old garbage is before it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From one look to the next.
    pub every: Span,
    /// Parts that nothing refers to stay this long.
    pub age: Span,
}

impl Default for Pace {
    fn default() -> Self {
        Self { every: GARBAGE_EVERY, age: GARBAGE_AGE }
    }
}

/// What a range refers to beside its manifest.
pub trait Holdings {
    /// Whether the range is owned here.
    fn owns(&self, range: RangeId) -> bool;
    /// Whether a write on its way may come to refer to this part.
    fn may_refer_to(&self, range: RangeId, name: &str) -> bool;
}

/// One node's collector.
#[derive(Clone, Debug)]
pub struct Collector {
    me: Incarnation,
    pace: Pace,
    requests: Requests,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Resting { until: Monotonic },
    Listing { listing: Option<RequestId>, due: Monotonic },
    Reading { old: BTreeMap<RangeId, Vec<String>>, gather: Gather },
    Removing { garbage: VecDeque<Key>, removing: BTreeSet<RequestId> },
}

impl Collector {
    /// Looks for the first time once a whole pause has passed.
    #[must_use]
    pub fn new(now: Monotonic, me: Incarnation, pace: Pace, requests: Requests) -> Self {
        Self { me, pace, requests, phase: Phase::Resting { until: now + pace.every } }
    }

    /// Does what is due; to be called while the lease is valid.
    pub fn advance(&mut self, now: Monotonic, held: &dyn Holdings, out: &mut Vec<Effect>) {
        if let Some(next) = self.step(now, held, out) {
            self.phase = next;
        }
        match &mut self.phase {
            Phase::Listing { listing: listing @ None, due } if *due <= now => {
                let id = self.requests.next_id();
                *listing = Some(id);
                out.push(Effect::Store(StoreRequest::List { id, prefix: Prefix::Parts }));
            }
            Phase::Reading { gather, .. } => {
                out.extend(gather.poll(now, &mut self.requests).into_iter().map(Effect::Store));
            }
            Phase::Removing { garbage, removing } => {
                while removing.len() < STORE_READS_MAX
                    && let Some(key) = garbage.pop_front()
                {
                    let id = self.requests.next_id();
                    removing.insert(id);
                    out.push(Effect::Store(StoreRequest::Delete { id, key }));
                }
            }
            Phase::Resting { .. } | Phase::Listing { .. } => {}
        }
    }

    /// Takes a reply of the store; whether it was awaited.
    pub fn reply(&mut self, now: Monotonic, reply: &StoreReply, held: &dyn Holdings) -> bool {
        match (&mut self.phase, reply) {
            (Phase::Listing { listing, due }, StoreReply::List { id, outcome }) if *listing == Some(*id) => {
                *listing = None;
                match outcome {
                    ListOutcome::Unavailable => *due = now + STORE_RETRY_AFTER,
                    ListOutcome::Objects(objects) => {
                        let mut old: BTreeMap<RangeId, Vec<String>> = BTreeMap::new();
                        for listed in objects.iter().filter(|listed| listed.age >= self.pace.age) {
                            if let Key::Part(range, name) = &listed.key
                                && held.owns(*range)
                            {
                                old.entry(*range).or_default().push(name.clone());
                            }
                        }
                        let gather = Gather::keys(old.keys().map(|range| Key::Manifest(*range)));
                        self.phase = Phase::Reading { old, gather };
                    }
                }
                true
            }
            (Phase::Reading { gather, .. }, _) => gather.accept(now, reply),
            (Phase::Removing { removing, .. }, StoreReply::Delete { id, .. }) => removing.remove(id),
            _ => false,
        }
    }

    fn step(&self, now: Monotonic, held: &dyn Holdings, out: &mut Vec<Effect>) -> Option<Phase> {
        match &self.phase {
            Phase::Resting { until } => (*until <= now).then_some(Phase::Listing { listing: None, due: now }),
            Phase::Listing { .. } => None,
            Phase::Reading { old, gather } => {
                let read = gather.done()?;
                let mut garbage = VecDeque::new();
                for (range, names) in old {
                    let key = Key::Manifest(*range);
                    let Some(object) = read.get(&key).and_then(Option::as_ref) else { continue };
                    let Some(manifest) = decoded::<Manifest>(&key, object, out) else { continue };
                    if manifest.owner != Some(self.me) || !held.owns(*range) {
                        continue;
                    }
                    let refers = |name: &str| manifest.parts.iter().any(|part| part.name == name);
                    let unused = names.iter().filter(|name| !refers(name) && !held.may_refer_to(*range, name));
                    garbage.extend(unused.map(|name| Key::Part(*range, name.clone())));
                }
                Some(Phase::Removing { garbage, removing: BTreeSet::new() })
            }
            // What was not removed is found again.
            Phase::Removing { garbage, removing } => {
                (garbage.is_empty() && removing.is_empty()).then_some(Phase::Resting { until: now + self.pace.every })
            }
        }
    }
}

#[cfg(test)]
mod tests;
