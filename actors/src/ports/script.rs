//! Words for scripted tests: what the store answers to the one request a machine just made. Knows no fault but those asked for.

use std::sync::Arc;

use featuregrid_protocol::codec::{self, Stored};
use featuregrid_protocol::ids::{Incarnation, NodeId, PartitionId};
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::time::Span;

use super::objects::Objects;
use super::{Etag, GetOutcome, Key, Monotonic, Object, PutCondition, PutOutcome, StoreReply, StoreRequest};
use crate::steward::Effect;

pub(crate) fn ms(ms: i64) -> Monotonic {
    Monotonic(0) + Span::millis(ms)
}

pub(crate) fn life(node: u32, boot: u64) -> Incarnation {
    Incarnation { node: NodeId(node), boot }
}

pub(crate) fn v(offsets: &[(u32, u64)]) -> OffsetVector {
    OffsetVector(offsets.iter().map(|(partition, next)| (PartitionId(*partition), *next)).collect())
}

pub(crate) fn bytes<T: Stored>(record: &T) -> Arc<[u8]> {
    codec::encode(record).unwrap().into()
}

/// The requests among effects.
pub(crate) fn requests(effects: &[Effect]) -> Vec<StoreRequest> {
    effects.iter().filter_map(|e| if let Effect::Store(r) = e { Some(r.clone()) } else { None }).collect()
}

/// Everything but requests.
pub(crate) fn others(effects: &[Effect]) -> Vec<Effect> {
    effects.iter().filter(|e| !matches!(e, Effect::Store(_))).cloned().collect()
}

/// The one request among effects.
pub(crate) fn request(effects: &[Effect]) -> StoreRequest {
    let requests = requests(effects);
    assert_eq!(requests.len(), 1, "{effects:?}");
    requests[0].clone()
}

/// What a put wants to write.
pub(crate) fn body<T: Stored>(request: &StoreRequest) -> T {
    match request {
        StoreRequest::Put { body, .. } => codec::decode(body).unwrap(),
        other => panic!("no put: {other:?}"),
    }
}

pub(crate) fn condition(request: &StoreRequest) -> PutCondition {
    match request {
        StoreRequest::Put { condition, .. } => condition.clone(),
        other => panic!("no put: {other:?}"),
    }
}

pub(crate) fn etag(version: u64) -> Etag {
    Etag(version.to_string())
}

pub(crate) fn put(request: &StoreRequest, outcome: PutOutcome) -> StoreReply {
    assert!(matches!(request, StoreRequest::Put { .. }), "no put: {request:?}");
    StoreReply::Put { id: request.id(), outcome }
}

pub(crate) fn done(request: &StoreRequest, version: u64) -> StoreReply {
    put(request, PutOutcome::Done(etag(version)))
}

pub(crate) fn get(request: &StoreRequest, outcome: GetOutcome) -> StoreReply {
    assert!(matches!(request, StoreRequest::Get { .. }), "no get: {request:?}");
    StoreReply::Get { id: request.id(), outcome }
}

pub(crate) fn found<T: Stored>(request: &StoreRequest, record: &T, version: u64) -> StoreReply {
    get(request, GetOutcome::Found(Object { bytes: bytes(record), etag: etag(version) }))
}

pub(crate) fn absent(request: &StoreRequest) -> StoreReply {
    get(request, GetOutcome::Absent)
}

/// A store without faults.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf(Objects);

impl Shelf {
    /// Puts a record, whatever stood there.
    pub(crate) fn put<T: Stored>(&mut self, key: Key, record: &T) -> Etag {
        self.write(key, bytes(record))
    }

    /// Puts bytes, whatever stood there.
    pub(crate) fn write(&mut self, key: Key, bytes: Arc<[u8]>) -> Etag {
        let standing = self.0.object(&key).map(|object| PutCondition::Matches(object.etag.clone()));
        match self.0.put(Monotonic(0), &key, bytes, &standing.unwrap_or(PutCondition::Absent)) {
            PutOutcome::Done(etag) => etag,
            other => panic!("{key}: {other:?}"),
        }
    }

    pub(crate) fn read<T: Stored>(&self, key: &Key) -> Option<T> {
        self.0.object(key).map(|object| codec::decode(&object.bytes).unwrap())
    }

    pub(crate) fn answer(&mut self, request: &StoreRequest) -> StoreReply {
        self.0.perform(Monotonic(0), request)
    }

    /// Answers every request at once, and what follows from the answers, until nothing is asked any more.
    pub(crate) fn serve(
        &mut self,
        effects: Vec<Effect>,
        mut reply: impl FnMut(&StoreReply, &mut Vec<Effect>),
    ) -> Vec<Effect> {
        let mut seen = others(&effects);
        let mut open = requests(&effects);
        while !open.is_empty() {
            let mut out = Vec::new();
            for request in std::mem::take(&mut open) {
                reply(&self.answer(&request), &mut out);
            }
            seen.extend(others(&out));
            open = requests(&out);
        }
        seen
    }
}
