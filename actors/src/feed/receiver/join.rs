//! Rule 4: how a range that is behind becomes part of the node's frontier. Knows no frame.
//!
//! Two groups become one only at one offset. Chunks of a replay and of the ring end at different offsets, so once the
//! distance is that of one frame the side ahead waits; whichever side then jumps over the other waits in turn, and
//! ends at the end of a chunk of the ring, where the other ends too.

use std::sync::Arc;

use featuregrid_protocol::ids::Generation;
use featuregrid_protocol::limits::{FRAME_RECORDS_MAX, JOIN_HOLD_MAX, JOIN_HOLD_REST};
use featuregrid_protocol::range::RangeSet;
use featuregrid_protocol::time::Timestamp;

use super::Receiver;
use super::effect::Effect;
use super::group::Group;
use crate::feed::halt::HaltReason;

/// The one wait of a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Joining {
    /// Nobody is close.
    #[default]
    Apart,
    /// The side ahead waits since then.
    Waiting(Timestamp),
    /// It waited in vain and goes on until then.
    Resting(Timestamp),
}

impl Receiver {
    /// Whether `generation` is ahead of a group it is about to become one with.
    pub(super) fn waits_for_join(&self, now: Timestamp, generation: Generation) -> bool {
        let waiting = match self.joining {
            Joining::Waiting(since) => now - since < JOIN_HOLD_MAX,
            Joining::Apart | Joining::Resting(_) => false,
        };
        waiting && self.is_ahead(generation)
    }

    fn is_ahead(&self, generation: Generation) -> bool {
        let (Some(shared), Some(mine)) = (self.shared, self.groups.get(&generation)) else { return false };
        let close = |behind: &Group| {
            let distance = mine.position.next.saturating_sub(behind.position.next);
            distance > 0 && distance <= FRAME_RECORDS_MAX
        };
        if generation == shared {
            self.groups.iter().any(|(name, other)| *name != shared && close(other))
        } else {
            self.groups.get(&shared).is_some_and(close)
        }
    }

    /// After any change of a position or of time: joins what is equal, begins or ends the wait, and has frames sent
    /// again that were dropped during it.
    pub(super) fn settle(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if self.halted.is_some() {
            return;
        }
        self.join_equals(now, out);
        let close = self.groups.keys().any(|name| self.is_ahead(*name));
        self.joining = match (self.joining, close) {
            (Joining::Resting(until), _) if now < until => Joining::Resting(until),
            (_, false) => Joining::Apart,
            (Joining::Waiting(since), true) if now - since < JOIN_HOLD_MAX => Joining::Waiting(since),
            (Joining::Waiting(_), true) => Joining::Resting(now + JOIN_HOLD_REST),
            (Joining::Apart | Joining::Resting(_), true) => {
                self.statistics.holds += 1;
                Joining::Waiting(now)
            }
        };
        if self.hold.is_none() {
            self.ask_for_skipped(now, out);
        }
    }

    /// Makes one group of the frontier and of all groups that stand where it stands; whether any did.
    pub(super) fn join_equals(&mut self, now: Timestamp, out: &mut Vec<Effect>) -> bool {
        let Some(frontier) = self.shared.and_then(|name| self.groups.get(&name)) else { return false };
        let next = frontier.position.next;
        let equal: Vec<Generation> =
            self.groups.iter().filter(|(_, group)| group.position.next == next).map(|(name, _)| *name).collect();
        if equal.len() < 2 || self.halted.is_some() {
            return false;
        }
        let position = frontier.position.clone();
        let one = frontier.set.iter().next();
        let differs = |name: &Generation| self.groups.get(name).filter(|group| group.position != position);
        let other = equal.iter().find_map(differs).and_then(|group| group.set.iter().next());
        if let (Some(one), Some(other)) = (one, other) {
            self.halt(HaltReason::PositionsDiffer { partition: self.partition, next, one, other }, out);
            return false;
        }
        let joined: Vec<Group> = equal.iter().filter_map(|name| self.groups.remove(name)).collect();
        let set: RangeSet = joined.iter().flat_map(|group| group.set.iter()).collect();
        self.statistics.joins += joined.len() as u64 - 1;
        let name = self.open(now, Arc::new(set), position);
        self.shared = Some(name);
        self.subscribe(now, name, out);
        for old in equal {
            self.unsubscribe(old, out);
        }
        true
    }
}
