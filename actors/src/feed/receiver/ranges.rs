//! Ranges that come and go, and the reader they come from. Knows no placement.

use std::sync::Arc;

use featuregrid_protocol::ids::{Generation, NodeId};
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::time::Timestamp;

use super::effect::Effect;
use super::group::Group;
use super::{InForce, Receiver};
use crate::feed::halt::HaltReason;
use crate::feed::messages::{Included, NackReason, Refusal, Refused, ToReceiver};

impl Receiver {
    /// Follows `range` from `position` on, which its state stands at; a range that is here begins anew there.
    pub fn add_range(&mut self, now: Timestamp, range: RangeId, position: PartitionPosition, out: &mut Vec<Effect>) {
        self.add_ranges(now, &RangeSet::from_iter([range]), position, out);
    }

    /// Follows `set` from one common `position` on: one group, hence one replay, for all of it.
    pub fn add_ranges(&mut self, now: Timestamp, set: &RangeSet, position: PartitionPosition, out: &mut Vec<Effect>) {
        if set.is_empty() {
            return;
        }
        self.take_out(now, set, out);
        let name = self.open(now, Arc::new(set.clone()), position);
        self.shared.get_or_insert(name);
        if !self.join_equals(now, out) {
            self.subscribe(now, name, out);
        }
        self.settle(now, out);
    }

    /// Stops following `range`.
    pub fn drop_range(&mut self, now: Timestamp, range: RangeId, out: &mut Vec<Effect>) {
        self.drop_ranges(now, &RangeSet::from_iter([range]), out);
    }

    /// Stops following `set`. What is left of a group gets a new name, so that no frame in flight can be taken for one
    /// of the smaller set.
    pub fn drop_ranges(&mut self, now: Timestamp, set: &RangeSet, out: &mut Vec<Effect>) {
        self.take_out(now, set, out);
        self.settle(now, out);
    }

    fn take_out(&mut self, now: Timestamp, set: &RangeSet, out: &mut Vec<Effect>) {
        let touches = |group: &Group| set.iter().any(|range| group.set.contains(range));
        let touched: Vec<Generation> =
            self.groups.iter().filter(|(_, group)| touches(group)).map(|(name, _)| *name).collect();
        for name in touched {
            let Some(group) = self.groups.remove(&name) else { continue };
            let rest: RangeSet = group.set.iter().filter(|range| !set.contains(*range)).collect();
            let renamed = (!rest.is_empty()).then(|| self.open(now, Arc::new(rest), group.position));
            if let Some(renamed) = renamed {
                self.subscribe(now, renamed, out);
            }
            self.unsubscribe(name, out);
            if self.shared == Some(name) {
                self.shared = renamed.or_else(|| self.largest());
            }
        }
    }

    /// Frames are to come from `reader` from now on; it is told where every group stands.
    pub fn on_reader(&mut self, now: Timestamp, reader: NodeId, out: &mut Vec<Effect>) {
        if self.reader == Some(reader) {
            return;
        }
        let names: Vec<Generation> = self.groups.keys().copied().collect();
        for name in &names {
            self.unsubscribe(*name, out);
        }
        self.reader = Some(reader);
        for name in names {
            self.subscribe(now, name, out);
        }
    }

    /// Takes any message of a reader; only a frame has a verdict, see [`Receiver::on_frame`].
    pub fn on_message(
        &mut self,
        now: Timestamp,
        message: &ToReceiver,
        indexes: &impl InForce,
        out: &mut Vec<Effect>,
    ) -> Option<super::Verdict> {
        match message {
            ToReceiver::Frame(frame) => return Some(self.on_frame(now, frame, indexes, out)),
            ToReceiver::Included(answer) => self.on_included(now, answer),
            ToReceiver::Refused(answer) => self.on_refused(answer, out),
        }
        None
    }

    /// The reader knows the subscription.
    fn on_included(&mut self, now: Timestamp, answer: &Included) {
        if let Some(group) = self.groups.get_mut(&answer.generation) {
            group.heard = now;
        }
    }

    /// The reader cannot serve a group.
    fn on_refused(&mut self, answer: &Refused, out: &mut Vec<Effect>) {
        let Some(group) = self.groups.get(&answer.generation) else { return };
        let next = group.position.next;
        match answer.reason {
            Refusal::RetentionPassed { earliest } if earliest > next && self.halted.is_none() => {
                let partition = self.partition;
                self.halt(HaltReason::RetentionPassed { partition, next, earliest }, out);
            }
            // A late answer to an older position, or one that time heals.
            Refusal::RetentionPassed { .. } | Refusal::TooMany => {}
        }
    }

    /// A new group under a new name.
    pub(super) fn open(&mut self, now: Timestamp, set: Arc<RangeSet>, position: PartitionPosition) -> Generation {
        let name = self.generations.next_name();
        self.groups.insert(name, Group::new(set, position, now));
        name
    }

    /// The group that becomes the frontier when the frontier's last range left.
    fn largest(&self) -> Option<Generation> {
        let size = |group: &Group| (group.set.len(), group.position.next);
        self.groups.iter().max_by_key(|(_, group)| size(group)).map(|(name, _)| *name)
    }

    /// Has every group that lost a frame to a passing obstacle be served again.
    pub(super) fn ask_for_skipped(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let skipped: Vec<Generation> =
            self.groups.iter().filter(|(_, group)| group.skipped).map(|(name, _)| *name).collect();
        for name in skipped {
            if !self.waits_for_join(now, name) {
                self.nack(name, NackReason::Resume, out);
            }
        }
    }
}
