//! One partition on one node: interpreter, sender and receiver joined without a network between them. Knows no log
//! client, no shard and no clock; what it cannot do itself it asks for ([`Want`]).
//!
//! The feed's machines speak to each other in effects; here those are carried across at once and in order, so that a
//! chunk leaves as a frame for the shards in the same call that takes it.

use std::collections::VecDeque;
use std::sync::Arc;

use featuregrid_actors::control::History;
use featuregrid_actors::feed::receiver::Effect as ReceiverEffect;
use featuregrid_actors::feed::sender::{Effect as SenderEffect, Origin, ReplayId};
use featuregrid_actors::feed::{HaltReason, Receiver, Sender, ToReceiver, Verdict};
use featuregrid_actors::reader::{Chunk, Interpreter, Outcome, Record};
use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::{ControlIndex, Incarnation, LeaderEpoch, Offset, PartitionId, TopicId};
use featuregrid_protocol::plan::LatePolicy;
use featuregrid_protocol::position::{PartitionCounters, PartitionPosition};
use featuregrid_protocol::range::RangeSet;
use featuregrid_protocol::time::Timestamp;

/// What the partition wants of its surroundings, in order.
#[derive(Debug)]
pub enum Want {
    /// Apply the frame to these ranges, before the next frame of this partition.
    Apply(Frame, Arc<RangeSet>),
    /// Open a second walk over the log.
    OpenReplay {
        /// Its name.
        id: ReplayId,
        /// Where it starts.
        from: PartitionPosition,
        /// Its last chunk ends exactly here.
        until: Offset,
    },
    /// Decode one chunk of a replay and hand it to [`PartitionFeed::replayed`].
    PullReplay(ReplayId),
    /// The replay is over.
    CloseReplay(ReplayId),
    /// Read the log again from this offset; chunks handed out and not handed in are void.
    Reread(Offset),
    /// Nothing more can be applied; a human must look.
    Halt(String),
}

/// A walk over the records of a partition that switches plans where the control log says so.
#[derive(Debug)]
pub struct Walk {
    history: Arc<History>,
    partition: PartitionId,
    interpreter: Interpreter,
    next_switch: Option<(Offset, ControlIndex)>,
    ready: Vec<Chunk>,
}

impl Walk {
    /// Begins at a whole triple.
    #[must_use]
    pub fn new(history: Arc<History>, partition: PartitionId, start: PartitionPosition) -> Self {
        let plan = Arc::clone(history.plan_at(partition, start.next));
        let next_switch = history.next_switch(partition, start.next);
        let interpreter = Interpreter::new(plan, partition, start);
        Self { history, partition, interpreter, next_switch, ready: Vec::new() }
    }

    /// Takes the next record.
    pub fn record(&mut self, record: &Record<'_>) -> Option<Outcome> {
        self.pass_switches(record.offset);
        let outcome = self.interpreter.record(record);
        if self.interpreter.is_full() {
            self.cut();
        }
        outcome
    }

    /// What becomes of late records where the walk stands.
    #[must_use]
    pub fn late_policy(&self) -> LatePolicy {
        self.interpreter.late_policy()
    }

    /// There is nothing before `next` any more.
    pub fn advance_to(&mut self, next: Offset) {
        self.pass_switches(next);
        self.interpreter.advance_to(next);
    }

    /// Ends the open chunk, whatever its size.
    pub fn cut(&mut self) {
        self.ready.extend(self.interpreter.cut());
    }

    /// The chunks that ended, in order.
    pub fn take(&mut self) -> Vec<Chunk> {
        std::mem::take(&mut self.ready)
    }

    /// Next offset.
    #[must_use]
    pub fn next(&self) -> Offset {
        self.interpreter.position().next
    }

    /// The accounting of everything before the last cut.
    #[must_use]
    pub fn counters(&self) -> &PartitionCounters {
        &self.interpreter.position().counters
    }

    /// Switches plans at every activation up to `next`: a chunk ends exactly at each.
    fn pass_switches(&mut self, next: Offset) {
        while let Some((at, index)) = self.next_switch.filter(|(at, _)| *at <= next) {
            self.next_switch = self.history.next_switch(self.partition, at);
            if let Some(plan) = self.history.plan(index) {
                self.interpreter.advance_to(at);
                self.ready.extend(self.interpreter.switch(Arc::clone(plan)));
            }
        }
    }
}

/// See the module.
pub struct PartitionFeed {
    me: Incarnation,
    partition: PartitionId,
    history: Arc<History>,
    walk: Walk,
    sender: Sender,
    receiver: Receiver,
    from_sender: VecDeque<SenderEffect>,
    from_receiver: VecDeque<ReceiverEffect>,
}

impl PartitionFeed {
    /// A feed of a life `me` for ranges that stand at these triples; the walk over the log begins where most of them
    /// stand, and the others are replayed to there.
    #[must_use]
    pub fn new(
        me: Incarnation,
        topic: TopicId,
        partition: PartitionId,
        history: Arc<History>,
        groups: Vec<(PartitionPosition, RangeSet)>,
        now: Timestamp,
        wants: &mut Vec<Want>,
    ) -> Self {
        let most = groups.iter().max_by_key(|(_, set)| set.len());
        let start = most.map_or_else(|| PartitionPosition::start(0), |(position, _)| position.clone());
        let latest = history.latest();
        let origin = Origin { topic, partition, leader: LeaderEpoch(0) };
        let sender = Sender::new(me, origin, &start, latest.index, latest.at.get(partition));
        let walk = Walk::new(Arc::clone(&history), partition, start);
        let receiver = Receiver::new(me, topic, partition);
        let (from_sender, from_receiver) = (VecDeque::new(), VecDeque::new());
        let mut feed = Self { me, partition, history, walk, sender, receiver, from_sender, from_receiver };
        let mut out = Vec::new();
        feed.receiver.on_reader(now, me.node, &mut out);
        for (position, set) in groups {
            feed.receiver.add_ranges(now, &set, position, &mut out);
        }
        feed.from_receiver.extend(out);
        feed.settle(now, wants);
        feed
    }

