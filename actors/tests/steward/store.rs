//! The object store as it is, not as it answers: objects, versions, conditions. Checks what may never be written.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_actors::ports::{
    Etag, GetOutcome, Key, ListOutcome, Object, PutCondition, PutOutcome, StoreReply, StoreRequest,
};
use featuregrid_protocol::codec;
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::position::{OffsetVector, offsets};
use featuregrid_protocol::range::RangeId;

#[derive(Default)]
pub(crate) struct Store {
    objects: BTreeMap<String, (Key, Arc<[u8]>, u64)>,
    versions: u64,
    pub(crate) violations: Vec<String>,
    pub(crate) claims: u64,
    pub(crate) commits: u64,
}

impl Store {
    pub(crate) fn read<T: codec::Stored>(&self, key: &Key) -> Option<T> {
        self.objects.get(&key.path()).map(|(_, bytes, _)| codec::decode(bytes).unwrap())
    }

    pub(crate) fn manifest(&self, range: RangeId) -> Option<Manifest> {
        self.read(&Key::Manifest(range))
    }

    /// Up to where the range is durable, and under which index that state was made.
    pub(crate) fn durable(&self, range: RangeId) -> Option<(OffsetVector, ControlIndex)> {
        let manifest = self.manifest(range)?;
        let (_, bytes, _) = self.objects.get(&Key::Part(manifest.parts.last()?.name.clone()).path())?;
        Some((offsets(&manifest.positions), ControlIndex(u64::from_le_bytes(bytes[..].try_into().unwrap()))))
    }

    pub(crate) fn perform(&mut self, request: &StoreRequest) -> StoreReply {
        let id = request.id();
        match request {
            StoreRequest::Get { key, .. } => StoreReply::Get {
                id,
                outcome: match self.objects.get(&key.path()) {
                    Some((_, bytes, version)) => {
                        GetOutcome::Found(Object { bytes: Arc::clone(bytes), etag: Etag(version.to_string()) })
                    }
                    None => GetOutcome::Absent,
                },
            },
            StoreRequest::List { prefix, .. } => {
                let paths = self.objects.iter().filter(|(path, _)| path.starts_with(&prefix.path()));
                StoreReply::List { id, outcome: ListOutcome::Keys(paths.map(|(_, (key, _, _))| key.clone()).collect()) }
            }
            StoreRequest::Put { key, body, condition, .. } => {
                let holds = match (condition, self.objects.get(&key.path())) {
                    (PutCondition::Absent, found) => found.is_none(),
                    (PutCondition::Matches(etag), Some((_, _, version))) => etag.0 == version.to_string(),
                    (PutCondition::Matches(_), None) => false,
                };
                if !holds {
                    return StoreReply::Put { id, outcome: PutOutcome::Lost };
                }
                if let Key::Manifest(range) = key {
                    self.check(*range, &codec::decode(body).unwrap());
                }
                self.versions += 1;
                self.objects.insert(key.path(), (key.clone(), Arc::clone(body), self.versions));
                StoreReply::Put { id, outcome: PutOutcome::Done(Etag(self.versions.to_string())) }
            }
        }
    }

    /// Epochs rise by one, each has one owner, and what is durable never falls.
    fn check(&mut self, range: RangeId, next: &Manifest) {
        let Some(old) = self.manifest(range) else {
            self.claims += 1;
            return;
        };
        if !offsets(&next.positions).covers(&offsets(&old.positions)) {
            self.violations.push(format!("{range}: committed v fell"));
        }
        if next.epoch.0 == old.epoch.0 + 1 && next.owner.is_some() {
            self.claims += 1;
        } else if next.epoch == old.epoch && old.owner.is_some() && (next.owner == old.owner || next.owner.is_none()) {
            self.commits += 1;
        } else {
            self.violations
                .push(format!("{range}: {} {:?} after {} {:?}", next.epoch, next.owner, old.epoch, old.owner));
        }
        if next.index < old.index {
            self.violations.push(format!("{range}: index fell"));
        }
    }
}
