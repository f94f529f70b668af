//! The object store: conditional writes with their four outcomes, delays and outages. A write whose outcome is unknown
//! may have landed, never land, or land seconds later. Knows nothing of who writes what, but the kind of an object.

use std::collections::BTreeSet;

use featuregrid_actors::ports::objects::Objects;
use featuregrid_actors::ports::{
    DeleteOutcome, GetOutcome, Key, ListOutcome, Monotonic, Object, PutOutcome, StoreReply, StoreRequest,
};
use featuregrid_protocol::codec;
use featuregrid_protocol::ids::NodeId;
use featuregrid_protocol::lease::{Lease, LeaseState};
use featuregrid_protocol::manifest::Manifest;
use serde::{Deserialize, Serialize};

use super::heap::Micros;
use crate::random::Random;

/// What a write is about, as far as a rule of a scenario can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteClass {
    /// A manifest with a higher epoch than the one that stands.
    Claim,
    /// A manifest without an owner.
    Release,
    /// Any other manifest.
    Commit,
    /// A lease of its holder.
    Lease,
    /// A lease that a successor fences.
    Fence,
    /// An entry of the control log.
    Entry,
    /// What became of it.
    Decision,
    /// Immutable data.
    Part,
}

/// How the store behaves as a whole, per mille of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreWeather {
    /// Nothing is answered; nothing lands.
    pub outage: bool,
    /// Writes that land, at once or late, and answer nothing.
    pub unknown_applied: u32,
    /// Writes that never land and answer nothing.
    pub unknown_lost: u32,
    /// Writes answered by 409.
    pub conflict: u32,
    /// Requests that take up to `delay_ms`.
    pub slow: u32,
    /// Longest extra delay, milliseconds.
    pub delay_ms: u32,
}

/// A rule for single writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreRule {
    /// Only of this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// Only of this class.
    pub class: WriteClass,
    /// The first so many that match are left alone.
    #[serde(default)]
    pub skip: u32,
    /// So many after those are treated.
    pub count: u32,
    /// How.
    pub treat: StoreTreat,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreTreat {
    /// Answers nothing, and lands so many milliseconds later.
    UnknownLandsMs(u32),
    /// Answers nothing and never lands.
    UnknownLost,
    /// 409.
    Conflict,
    /// Lands and answers so many milliseconds later.
    DelayMs(u32),
}

/// What will happen to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// When it reaches the objects, if ever.
    pub lands: Option<Micros>,
    /// When the reply arrives.
    pub answers: Micros,
    /// What the reply says; `None`: what happened.
    pub says: Option<Says>,
}

/// A reply that does not tell what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Timeout.
    Nothing,
    /// 409.
    Conflict,
}

/// The store's state.
#[derive(Debug)]
pub struct SimStore {
    random: Random,
    objects: Objects,
    weather: StoreWeather,
    rules: Vec<(usize, StoreRule)>,
    /// Nodes that cannot reach it.
    cut_off: BTreeSet<NodeId>,
}

