//! What changes under a running feed: the control index, the leader, the topic. Knows no control log and no broker.

use featuregrid_protocol::ids::{ControlIndex, Generation, LeaderEpoch, Offset, TopicId};
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::time::Timestamp;

use super::subscription::Stage;
use super::{Effect, Sender};
use crate::feed::halt::HaltReason;
use crate::feed::start::start_of;

impl Sender {
    /// An entry is prepared and this node has reported: nothing past `at` is sent until a decision. Decoding goes on
    /// as far as the ring can give it up again.
    pub fn hold(&mut self, at: Offset) {
        self.hold = Some(at);
    }

    /// The entry was aborted: what was held goes out.
    pub fn release(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.hold = None;
        if self.refused_chunks {
            let head = self.ring.head().clone();
            self.reread(head, out);
        }
        self.resume(now, out);
    }

    /// Entry `index` is in force from `at` on: what was decoded past it under the old index is given up, and read again.
    pub fn activate(&mut self, now: Timestamp, index: ControlIndex, at: Offset, out: &mut Vec<Effect>) {
        if index <= self.active.0 {
            return;
        }
        self.active = (index, at);
        self.hold = None;
        let given_up = self.ring.truncate(at);
        if given_up || self.refused_chunks {
            let head = self.ring.head().clone();
            self.reread(head, out);
        }
        let past: Vec<Generation> = self
            .subscriptions
            .iter()
            .filter(|(_, subscription)| matches!(subscription.stage, Stage::Replay { until, .. } if until > at))
            .map(|(name, _)| *name)
            .collect();
        for name in past {
            self.place(name, out);
        }
        self.resume(now, out);
    }

    /// A new leader answers for the partition; what it has in common with the old one ends at `end`.
    pub fn on_leader_change(&mut self, leader: LeaderEpoch, end: Offset, out: &mut Vec<Effect>) {
        if leader <= self.origin.leader || self.halted.is_some() {
            return;
        }
        let next = self.ring.head().next;
        if end < next {
            let partition = self.origin.partition;
            self.halt(HaltReason::Truncated { partition, leader, end, next }, out);
            return;
        }
        // The ring is a prefix of the new leader's log too, so its frames may carry the new epoch.
        self.origin.leader = leader;
    }

    /// The topic of this name has another identity now.
    pub fn on_topic_change(&mut self, topic: TopicId, out: &mut Vec<Effect>) {
        if topic != self.origin.topic && self.halted.is_none() {
            let (partition, expected) = (self.origin.partition, self.origin.topic);
            self.halt(HaltReason::TopicRecreated { partition, expected, found: topic }, out);
        }
    }

    /// Begins the live walk anew at `from`, at or before which the ring is kept.
    pub(super) fn reread(&mut self, from: PartitionPosition, out: &mut Vec<Effect>) {
        if from != *self.ring.head() {
            self.ring.reset(start_of(&from));
        }
        self.refused_chunks = false;
        self.interest.rewind(from.next);
        self.statistics.rereads += 1;
        out.push(Effect::Reread { from: self.ring.head().clone() });
    }

    /// Goes on where the hold stopped.
    fn resume(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let names: Vec<Generation> = self.subscriptions.keys().copied().collect();
        for name in names {
            if self.subscriptions.get(&name).is_some_and(|subscription| subscription.stage == Stage::Parked) {
                self.place(name, out);
            }
            self.pump(now, name, out);
        }
        self.open_queued(now, out);
    }
}
