//! What every node does about the control log: watches for the next entry, holds while one is undecided, obeys its
//! decision. Knows no plan and no sender: the shell stops and switches.
//!
//! Invariant: only the object `n.decision` ends a hold (trace B1), and every node that ends it read the same one.

use featuregrid_protocol::codec::{self, CodecError};
use featuregrid_protocol::control::{ControlChange, ControlEntry, Decision};
use featuregrid_protocol::ids::{ControlIndex, Incarnation, Offset, PartitionId};
use featuregrid_protocol::limits::{CONTROL_POLL_EVERY, HOLD_MAX, REPORT_EVERY};
use featuregrid_protocol::plants::{Plant, on};
use featuregrid_protocol::position::OffsetVector;

use crate::ports::write::{Verdict, Write};
use crate::ports::{GetOutcome, Key, Monotonic, Object, PutCondition, RequestId, Requests, StoreReply, StoreRequest};
use crate::steward::{Effect, Message};

/// One life's view of the control log.
#[derive(Clone, Debug)]
pub struct Participant {
    me: Incarnation,
    requests: Requests,
    /// What to create if the grid has no genesis yet.
    genesis: Option<ControlEntry>,
    creating: Option<Write>,
    /// The first entry whose decision is not known.
    next: ControlIndex,
    active: Option<(ControlIndex, OffsetVector)>,
    grid: Option<(u32, OffsetVector)>,
    state: State,
    caught_up: bool,
    reading: Option<RequestId>,
    due: Monotonic,
}

#[derive(Clone, Debug)]
enum State {
    /// Entry `next` was not seen.
    Watching,
    /// It was; its decision was not looked for yet.
    Seen(ControlEntry),
    /// It is undecided.
    Holding(Box<Hold>),
}

#[derive(Clone, Debug)]
struct Hold {
    entry: ControlEntry,
    since: Monotonic,
    /// What the node may not pass, once the shell says that it has stopped.
    frontier: Option<OffsetVector>,
    /// What it tells the coordinator.
    report: OffsetVector,
    report_due: Monotonic,
    abort: Option<Write>,
    /// Whether the node goes on in spite of it: the mistakes of traces B1 and B4.
    ignored: bool,
}

impl Participant {
    /// Begins to read the log from entry 0. The lease must exist before (B3): whoever lists leases after creating an
    /// entry finds it, and whoever does not has created the entry before this read.
    #[must_use]
    pub fn new(me: Incarnation, requests: Requests, genesis: Option<ControlEntry>) -> Self {
        Self {
            me,
            requests,
            genesis,
            creating: None,
            next: ControlIndex(0),
            active: None,
            grid: None,
            state: State::Watching,
            caught_up: false,
            reading: None,
            due: Monotonic::MIN,
        }
    }

