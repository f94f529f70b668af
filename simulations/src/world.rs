//! The deterministic world: one heap of events, one seed, and everything the nodes touch. Knows no rule of the grid; what
//! must hold stands in [`crate::invariants`].

pub mod clock;
pub mod faults;
pub mod heap;
pub mod judge;
pub mod library;
pub mod log;
pub mod message;
pub mod net;
pub mod node;
pub mod clients;
pub mod looks;
pub mod producer;
pub mod store;
pub mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use featuregrid_actors::ports::{Key, PutOutcome, StoreReply, StoreRequest};
use featuregrid_protocol::codec;
use featuregrid_protocol::control::{ControlChange, ControlEntry, Decision};
use featuregrid_protocol::ids::{ControlIndex, NodeId, PartitionId, TopicId};
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::time::Timestamp;

use crate::invariants::Fact;
use crate::plan::RunPlan;
use crate::random::Random;
use crate::report::RunReport;
use clients::Clients;
use clock::Clock;
use heap::{Heap, Micros};
use judge::Judge;
use library::{Library, TEXTS};
use log::SimLog;
use message::Message;
use net::SimNet;
use node::{Act, Around, Node, Wishes};
use producer::Producer;
use store::{SimStore, WriteClass};
use watch::Watch;

/// The wall clock's time when a run begins: 2026-01-01T00:00:00Z.
pub const EPOCH: Timestamp = Timestamp(1_767_225_600_000_000);

/// Runs a plan; `trace` takes a line per event.
#[must_use]
pub fn run(plan: &RunPlan, trace: Option<&mut String>) -> RunReport {
    World::new(plan, trace).run()
}

/// What happens to somebody.
#[derive(Debug)]
enum Event {
    /// A node's turn.
    Turn { node: NodeId, process: u64 },
    /// A message arrives.
    Deliver { to: NodeId, message: Arc<Message> },
    /// A request reaches the store's objects; the reply may follow.
    Land { node: NodeId, process: u64, request: StoreRequest, answers: Option<Micros> },
    /// A reply of the store arrives.
    Reply { node: NodeId, process: u64, reply: StoreReply },
    /// Somebody writes a record.
    Produce,
    /// Somebody reads.
    Read,
    /// Somebody looks at a state.
    Look,
    /// A fault of the plan begins.
    Fault(usize),
    /// A fault of the plan ends.
    FaultEnd(usize),
    /// A node starts.
    Start { node: NodeId },
}

/// What a node's machine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    /// Runs.
    On,
    /// There is no process.
    Off,
    /// Stands still; what is sent to it waits.
    Frozen,
    /// Stands still; what is sent to it is lost.
    Suspended,
}

/// One machine.
struct Machine {
    power: Power,
    clock: Clock,
    /// Counts processes: replies to an older one find nobody.
    process: u64,
    node: Option<Node>,
    /// What waits while it is frozen.
    asleep: Vec<Event>,
    stalled: BTreeSet<PartitionId>,
    /// Total time it stood still: a hold may be longer by that.
    still: Micros,
    still_since: Option<Micros>,
}

/// Everything.
struct World<'p, 't> {
    plan: &'p RunPlan,
    heap: Heap<Event>,
    random: Random,
    log: SimLog,
    store: SimStore,
    net: SimNet,
    machines: Vec<Machine>,
    wishes: Wishes,
    library: Library,
    judge: Judge,
    producer: Producer,
    clients: Clients,
    watch: Watch<'t>,
    /// The manifests that stand.
    manifests: BTreeMap<featuregrid_protocol::range::RangeId, Manifest>,
    entries: BTreeMap<ControlIndex, ControlEntry>,
    /// Which text is applied next.
    text: usize,
    /// Nobody writes before this.
    quiet_until: Micros,
    /// Faults are over.
    healed: bool,
    /// Total time the store was out: a hold may be longer by that.
    outage: Micros,
    outage_since: Option<Micros>,
}

