//! From the log to the ring, and from the ring to subscribers. Knows no log client.

use std::sync::Arc;

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::Generation;
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::time::Timestamp;

use super::subscription::{Stage, Subscription};
use super::{Effect, Sender};
use crate::feed::ring;
use crate::reader::Chunk;

impl Sender {
    /// Takes the next chunk of the live walk. A chunk that does not begin at the head was decoded before a
    /// [`Effect::Reread`] and is void; one that was decoded under an older index than is in force makes the log be read
    /// again.
    pub fn on_chunk(&mut self, now: Timestamp, chunk: Chunk, out: &mut Vec<Effect>) {
        if self.halted.is_some() || chunk.from != self.ring.head().next || chunk.to <= chunk.from {
            return;
        }
        if chunk.index < self.active.0 && chunk.to > self.active.1 {
            let head = self.ring.head().clone();
            self.reread(head, out);
            return;
        }
        // Under a hold the ring keeps everything from the hold on: it may have to be given up and decoded again.
        if self.hold.is_some_and(|at| self.ring.tail_after_push() > at) {
            self.refused_chunks = true;
            return;
        }
        let rows = self.interest.coverage().filter(&chunk.rows);
        self.ring.push(Arc::new(Chunk { rows, ..chunk }));
        let names: Vec<Generation> = self.subscriptions.keys().copied().collect();
        for name in names {
            self.pump(now, name, out);
        }
        self.open_queued(now, out);
    }

    /// Decides where the next frame of a subscription comes from.
    pub(super) fn place(&mut self, generation: Generation, out: &mut Vec<Effect>) {
        self.close_replay(generation, out);
        let Some(subscription) = self.subscriptions.get_mut(&generation) else { return };
        let next = subscription.cursor.next;
        let head = self.ring.head().next;
        let included = self.interest.included_from(&subscription.set, self.ring.tail());
        subscription.stage = if next > head {
            Stage::Ahead
        } else if next >= included && (next == head || self.ring.at(next).is_some()) {
            Stage::Live
        } else {
            Stage::Queued
        };
    }

    /// Sends what there is and credit allows.
    pub(super) fn pump(&mut self, now: Timestamp, generation: Generation, out: &mut Vec<Effect>) {
        let Some(stage) = self.subscriptions.get(&generation).map(|subscription| subscription.stage) else { return };
        match stage {
            Stage::Live => self.pump_live(now, generation, out),
            Stage::Ahead => {
                self.place(generation, out);
                if self.subscriptions.get(&generation).is_some_and(|subscription| subscription.stage == Stage::Live) {
                    self.pump_live(now, generation, out);
                }
            }
            Stage::Replay { .. } => self.pull(generation, out),
            Stage::Queued | Stage::Parked => {}
        }
    }

    fn pump_live(&mut self, now: Timestamp, generation: Generation, out: &mut Vec<Effect>) {
        let head = self.ring.head().next;
        while let Some(subscription) = self.subscriptions.get_mut(&generation) {
            let next = subscription.cursor.next;
            if next == head {
                return;
            }
            let Some(chunk) = self.ring.at(next).cloned() else {
                // The cursor left the ring: this subscriber is too slow for it, and only it pays.
                self.statistics.fell_behind += u64::from(next < self.ring.tail());
                self.place(generation, out);
                return;
            };
            if !subscription.has_credit() || self.hold.is_some_and(|at| chunk.to > at) {
                return;
            }
            self.send(now, generation, &chunk, out);
        }
    }

    /// Sends `chunk`, which begins at the cursor, cut down to the subscription's set.
    pub(super) fn send(&mut self, now: Timestamp, generation: Generation, chunk: &Chunk, out: &mut Vec<Effect>) {
        let tag = self.tag(generation);
        let Some(subscription) = self.subscriptions.get_mut(&generation) else { return };
        let rows = subscription.coverage.filter(&chunk.rows);
        #[cfg(feature = "plants")]
        let rows = match self.stale_map.get(&subscription.subscriber.node) {
            Some(owned) if plants::on(Plant::A6StaleMap) => owned.filter(&rows),
            _ => rows,
        };
        ring::pass(&mut subscription.cursor, chunk);
        subscription.outstanding.push_back(chunk.to);
        subscription.sent = now;
        self.statistics.frames += 1;
        let frame = Frame {
            topic: self.origin.topic,
            partition: self.origin.partition,
            leader_epoch: self.origin.leader,
            index: chunk.index,
            generation: tag,
            from: chunk.from,
            to: chunk.to,
            max_before: chunk.max_before,
            max_after: chunk.max_after,
            deltas: chunk.deltas.clone(),
            rows,
        };
        out.push(Effect::Send { to: subscription.subscriber, frame });
    }

    /// The generation a frame carries: that of the set its rows were cut to, never of another set of the subscriber.
    fn tag(&self, generation: Generation) -> Generation {
        let Some(subscription) = self.subscriptions.get(&generation) else { return generation };
        if plants::on(Plant::A4ReplayShared) && matches!(subscription.stage, Stage::Replay { .. }) {
            let of_same = |(_, other): &(&Generation, &Subscription)| other.subscriber == subscription.subscriber;
            let largest = self.subscriptions.iter().rev().filter(of_same).max_by_key(|(_, other)| other.set.len());
            return largest.map_or(generation, |(name, _)| *name);
        }
        generation
    }
}
