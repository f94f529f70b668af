//! What time brings: proofs that nothing was lost, and the end of silent subscriptions. Knows no clock.

use std::collections::BTreeSet;

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::Generation;
use featuregrid_protocol::limits::{IDLE_FRAME_EVERY, SUBSCRIPTION_SILENCE};
use featuregrid_protocol::position::PartitionCounters;
use featuregrid_protocol::row::RowBatch;
use featuregrid_protocol::time::Timestamp;

use super::{Effect, Sender};

impl Sender {
    /// Call it at least every [`IDLE_FRAME_EVERY`]. A subscription to which nothing was sent for that long gets an empty
    /// frame at its cursor, with or without credit: it shows a lost last frame as a gap, and its answer makes good for
    /// lost acknowledgements.
    pub fn on_tick(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if self.halted.is_some() {
            return;
        }
        let silent = |heard| now - heard >= SUBSCRIPTION_SILENCE;
        let gone: Vec<Generation> =
            self.subscriptions.iter().filter(|(_, who)| silent(who.heard)).map(|(name, _)| *name).collect();
        for name in gone {
            self.statistics.expired += 1;
            self.forget(name, out);
        }
        let wanted: BTreeSet<_> =
            self.subscriptions.values().flat_map(|subscription| subscription.set.iter()).collect();
        self.interest.retain(&wanted);
        for (name, subscription) in &mut self.subscriptions {
            if now - subscription.sent < IDLE_FRAME_EVERY {
                continue;
            }
            subscription.sent = now;
            self.statistics.idle_frames += 1;
            let (next, max) = (subscription.cursor.next, subscription.cursor.max);
            let frame = Frame {
                topic: self.origin.topic,
                partition: self.origin.partition,
                leader_epoch: self.origin.leader,
                index: self.active.0,
                generation: *name,
                from: next,
                to: next,
                max_before: max,
                max_after: max,
                deltas: PartitionCounters::default(),
                rows: RowBatch::default(),
            };
            out.push(Effect::Send { to: subscription.subscriber, frame });
        }
        self.open_queued(now, out);
    }
}
