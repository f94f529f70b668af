//! Nodes with a reader and a receiver each, a network that loses, doubles and reorders, and the oracle at every frame.
//! Knows no history: tests drive it.

use std::collections::BTreeMap;

use featuregrid_protocol::ids::{ControlIndex, LeaderEpoch, NodeId, Offset, PartitionId, TopicId};
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::time::{Span, Timestamp};

use super::kit::{Activations, life};
use super::log::{Log, Rows};
use crate::feed::messages::{ToReader, ToReceiver};
use crate::feed::receiver::{self, InForce, Opinion, Receiver, Verdict};
use crate::feed::sender::{self, Origin, ReplayId, Sender};

const PARTITION: PartitionId = PartitionId(0);
const TOPIC: TopicId = TopicId([7; 16]);

/// A range's state: its triple and its rows. What a snapshot keeps.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) position: PartitionPosition,
    pub(super) rows: Rows,
}

/// One message on its way.
#[derive(Clone, Debug)]
pub(super) enum Letter {
    ToReader(usize, ToReader),
    ToReceiver(usize, ToReceiver),
}

/// A replay as its host keeps it.
struct Walk {
    position: PartitionPosition,
    until: Offset,
}

/// One node.
pub(super) struct Node {
    boot: u64,
    pub(super) receiver: Receiver,
    pub(super) ranges: BTreeMap<RangeId, State>,
    pub(super) sender: Sender,
    walks: BTreeMap<ReplayId, Walk>,
    pulls: Vec<ReplayId>,
    /// The activations it knows.
    known: Activations,
    held: bool,
    /// Its reader sleeps through a prepared entry: it neither reports nor holds, and wakes up with the old index.
    zombie: bool,
}

impl Node {
    /// The next offset after all it sent or applied; under a hold, that does not change.
    fn report(&self) -> Offset {
        let sent = if self.zombie { 0 } else { self.sender.next_offset() };
        self.receiver.next_offset().max(sent)
    }
}

/// All of it.
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) log: Log,
    pub(super) nodes: Vec<Node>,
    pub(super) letters: Vec<Letter>,
    /// Activations as decided; nodes learn of them one by one.
    truth: Activations,
    /// A decision is pending.
    prepared: bool,
}

impl World {
    pub(super) fn new(nodes: usize) -> Self {
        let start = PartitionPosition::start(0);
        let node = |number| Node {
            boot: 1,
            receiver: Receiver::new(life(number, 1), TOPIC, PARTITION),
            ranges: BTreeMap::new(),
            sender: sender(number, 1, &start, &Activations(Vec::new())),
            walks: BTreeMap::new(),
            pulls: Vec::new(),
            known: Activations(Vec::new()),
            held: false,
            zombie: false,
        };
        Self {
            now: Timestamp(0),
            log: Log::default(),
            nodes: (0..nodes as u32).map(node).collect(),
            letters: Vec::new(),
            truth: Activations(Vec::new()),
            prepared: false,
        }
    }

    /// Nobody knows of a range's state: it begins at 0.
    pub(super) fn empty() -> State {
        State { position: PartitionPosition::start(0), rows: Rows::new() }
    }

    pub(super) fn add(&mut self, node: usize, ranges: &RangeSet, state: impl Fn(RangeId) -> State) {
        for range in ranges.iter() {
            let state = state(range);
            let mut out = Vec::new();
            self.nodes[node].receiver.add_range(self.now, range, state.position.clone(), &mut out);
            self.nodes[node].ranges.insert(range, state);
            self.perform(node, out);
        }
    }

    pub(super) fn drop_range(&mut self, node: usize, range: RangeId) {
        let mut out = Vec::new();
        self.nodes[node].receiver.drop_range(self.now, range, &mut out);
        self.nodes[node].ranges.remove(&range);
        self.perform(node, out);
    }

    pub(super) fn read_from(&mut self, node: usize, reader: usize) {
        let mut out = Vec::new();
        self.nodes[node].receiver.on_reader(self.now, NodeId(reader as u32), &mut out);
        self.perform(node, out);
    }

    /// The receiver loses its memory and comes back in a new life with what `state` gives each of its ranges.
    pub(super) fn restart_receiver(&mut self, number: usize, state: impl Fn(RangeId, &State) -> State) {
        let node = &mut self.nodes[number];
        node.boot += 1;
        let reader = node.receiver.reader();
        node.receiver = Receiver::new(life(number as u32, node.boot), TOPIC, PARTITION);
        if let Some(reader) = reader {
            node.receiver.on_reader(self.now, reader, &mut Vec::new());
        }
        for (range, old) in std::mem::take(&mut node.ranges) {
            let new = state(range, &old);
            self.add(number, &RangeSet::from_iter([range]), |_| new.clone());
        }
        self.rehold(number);
    }

