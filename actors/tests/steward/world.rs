//! Time, faults and what must always hold. Knows no rule of the machines, only their promises.

use std::collections::BTreeMap;

use featuregrid_actors::ownership::{Progress, Role};
use featuregrid_actors::ports::{GetOutcome, Key, ListOutcome, Monotonic, PutOutcome, StoreReply, StoreRequest};
use featuregrid_actors::steward::{Conclusion, Effect, Message};
use featuregrid_protocol::control::{ControlChange, Decision};
use featuregrid_protocol::ids::{ControlIndex, Epoch, Incarnation, NodeId, PartitionId};
use featuregrid_protocol::lease::{Lease, LeaseState};
use featuregrid_protocol::position::{OffsetVector, offsets};
use featuregrid_protocol::range::{RangeId, RangeSet};

use crate::dice::Dice;
use crate::node::Node;
use crate::store::Store;

const NODES: u32 = 3;
const STEP: i64 = 20_000;
const SECOND: i64 = 1_000_000;
const END: i64 = 60 * SECOND;
/// Faults end here: from then on the grid has to come to rest.
const CALM: i64 = 42 * SECOND;
const PARTITIONS: u32 = 3;

/// What a run did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) claims: u64,
    pub(crate) commits: u64,
    pub(crate) activations: u64,
    pub(crate) aborts: u64,
    pub(crate) moves: u64,
    pub(crate) reclaims: u64,
    pub(crate) fenced: u64,
    pub(crate) unknown_applied: u64,
    pub(crate) unknown_lost: u64,
    pub(crate) unknown_late: u64,
    pub(crate) effects: u64,
}

impl Figures {
    pub(crate) fn add(&mut self, other: &Self) {
        self.claims += other.claims;
        self.commits += other.commits;
        self.activations += other.activations;
        self.aborts += other.aborts;
        self.moves += other.moves;
        self.reclaims += other.reclaims;
        self.fenced += other.fenced;
        self.unknown_applied += other.unknown_applied;
        self.unknown_lost += other.unknown_lost;
        self.unknown_late += other.unknown_late;
        self.effects += other.effects;
    }

    pub(crate) fn did_everything(&self) -> bool {
        let all = [self.claims, self.commits, self.activations, self.aborts, self.moves, self.reclaims, self.fenced];
        let faults = [self.unknown_applied, self.unknown_lost, self.unknown_late, self.effects];
        all.iter().chain(&faults).all(|figure| *figure > 10)
    }
}

enum Event {
    /// Reaches the store; the fate of its answer was drawn.
    Arrive {
        node: usize,
        seed: u64,
        request: StoreRequest,
        answers: bool,
    },
    /// Reaches the node, if it is the same process.
    Answer {
        node: usize,
        seed: u64,
        reply: StoreReply,
    },
    Message {
        from: Incarnation,
        to: Incarnation,
        message: Message,
    },
}