impl SimStore {
    /// An empty, well store.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            random,
            objects: Objects::default(),
            weather: StoreWeather::default(),
            rules: Vec::new(),
            cut_off: BTreeSet::new(),
        }
    }

    /// Changes how it behaves from now on.
    pub fn set_weather(&mut self, weather: StoreWeather) {
        self.weather = weather;
    }

    /// How it behaves.
    #[must_use]
    pub fn weather(&self) -> StoreWeather {
        self.weather
    }

    /// Adds a rule for single writes under a name.
    pub fn add_rule(&mut self, name: usize, rule: StoreRule) {
        self.rules.push((name, rule));
    }

    /// Removes the rule of this name.
    pub fn remove_rule(&mut self, name: usize) {
        self.rules.retain(|(other, _)| *other != name);
    }

    /// Whether a node cannot reach it from now on.
    pub fn cut_off(&mut self, node: NodeId, is_cut_off: bool) {
        if is_cut_off {
            self.cut_off.insert(node);
        } else {
            self.cut_off.remove(&node);
        }
    }

    /// Ends every fault; what is on its way still lands.
    pub fn heal(&mut self) {
        self.weather = StoreWeather::default();
        self.rules.clear();
        self.cut_off.clear();
    }

    /// The newest version of an object.
    #[must_use]
    pub fn object(&self, key: &Key) -> Option<&Object> {
        self.objects.object(key)
    }

    /// Every object.
    pub fn objects(&self) -> impl Iterator<Item = (&Key, &Object)> {
        self.objects.iter()
    }

    /// Decides what will happen to a request made at `now`.
    pub fn fate(&mut self, now: Micros, node: NodeId, request: &StoreRequest) -> Fate {
        let deadline = now + request.deadline().0;
        let usual = now + self.random.between(1_000, 8_000);
        let back = self.random.between(500, 3_000);
        let plain = |lands: Micros| {
            let answers = lands + back;
            let says = (answers > deadline).then_some(Says::Nothing);
            Fate { lands: Some(lands), answers: answers.min(deadline), says }
        };
        let unknown = |lands| Fate { lands, answers: deadline, says: Some(Says::Nothing) };
        if self.weather.outage || self.cut_off.contains(&node) {
            return unknown(None);
        }
        if let StoreRequest::Put { key, body, .. } = request {
            let class = self.class(key, body);
            if let Some(treat) = self.rule(node, class) {
                return match treat {
                    StoreTreat::UnknownLandsMs(ms) => unknown(Some(usual + i64::from(ms) * 1_000)),
                    StoreTreat::UnknownLost => unknown(None),
                    StoreTreat::Conflict => Fate { lands: None, answers: usual + back, says: Some(Says::Conflict) },
                    StoreTreat::DelayMs(ms) => plain(usual + i64::from(ms) * 1_000),
                };
            }
            if self.random.chance(self.weather.unknown_applied) {
                let late = self.random.between(0, i64::from(self.weather.delay_ms) * 3_000);
                return unknown(Some(usual + if self.random.chance(500) { late } else { 0 }));
            }
            if self.random.chance(self.weather.unknown_lost) {
                return unknown(None);
            }
            if self.random.chance(self.weather.conflict) {
                return Fate { lands: None, answers: usual + back, says: Some(Says::Conflict) };
            }
        }
        let slow = self.random.chance(self.weather.slow);
        let extra = if slow { self.random.between(0, i64::from(self.weather.delay_ms) * 1_000) } else { 0 };
        plain(usual + extra)
    }

    /// Performs a request that reaches the objects at `now`; the reply says what happened.
    pub fn land(&mut self, now: Micros, request: &StoreRequest) -> StoreReply {
        self.objects.perform(Monotonic(now), request)
    }

    /// The reply to a request that tells nothing of what happened.
    #[must_use]
    pub fn say(request: &StoreRequest, says: Says) -> StoreReply {
        match request {
            StoreRequest::Get { id, .. } => StoreReply::Get { id: *id, outcome: GetOutcome::Unavailable },
            StoreRequest::List { id, .. } => StoreReply::List { id: *id, outcome: ListOutcome::Unavailable },
            StoreRequest::Put { id, .. } => {
                let outcome = if says == Says::Conflict { PutOutcome::Retry } else { PutOutcome::Unknown };
                StoreReply::Put { id: *id, outcome }
            }
            StoreRequest::Delete { id, .. } => StoreReply::Delete { id: *id, outcome: DeleteOutcome::Unknown },
        }
    }

    /// What a write is about.
    #[must_use]
    pub fn class(&self, key: &Key, body: &[u8]) -> WriteClass {
        match key {
            Key::Control(_) => WriteClass::Entry,
            // No partition is found later here: it would be written by a shell, not by what is simulated.
            Key::Decision(_) | Key::Begin(_) | Key::Topic(_) => WriteClass::Decision,
            Key::Part(..) => WriteClass::Part,
            Key::Lease(_) => match codec::decode::<Lease>(body) {
                Ok(lease) if lease.state == LeaseState::Fenced => WriteClass::Fence,
                _ => WriteClass::Lease,
            },
            Key::Manifest(_) => {
                let standing =
                    self.objects.object(key).and_then(|object| codec::decode::<Manifest>(&object.bytes).ok());
                match (codec::decode::<Manifest>(body), standing) {
                    (Ok(written), _) if written.owner.is_none() => WriteClass::Release,
                    (Ok(written), Some(standing)) if written.epoch <= standing.epoch => WriteClass::Commit,
                    _ => WriteClass::Claim,
                }
            }
        }
    }

    fn rule(&mut self, node: NodeId, class: WriteClass) -> Option<StoreTreat> {
        let matches = |(_, rule): &&mut (usize, StoreRule)| {
            rule.count > 0 && rule.class == class && rule.node.is_none_or(|wanted| wanted == node.0)
        };
        let (_, rule) = self.rules.iter_mut().find(matches)?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.count -= 1;
        Some(rule.treat)
    }
}
