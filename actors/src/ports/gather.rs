//! Many reads until all are answered: a set of keys, or whatever a prefix lists. Knows nothing of what it reads.
//! What it hands out is no snapshot: each object was read at some moment after the gathering began.

use std::collections::BTreeMap;

use featuregrid_protocol::limits::{STORE_READS_MAX, STORE_RETRY_AFTER};

use super::{GetOutcome, Key, ListOutcome, Monotonic, Object, Prefix, RequestId, Requests, StoreReply, StoreRequest};

/// What was read: every key asked for or listed, `None` where no object stands.
pub type Gathered = BTreeMap<Key, Option<Object>>;

/// Reads on their way.
#[derive(Clone, Debug)]
pub struct Gather {
    /// The listing that comes first, if any.
    prefix: Option<Prefix>,
    listing: Option<RequestId>,
    wanted: Vec<Key>,
    reading: BTreeMap<RequestId, Key>,
    read: Gathered,
    /// After a refusal nothing is sent before this.
    due: Monotonic,
}

impl Gather {
    /// Reads these.
    pub fn keys(keys: impl IntoIterator<Item = Key>) -> Self {
        let mut wanted: Vec<Key> = keys.into_iter().collect();
        wanted.reverse();
        Self {
            prefix: None,
            listing: None,
            wanted,
            reading: BTreeMap::new(),
            read: Gathered::new(),
            due: Monotonic::MIN,
        }
    }

    /// Lists, then reads everything listed.
    #[must_use]
    pub fn prefix(prefix: Prefix) -> Self {
        Self { prefix: Some(prefix), ..Self::keys([]) }
    }

    /// Everything, once all is read.
    #[must_use]
    pub fn done(&self) -> Option<&Gathered> {
        (self.prefix.is_none() && self.wanted.is_empty() && self.reading.is_empty()).then_some(&self.read)
    }

    /// The next requests, if any are due; at most [`STORE_READS_MAX`] are on their way.
    pub fn poll(&mut self, now: Monotonic, requests: &mut Requests) -> Vec<StoreRequest> {
        let mut sent = Vec::new();
        if now < self.due {
            return sent;
        }
        if let (Some(prefix), None) = (self.prefix, self.listing) {
            let id = requests.next_id();
            self.listing = Some(id);
            sent.push(StoreRequest::List { id, prefix });
        }
        while self.reading.len() < STORE_READS_MAX
            && let Some(key) = self.wanted.pop()
        {
            let id = requests.next_id();
            self.reading.insert(id, key.clone());
            sent.push(StoreRequest::Get { id, key, bytes: None });
        }
        sent
    }

    /// Takes a reply; whether it was awaited.
    pub fn accept(&mut self, now: Monotonic, reply: &StoreReply) -> bool {
        match reply {
            StoreReply::List { id, outcome } if self.listing == Some(*id) => {
                self.listing = None;
                match outcome {
                    ListOutcome::Objects(objects) => {
                        self.prefix = None;
                        self.wanted.extend(objects.iter().rev().map(|listed| listed.key.clone()));
                    }
                    ListOutcome::Unavailable => self.due = now + STORE_RETRY_AFTER,
                }
                true
            }
            StoreReply::Get { id, outcome } => {
                let Some(key) = self.reading.remove(id) else { return false };
                match outcome {
                    GetOutcome::Found(object) => {
                        self.read.insert(key, Some(object.clone()));
                    }
                    GetOutcome::Absent => {
                        self.read.insert(key, None);
                    }
                    GetOutcome::Unavailable => {
                        self.wanted.push(key);
                        self.due = now + STORE_RETRY_AFTER;
                    }
                }
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