pub(crate) struct World {
    now: i64,
    dice: Dice,
    /// Every third world has a quick store and clocks as far apart as they may be: there the waits decide (trace C8).
    quick: bool,
    store: Store,
    nodes: Vec<Node>,
    /// Which process of a node lives: answers to others are lost.
    seeds: Vec<u64>,
    events: BTreeMap<(i64, u64), Event>,
    count: u64,
    /// Next offset of each partition's log; partitions appear as time goes on.
    ends: Vec<u64>,
    actors: BTreeMap<(RangeId, Epoch), (usize, u64)>,
    decisions: BTreeMap<ControlIndex, Decision>,
    /// The range's home, as placement wishes.
    homes: BTreeMap<RangeId, usize>,
    pub(crate) figures: Figures,
    pub(crate) violations: Vec<String>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let quick = seed % 3 == 2;
        let v0 = OffsetVector([(PartitionId(0), 5)].into());
        let seeds: Vec<u64> = (0..NODES).map(|_| dice.next()).collect();
        let nodes = (0..NODES).zip(&seeds).map(|(id, seed)| {
            let drift = if !quick {
                dice.between(-25_000, 25_000)
            } else if id == 0 {
                -25_000
            } else {
                25_000
            };
            let rate = 1_000_000 + drift;
            Node::new(NodeId(id), *seed, rate, v0.clone())
        });
        let nodes = nodes.collect();
        Self {
            now: SECOND,
            dice,
            quick,
            store: Store::default(),
            nodes,
            seeds,
            events: BTreeMap::new(),
            count: 0,
            ends: vec![20],
            actors: BTreeMap::new(),
            decisions: BTreeMap::new(),
            homes: BTreeMap::new(),
            figures: Figures::default(),
            violations: Vec::new(),
        }
    }

    pub(crate) fn run(&mut self) {
        while self.now < END && self.violations.is_empty() {
            self.now += STEP;
            self.faults();
            self.deliver();
            for node in 0..self.nodes.len() {
                self.live(node);
            }
            self.check();
        }
        if self.violations.is_empty() {
            self.check_rest();
        }
        self.figures.claims = self.store.claims;
        self.figures.commits = self.store.commits;
    }

    fn schedule(&mut self, after: i64, event: Event) {
        self.count += 1;
        self.events.insert((self.now + after, self.count), event);
    }

    fn faults(&mut self) {
        for end in &mut self.ends {
            *end += self.dice.below(3);
        }
        if self.ends.len() < PARTITIONS as usize && self.dice.permille(2) {
            self.ends.push(0);
        }
        if (self.now < CALM && self.dice.permille(8)) || self.homes.is_empty() {
            for range in RangeId::split_evenly(2) {
                self.homes.insert(range, self.dice.below(u64::from(NODES)) as usize);
            }
        }
        if self.now > CALM {
            for node in 0..self.nodes.len() {
                if !self.nodes[node].alive {
                    self.reborn(node, false);
                }
            }
            return;
        }
        for node in 0..self.nodes.len() {
            let alive = self.nodes[node].alive;
            if alive && self.dice.permille(2) {
                self.nodes[node].stalled_until = self.now + self.dice.between(SECOND / 2, 7 * SECOND);
            }
            if alive && self.dice.permille(1) {
                self.nodes[node].alive = false;
            }
            if !alive && self.dice.permille(15) {
                self.reborn(node, false);
            }
        }
    }

    fn reborn(&mut self, node: usize, keeps_memory: bool) {
        self.seeds[node] = self.dice.next();
        let seed = self.seeds[node];
        self.nodes[node].reborn(seed, keeps_memory);
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.events.first_entry() {
            if entry.key().0 > self.now {
                return;
            }
            match entry.remove() {
                Event::Arrive { node, seed, request, answers } => {
                    let reply = self.store.perform(Monotonic(self.now), &request);
                    if answers {
                        let back = self.dice.between(1_000, if self.quick { 3_000 } else { 60_000 });
                        self.schedule(back, Event::Answer { node, seed, reply });
                    }
                }
                Event::Answer { node, seed, reply } => {
                    if self.seeds[node] != seed || !self.nodes[node].alive {
                        continue;
                    }
                    let stalled = self.nodes[node].stalled_until - self.now;
                    if stalled > 0 {
                        self.schedule(stalled, Event::Answer { node, seed, reply });
                        continue;
                    }
                    let clock = self.nodes[node].clock(self.now);
                    let effects = self.nodes[node].steward.reply(clock, &reply);
                    self.perform(node, effects);
                }
                Event::Message { from, to, message } => {
                    let node = to.node.0 as usize;
                    let there = &self.nodes[node];
                    if there.alive && there.stalled_until <= self.now && there.incarnation() == Some(to) {
                        let clock = there.clock(self.now);
                        let effects = self.nodes[node].steward.receive(clock, from, &message);
                        self.perform(node, effects);
                    }
                }
            }
        }
    }

    /// One step of one node.
    fn live(&mut self, node: usize) {
        let Node { alive, stalled_until, .. } = self.nodes[node];
        if !alive || stalled_until > self.now {
            return;
        }
        let clock = self.nodes[node].clock(self.now);
        for what in [Progress::Reader, Progress::Fold, Progress::Disk] {
            self.nodes[node].steward.progressed(what);
        }
        let effects = self.nodes[node].steward.tick(clock);
        self.perform(node, effects);
        if self.nodes[node].steward.ended().is_some() {
            // The same process goes on: what it folds until its next life runs is provisional.
            if self.dice.permille(50) {
                self.figures.fenced += 1;
                self.reborn(node, true);
            }
            self.fold(node);
            return;
        }
        if let Some(index) = self.nodes[node].holding.take() {
            let frontier = self.nodes[node].next.clone();
            let effects = self.nodes[node].steward.held(clock, index, frontier);
            self.perform(node, effects);
        }
        // Provisional folding goes on until the new life restores; a node without memory has nothing to go on with.
        let running = self.nodes[node].steward.is_running();
        if running || !self.nodes[node].stretches.is_empty() {
            self.fold(node);
        }
        if running {
            self.decide(node);
        }
    }

    fn fold(&mut self, node: usize) {
        for (partition, end) in self.ends.clone().into_iter().enumerate() {
            if self.dice.permille(700) {
                let here = self.nodes[node].next.get(PartitionId(partition as u32));
                let end = end.min(here + 1 + self.dice.below(8));
                self.nodes[node].fold(PartitionId(partition as u32), end);
            }
        }
    }

    /// What placement, detector and operator want of a running node.
    fn decide(&mut self, node: usize) {
        let clock = self.nodes[node].clock(self.now);
        let all = RangeId::split_evenly(2);
        let wishes: RangeSet = all.into_iter().filter(|range| self.home(*range) == node).collect();
        let effects = self.nodes[node].steward.wish(clock, &wishes);
        self.perform(node, effects);
        let next = self.nodes[node].next.clone();
        for range in RangeId::split_evenly(2) {
            self.nodes[node].steward.applied(range, next.clone());
            let home = self.home(range);
            if home != node
                && self.dice.permille(30)
                && self.nodes[node].steward.role(range) == Role::Owner
                && let Some(to) = self.nodes[home].incarnation().filter(|_| self.nodes[home].alive)
                && let Ok(effects) = self.nodes[node].steward.give(clock, range, to)
            {
                self.perform(node, effects);
            }
            if self.dice.permille(8) || self.nodes[node].cutting.contains(&range) {
                self.commit(node, range);
            }
        }
        for other in 0..self.nodes.len() {
            let gone = self.is_gone(other);
            let wrongly = self.now < CALM && self.dice.permille(1);
            let Some(life) = self.nodes[other].incarnation().filter(|_| other != node) else { continue };
            if gone || wrongly || self.quick {
                let effects = self.nodes[node].steward.suspect(clock, life);
                self.perform(node, effects);
            }
            if gone || wrongly {
                let effects = self.nodes[node].steward.down(clock, life);
                self.perform(node, effects);
            }
        }
        if self.now < CALM && self.dice.permille(6) {
            let change = ControlChange::Definitions {
                definitions: self.dice.next().to_string(),
                begins: OffsetVector::default(),
            };
            if let Ok(effects) = self.nodes[node].steward.propose(clock, change, false) {
                self.perform(node, effects);
            }
        }
        if self.dice.permille(3) {
            self.nodes[node].steward.withdraw();
        }
    }

    /// Where placement wants the range: at its home, or at the next node that seems to live.
    fn home(&self, range: RangeId) -> usize {
        let home = self.homes.get(&range).copied().unwrap_or(0);
        let nodes = (home..home + self.nodes.len()).map(|node| node % self.nodes.len());
        nodes.into_iter().find(|node| !self.is_gone(*node)).unwrap_or(home)
    }

    /// What the detector holds to be dead.
    fn is_gone(&self, node: usize) -> bool {
        !self.nodes[node].alive || self.nodes[node].stalled_until - self.now > 2 * SECOND
    }

    fn commit(&mut self, node: usize, range: RangeId) {
        let clock = self.nodes[node].clock(self.now);
        let snapshot = self.nodes[node].snapshot();
        let done = if self.nodes[node].cutting.contains(&range) {
            self.nodes[node].steward.cut(clock, range, snapshot)
        } else {
            self.nodes[node].steward.commit(clock, range, snapshot)
        };
        if let Ok(effects) = done {
            self.nodes[node].cutting.retain(|cut| *cut != range);
            self.perform(node, effects);
        }
    }

    fn perform(&mut self, node: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Store(request) => self.ask(node, request),
                Effect::Send { to, message } => {
                    let lost = self.now < CALM && self.dice.permille(150);
                    if let (false, Some(from)) = (lost, self.nodes[node].incarnation()) {
                        let delay = self.dice.between(500, 80_000);
                        self.schedule(delay, Event::Message { from, to, message });
                    }
                }
                Effect::Restore => {
                    self.nodes[node].forget();
                    let clock = self.nodes[node].clock(self.now);
                    let effects = self.nodes[node].steward.restored(clock);
                    self.perform(node, effects);
                }
                Effect::Hold { index } => self.nodes[node].holding = Some(index),
                Effect::Activate { entry, at } => {
                    self.nodes[node].active.insert(entry.index, at.clone());
                    if entry.index > ControlIndex(0) {
                        self.decided(entry.index, Decision::Active(at));
                    }
                }
                Effect::Abort { index } => self.decided(index, Decision::Aborted),
                Effect::StopEffects { range } => {
                    if self.dice.permille(900) {
                        self.nodes[node].cutting.push(range);
                    }
                }
                Effect::ResumeEffects { range } => self.nodes[node].cutting.retain(|cut| *cut != range),
                Effect::Demote { range, .. } => {
                    self.nodes[node].cutting.retain(|cut| *cut != range);
                    self.figures.moves += 1;
                }
                Effect::Promote { range, manifest } => {
                    if !self.nodes[node].next.covers(&offsets(&manifest.positions)) {
                        let clock = self.nodes[node].clock(self.now);
                        let effects = self.nodes[node].steward.restore(clock, range);
                        self.perform(node, effects);
                    }
                    if self.nodes[node].steward.hint(range).is_none() && manifest.epoch.0 > 1 {
                        self.figures.reclaims += 1;
                    }
                }
                Effect::Proposed { conclusion: Conclusion::Decided(Decision::Active(_)), .. } => {
                    self.figures.activations += 1;
                }
                Effect::Damaged { key, error } => self.violations.push(format!("{key}: {error}")),
                Effect::Leased(_)
                | Effect::Run
                | Effect::End(_)
                | Effect::Proposed { .. }
                | Effect::StandBy { .. }
                | Effect::LeaveStandby { .. }
                | Effect::Committed { .. }
                | Effect::Forget { .. } => {}
                Effect::Restored { manifest, parts, .. } => {
                    let index = parts.last().map_or(0, |part| u64::from_le_bytes(part[..].try_into().unwrap()));
                    let v = manifest.map_or(OffsetVector::default(), |manifest| offsets(&manifest.positions));
                    self.nodes[node].restore(&v, ControlIndex(index));
                }
            }
        }
    }

    /// Everybody ends a hold with the same decision, and each activation is at or after the one before.
    fn decided(&mut self, index: ControlIndex, decision: Decision) {
        if decision == Decision::Aborted {
            self.figures.aborts += 1;
        }
        if let Decision::Active(at) = &decision {
            let earlier = self.decisions.range(..index).filter_map(|(_, decision)| match decision {
                Decision::Active(at) => Some(at),
                Decision::Aborted => None,
            });
            if earlier.clone().any(|earlier| !at.covers(earlier)) {
                self.violations.push(format!("{index}: A fell"));
            }
        }
        let first = self.decisions.entry(index).or_insert_with(|| decision.clone());
        if *first != decision {
            self.violations.push(format!("{index}: {decision:?} and {first:?}"));
        }
    }

    /// A request goes to the store, and something may happen on the way.
    fn ask(&mut self, node: usize, request: StoreRequest) {
        let seed = self.seeds[node];
        let there = self.dice.between(1_000, if self.quick { 3_000 } else { 40_000 });
        let id = request.id();
        let fate = if self.now < CALM { self.dice.below(100) } else { 99 };
        let unknown = 900_000;
        match (&request, fate) {
            (StoreRequest::Put { .. }, 0..3) => {
                self.figures.unknown_applied += 1;
                self.schedule(there, Event::Arrive { node, seed, request, answers: false });
            }
            (StoreRequest::Put { .. }, 3..6) => self.figures.unknown_lost += 1,
            (StoreRequest::Put { .. }, 6..10) => {
                self.figures.unknown_late += 1;
                let late = self.dice.between(SECOND / 10, 8 * SECOND);
                self.schedule(late, Event::Arrive { node, seed, request, answers: false });
            }
            (StoreRequest::Put { .. }, 10..13) => {
                self.schedule(
                    2 * there,
                    Event::Answer { node, seed, reply: StoreReply::Put { id, outcome: PutOutcome::Retry } },
                );
                return;
            }
            (StoreRequest::Get { .. }, 0..6) => {
                self.schedule(
                    there,
                    Event::Answer { node, seed, reply: StoreReply::Get { id, outcome: GetOutcome::Unavailable } },
                );
                return;
            }
            (StoreRequest::List { .. }, 0..6) => {
                self.schedule(
                    there,
                    Event::Answer { node, seed, reply: StoreReply::List { id, outcome: ListOutcome::Unavailable } },
                );
                return;
            }
            _ => {
                self.schedule(there, Event::Arrive { node, seed, request, answers: true });
                return;
            }
        }
        // A quick error is as unknown as a timeout.
        let after = if self.dice.permille(500) { self.dice.between(1_000, 100_000) } else { unknown };
        self.schedule(after, Event::Answer { node, seed, reply: StoreReply::Put { id, outcome: PutOutcome::Unknown } });
    }

    fn check(&mut self) {
        self.violations.append(&mut self.store.violations);
        for node in 0..self.nodes.len() {
            if !self.nodes[node].alive {
                continue;
            }
            let clock = self.nodes[node].clock(self.now);
            for range in RangeId::split_evenly(2) {
                // A stalled node could wake this instant: what its clock allows, it would do.
                if self.nodes[node].steward.may_have_effects(clock, range) {
                    self.acts(node, range);
                }
            }
            self.check_index(node);
        }
        for range in RangeId::split_evenly(2) {
            self.check_durable(range);
        }
    }

    fn acts(&mut self, node: usize, range: RangeId) {
        self.figures.effects += 1;
        let Some(mine) = self.nodes[node].steward.manifest(range).cloned() else { return };
        let Some(stands) = self.store.manifest(range) else { return };
        let who = self.nodes[node].incarnation();
        if stands.epoch != mine.epoch || stands.owner != who {
            self.violations
                .push(format!("{range}: {who:?} acts in {}, but {:?} has {}", mine.epoch, stands.owner, stands.epoch));
        }
        let me = (node, self.seeds[node]);
        let first = *self.actors.entry((range, mine.epoch)).or_insert(me);
        if first != me {
            self.violations.push(format!("{range}: two processes act in {}", mine.epoch));
        }
    }

    /// Nobody who runs has applied an offset at or after A under an older index; what a fenced life folds is provisional.
    fn check_index(&mut self, node: usize) {
        let here = &self.nodes[node];
        let lease = here.incarnation().and_then(|life| self.store.read::<Lease>(&Key::Lease(life)));
        if !here.steward.is_running() || lease.is_none_or(|lease| lease.state != LeaseState::Active) {
            return;
        }
        for (index, decision) in &self.decisions {
            let Decision::Active(at) = decision else { continue };
            for stretch in &here.stretches {
                if stretch.index < *index && stretch.to > stretch.from.max(at.get(stretch.partition)) {
                    self.violations
                        .push(format!("node {node} applied {stretch:?}, but {index} is in force from {at:?}"));
                }
            }
        }
    }

    /// What is durable was not made under an older index than is in force there.
    fn check_durable(&mut self, range: RangeId) {
        let Some((v, made_under)) = self.store.durable(range) else { return };
        for (index, decision) in self.decisions.range(ControlIndex(made_under.0 + 1)..) {
            if let Decision::Active(at) = decision
                && !at.covers(&v)
            {
                self.violations.push(format!("{range}: {v:?} of {made_under}, but {index} is in force from {at:?}"));
            }
        }
    }

    /// When faults have ended, every range has an owner and nobody is held.
    fn check_rest(&mut self) {
        for node in 0..self.nodes.len() {
            if !self.nodes[node].steward.is_running() {
                self.violations.push(format!("node {node} does not run: {:?}", self.nodes[node].steward.step()));
            }
        }
        for node in &self.nodes {
            if let Some(index) = node.steward.held_by() {
                self.violations.push(format!("node {} is held by {index}", node.id));
            }
        }
        for range in RangeId::split_evenly(2) {
            let owners = self.nodes.iter().filter(|node| node.steward.role(range) == Role::Owner).count();
            let moving = self.nodes.iter().any(|node| node.steward.role(range) == Role::Standby);
            if owners != 1 && !moving {
                let manifest =
                    self.store.manifest(range).map(|manifest| (manifest.epoch, manifest.owner, manifest.released_to));
                self.violations
                    .push(format!("{range} has {owners} owners: {manifest:?}, home {:?}", self.homes.get(&range)));
            }
        }
    }
}
