//! The receiving side of a partition on one node: where its ranges stand, and which frames may move them. Knows no
//! state of any entity: it says which ranges a frame is applied to, the shards do it.
//!
//! Ranges that stand at one offset form a *group* under one generation, so that cost does not grow with ranges. One
//! group is the node's frontier; ranges that came with another position have groups of their own and join it when
//! they are equal. A group moves only by a frame of its own generation: that is what makes loss visible, because an old
//! generation's frame may lack the rows of a range that came since.

mod admit;
mod effect;
mod group;
mod hold;
mod join;
mod opinion;
mod ranges;
mod tick;

use std::collections::BTreeMap;

use featuregrid_protocol::ids::{
    ControlIndex, Generation, Incarnation, LeaderEpoch, NodeId, Offset, PartitionId, TopicId,
};
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::time::Timestamp;

use super::generation::Generations;
use super::halt::HaltReason;
use super::messages::{Ack, Nack, NackReason, Subscribe, ToReader, Unsubscribe};
use super::throttle::Throttle;

pub use effect::{Dropped, Effect, Verdict};
use group::Group;
pub use opinion::Opinion;

/// The activations a node knows.
pub trait InForce {
    /// The control index in force at `offset` of `partition`.
    fn index_at(&self, partition: PartitionId, offset: Offset) -> ControlIndex;
    /// The newest entry whose decision is known.
    fn newest(&self) -> ControlIndex;
}

/// Counts of what a receiver did; they only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Frames applied.
    pub applied: u64,
    /// Frames at or before `v`.
    pub duplicates: u64,
    /// Empty frames that proved that nothing was lost.
    pub idle: u64,
    /// Frames that began after `v` or on both sides of it.
    pub gaps: u64,
    /// Nacks sent, whatever the reason.
    pub nacks: u64,
    /// Frames of a generation that is not ours, or no longer.
    pub stale_generation_frames: u64,
    /// Frames decoded under an index that is not in force over their interval.
    pub other_index_frames: u64,
    /// Frames of an older leader.
    pub lower_leader_frames: u64,
    /// Frames dropped because their group had to wait.
    pub held_frames: u64,
    /// Times a side ahead began to wait for a side behind.
    pub holds: u64,
    /// Groups that became one.
    pub joins: u64,
    /// Subscriptions repeated because nothing was heard.
    pub resubscribes: u64,
    /// Second readers asked.
    pub second_readers: u64,
}

/// The feed of one source partition, on one node.
#[derive(Clone, Debug)]
pub struct Receiver {
    me: Incarnation,
    topic: TopicId,
    partition: PartitionId,
    leader: Option<LeaderEpoch>,
    reader: Option<NodeId>,
    generations: Generations,
    groups: BTreeMap<Generation, Group>,
    /// The group that is the node's frontier; some group is, while there is any.
    shared: Option<Generation>,
    /// Nothing at or after it is applied.
    hold: Option<Offset>,
    joining: join::Joining,
    control_asked: Throttle,
    leader_asked: Throttle,
    second_asked: Throttle,
    /// Largest `to` seen; only a planted bug looks at it.
    to_largest: Offset,
    halted: Option<HaltReason>,
    statistics: Statistics,
}

impl Receiver {
    /// A node in its life `me`, which differs from every earlier one, with no ranges yet.
    #[must_use]
    pub fn new(me: Incarnation, topic: TopicId, partition: PartitionId) -> Self {
        Self {
            me,
            topic,
            partition,
            leader: None,
            reader: None,
            generations: Generations::new(me),
            groups: BTreeMap::new(),
            shared: None,
            hold: None,
            joining: join::Joining::default(),
            control_asked: Throttle::default(),
            leader_asked: Throttle::default(),
            second_asked: Throttle::default(),
            to_largest: 0,
            halted: None,
            statistics: Statistics::default(),
        }
    }

    /// Where `range` stands.
    #[must_use]
    pub fn position(&self, range: RangeId) -> Option<&PartitionPosition> {
        self.groups.values().find(|group| group.set.contains(range)).map(|group| &group.position)
    }

    /// The node's frontier: where most of its ranges stand.
    #[must_use]
    pub fn frontier(&self) -> Option<&PartitionPosition> {
        self.shared.and_then(|name| self.groups.get(&name)).map(|group| &group.position)
    }

    /// What a report to a control entry says: the next offset after everything applied; 0 if nothing.
    #[must_use]
    pub fn next_offset(&self) -> Offset {
        let next = self.groups.values().map(|group| group.position.next).max().unwrap_or(0);
        if plants::on(Plant::B2ReportsLargest) { next.saturating_sub(1) } else { next }
    }

    /// The groups: name, ranges, position; the node's frontier is one of them.
    pub fn groups(&self) -> impl Iterator<Item = (Generation, &RangeSet, &PartitionPosition)> {
        self.groups.iter().map(|(name, group)| (*name, &*group.set, &group.position))
    }

    /// Whether all ranges stand at the node's frontier.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.groups.len() <= 1
    }

    /// Why nothing is applied any more.
    #[must_use]
    pub fn halted(&self) -> Option<&HaltReason> {
        self.halted.as_ref()
    }

    /// Who is asked for frames.
    #[must_use]
    pub fn reader(&self) -> Option<NodeId> {
        self.reader
    }

    /// What was done so far.
    #[must_use]
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    fn halt(&mut self, reason: HaltReason, out: &mut Vec<Effect>) {
        self.halted = Some(reason.clone());
        out.push(Effect::Halt(reason));
    }

    fn say(&self, message: ToReader, out: &mut Vec<Effect>) {
        if let Some(to) = self.reader {
            out.push(Effect::Send { to, message });
        }
    }

    fn subscribe(&mut self, now: Timestamp, generation: Generation, out: &mut Vec<Effect>) {
        let Some(group) = self.groups.get_mut(&generation) else { return };
        group.spoke = now;
        let (set, position) = ((*group.set).clone(), group.position.clone());
        let message = Subscribe { partition: self.partition, subscriber: self.me, generation, set, position };
        self.say(ToReader::Subscribe(message), out);
    }

    fn unsubscribe(&self, generation: Generation, out: &mut Vec<Effect>) {
        self.say(ToReader::Unsubscribe(Unsubscribe { partition: self.partition, generation }), out);
    }

    fn acknowledge(&self, generation: Generation, out: &mut Vec<Effect>) {
        if let Some(group) = self.groups.get(&generation) {
            let ack = Ack { partition: self.partition, generation, next: group.position.next };
            self.say(ToReader::Ack(ack), out);
        }
    }

    fn nack(&mut self, generation: Generation, reason: NackReason, out: &mut Vec<Effect>) {
        let Some(group) = self.groups.get_mut(&generation) else { return };
        group.skipped = false;
        self.statistics.nacks += 1;
        let nack = Nack { partition: self.partition, generation, position: group.position.clone(), reason };
        self.say(ToReader::Nack(nack), out);
    }
}

#[cfg(test)]
mod tests;