    /// Whether the end of the log was reached once, or an undecided entry holds the node: from then on it may run.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.caught_up
    }

    /// The number the next proposal would have; `None` while an entry is undecided or the end was not reached.
    #[must_use]
    pub fn free_index(&self) -> Option<ControlIndex> {
        (self.caught_up && matches!(self.state, State::Watching)).then_some(self.next)
    }

    /// The newest entry in force, and since which offsets.
    #[must_use]
    pub fn active(&self) -> Option<&(ControlIndex, OffsetVector)> {
        self.active.as_ref()
    }

    /// What genesis pinned: the number of ranges, and the offsets they begin at.
    #[must_use]
    pub fn grid(&self) -> Option<&(u32, OffsetVector)> {
        self.grid.as_ref()
    }

    /// The entry that holds this node.
    #[must_use]
    pub fn held_by(&self) -> Option<ControlIndex> {
        match &self.state {
            State::Holding(hold) if !hold.ignored => Some(hold.entry.index),
            _ => None,
        }
    }

    /// How far this node may send and apply: the next offset it may reach, or `None` without a hold.
    #[must_use]
    pub fn limit(&self, partition: PartitionId) -> Option<Offset> {
        let State::Holding(hold) = &self.state else { return None };
        if hold.ignored {
            return None;
        }
        let Some(frontier) = &hold.frontier else { return Some(0) };
        match frontier.0.get(&partition) {
            Some(next) => Some(*next),
            None if on(Plant::B6NewPartition) => None,
            // Nobody reported it, so A may name 0 there.
            None => Some(0),
        }
    }

    /// The shell has stopped at these next offsets.
    pub fn held(&mut self, now: Monotonic, index: ControlIndex, frontier: OffsetVector, out: &mut Vec<Effect>) {
        if let State::Holding(hold) = &mut self.state
            && hold.entry.index == index
            && hold.frontier.is_none()
        {
            hold.report = frontier.clone();
            if on(Plant::B2ReportsLargest) {
                hold.report.0.values_mut().for_each(|next| *next = next.saturating_sub(1));
            }
            hold.frontier = Some(frontier);
        }
        self.advance(now, out);
    }

    /// Somebody knows of this entry: look now.
    pub fn hint(&mut self, now: Monotonic, index: ControlIndex, out: &mut Vec<Effect>) {
        if index >= self.next {
            self.due = self.due.min(now);
        }
        self.advance(now, out);
    }

    /// Does what is due.
    pub fn advance(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        if let State::Holding(hold) = &mut self.state {
            if hold.frontier.is_some() && hold.report_due <= now {
                hold.report_due = now + REPORT_EVERY;
                let message = Message::Report { index: hold.entry.index, frontier: hold.report.clone() };
                out.push(Effect::Send { to: hold.entry.coordinator, message });
            }
            if !hold.ignored && now - hold.since >= HOLD_MAX {
                if on(Plant::B1HoldTimesOut) {
                    hold.ignored = true;
                    out.push(Effect::Abort { index: hold.entry.index });
                } else if hold.entry.coordinator == self.me || !on(Plant::B8OnlyCoordinatorAborts) {
                    let key = Key::Decision(hold.entry.index);
                    if hold.abort.is_none()
                        && let Some(body) = encoded(&key, &Decision::Aborted, out)
                    {
                        hold.abort = Some(Write::new(key, body, PutCondition::Absent));
                    }
                }
            }
            let request = hold.abort.as_mut().and_then(|abort| abort.poll(now, &mut self.requests));
            out.extend(request.map(Effect::Store));
        }
        let request = self.creating.as_mut().and_then(|creating| creating.poll(now, &mut self.requests));
        out.extend(request.map(Effect::Store));
        if self.reading.is_none() && self.creating.is_none() && self.due <= now {
            let id = self.requests.next_id();
            self.reading = Some(id);
            self.due = now + CONTROL_POLL_EVERY;
            out.push(Effect::Store(StoreRequest::Get { id, key: self.awaited(), bytes: None }));
        }
    }

    /// Takes a reply of the store; whether it was awaited.
    pub fn reply(&mut self, now: Monotonic, reply: &StoreReply, out: &mut Vec<Effect>) -> bool {
        let awaited = self.accept(now, reply, out);
        if awaited {
            self.advance(now, out);
        }
        awaited
    }

    fn awaited(&self) -> Key {
        match &self.state {
            State::Watching => Key::Control(self.next),
            State::Seen(_) | State::Holding(_) => Key::Decision(self.next),
        }
    }

    fn accept(&mut self, now: Monotonic, reply: &StoreReply, out: &mut Vec<Effect>) -> bool {
        if let Some(creating) = self.creating.as_mut()
            && creating.accept(now, reply)
        {
            if creating.verdict().is_some() {
                // Mine or another's: whichever stands is genesis, and is read like any entry.
                self.creating = None;
                self.due = now;
            }
            return true;
        }
        if let State::Holding(hold) = &mut self.state
            && let Hold { abort: Some(abort), entry, .. } = &mut **hold
            && abort.accept(now, reply)
        {
            let decision = match abort.verdict() {
                Some(Verdict::Done { .. }) => Some(Decision::Aborted),
                Some(Verdict::Lost { found: Some(object) }) => decoded(&Key::Decision(entry.index), object, out),
                Some(Verdict::Lost { found: None }) | None => None,
            };
            if let Some(decision) = decision {
                self.decided(now, decision, out);
            }
            return true;
        }
        match reply {
            StoreReply::Get { id, outcome } if self.reading == Some(*id) => {
                self.reading = None;
                self.read(now, outcome, out);
                true
            }
            _ => false,
        }
    }

    /// What stands at [`Self::awaited`].
    fn read(&mut self, now: Monotonic, outcome: &GetOutcome, out: &mut Vec<Effect>) {
        let found = match outcome {
            GetOutcome::Unavailable => return,
            GetOutcome::Absent => None,
            GetOutcome::Found(object) => Some(object),
        };
        match (&self.state, found) {
            (State::Watching, None) => self.reached_end(out),
            (State::Watching, Some(object)) => {
                let Some(entry) = decoded(&Key::Control(self.next), object, out) else { return };
                self.due = now;
                self.seen(now, entry, out);
            }
            (State::Seen(entry), None) => {
                let entry = entry.clone();
                self.hold(now, entry, out);
            }
            (State::Holding(_), None) => {}
            (State::Seen(_) | State::Holding(_), Some(object)) => {
                if let Some(decision) = decoded(&Key::Decision(self.next), object, out) {
                    self.decided(now, decision, out);
                }
            }
        }
    }

    fn reached_end(&mut self, out: &mut Vec<Effect>) {
        if self.next > ControlIndex(0) {
            self.caught_up = true;
        } else if let Some(entry) = &self.genesis {
            let key = Key::Control(ControlIndex(0));
            self.creating = encoded(&key, entry, out).map(|body| Write::new(key, body, PutCondition::Absent));
        }
    }

    fn seen(&mut self, now: Monotonic, entry: ControlEntry, out: &mut Vec<Effect>) {
        match &entry.change {
            // Genesis is decided by being there: nothing ran before it.
            ControlChange::Genesis { ranges, v0, .. } if entry.index == ControlIndex(0) => {
                let at = v0.clone();
                self.grid = Some((*ranges, at.clone()));
                self.state = State::Seen(entry);
                self.decided(now, Decision::Active(at), out);
            }
            _ => self.state = State::Seen(entry),
        }
    }

    fn hold(&mut self, now: Monotonic, entry: ControlEntry, out: &mut Vec<Effect>) {
        let ignored = !self.caught_up && on(Plant::B4JoinerIgnores);
        self.caught_up = true;
        if !ignored {
            out.push(Effect::Hold { index: entry.index });
        }
        self.state = State::Holding(Box::new(Hold {
            entry,
            since: now,
            frontier: None,
            report: OffsetVector::default(),
            report_due: now,
            abort: None,
            ignored,
        }));
    }

    fn decided(&mut self, now: Monotonic, decision: Decision, out: &mut Vec<Effect>) {
        let entry = match std::mem::replace(&mut self.state, State::Watching) {
            State::Seen(entry) => entry,
            State::Holding(hold) => hold.entry,
            State::Watching => return,
        };
        self.next = ControlIndex(entry.index.0 + 1);
        self.reading = None;
        self.due = now;
        match decision {
            Decision::Aborted => out.push(Effect::Abort { index: entry.index }),
            Decision::Active(at) => {
                self.active = Some((entry.index, at.clone()));
                out.push(Effect::Activate { entry, at });
            }
        }
    }
}

/// A record of an object, or an effect that says why not.
pub(crate) fn decoded<T: codec::Stored>(key: &Key, object: &Object, out: &mut Vec<Effect>) -> Option<T> {
    codec::decode(&object.bytes).map_err(|error| out.push(damaged(key, error))).ok()
}

/// Bytes of a record, or an effect that says why not: larger than [`featuregrid_protocol::limits::OBJECT_BYTES_MAX`].
pub(crate) fn encoded<T: codec::Stored>(key: &Key, record: &T, out: &mut Vec<Effect>) -> Option<std::sync::Arc<[u8]>> {
    codec::encode(record).map(Into::into).map_err(|error| out.push(damaged(key, error))).ok()
}

fn damaged(key: &Key, error: CodecError) -> Effect {
    Effect::Damaged { key: key.clone(), error }
}

#[cfg(test)]
mod tests;