impl<'p, 't> World<'p, 't> {
    fn new(plan: &'p RunPlan, trace: Option<&'t mut String>) -> Self {
        let root = Random::new(plan.seed).fork(&plan.scenario);
        let mut topic = TopicId::default();
        topic.0[..8].copy_from_slice(&root.fork("topic").next().to_le_bytes());
        let cluster = &plan.cluster;
        let clock_random = &mut root.fork("clocks");
        let machines = (0..cluster.nodes + cluster.spare_nodes).map(|node| {
            let ppm = cluster.clock_ppm.get(node as usize).copied().unwrap_or(0);
            let clock = Clock::new(clock_random.between(1_000_000, 1_000_000_000), ppm);
            Machine {
                power: Power::Off,
                clock,
                process: 0,
                node: None,
                asleep: Vec::new(),
                stalled: BTreeSet::new(),
                still: 0,
                still_since: None,
            }
        });
        Self {
            plan,
            heap: Heap::default(),
            random: root.fork("world"),
            log: SimLog::new(topic, cluster.partitions),
            store: SimStore::new(root.fork("store")),
            net: SimNet::new(root.fork("net")),
            machines: machines.collect(),
            wishes: Wishes::default(),
            library: Library::default(),
            judge: Judge::default(),
            producer: Producer::new(root.fork("producer"), plan.workload),
            clients: Clients::new(root.fork("clients"), plan.workload),
            watch: Watch::new(trace),
            manifests: BTreeMap::new(),
            entries: BTreeMap::new(),
            text: 1,
            quiet_until: 0,
            healed: false,
            outage: 0,
            outage_since: None,
        }
    }

    fn run(mut self) -> RunReport {
        for node in 0..self.plan.cluster.nodes {
            let at = self.random.between(0, 300_000);
            self.heap.push(at, Event::Start { node: NodeId(node) });
        }
        for (at, fault) in self.plan.faults.iter().enumerate() {
            self.heap.push(i64::from(fault.at_ms) * 1_000, Event::Fault(at));
        }
        self.heap.push(100_000, Event::Produce);
        self.heap.push(1_500_000, Event::Read);
        self.heap.push(2_000_000, Event::Look);
        let safety = i64::from(self.plan.safety_ms) * 1_000;
        self.run_until(safety);
        self.heal();
        self.live(safety);
        self.watch.report.simulated_ms = (self.heap.now() / 1_000) as u64;
        self.watch.report.events = self.log.partitions().values().map(|log| log.history().len() as u64).sum();
        let (sent, lost) = self.net.counts();
        self.watch.mark_many("messages", sent);
        self.watch.mark_many("messages_lost", lost);
        self.watch.finish()
    }