    /// Where the walk over the log goes on.
    #[must_use]
    pub fn next(&self) -> Offset {
        self.walk.next()
    }

    /// The walk, to hand records to; its chunks come back through [`Self::chunk`].
    pub fn walk(&mut self) -> &mut Walk {
        &mut self.walk
    }

    /// Takes a chunk of the walk, in order, once its dead letters are written.
    pub fn chunk(&mut self, now: Timestamp, chunk: Chunk, wants: &mut Vec<Want>) {
        let mut out = Vec::new();
        self.sender.on_chunk(now, chunk, &mut out);
        self.from_sender.extend(out);
        self.settle(now, wants);
    }

    /// Takes a chunk of a replay.
    pub fn replayed(&mut self, now: Timestamp, id: ReplayId, chunk: &Chunk, wants: &mut Vec<Want>) {
        let mut out = Vec::new();
        self.sender.on_replay_chunk(now, id, chunk, &mut out);
        self.from_sender.extend(out);
        self.settle(now, wants);
    }

    /// A replay found that the log begins at `earliest`.
    pub fn replay_lost(&mut self, now: Timestamp, id: ReplayId, earliest: Offset, wants: &mut Vec<Want>) {
        let mut out = Vec::new();
        self.sender.on_replay_lost(now, id, earliest, &mut out);
        self.from_sender.extend(out);
        self.settle(now, wants);
    }

    /// To be called every [`IDLE_FRAME_EVERY`](featuregrid_protocol::limits::IDLE_FRAME_EVERY).
    pub fn tick(&mut self, now: Timestamp, wants: &mut Vec<Want>) {
        let mut out = Vec::new();
        self.sender.on_tick(now, &mut out);
        self.from_sender.extend(out);
        let mut out = Vec::new();
        self.receiver.on_tick(now, &mut out);
        self.from_receiver.extend(out);
        self.settle(now, wants);
    }

    /// The state of `set` was lost and begins anew at `position`.
    pub fn restart(&mut self, now: Timestamp, set: &RangeSet, position: PartitionPosition, wants: &mut Vec<Want>) {
        let mut out = Vec::new();
        self.receiver.add_ranges(now, set, position, &mut out);
        self.from_receiver.extend(out);
        self.settle(now, wants);
    }

    /// Carries effects across until none is left.
    fn settle(&mut self, now: Timestamp, wants: &mut Vec<Want>) {
        loop {
            if let Some(effect) = self.from_sender.pop_front() {
                self.perform_sender(now, effect, wants);
            } else if let Some(effect) = self.from_receiver.pop_front() {
                self.perform_receiver(now, effect, wants);
            } else {
                return;
            }
        }
    }

    fn perform_sender(&mut self, now: Timestamp, effect: SenderEffect, wants: &mut Vec<Want>) {
        let mut out = Vec::new();
        match effect {
            SenderEffect::Send { frame, .. } => match self.receiver.on_frame(now, &frame, &*self.history, &mut out) {
                Verdict::Apply(ranges) => wants.push(Want::Apply(frame, ranges)),
                Verdict::Dropped(why) => tracing::trace!(partition = %self.partition, ?why, "frame dropped"),
            },
            SenderEffect::Included { answer, .. } => {
                self.receiver.on_message(now, &ToReceiver::Included(answer), &*self.history, &mut out);
            }
            SenderEffect::Refused { answer, .. } => {
                self.receiver.on_message(now, &ToReceiver::Refused(answer), &*self.history, &mut out);
            }
            SenderEffect::OpenReplay { id, from, until } => wants.push(Want::OpenReplay { id, from, until }),
            SenderEffect::PullReplay { id } => wants.push(Want::PullReplay(id)),
            SenderEffect::CloseReplay { id } => wants.push(Want::CloseReplay(id)),
            SenderEffect::Reread { from } => {
                let next = from.next;
                self.walk = Walk::new(Arc::clone(&self.history), self.partition, from);
                wants.push(Want::Reread(next));
            }
            SenderEffect::Halt(reason) => wants.push(halt(&reason)),
        }
        self.from_receiver.extend(out);
    }

    fn perform_receiver(&mut self, now: Timestamp, effect: ReceiverEffect, wants: &mut Vec<Want>) {
        let mut out = Vec::new();
        match effect {
            ReceiverEffect::Send { message, .. } => self.sender.on_message(now, message, &mut out),
            ReceiverEffect::FetchControl { .. } => {
                let mut out = Vec::new();
                self.receiver.on_control(now, &mut out);
                self.from_receiver.extend(out);
            }
            // There is one reader and it is ours: it cannot see a newer leader, and nobody can arbitrate.
            ReceiverEffect::CheckTruncation { leader, .. } => {
                wants.push(Want::Halt(format!("{}: an unknown leader {leader}", self.partition)));
            }
            ReceiverEffect::AskSecondReader { at, .. } => {
                let why = format!(
                    "{}: reader and ranges disagree about what lies before offset {}; restart, and report this",
                    self.partition, at.next
                );
                wants.push(Want::Halt(why));
            }
            ReceiverEffect::Halt(reason) => wants.push(halt(&reason)),
        }
        self.from_sender.extend(out);
    }

    /// The life it belongs to.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.me
    }
}

fn halt(reason: &HaltReason) -> Want {
    Want::Halt(reason.to_string())
}