    /// The reader loses its memory and begins again at `start`.
    pub(super) fn restart_sender(&mut self, number: usize, start: &PartitionPosition) {
        self.learn(number);
        let node = &mut self.nodes[number];
        node.boot += 1;
        node.sender = sender(number as u32, node.boot, start, &node.known);
        node.walks.clear();
        node.pulls.clear();
        self.rehold(number);
    }

    /// A node that starts under a prepared entry is held by it.
    fn rehold(&mut self, number: usize) {
        self.learn(number);
        if self.prepared {
            self.hold(number);
        }
    }

    fn hold(&mut self, number: usize) {
        let at = self.nodes[number].report();
        let node = &mut self.nodes[number];
        if !node.zombie {
            node.sender.hold(at);
        }
        node.receiver.hold(at);
        node.held = true;
    }

    /// Every node reports and holds, but the reader of `zombie`.
    pub(super) fn prepare(&mut self, zombie: Option<usize>) {
        if !self.prepared {
            self.prepared = true;
            for number in 0..self.nodes.len() {
                self.learn(number);
                self.nodes[number].zombie = zombie == Some(number);
                self.hold(number);
            }
        }
    }

    /// The pending entry is decided: aborted, or in force `beyond` offsets after every report.
    pub(super) fn decide(&mut self, active: bool, beyond: u64) {
        if std::mem::take(&mut self.prepared) && active {
            let reported = self.nodes.iter().map(Node::report).max().unwrap_or(0);
            let previous = self.truth.0.last().copied().unwrap_or(0);
            self.truth.0.push(reported.max(previous) + beyond);
        }
    }

    /// A node reads the control log.
    pub(super) fn learn(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let (mut to_sender, mut to_receiver) = (Vec::new(), Vec::new());
        for (at, index) in self.truth.0.iter().zip(1..).skip(node.known.0.len()) {
            node.known.0.push(*at);
            node.sender.activate(self.now, ControlIndex(index), *at, &mut to_sender);
        }
        if node.held && !self.prepared {
            node.held = false;
            node.sender.release(self.now, &mut to_sender);
            node.receiver.release(self.now, &mut to_receiver);
        }
        node.receiver.on_control(self.now, &mut to_receiver);
        self.send(number, to_sender);
        self.perform(number, to_receiver);
    }

    /// The live walk of a node's reader goes on by one chunk.
    pub(super) fn read(&mut self, number: usize, records: usize) {
        let node = &mut self.nodes[number];
        let mut out = Vec::new();
        if let Some(chunk) = self.log.decode(node.sender.head(), records, Offset::MAX, &node.known) {
            node.sender.on_chunk(self.now, chunk, &mut out);
        }
        self.send(number, out);
    }

    /// One pulled replay goes on by one chunk.
    pub(super) fn replay(&mut self, number: usize, records: usize) {
        let node = &mut self.nodes[number];
        let mut out = Vec::new();
        if let Some(id) = node.pulls.pop()
            && let Some(walk) = node.walks.get_mut(&id)
            && let Some(chunk) = self.log.decode(&walk.position, records, walk.until, &node.known)
        {
            crate::feed::ring::pass(&mut walk.position, &chunk);
            node.sender.on_replay_chunk(self.now, id, &chunk, &mut out);
        }
        self.send(number, out);
    }

    pub(super) fn tick(&mut self, span: Span) {
        self.now = self.now + span;
        for number in 0..self.nodes.len() {
            let (mut to_sender, mut to_receiver) = (Vec::new(), Vec::new());
            self.nodes[number].sender.on_tick(self.now, &mut to_sender);
            self.nodes[number].receiver.on_tick(self.now, &mut to_receiver);
            self.send(number, to_sender);
            self.perform(number, to_receiver);
        }
    }

