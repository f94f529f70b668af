//! Protocol A on a node: which reader each partition's receiver listens to, frames into state, and the readers that run
//! here. Knows no rule of the feed.

use std::sync::Arc;

use featuregrid_actors::control::History;
use featuregrid_actors::feed::messages::{ToReader, ToReceiver};
use featuregrid_actors::feed::receiver::{Effect, InForce, Receiver, Verdict};
use featuregrid_actors::feed::{HaltReason, Opinion, start_of};
use featuregrid_protocol::ids::{ControlIndex, Incarnation, NodeId, Offset, PartitionId};
use featuregrid_protocol::limits::{RING_CHUNKS_MAX, SUBSCRIPTIONS_MAX};
use featuregrid_protocol::position::{OffsetVector, PartitionPosition};
use featuregrid_protocol::range::RangeId;

use super::reading::{Outgoing, Reading, Surroundings};
use super::walk::Walk;
use super::{Act, Around, Node};
use crate::world::message::Message;

/// What the receivers ask of a history.
struct Indexes<'a>(&'a History);

impl InForce for Indexes<'_> {
    fn index_at(&self, partition: PartitionId, offset: Offset) -> ControlIndex {
        self.0.index_at(partition, offset)
    }

    fn newest(&self) -> ControlIndex {
        self.0.latest().index
    }
}

impl Node {
    /// Follows a copy from where its state stands.
    pub(super) fn follow(&mut self, around: &mut Around<'_>, range: RangeId) {
        self.discover(around);
        let partitions: Vec<PartitionId> = self.receivers.keys().copied().collect();
        for partition in partitions {
            let stands = self.shard.as_ref().and_then(|shard| shard.positions(range)?.get(&partition)).cloned();
            let position = stands.unwrap_or_else(|| PartitionPosition::start(0));
            self.with_receiver(around, partition, |receiver, around, out| {
                receiver.add_range(around.feed, range, position, out);
            });
        }
    }

    /// Follows a range no longer.
    pub(super) fn unfollow(&mut self, around: &mut Around<'_>, range: RangeId) {
        let partitions: Vec<PartitionId> = self.receivers.keys().copied().collect();
        for partition in partitions {
            self.with_receiver(around, partition, |receiver, around, out| receiver.drop_range(around.feed, range, out));
        }
    }

    /// Partitions that the topic has, and this node did not know.
    fn discover(&mut self, around: &mut Around<'_>) {
        let known: Vec<PartitionId> = around.log.partitions().keys().copied().collect();
        for partition in known {
            if self.receivers.contains_key(&partition) {
                continue;
            }
            let mut receiver = Receiver::new(self.me, around.log.topic(), partition);
            if let Some(limit) = self.steward.limit(partition) {
                receiver.hold(limit);
            }
            self.receivers.insert(partition, receiver);
            let ranges: Vec<RangeId> = self.shard.as_ref().map(|shard| shard.ranges().collect()).unwrap_or_default();
            for range in ranges {
                let stands = self.shard.as_ref().and_then(|shard| shard.positions(range)?.get(&partition)).cloned();
                let position = stands.unwrap_or_else(|| PartitionPosition::start(0));
                self.with_receiver(around, partition, |receiver, around, out| {
                    receiver.add_range(around.feed, range, position, out);
                });
            }
        }
    }

    /// Time passes for receivers and readers.
    pub(super) fn turn_feed(&mut self, around: &mut Around<'_>) {
        if self.shard.is_some() {
            self.discover(around);
        }
        let partitions: Vec<PartitionId> = self.receivers.keys().copied().collect();
        for partition in partitions {
            if self.receivers.get(&partition).is_some_and(|receiver| receiver.reader().is_none()) {
                let reader = self.reader_of(around, partition);
                self.listen_to(around, partition, reader);
            }
            self.with_receiver(around, partition, |receiver, around, out| receiver.on_tick(around.feed, out));
        }
        if self.running {
            self.turn_readings(around);
        }
    }

    /// Frames of a partition are to come from there.
    pub(super) fn listen_to(&mut self, around: &mut Around<'_>, partition: PartitionId, reader: NodeId) {
        self.with_receiver(around, partition, |receiver, around, out| {
            if receiver.reader() != Some(reader) {
                receiver.on_reader(around.feed, reader, out);
            }
        });
    }

