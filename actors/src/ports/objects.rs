//! Objects in memory, with exactly the conditions of the port: what a store is when nothing fails. Knows no fault, no
//! clock and no thread; the simulated store, the memory store of a node and scripted tests are made of it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::{
    DeleteOutcome, Etag, GetOutcome, Key, ListOutcome, Listed, Monotonic, Object, Prefix, PutCondition, PutOutcome,
    StoreReply, StoreRequest,
};

/// A set of objects.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    all: BTreeMap<Key, (Object, Monotonic)>,
    versions: u64,
}

impl Objects {
    /// Performs a request that arrived at `now`, by the store's own clock.
    pub fn perform(&mut self, now: Monotonic, request: &StoreRequest) -> StoreReply {
        let id = request.id();
        match request {
            StoreRequest::Get { key, bytes, .. } => StoreReply::Get { id, outcome: self.get(key, bytes.as_ref()) },
            StoreRequest::List { prefix, .. } => {
                StoreReply::List { id, outcome: ListOutcome::Objects(self.list(now, *prefix)) }
            }
            StoreRequest::Put { key, body, condition, .. } => {
                StoreReply::Put { id, outcome: self.put(now, key, Arc::clone(body), condition) }
            }
            StoreRequest::Delete { key, .. } => {
                self.all.remove(key);
                StoreReply::Delete { id, outcome: DeleteOutcome::Done }
            }
        }
    }

    /// The newest version of an object.
    #[must_use]
    pub fn object(&self, key: &Key) -> Option<&Object> {
        self.all.get(key).map(|(object, _)| object)
    }

    /// Every object.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Object)> {
        self.all.iter().map(|(key, (object, _))| (key, object))
    }

    /// Writes if the condition holds.
    pub fn put(&mut self, now: Monotonic, key: &Key, bytes: Arc<[u8]>, condition: &PutCondition) -> PutOutcome {
        let holds = match (condition, self.object(key)) {
            (PutCondition::Absent, found) => found.is_none(),
            (PutCondition::Matches(etag), found) => found.is_some_and(|found| found.etag == *etag),
        };
        if !holds {
            return PutOutcome::Lost;
        }
        self.versions += 1;
        let etag = Etag(format!("v{}", self.versions));
        self.all.insert(key.clone(), (Object { bytes, etag: etag.clone() }, now));
        PutOutcome::Done(etag)
    }

    fn get(&self, key: &Key, bytes: Option<&Range<u64>>) -> GetOutcome {
        let Some(object) = self.object(key) else { return GetOutcome::Absent };
        let Some(range) = bytes else { return GetOutcome::Found(object.clone()) };
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(object.bytes.len());
        let (from, to) = (within(range.start), within(range.end));
        let bytes = object.bytes.get(from..to).unwrap_or_default().into();
        GetOutcome::Found(Object { bytes, etag: object.etag.clone() })
    }

    fn list(&self, now: Monotonic, prefix: Prefix) -> Vec<Listed> {
        let prefix = prefix.path();
        let inside = self.all.iter().filter(|(key, _)| key.path().starts_with(&prefix));
        let mut listed: Vec<Listed> = inside
            .map(|(key, (object, at))| Listed { key: key.clone(), bytes: object.bytes.len() as u64, age: now - *at })
            .collect();
        listed.sort_by_cached_key(|listed| listed.key.path());
        listed
    }
}

#[cfg(test)]
mod tests {
    //! Conditions, ranges, ages.
    use featuregrid_protocol::ids::ControlIndex;
    use featuregrid_protocol::time::Span;

    use super::*;
    use crate::ports::Requests;

    const KEY: Key = Key::Control(ControlIndex(1));

    #[test]
    fn a_write_lands_under_its_condition_only() {
        let mut objects = Objects::default();
        let mut put = |body: &[u8], condition| objects.put(Monotonic(0), &KEY, body.into(), &condition);
        assert_eq!(put(b"a", PutCondition::Matches(Etag("v1".to_owned()))), PutOutcome::Lost);
        let PutOutcome::Done(first) = put(b"a", PutCondition::Absent) else { panic!("it is absent") };
        assert_eq!(put(b"b", PutCondition::Absent), PutOutcome::Lost);
        let PutOutcome::Done(second) = put(b"a", PutCondition::Matches(first.clone())) else { panic!("it matches") };
        assert_ne!(first, second, "equal bytes are another version");
        assert_eq!(put(b"c", PutCondition::Matches(first)), PutOutcome::Lost);
    }

    #[test]
    fn a_range_is_as_much_as_there_is() {
        let mut objects = Objects::default();
        objects.put(Monotonic(0), &KEY, b"abcdef"[..].into(), &PutCondition::Absent);
        let read = |range| match objects.get(&KEY, Some(&range)) {
            GetOutcome::Found(object) => object.bytes.to_vec(),
            other => panic!("{other:?}"),
        };
        assert_eq!((read(1..3), read(4..99), read(99..100)), (b"bc".to_vec(), b"ef".to_vec(), Vec::new()));
    }

    #[test]
    fn a_listing_says_how_old_and_forgets_what_was_removed() {
        let (mut objects, mut requests) = (Objects::default(), Requests::new(1, 1));
        objects.put(Monotonic(5), &KEY, b"abc"[..].into(), &PutCondition::Absent);
        let mut list = |objects: &mut Objects| {
            let request = StoreRequest::List { id: requests.next_id(), prefix: Prefix::Control };
            objects.perform(Monotonic(12), &request)
        };
        let listed = Listed { key: KEY, bytes: 3, age: Span(7) };
        let StoreReply::List { outcome, .. } = list(&mut objects) else { panic!("a listing") };
        assert_eq!(outcome, ListOutcome::Objects(vec![listed]));
        let id = Requests::new(1, 2).next_id();
        let removed = objects.perform(Monotonic(13), &StoreRequest::Delete { id, key: KEY });
        assert_eq!(removed, StoreReply::Delete { id, outcome: DeleteOutcome::Done });
        let StoreReply::List { outcome, .. } = list(&mut objects) else { panic!("a listing") };
        assert_eq!(outcome, ListOutcome::Objects(Vec::new()));
    }
}
