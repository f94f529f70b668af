//! One node: a thin shell around the product's own decisions. It receives, calls a core, and performs what the core
//! returns; it decides nothing a core decides. What stands in for gossip and placement is in [`peers`].

mod copies;
mod duties;
mod feeding;
mod peers;
mod reading;
mod reads;
mod walk;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use featuregrid_actors::control::History;
use featuregrid_actors::feed::receiver::Receiver;
use featuregrid_actors::ownership::Progress;
use featuregrid_actors::ports::{Monotonic, StoreReply, StoreRequest};
use featuregrid_actors::shard::Shard;
use featuregrid_actors::snapshot::garbage::Pace;
use featuregrid_actors::steward::Steward;
use featuregrid_protocol::control::{ControlChange, Decision};
use featuregrid_protocol::ids::{ControlIndex, Epoch, Incarnation, NodeId, PartitionId};
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::{Span, Timestamp};

use super::heap::Micros;
use super::library::Library;
use super::log::SimLog;
use super::message::{Message, ReadAnswer};
use crate::plan::Cluster;
use crate::random::Random;
use copies::Copy;
use peers::Peers;
use reading::Reading;
use reads::Waiting;

/// Runs last seconds where grids last months.
const GARBAGE: Pace = Pace { every: Span::millis(900), age: Span::millis(1_500) };

/// What an operator wants, and everybody knows.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Ranges that are to be somewhere else than placement says.
    pub ranges: BTreeMap<RangeId, NodeId>,
    /// Readers that are to be somewhere else than placement says.
    pub readers: BTreeMap<PartitionId, NodeId>,
}

/// What the world hands to a node with every call.
pub struct Around<'a> {
    /// The world's time, for the trace only.
    pub now: Micros,
    /// The node's monotonic clock.
    pub mono: Monotonic,
    /// The same for the feed.
    pub feed: Timestamp,
    /// The node's wall clock.
    pub wall: Timestamp,
    /// The source.
    pub log: &'a SimLog,
    /// Compiled definitions.
    pub library: &'a mut Library,
    /// Knobs.
    pub cluster: &'a Cluster,
    /// What an operator wants.
    pub wishes: &'a Wishes,
    /// Partitions whose log this node cannot reach.
    pub stalled: &'a BTreeSet<PartitionId>,
    /// What is to be done.
    pub acts: &'a mut Vec<Act>,
}

