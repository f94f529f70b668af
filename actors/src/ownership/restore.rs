//! Reads the newest durable state of a range: its manifest, then the parts that it names. Knows not what they hold.

use std::sync::Arc;

use featuregrid_protocol::limits::RECONCILE_EVERY;
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::range::RangeId;

use crate::control::participant::decoded;
use crate::ports::gather::Gather;
use crate::ports::{Key, Monotonic, Requests, StoreReply};
use crate::steward::Effect;

/// One range on its way back.
#[derive(Clone, Debug)]
pub struct Restore {
    range: RangeId,
    requests: Requests,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    /// To begin (again) when due.
    Due(Monotonic),
    Manifest(Gather),
    Parts(Arc<Manifest>, Gather),
    Ended,
}

impl Restore {
    /// Begins; ends with [`Effect::Restored`].
    #[must_use]
    pub fn new(range: RangeId, requests: Requests) -> Self {
        Self { range, requests, phase: Phase::Due(Monotonic::MIN) }
    }

    /// Whether it said what there is.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// Takes a reply of the store; whether it was awaited.
    pub fn reply(&mut self, now: Monotonic, reply: &StoreReply, out: &mut Vec<Effect>) -> bool {
        let awaited = match &mut self.phase {
            Phase::Manifest(gather) | Phase::Parts(_, gather) => gather.accept(now, reply),
            Phase::Due(_) | Phase::Ended => false,
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
        if let Phase::Manifest(gather) | Phase::Parts(_, gather) = &mut self.phase {
            out.extend(gather.poll(now, &mut self.requests).into_iter().map(Effect::Store));
        }
    }

    fn step(&self, now: Monotonic, out: &mut Vec<Effect>) -> Option<Phase> {
        let (range, key) = (self.range, Key::Manifest(self.range));
        match &self.phase {
            Phase::Due(due) => (*due <= now).then(|| Phase::Manifest(Gather::keys([key]))),
            Phase::Manifest(gather) => match gather.done()?.get(&key)? {
                None => {
                    out.push(Effect::Restored { range, manifest: None, parts: Vec::new() });
                    Some(Phase::Ended)
                }
                Some(object) => Some(match decoded::<Manifest>(&key, object, out) {
                    None => Phase::Due(now + RECONCILE_EVERY),
                    Some(manifest) => {
                        let parts = Gather::keys(manifest.parts.iter().map(|part| Key::Part(range, part.name.clone())));
                        Phase::Parts(Arc::new(manifest), parts)
                    }
                }),
            },
            Phase::Parts(manifest, gather) => {
                let read = gather.done()?;
                let named = manifest.parts.iter().map(|part| {
                    let object = read.get(&Key::Part(range, part.name.clone())).and_then(Option::as_ref);
                    object.filter(|object| object.bytes.len() as u64 == part.bytes).map(|o| Arc::clone(&o.bytes))
                });
                // A part that is gone belonged to a manifest that is gone too: read again.
                let Some(parts) = named.collect() else { return Some(Phase::Due(now + RECONCILE_EVERY)) };
                out.push(Effect::Restored { range, manifest: Some(Arc::clone(manifest)), parts });
                Some(Phase::Ended)
            }
            Phase::Ended => None,
        }
    }
}

#[cfg(test)]
mod tests;