    /// The letter at `index` arrives.
    pub(super) fn deliver(&mut self, index: usize) {
        match self.letters.remove(index) {
            Letter::ToReader(number, message) => {
                let mut out = Vec::new();
                self.nodes[number].sender.on_message(self.now, message, &mut out);
                self.send(number, out);
            }
            Letter::ToReceiver(number, message) => {
                let mut out = Vec::new();
                let node = &mut self.nodes[number];
                let verdict = node.receiver.on_message(self.now, &message, &node.known, &mut out);
                if let (Some(Verdict::Apply(ranges)), ToReceiver::Frame(frame)) = (verdict, &message) {
                    for range in ranges.iter() {
                        let state = node.ranges.get_mut(&range).expect("only ranges that are here are applied to");
                        let mine = frame.rows.iter().filter(|row| range.contains(row.head.hash));
                        state.rows.extend(mine.map(|row| (row.head.offset, u64::from(row.head.view))));
                        state.position.next = frame.to;
                        state.position.max = frame.max_after;
                        state.position.counters += &frame.deltas;
                        let (position, rows) = self.log.truth(range, frame.to, &self.truth);
                        assert_eq!(state.rows, rows, "rows of {range} on {number} at {}", frame.to);
                        assert_eq!(state.position, position, "triple of {range} on {number}");
                    }
                }
                self.perform(number, out);
            }
        }
    }

    fn send(&mut self, number: usize, effects: Vec<sender::Effect>) {
        let node = &mut self.nodes[number];
        for effect in effects {
            match effect {
                sender::Effect::Send { to, frame } => {
                    self.letters.push(Letter::ToReceiver(to.node.0 as usize, ToReceiver::Frame(frame)));
                }
                sender::Effect::Included { to, answer } => {
                    self.letters.push(Letter::ToReceiver(to.node.0 as usize, ToReceiver::Included(answer)));
                }
                sender::Effect::Refused { to, answer } => {
                    self.letters.push(Letter::ToReceiver(to.node.0 as usize, ToReceiver::Refused(answer)));
                }
                sender::Effect::OpenReplay { id, from, until } => {
                    assert!(until > from.next, "a replay has something to read");
                    node.walks.insert(id, Walk { position: from, until });
                }
                sender::Effect::PullReplay { id } => node.pulls.push(id),
                sender::Effect::CloseReplay { id } => assert!(node.walks.remove(&id).is_some(), "{id:?} was open"),
                // The live walk of this host always stands at the head.
                sender::Effect::Reread { from } => assert_eq!(&from, node.sender.head()),
                sender::Effect::Halt(reason) => panic!("false halt: {reason}"),
            }
        }
    }

    fn perform(&mut self, number: usize, effects: Vec<receiver::Effect>) {
        for effect in effects {
            match effect {
                receiver::Effect::Send { to, message } => {
                    self.letters.push(Letter::ToReader(to.0 as usize, message));
                }
                receiver::Effect::FetchControl { .. } => self.learn(number),
                receiver::Effect::AskSecondReader { at, .. } => {
                    let position = self.log.truth(RangeId::WHOLE, at.next, &self.truth).0;
                    let opinion = Opinion { topic: TOPIC, position };
                    let mut out = Vec::new();
                    self.nodes[number].receiver.on_second_reader(&opinion, &mut out);
                    self.perform(number, out);
                }
                receiver::Effect::CheckTruncation { leader, since } => panic!("no leader changed: {leader} {since}"),
                receiver::Effect::Halt(reason) => panic!("false halt: {reason}"),
            }
        }
    }

    /// The network heals and readers read on: every range reaches the end of the log, in one group.
    pub(super) fn settle(&mut self) {
        self.decide(false, 0);
        for number in 0..self.nodes.len() {
            self.learn(number);
        }
        for _ in 0..400 {
            if self.is_settled() {
                return;
            }
            for _ in 0..self.letters.len() {
                self.deliver(0);
            }
            for number in 0..self.nodes.len() {
                self.read(number, 7);
                for _ in 0..self.nodes[number].pulls.len() {
                    self.replay(number, 5);
                }
            }
            self.tick(Span::millis(20));
        }
        let stuck: Vec<_> = self.nodes.iter().map(|node| (&node.receiver, &node.sender)).collect();
        panic!("not at {} in one group each: {stuck:#?}", self.log.end());
    }

    fn is_settled(&self) -> bool {
        let there = |state: &State| state.position.next == self.log.end();
        self.nodes.iter().all(|node| node.receiver.is_joined() && node.ranges.values().all(there))
    }
}

fn sender(node: u32, boot: u64, start: &PartitionPosition, known: &Activations) -> Sender {
    let origin = Origin { topic: TOPIC, partition: PARTITION, leader: LeaderEpoch(1) };
    let from = known.0.last().copied().unwrap_or(0);
    Sender::new(life(node, boot), origin, start, known.newest(), from)
}
