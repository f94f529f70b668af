//! The reader of one partition on a node: the live walk, its sender and the replays. Knows no receiver's state.

use std::collections::{BTreeMap, VecDeque};

use featuregrid_actors::control::History;
use featuregrid_actors::feed::ReplayId;
use featuregrid_actors::feed::messages::{ToReader, ToReceiver};
use featuregrid_actors::feed::sender::{Effect, Origin, Sender, Statistics};
use featuregrid_protocol::ids::{Incarnation, Offset, PartitionId};
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::time::Timestamp;

use super::walk::{Lost, Walk};
use crate::world::log::SimLog;

/// The reader role of one partition.
#[derive(Debug)]
pub(super) struct Reading {
    partition: PartitionId,
    /// Its decisions.
    pub(super) sender: Sender,
    live: Walk,
    replays: BTreeMap<ReplayId, (Walk, Offset)>,
    pulls: VecDeque<ReplayId>,
    /// When somebody last subscribed or spoke.
    heard: Timestamp,
    /// What was told of the sender's counts.
    told: Statistics,
}

/// What a reader wants sent.
pub(super) type Outgoing = Vec<(Incarnation, ToReceiver)>;

/// What a node hands to its reader with every call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    /// The node's monotonic clock.
    pub(super) now: Timestamp,
    /// The log.
    pub(super) log: &'a SimLog,
    /// The activations the node knows.
    pub(super) history: &'a History,
}

impl Reading {
    /// Begins at a subscriber's triple.
    pub(super) fn new(
        me: Incarnation,
        partition: PartitionId,
        start: &PartitionPosition,
        around: Surroundings<'_>,
    ) -> Self {
        let leader = match around.log.fetch(partition, Offset::MAX, 0) {
            crate::world::log::Fetched::Records { leader_epoch, .. } => leader_epoch,
            _ => featuregrid_protocol::ids::LeaderEpoch(0),
        };
        let origin = Origin { topic: around.log.topic(), partition, leader };
        let latest = around.history.latest();
        let sender = Sender::new(me, origin, start, latest.index, latest.at.get(partition));
        let live = Walk::new(around.history, partition, sender.head().clone());
        Self {
            partition,
            sender,
            live,
            replays: BTreeMap::new(),
            pulls: VecDeque::new(),
            heard: around.now,
            told: Statistics::default(),
        }
    }

    /// A receiver spoke.
    pub(super) fn on_message(&mut self, around: Surroundings<'_>, message: ToReader, out: &mut Outgoing) {
        self.heard = around.now;
        let mut effects = Vec::new();
        self.sender.on_message(around.now, message, &mut effects);
        self.perform(around, effects, out);
    }

    /// Reads on, serves replays, and proves that nothing was lost.
    pub(super) fn on_turn(&mut self, around: Surroundings<'_>, records: usize, out: &mut Outgoing) {
        let mut effects = Vec::new();
        let mut chunks = Vec::new();
        if let Ok(leader) = self.live.step(around.log, around.history, records, Offset::MAX, &mut chunks) {
            if leader > self.sender.origin().leader {
                // Nothing is ever lost in this log: what the leaders have in common is all there is.
                let end = around.log.partitions().get(&self.partition).map_or(0, |log| log.end());
                self.sender.on_leader_change(leader, end, &mut effects);
            }
            for chunk in chunks {
                self.sender.on_chunk(around.now, chunk, &mut effects);
            }
        }
        self.sender.on_tick(around.now, &mut effects);
        self.perform(around, effects, out);
        for _ in 0..self.pulls.len() {
            let Some(id) = self.pulls.pop_front() else { break };
            self.pull(around, id, records, out);
        }
    }

    /// Tells the sender of a hold, its end or an activation.
    pub(super) fn tell(
        &mut self,
        around: Surroundings<'_>,
        out: &mut Outgoing,
        tell: impl FnOnce(&mut Sender, &mut Vec<Effect>),
    ) {
        let mut effects = Vec::new();
        tell(&mut self.sender, &mut effects);
        self.perform(around, effects, out);
    }

    /// What the sender did since this was asked last: (name, how often).
    pub(super) fn news(&mut self) -> [(&'static str, u64); 4] {
        let (before, now) = (self.told, *self.sender.statistics());
        self.told = now;
        [
            ("replays", now.replays - before.replays),
            ("fell_behind", now.fell_behind - before.fell_behind),
            ("rereads", now.rereads - before.rereads),
            ("subscriptions_expired", now.expired - before.expired),
        ]
    }

    /// Whether nobody has been heard for long, so that the role can end.
    #[must_use]
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        self.sender.subscriptions() == 0 && now - self.heard > featuregrid_protocol::time::Span::seconds(5)
    }

    fn pull(&mut self, around: Surroundings<'_>, id: ReplayId, records: usize, out: &mut Outgoing) {
        let mut effects = Vec::new();
        let Some((walk, until)) = self.replays.get_mut(&id) else { return };
        let mut chunks = Vec::new();
        match walk.step(around.log, around.history, records, *until, &mut chunks) {
            Ok(_) if chunks.is_empty() => self.pulls.push_back(id),
            Ok(_) => {
                for chunk in &chunks {
                    self.sender.on_replay_chunk(around.now, id, chunk, &mut effects);
                }
            }
            Err(Lost { earliest }) => self.sender.on_replay_lost(around.now, id, earliest, &mut effects),
        }
        self.perform(around, effects, out);
    }

    fn perform(&mut self, around: Surroundings<'_>, effects: Vec<Effect>, out: &mut Outgoing) {
        for effect in effects {
            match effect {
                Effect::Send { to, frame } => out.push((to, ToReceiver::Frame(frame))),
                Effect::Included { to, answer } => out.push((to, ToReceiver::Included(answer))),
                Effect::Refused { to, answer } => out.push((to, ToReceiver::Refused(answer))),
                Effect::OpenReplay { id, from, until } => {
                    let walk = Walk::new(around.history, self.partition, from);
                    self.replays.insert(id, (walk, until));
                }
                Effect::PullReplay { id } => self.pulls.push_back(id),
                Effect::CloseReplay { id } => {
                    self.replays.remove(&id);
                }
                Effect::Reread { from } => self.live = Walk::new(around.history, self.partition, from),
                Effect::Halt(_) => {}
            }
        }
    }
}