    /// What trace A6 lets readers consult: who owns what, as far as heard.
    #[cfg(feature = "plants")]
    pub(super) fn believe_map(&mut self) {
        if !featuregrid_protocol::plants::on(featuregrid_protocol::plants::Plant::A6StaleMap) {
            return;
        }
        let map = self.peers.map();
        self.readings.values_mut().for_each(|reading| reading.sender.set_stale_map(&map));
    }

    fn turn_readings(&mut self, around: &mut Around<'_>) {
        let Some(history) = &self.history else { return };
        self.readings.retain(|_, reading| !reading.is_idle(around.feed));
        let records = around.cluster.fetch_records as usize;
        let mut out = Outgoing::new();
        for (partition, reading) in &mut self.readings {
            let surroundings = Surroundings { now: around.feed, log: around.log, history };
            let reachable = !around.stalled.contains(partition);
            reading.on_turn(surroundings, if reachable { records } else { 0 }, &mut out);
            around.acts.extend(reading.news().map(|(name, times)| Act::Mark(name, times)));
            around.acts.push(Act::Queue("subscriptions", reading.sender.subscriptions(), SUBSCRIPTIONS_MAX));
            around.acts.push(Act::Queue("ring", reading.sender.ring_chunks(), RING_CHUNKS_MAX));
        }
        self.send_out(around, out);
    }

    fn send_out(&self, around: &mut Around<'_>, out: Outgoing) {
        for (to, message) in out {
            around.acts.push(Act::Send(to.node, Message::ToReceiver { to, message }));
        }
    }

    /// A receiver somewhere speaks to the reader of a partition here; whoever is asked, reads.
    pub(super) fn on_to_reader(&mut self, around: &mut Around<'_>, message: ToReader) {
        let (Some(history), true) = (&self.history, self.running) else { return };
        let partition = message.partition();
        if !around.log.partitions().contains_key(&partition) {
            return;
        }
        let surroundings = Surroundings { now: around.feed, log: around.log, history };
        if let (ToReader::Subscribe(subscribe), false) = (&message, self.readings.contains_key(&partition)) {
            let mut reading = Reading::new(self.me, partition, &subscribe.position, surroundings);
            if let Some(limit) = self.steward.limit(partition) {
                reading.sender.hold(limit);
            }
            self.readings.insert(partition, reading);
        }
        let Some(reading) = self.readings.get_mut(&partition) else { return };
        let mut out = Outgoing::new();
        reading.on_message(surroundings, message, &mut out);
        self.send_out(around, out);
    }

    /// A reader speaks to a receiver here.
    pub(super) fn on_to_receiver(&mut self, around: &mut Around<'_>, to: Incarnation, message: &ToReceiver) {
        let Some(history) = &self.history else { return };
        let partition = message.partition();
        let Some(receiver) = self.receivers.get_mut(&partition).filter(|_| to.node == self.id) else { return };
        let before = *receiver.statistics();
        let mut effects = Vec::new();
        let verdict = receiver.on_message(around.feed, message, &Indexes(history), &mut effects);
        let after = *receiver.statistics();
        around.acts.push(Act::Mark("nacks", after.nacks - before.nacks));
        let stale = after.stale_generation_frames - before.stale_generation_frames;
        around.acts.push(Act::Mark("stale_generation_frames", stale));
        around.acts.push(Act::Mark("other_index_frames", after.other_index_frames - before.other_index_frames));
        around.acts.push(Act::Mark("joins", after.joins - before.joins));
        around.acts.push(Act::Mark("duplicates", after.duplicates - before.duplicates));
        if let (ToReceiver::Frame(frame), Some(Verdict::Apply(ranges))) = (message, verdict)
            && let Some(shard) = &mut self.shard
        {
            shard.apply(frame, &ranges);
        }
        self.perform_feed(around, partition, effects);
    }

