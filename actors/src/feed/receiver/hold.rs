//! Obstacles that pass: a prepared control entry, an index not known yet, a leader not checked yet. Knows no control log.

use featuregrid_protocol::ids::{LeaderEpoch, Offset};
use featuregrid_protocol::time::Timestamp;

use super::Receiver;
use super::effect::Effect;
use crate::feed::halt::HaltReason;

impl Receiver {
    /// An entry is prepared and this node has reported: nothing past `at` is applied until a decision.
    pub fn hold(&mut self, at: Offset) {
        self.hold = Some(at);
    }

    /// The entry was decided, either way: what was dropped meanwhile is asked for again. From an activation on, only
    /// frames of the index in force are taken, see [`InForce`](super::InForce).
    pub fn release(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.hold = None;
        self.settle(now, out);
    }

    /// The control log was read: frames of an index that was not known may be known now.
    pub fn on_control(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.control_asked.answered();
        self.settle(now, out);
    }

    /// Under `leader`, the log of the leader before ends at `end`.
    pub fn on_leader_checked(&mut self, now: Timestamp, leader: LeaderEpoch, end: Offset, out: &mut Vec<Effect>) {
        self.leader_asked.answered();
        if self.halted.is_some() || self.leader.is_some_and(|since| leader <= since) {
            return;
        }
        let next = self.groups.values().map(|group| group.position.next).max().unwrap_or(0);
        if end < next {
            self.halt(HaltReason::Truncated { partition: self.partition, leader, end, next }, out);
            return;
        }
        self.leader = Some(leader);
        self.settle(now, out);
    }
}
