//! Rule 3: which frame moves a group. Knows no row.
//!
//! The order of the checks is the order in which a wrong frame can be told: whose is it, of which log, from where,
//! under which index, may we now, after which prefix.

use std::sync::Arc;

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::{Generation, LeaderEpoch};
use featuregrid_protocol::limits::{ASK_AGAIN_AFTER, NACK_EVERY};
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::time::Timestamp;

use super::effect::{Dropped, Effect, Verdict};
use super::{InForce, Receiver};
use crate::feed::messages::NackReason;

/// Where a frame lies relative to `v`.
enum Place {
    Behind,
    Idle,
    Next,
    Gap,
}

impl Receiver {
    /// Takes a frame. `indexes` are the activations the node knows now.
    pub fn on_frame(
        &mut self,
        now: Timestamp,
        frame: &Frame,
        indexes: &impl InForce,
        out: &mut Vec<Effect>,
    ) -> Verdict {
        if self.halted.is_some() {
            return Verdict::Dropped(Dropped::Halted);
        }
        if frame.partition != self.partition {
            return Verdict::Dropped(Dropped::OtherPartition);
        }
        let Some(generation) = self.current(frame.generation) else {
            self.statistics.stale_generation_frames += 1;
            self.unsubscribe(frame.generation, out);
            return Verdict::Dropped(Dropped::StaleGeneration);
        };
        if frame.topic != self.topic {
            return self.mismatch(now, generation, frame, out);
        }
        if let Err(dropped) = self.check_leader(now, generation, frame.leader_epoch, out) {
            return Verdict::Dropped(dropped);
        }
        if let Some(group) = self.groups.get_mut(&generation) {
            group.heard = now;
        }
        match self.locate(generation, frame) {
            Place::Behind => {
                self.statistics.duplicates += 1;
                self.acknowledge(generation, out);
                return Verdict::Dropped(Dropped::Duplicate);
            }
            Place::Idle => {
                self.statistics.idle += 1;
                self.acknowledge(generation, out);
                self.settle(now, out);
                return Verdict::Dropped(Dropped::Idle);
            }
            Place::Gap => return self.gap(now, generation, out),
            Place::Next => {}
        }
        if let Err(dropped) = self.check_index(now, generation, frame, indexes, out) {
            return Verdict::Dropped(dropped);
        }
        if self.hold.is_some_and(|at| frame.to > at) || self.waits_for_join(now, generation) {
            return self.held(generation, out);
        }
        let Some(group) = self.groups.get_mut(&generation) else {
            return Verdict::Dropped(Dropped::StaleGeneration);
        };
        if frame.max_before != group.position.max && !plants::on(Plant::MaxOffsetDedup) {
            return self.mismatch(now, generation, frame, out);
        }
        group.pass(frame);
        let ranges = Arc::clone(&group.set);
        self.leader = Some(frame.leader_epoch);
        self.statistics.applied += 1;
        self.acknowledge(generation, out);
        self.settle(now, out);
        Verdict::Apply(ranges)
    }

    /// The group a frame may move: only that of its own generation.
    fn current(&self, generation: Generation) -> Option<Generation> {
        if self.groups.contains_key(&generation) {
            return Some(generation);
        }
        if plants::on(Plant::A3OldGeneration) { self.shared } else { None }
    }

    fn check_leader(
        &mut self,
        now: Timestamp,
        generation: Generation,
        leader: LeaderEpoch,
        out: &mut Vec<Effect>,
    ) -> Result<(), Dropped> {
        let Some(since) = self.leader else { return Ok(()) };
        if leader < since {
            self.statistics.lower_leader_frames += 1;
            return Err(Dropped::LowerLeaderEpoch);
        }
        if leader > since {
            self.skip(generation);
            if self.leader_asked.due(now, ASK_AGAIN_AFTER) {
                out.push(Effect::CheckTruncation { leader, since });
            }
            return Err(Dropped::LeaderUnchecked);
        }
        Ok(())
    }

    fn locate(&mut self, generation: Generation, frame: &Frame) -> Place {
        let next = self.groups.get(&generation).map_or(0, |group| group.position.next);
        if plants::on(Plant::MaxOffsetDedup) && frame.from < frame.to {
            let seen = self.to_largest;
            self.to_largest = seen.max(frame.to);
            return if frame.to <= seen { Place::Behind } else { Place::Next };
        }
        if frame.from == frame.to && frame.to == next {
            Place::Idle
        } else if frame.to <= next {
            Place::Behind
        } else if frame.from == next {
            Place::Next
        } else {
            Place::Gap
        }
    }

    fn gap(&mut self, now: Timestamp, generation: Generation, out: &mut Vec<Effect>) -> Verdict {
        if self.waits_for_join(now, generation) {
            return self.held(generation, out);
        }
        self.statistics.gaps += 1;
        let Some(group) = self.groups.get_mut(&generation) else {
            return Verdict::Dropped(Dropped::StaleGeneration);
        };
        if group.gap_at != group.position.next {
            group.gap_at = group.position.next;
            group.gap_reported.answered();
        }
        if group.gap_reported.due(now, NACK_EVERY) {
            self.nack(generation, NackReason::Gap, out);
        }
        Verdict::Dropped(Dropped::Gap)
    }

    fn check_index(
        &mut self,
        now: Timestamp,
        generation: Generation,
        frame: &Frame,
        indexes: &impl InForce,
        out: &mut Vec<Effect>,
    ) -> Result<(), Dropped> {
        if plants::on(Plant::B3ZombieIndex) {
            return Ok(());
        }
        if frame.index > indexes.newest() {
            self.skip(generation);
            if self.control_asked.due(now, ASK_AGAIN_AFTER) {
                out.push(Effect::FetchControl { index: frame.index });
            }
            return Err(Dropped::NewerIndex);
        }
        let in_force = |offset| indexes.index_at(self.partition, offset) == frame.index;
        // Activations only follow one another, so both ends decide about everything between.
        if !in_force(frame.from) || !in_force(frame.to - 1) {
            self.statistics.other_index_frames += 1;
            return Err(Dropped::OtherIndex);
        }
        Ok(())
    }

    /// Drops a frame whose group has to wait; the answer says that we live, and gives back what credit it can.
    fn held(&mut self, generation: Generation, out: &mut Vec<Effect>) -> Verdict {
        self.statistics.held_frames += 1;
        self.skip(generation);
        self.acknowledge(generation, out);
        Verdict::Dropped(Dropped::Held)
    }

    /// Remembers that a frame was dropped that has to come again.
    fn skip(&mut self, generation: Generation) {
        if let Some(group) = self.groups.get_mut(&generation) {
            group.skipped = true;
        }
    }
}
