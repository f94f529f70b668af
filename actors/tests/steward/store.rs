//! The object store as it is, not as it answers: objects, versions, conditions. Checks what may never be written.

use featuregrid_actors::ports::objects::Objects;
use featuregrid_actors::ports::{Key, Monotonic, PutOutcome, StoreReply, StoreRequest};
use featuregrid_protocol::codec;
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::position::{OffsetVector, offsets};
use featuregrid_protocol::range::RangeId;

#[derive(Default)]
pub(crate) struct Store {
    objects: Objects,
    pub(crate) violations: Vec<String>,
    pub(crate) claims: u64,
    pub(crate) commits: u64,
}

impl Store {
    pub(crate) fn read<T: codec::Stored>(&self, key: &Key) -> Option<T> {
        self.objects.object(key).map(|object| codec::decode(&object.bytes).unwrap())
    }

    pub(crate) fn manifest(&self, range: RangeId) -> Option<Manifest> {
        self.read(&Key::Manifest(range))
    }

    /// Up to where the range is durable, and under which index that state was made.
    pub(crate) fn durable(&self, range: RangeId) -> Option<(OffsetVector, ControlIndex)> {
        let manifest = self.manifest(range)?;
        let part = self.objects.object(&Key::Part(range, manifest.parts.last()?.name.clone()))?;
        Some((offsets(&manifest.positions), ControlIndex(u64::from_le_bytes(part.bytes[..].try_into().unwrap()))))
    }

    pub(crate) fn perform(&mut self, now: Monotonic, request: &StoreRequest) -> StoreReply {
        let standing = match request {
            StoreRequest::Put { key: Key::Manifest(range), .. } => self.manifest(*range),
            _ => None,
        };
        let reply = self.objects.perform(now, request);
        if let StoreRequest::Put { key: Key::Manifest(range), body, .. } = request
            && matches!(reply, StoreReply::Put { outcome: PutOutcome::Done(_), .. })
        {
            self.check(*range, standing, &codec::decode(body).unwrap());
        }
        reply
    }

    /// Epochs rise by one, each has one owner, and what is durable never falls.
    fn check(&mut self, range: RangeId, old: Option<Manifest>, next: &Manifest) {
        let Some(old) = old else {
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