    fn with_receiver(
        &mut self,
        around: &mut Around<'_>,
        partition: PartitionId,
        act: impl FnOnce(&mut Receiver, &Around<'_>, &mut Vec<Effect>),
    ) {
        let Some(receiver) = self.receivers.get_mut(&partition) else { return };
        let mut effects = Vec::new();
        act(receiver, around, &mut effects);
        self.perform_feed(around, partition, effects);
    }

    fn perform_feed(&mut self, around: &mut Around<'_>, partition: PartitionId, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { to, message } => around.acts.push(Act::Send(to, Message::ToReader(message))),
                Effect::FetchControl { index } => {
                    let effects = self.steward.saw_index(around.mono, index);
                    self.perform(around, effects);
                }
                Effect::CheckTruncation { leader, .. } => {
                    let end = around.log.partitions().get(&partition).map_or(0, |log| log.end());
                    self.with_receiver(around, partition, |receiver, around, out| {
                        receiver.on_leader_checked(around.feed, leader, end, out);
                    });
                }
                Effect::AskSecondReader { at, first, frame_to } => {
                    around.acts.push(Act::Mark("second_readers", 1));
                    let living = self.peers.living(around.mono, Self::suspect_after(around));
                    let others: Vec<NodeId> = living.into_iter().filter(|node| Some(*node) != first).collect();
                    if let Some(to) = self.random.pick(&others).copied() {
                        let message = Message::AskSecondReader { from: self.id, partition, at, frame_to };
                        around.acts.push(Act::Send(to, message));
                    }
                }
                Effect::Halt(HaltReason::RetentionPassed { .. }) => around.acts.push(Act::Restart),
                Effect::Halt(reason) => around.acts.push(Act::Halted(reason.to_string())),
            }
        }
    }

    /// Somebody wants to know what a reader here finds at its offset.
    pub(super) fn on_ask_second(
        &self,
        around: &mut Around<'_>,
        from: NodeId,
        partition: PartitionId,
        at: &PartitionPosition,
    ) {
        let Some(history) = &self.history else { return };
        // Where a copy here, or the log's begin, is not after the place in question.
        let here = self.receivers.get(&partition).into_iter().flat_map(|receiver| receiver.groups());
        let known = here.map(|(_, _, position)| position).filter(|position| position.next <= at.next);
        let earliest = around.log.partitions().get(&partition).map_or(0, |log| log.earliest());
        let start = match known.max_by_key(|position| position.next) {
            Some(position) => position.clone(),
            None if earliest == 0 => PartitionPosition::start(0),
            None => return,
        };
        let mut walk = Walk::new(history, partition, start_of(&start));
        let mut chunks = Vec::new();
        while walk.position().next < at.next {
            let before = walk.position().next;
            if walk.step(around.log, history, usize::MAX, at.next, &mut chunks).is_err()
                || walk.position().next == before
            {
                return;
            }
        }
        let opinion = Opinion { topic: around.log.topic(), position: walk.position().clone() };
        around.acts.push(Act::Send(from, Message::SecondReader { partition, opinion }));
    }

    /// The second reader's opinion.
    pub(super) fn on_second(&mut self, around: &mut Around<'_>, partition: PartitionId, opinion: &Opinion) {
        self.with_receiver(around, partition, |receiver, _, out| receiver.on_second_reader(opinion, out));
    }

    /// An entry is in force: readers switch at its offsets.
    pub(super) fn activate_feed(&mut self, around: &mut Around<'_>, index: ControlIndex, at: &OffsetVector) {
        let Some(history) = &self.history else { return };
        let surroundings = Surroundings { now: around.feed, log: around.log, history };
        let mut out = Outgoing::new();
        for (partition, reading) in &mut self.readings {
            reading.tell(surroundings, &mut out, |sender, effects| {
                sender.activate(around.feed, index, at.get(*partition), effects);
            });
        }
        self.send_out(around, out);
        let partitions: Vec<PartitionId> = self.receivers.keys().copied().collect();
        for partition in partitions {
            self.with_receiver(around, partition, |receiver, around, out| receiver.on_control(around.feed, out));
        }
    }

    /// What was held goes on.
    pub(super) fn end_hold(&mut self, around: &mut Around<'_>) {
        let mut out = Outgoing::new();
        if let Some(history) = &self.history {
            let surroundings = Surroundings { now: around.feed, log: around.log, history };
            for reading in self.readings.values_mut() {
                reading.tell(surroundings, &mut out, |sender, effects| sender.release(around.feed, effects));
            }
        }
        self.send_out(around, out);
        let partitions: Vec<PartitionId> = self.receivers.keys().copied().collect();
        for partition in partitions {
            self.with_receiver(around, partition, |receiver, around, out| receiver.release(around.feed, out));
        }
    }

    /// How far this node has applied a partition, for the trace.
    #[must_use]
    pub fn frontiers(&self) -> OffsetVector {
        OffsetVector(self.receivers.iter().map(|(partition, receiver)| (*partition, receiver.next_offset())).collect())
    }

    /// The plan newest to this node.
    #[must_use]
    pub fn plan(&self) -> Option<&Arc<featuregrid_protocol::plan::Plan>> {
        self.history.as_ref().map(|history| &history.latest().plan)
    }
}