/// What a node wants done, or says of itself.
#[derive(Clone, Debug)]
pub enum Act {
    /// Send a message.
    Send(NodeId, Message),
    /// Ask the store.
    Store(StoreRequest),
    /// An output happened.
    Output(RangeId, Epoch),
    /// A decision was obeyed.
    Obeyed(ControlIndex, Decision),
    /// A hold ended that began at this time.
    Held(ControlIndex, Micros),
    /// A partition was given up.
    Halted(String),
    /// A place was reached so many times.
    Mark(&'static str, u64),
    /// A read was answered.
    Answer(Box<ReadAnswer>),
    /// A queue has this length, of at most so many.
    Queue(&'static str, usize, usize),
    /// For the trace.
    Note(&'static str, String),
    /// The process gives up and starts again.
    Restart,
}

/// A node's process: everything in it is lost in a crash.
pub struct Node {
    /// Which node.
    pub id: NodeId,
    /// The life it acts as, or acted as last.
    pub me: Incarnation,
    random: Random,
    /// Protocols B and C.
    pub steward: Steward,
    genesis: ControlChange,
    /// The activations known; `None` before genesis was read.
    pub history: Option<History>,
    /// State.
    pub shard: Option<Shard>,
    /// Protocol A, receiving side.
    pub receivers: BTreeMap<PartitionId, Receiver>,
    readings: BTreeMap<PartitionId, Reading>,
    copies: BTreeMap<RangeId, Copy>,
    peers: Peers,
    running: bool,
    held: Option<(ControlIndex, Micros)>,
    /// Definitions somebody wants applied here, until they are.
    wanted: VecDeque<String>,
    waiting: VecDeque<Waiting>,
}

impl Node {
    /// A process that begins with empty memory.
    #[must_use]
    pub fn new(id: NodeId, mut random: Random, genesis: ControlChange, nodes: u32) -> Self {
        let steward = Steward::new(id, random.next(), Some(genesis.clone())).collecting(GARBAGE);
        Self {
            id,
            me: Incarnation { node: id, boot: 0 },
            random,
            steward,
            genesis,
            history: None,
            shard: None,
            receivers: BTreeMap::new(),
            readings: BTreeMap::new(),
            copies: BTreeMap::new(),
            peers: Peers::new(id, nodes),
            running: false,
            held: None,
            wanted: VecDeque::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Whether it may send, apply and serve.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// Somebody applies definitions here.
    pub fn apply(&mut self, definitions: String) {
        self.wanted.push_back(definitions);
    }

    /// The store answered.
    pub fn on_store(&mut self, around: &mut Around<'_>, reply: &StoreReply) {
        let effects = self.steward.reply(around.mono, reply);
        self.perform(around, effects);
    }

    /// A message arrived.
    pub fn on_message(&mut self, around: &mut Around<'_>, message: Message) {
        match message {
            Message::Steward { from, to, message } => {
                if Some(to) == self.steward.incarnation() {
                    let effects = self.steward.receive(around.mono, from, &message);
                    self.perform(around, effects);
                }
            }
            Message::ToReader(message) => self.on_to_reader(around, message),
            Message::ToReceiver { to, message } => self.on_to_receiver(around, to, &message),
            Message::Heartbeat { from, owned } => self.peers.heard(around.mono, from, owned),
            Message::Read { from, read } => self.on_read(around, from, read, 1),
            Message::Answer { answer } => around.acts.push(Act::Answer(Box::new(answer))),
            Message::AskSecondReader { from, partition, at, .. } => self.on_ask_second(around, from, partition, &at),
            Message::SecondReader { partition, opinion } => self.on_second(around, partition, &opinion),
        }
    }

    /// The node's turn: time passes, the log is read, duties are looked after.
    pub fn on_turn(&mut self, around: &mut Around<'_>) {
        for progress in [Progress::Reader, Progress::Fold, Progress::Disk] {
            self.steward.progressed(progress);
        }
        let effects = self.steward.tick(around.mono);
        self.perform(around, effects);
        if self.steward.ended().is_some() {
            self.begin_again(around);
        }
        self.turn_feed(around);
        if self.running {
            self.look_after_peers(around);
            self.look_after_copies(around);
            self.look_after_definitions(around);
            self.show_outputs(around);
        }
        self.turn_reads(around);
    }

    /// A life is over; the process goes on, with what it folded as provisional state.
    fn begin_again(&mut self, around: &mut Around<'_>) {
        around.acts.push(Act::Mark("lapses", 1));
        self.steward = Steward::new(self.id, self.random.next(), Some(self.genesis.clone())).collecting(GARBAGE);
        self.running = false;
        self.readings.clear();
        if let Some((index, since)) = self.held.take() {
            around.acts.push(Act::Held(index, since));
            self.end_hold(around);
        }
        let effects = self.steward.tick(around.mono);
        self.perform(around, effects);
    }

    /// Every effect that is allowed now, happens now: what the world sees of an owner.
    fn show_outputs(&mut self, around: &mut Around<'_>) {
        for range in self.copies.keys() {
            if self.steward.may_have_effects(around.mono, *range)
                && let Some(manifest) = self.steward.manifest(*range)
            {
                around.acts.push(Act::Output(*range, manifest.epoch));
            }
        }
    }

    fn look_after_definitions(&mut self, around: &mut Around<'_>) {
        let Some(text) = self.wanted.front() else { return };
        if let Ok(effects) = self.steward.propose(
            around.mono,
            ControlChange::Definitions { definitions: text.clone(), begins: OffsetVector::default() },
            false,
        ) {
            self.wanted.pop_front();
            around.acts.push(Act::Mark("proposals", 1));
            self.perform(around, effects);
        }
    }

    /// Where the ranges held here stand, for whoever looks.
    #[must_use]
    pub fn token(&self, range: RangeId) -> Option<OffsetVector> {
        self.shard.as_ref()?.positions(range).map(featuregrid_protocol::position::offsets)
    }
}
