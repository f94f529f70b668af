//! One conditional write, driven until it is known what became of it (PROTOCOLS C2). Knows nothing of what it writes,
//! but that the bytes carry a nonce: equal bytes read back are its own.
//!
//! | outcome | what it does |
//! |---|---|
//! | done | decided |
//! | 412 | reads back: its own bytes mean that an earlier unknown sending landed; anything else means lost |
//! | 409 | sends the same again, later |
//! | unknown | sends the same again, later; reading back would prove nothing, because the sending may still land |
//!
//! Until [`Write::verdict`] answers, its user acts on neither outcome.

use std::sync::Arc;

use featuregrid_protocol::limits::STORE_RETRY_AFTER;
use featuregrid_protocol::plants::{Plant, on};

use super::{
    Etag, GetOutcome, Key, Monotonic, Object, PutCondition, PutOutcome, RequestId, Requests, StoreReply, StoreRequest,
};

/// What a write became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It landed.
    Done {
        /// As this version.
        etag: Etag,
        /// It was not sent before this instant: the moment from which a lease may be counted.
        sent: Monotonic,
    },
    /// It did not land and never will, or it landed and was overwritten since: for its user both mean that what stands
    /// there now counts.
    Lost {
        /// What stands there now.
        found: Option<Object>,
    },
}

/// A conditional write on its way.
#[derive(Clone, Debug)]
pub struct Write {
    key: Key,
    body: Arc<[u8]>,
    condition: PutCondition,
    state: State,
    /// When the first sending left: the earliest moment at which it can have landed.
    first_sent: Option<Monotonic>,
    /// Whether an unknown outcome is to be looked at instead of sent again: the mistake of trace C1.
    peeks: bool,
}

#[derive(Clone, Debug)]
enum State {
    /// To be sent (again) when due.
    Send { due: Monotonic },
    /// Sent.
    Sent { id: RequestId, at: Monotonic },
    /// To be read back when due.
    Read { due: Monotonic },
    /// Being read back.
    Reading { id: RequestId },
    /// Known.
    Decided(Verdict),
}

impl Write {
    /// A write of `body`, which holds a nonce of its own, or whose every writer would write the same.
    #[must_use]
    pub fn new(key: Key, body: Arc<[u8]>, condition: PutCondition) -> Self {
        Self { key, body, condition, state: State::Send { due: Monotonic::MIN }, first_sent: None, peeks: false }
    }

    /// The same for a release: the write that trace C1 is about.
    #[must_use]
    pub fn release(key: Key, body: Arc<[u8]>, condition: PutCondition) -> Self {
        Self { peeks: on(Plant::C1UnknownRelease), ..Self::new(key, body, condition) }
    }

    /// What became of it, once that is certain.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.state {
            State::Decided(verdict) => Some(verdict),
            _ => None,
        }
    }

    /// Whether it was sent at least once: from then on only a verdict ends it.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        self.first_sent.is_some()
    }

    /// The next request, if one is due.
    pub fn poll(&mut self, now: Monotonic, requests: &mut Requests) -> Option<StoreRequest> {
        match self.state {
            State::Send { due } if due <= now => {
                let id = requests.next_id();
                self.first_sent.get_or_insert(now);
                self.state = State::Sent { id, at: now };
                let (key, body, condition) = (self.key.clone(), Arc::clone(&self.body), self.condition.clone());
                Some(StoreRequest::Put { id, key, body, condition })
            }
            State::Read { due } if due <= now => {
                let id = requests.next_id();
                self.state = State::Reading { id };
                Some(StoreRequest::Get { id, key: self.key.clone(), bytes: None })
            }
            _ => None,
        }
    }

    /// Takes a reply; whether it was the awaited one. Call [`Self::verdict`] and [`Self::poll`] after it.
    pub fn accept(&mut self, now: Monotonic, reply: &StoreReply) -> bool {
        match (&self.state, reply) {
            (State::Sent { id, at }, StoreReply::Put { id: answered, outcome }) if id == answered => {
                self.state = self.after_put(now, *at, outcome);
                true
            }
            (State::Reading { id }, StoreReply::Get { id: answered, outcome }) if id == answered => {
                self.state = self.after_get(now, outcome);
                true
            }
            _ => false,
        }
    }

    fn after_put(&self, now: Monotonic, sent: Monotonic, outcome: &PutOutcome) -> State {
        let later = now + STORE_RETRY_AFTER;
        match outcome {
            // Only this sending can have landed as this version, so the lease may count from it.
            PutOutcome::Done(etag) => State::Decided(Verdict::Done { etag: etag.clone(), sent }),
            PutOutcome::Lost => State::Read { due: now },
            PutOutcome::Unknown if self.peeks => State::Read { due: now },
            PutOutcome::Retry | PutOutcome::Unknown => State::Send { due: later },
        }
    }

    fn after_get(&mut self, now: Monotonic, outcome: &GetOutcome) -> State {
        let found = match outcome {
            GetOutcome::Unavailable => return State::Read { due: now + STORE_RETRY_AFTER },
            GetOutcome::Absent => None,
            GetOutcome::Found(object) => Some(object.clone()),
        };
        match (found, self.first_sent) {
            (Some(object), Some(sent)) if object.bytes == self.body => {
                State::Decided(Verdict::Done { etag: object.etag, sent })
            }
            (Some(object), _) if on(Plant::LostTakenAsRetry) => {
                self.condition = PutCondition::Matches(object.etag);
                State::Send { due: now }
            }
            (found, _) => State::Decided(Verdict::Lost { found }),
        }
    }
}

#[cfg(test)]
mod tests;