    fn run_until(&mut self, until: Micros) {
        while !self.watch.is_over()
            && let Some(event) = self.heap.pop(until)
        {
            self.step(event);
        }
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::Turn { node, process } => {
                let machine = &self.machines[node.0 as usize];
                if machine.process != process {
                    return;
                }
                match machine.power {
                    Power::On => {
                        let next = self.random.between(700, 1_300) * i64::from(self.plan.cluster.turn_ms);
                        self.heap.push(self.heap.now() + next, Event::Turn { node, process });
                        self.with_node(node, |node, around| node.on_turn(around));
                    }
                    Power::Off => {}
                    Power::Frozen | Power::Suspended => {
                        self.machines[node.0 as usize].asleep.push(Event::Turn { node, process });
                    }
                }
            }
            Event::Deliver { to, message } => match self.machines[to.0 as usize].power {
                Power::On => {
                    let message = Arc::unwrap_or_clone(message);
                    self.with_node(to, |node, around| node.on_message(around, message));
                }
                Power::Frozen => self.machines[to.0 as usize].asleep.push(Event::Deliver { to, message }),
                Power::Off | Power::Suspended => {}
            },
            Event::Reply { node, process, reply } => {
                let machine = &mut self.machines[node.0 as usize];
                if machine.process != process {
                    return;
                }
                match machine.power {
                    Power::On => self.with_node(node, |node, around| node.on_store(around, &reply)),
                    Power::Off => {}
                    // A reply that nobody takes in time is a timeout for whoever wakes, so it waits in both.
                    Power::Frozen | Power::Suspended => machine.asleep.push(Event::Reply { node, process, reply }),
                }
            }
            Event::Land { node, process, request, answers } => self.land(node, process, &request, answers),
            Event::Produce => self.produce(),
            Event::Read => self.client_read(),
            Event::Look => self.look(),
            Event::Fault(at) => self.begin_fault(at),
            Event::FaultEnd(at) => self.end_fault(at),
            Event::Start { node } => self.start(node),
        }
    }

    /// A process starts with empty memory.
    fn start(&mut self, node: NodeId) {
        let now = self.heap.now();
        let nodes = self.machines.len() as u32;
        let machine = &mut self.machines[node.0 as usize];
        if machine.power == Power::On {
            return;
        }
        machine.power = Power::On;
        machine.process += 1;
        let process = machine.process;
        let v0 =
            OffsetVector(self.log.partitions().iter().map(|(partition, log)| (*partition, log.earliest())).collect());
        let genesis = ControlChange::Genesis { ranges: self.plan.cluster.ranges, v0, definitions: TEXTS[0].to_owned() };
        let stream = Random::new(self.plan.seed).fork(&self.plan.scenario).fork(&format!("node {node} {process}"));
        machine.node = Some(Node::new(node, stream, genesis, nodes));
        self.watch.note(now, node.0, "start", process, String::new);
        self.heap.push(now, Event::Turn { node, process });
    }

    /// Lets a node act, and performs what it wants done.
    fn with_node(&mut self, id: NodeId, act: impl FnOnce(&mut Node, &mut Around<'_>)) {
        let now = self.heap.now();
        let machine = &mut self.machines[id.0 as usize];
        let Some(node) = &mut machine.node else { return };
        let mut acts = Vec::new();
        let mut around = Around {
            now,
            mono: machine.clock.monotonic(now),
            feed: machine.clock.feed_time(now),
            wall: machine.clock.wall(now),
            log: &self.log,
            library: &mut self.library,
            cluster: &self.plan.cluster,
            wishes: &self.wishes,
            stalled: &machine.stalled,
            acts: &mut acts,
        };
        act(node, &mut around);
        let (me, process) = (node.me, machine.process);
        self.watch.note(now, id.0, "acts", acts.len() as u64, String::new);
        for act in acts {
            self.perform(id, me, process, act);
        }
    }

    fn perform(&mut self, id: NodeId, me: featuregrid_protocol::ids::Incarnation, process: u64, act: Act) {
        let now = self.heap.now();
        match act {
            Act::Send(to, message) => self.send(id, to, message),
            Act::Store(request) => self.ask_store(id, process, request),
            Act::Output(range, epoch) => {
                self.watch.note(now, id.0, "output", range.prefix ^ epoch.0, || format!("{range} {epoch}"));
                let standing = self.manifests.get(&range);
                self.watch.observe(now, &Fact::Output { node: me, range, epoch, process, standing });
            }
            Act::Obeyed(index, decision) => {
                self.watch.note(now, id.0, "obeyed", index.0, || format!("{index} {decision:?}"));
                self.watch.observe(now, &Fact::Obeyed { node: me, index, decision: &decision });
            }
            Act::Held(index, since) => {
                let excused_us = self.excuse(id, since);
                let for_us = now - since;
                self.watch.observe(now, &Fact::Held { node: me, index, for_us, excused_us });
            }
            Act::Halted(reason) => {
                self.watch.note(now, id.0, "halted", 0, || reason.clone());
                self.watch.observe(now, &Fact::Halted { node: me, reason: &reason });
            }
            Act::Mark(name, times) => self.watch.mark_many(name, times),
            Act::Answer(answer) => self.judge_read(&answer),
            Act::Queue(name, length, bound) => {
                self.watch.observe(now, &Fact::Queue { node: me, name, length, bound });
            }
            Act::Note(kind, text) => self.watch.note(now, id.0, kind, text.len() as u64, || text),
            Act::Restart => {
                self.watch.mark("retention_restarts");
                self.crash(id, 500_000);
            }
        }
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        let now = self.heap.now();
        let class = message.class();
        let (first, again) = self.net.route(now, from, to, class);
        self.watch.note(now, from.0, "send", u64::from(to.0) << 8 | class as u64, || format!("to {to} {message:?}"));
        let message = Arc::new(message);
        for at in first.into_iter().chain(again) {
            self.heap.push(at, Event::Deliver { to, message: Arc::clone(&message) });
        }
    }

    fn ask_store(&mut self, node: NodeId, process: u64, request: StoreRequest) {
        let now = self.heap.now();
        let fate = self.store.fate(now, node, &request);
        if let (StoreRequest::Put { .. }, Some(store::Says::Nothing)) = (&request, fate.says) {
            self.watch.mark(if fate.lands.is_some() { "unknown_applied" } else { "unknown_lost" });
        }
        if let Some(says) = fate.says {
            let reply = SimStore::say(&request, says);
            self.heap.push(fate.answers, Event::Reply { node, process, reply });
        }
        if let Some(lands) = fate.lands {
            let answers = fate.says.is_none().then_some(fate.answers);
            self.heap.push(lands, Event::Land { node, process, request, answers });
        }
    }

    fn land(&mut self, node: NodeId, process: u64, request: &StoreRequest, answers: Option<Micros>) {
        let now = self.heap.now();
        let reply = match request {
            StoreRequest::Put { key, body, .. } => {
                let class = self.store.class(key, body);
                let reply = self.store.land(now, request);
                let done = matches!(reply, StoreReply::Put { outcome: PutOutcome::Done(_), .. });
                self.watch.note(now, node.0, "put", u64::from(done), || format!("{key} {class:?} landed: {done}"));
                self.watch.mark(if done { "writes_done" } else { "writes_lost" });
                if done {
                    self.written(key, class, body);
                }
                reply
            }
            StoreRequest::Delete { key, .. } => {
                let reply = self.store.land(now, request);
                self.removed(key);
                reply
            }
            _ => self.store.land(now, request),
        };
        if let Some(at) = answers {
            self.heap.push(at, Event::Reply { node, process, reply });
        }
    }

    /// An object stands: what that means to bystanders.
    fn written(&mut self, key: &Key, class: WriteClass, body: &[u8]) {
        let now = self.heap.now();
        match key {
            Key::Control(index) => {
                let Ok(entry) = codec::decode::<ControlEntry>(body) else { return };
                if let ControlChange::Genesis { v0, .. } = &entry.change {
                    let v0 = v0.clone();
                    self.in_force(&entry, v0);
                }
                self.entries.insert(*index, entry);
            }
            Key::Decision(index) => {
                let Ok(decision) = codec::decode::<Decision>(body) else { return };
                self.watch.note(now, 0, "decided", index.0, || format!("{index} {decision:?}"));
                self.watch.observe(now, &Fact::Decided { index: *index, decision: &decision });
                if let (Decision::Active(at), Some(entry)) = (decision, self.entries.get(index).cloned()) {
                    self.watch.mark("activations");
                    self.in_force(&entry, at);
                }
            }
            Key::Manifest(range) => {
                let Ok(manifest) = codec::decode::<Manifest>(body) else { return };
                self.watch.note(now, 0, "manifest", manifest.epoch.0, || {
                    let v = featuregrid_protocol::position::offsets(&manifest.positions);
                    format!("{range} {} {:?} {:?} at {} {v:?}", manifest.epoch, class, manifest.owner, manifest.index)
                });
                let before = self.manifests.insert(*range, manifest.clone());
                if class == WriteClass::Claim && before.is_some() {
                    self.watch.mark("owner_changes");
                }
                self.watch.observe(now, &Fact::Manifest { before: before.as_ref(), after: &manifest });
                if class != WriteClass::Claim {
                    self.look_at_manifest(&manifest);
                }
            }
            Key::Lease(_) => {
                if class == WriteClass::Fence {
                    self.watch.mark("fences");
                }
            }
            Key::Part(..) | Key::Begin(_) | Key::Topic(_) => {}
        }
    }

    /// An object is gone: what referred to it must be restorable all the same.
    fn removed(&mut self, key: &Key) {
        self.watch.mark("parts_removed");
        let Key::Part(range, name) = key else { return };
        let referring =
            self.manifests.get(range).filter(|manifest| manifest.parts.iter().any(|part| part.name == *name));
        if let Some(manifest) = referring.cloned() {
            self.look_at_manifest(&manifest);
        }
    }

    fn in_force(&mut self, entry: &ControlEntry, at: OffsetVector) {
        let previous = self.judge.latest().cloned();
        // A text of the library compiles after every other: its own test says so.
        if let Ok(plan) = self.library.plan(entry.change.definitions(), previous.as_deref(), entry.index) {
            self.judge.activate(at, plan);
        }
    }

    fn produce(&mut self) {
        let now = self.heap.now();
        if now >= self.quiet_until
            && let Some(partition) = self.producer.append(now, &mut self.log)
            && let Some(record) = self.log.partitions().get(&partition).and_then(|log| log.history().last())
        {
            self.watch.note(now, partition.0, "append", record.offset, || format!("{partition} {}", record.offset));
            if let Err(error) = self.judge.record(partition, record) {
                let reason = error.to_string();
                let node = featuregrid_protocol::ids::Incarnation::default();
                self.watch.observe(now, &Fact::Halted { node, reason: &reason });
            }
        }
        if !self.healed {
            let pause = self.producer.pause();
            self.heap.push(now + pause, Event::Produce);
        }
    }

    /// How much longer than usual a hold may be that began then.
    fn excuse(&self, node: NodeId, since: Micros) -> Micros {
        let now = self.heap.now();
        let machine = &self.machines[node.0 as usize];
        let still = machine.still + machine.still_since.map_or(0, |at| now - at);
        let outage = self.outage + self.outage_since.map_or(0, |at| now - at);
        // Totals of the run are generous, but never hide a hold that no decision ends.
        (still + outage).min(now - since)
    }
}

#[cfg(test)]
mod tests;
