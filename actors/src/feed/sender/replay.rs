//! Reading the log again for one subscription. Knows no log client: replays are opened, pulled and closed by effects.

use featuregrid_protocol::ids::{Generation, Offset};
use featuregrid_protocol::limits::REPLAYS_MAX;
use featuregrid_protocol::time::Timestamp;

use super::effect::ReplayId;
use super::subscription::Stage;
use super::{Effect, Sender};
use crate::feed::messages::{Refusal, Refused};
use crate::feed::start::start_of;
use crate::reader::Chunk;

impl Sender {
    /// Takes a chunk of a replay; one of a closed replay is ignored.
    pub fn on_replay_chunk(&mut self, now: Timestamp, id: ReplayId, chunk: &Chunk, out: &mut Vec<Effect>) {
        let Some(generation) = self.replays.get(&id).copied() else { return };
        let Some(subscription) = self.subscriptions.get_mut(&generation) else { return };
        let Stage::Replay { until, pulled, .. } = &mut subscription.stage else { return };
        let until = *until;
        *pulled = false;
        let fits = chunk.from == subscription.cursor.next && chunk.to > chunk.from;
        let outdated = chunk.index < self.active.0 && chunk.to > self.active.1;
        if !fits || outdated {
            self.place(generation, out);
        } else if self.hold.is_some_and(|at| chunk.to > at) {
            self.close_replay(generation, out);
            if let Some(subscription) = self.subscriptions.get_mut(&generation) {
                subscription.stage = Stage::Parked;
            }
        } else {
            self.send(now, generation, chunk, out);
            if chunk.to >= until {
                self.place(generation, out);
            }
            self.pump(now, generation, out);
        }
        self.open_queued(now, out);
    }

    /// The log begins at `earliest`, after what a replay needs.
    pub fn on_replay_lost(&mut self, now: Timestamp, id: ReplayId, earliest: Offset, out: &mut Vec<Effect>) {
        let Some(generation) = self.replays.get(&id).copied() else { return };
        if let Some(subscription) = self.subscriptions.get(&generation) {
            self.statistics.refused += 1;
            let partition = self.origin.partition;
            let answer = Refused { partition, generation, reason: Refusal::RetentionPassed { earliest } };
            out.push(Effect::Refused { to: subscription.subscriber, answer });
        }
        self.forget(generation, out);
        self.open_queued(now, out);
    }

    /// Opens replays for those who wait for one, as many as may run.
    pub(super) fn open_queued(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        while self.replays.len() < REPLAYS_MAX {
            let waits = |stage: Stage| stage == Stage::Queued;
            let Some((name, subscription)) = self.subscriptions.iter_mut().find(|(_, waiting)| waits(waiting.stage))
            else {
                return;
            };
            let name = *name;
            self.replay_last += 1;
            let id = ReplayId(self.replay_last);
            // Inside a chunk that the ring has, only the rest of that chunk is read again; else everything up to the
            // head, because the tail moves on meanwhile.
            let next = subscription.cursor.next;
            let included = self.interest.included_from(&subscription.set, self.ring.tail());
            let rest = if next >= included { self.ring.end_around(next) } else { None };
            let until = rest.unwrap_or(self.ring.head().next);
            subscription.stage = Stage::Replay { id, until, pulled: false };
            self.replays.insert(id, name);
            self.statistics.replays += 1;
            out.push(Effect::OpenReplay { id, from: start_of(&subscription.cursor), until });
            self.pump(now, name, out);
        }
    }

    /// Asks for one chunk if credit allows.
    pub(super) fn pull(&mut self, generation: Generation, out: &mut Vec<Effect>) {
        let Some(subscription) = self.subscriptions.get_mut(&generation) else { return };
        let credit = subscription.has_credit();
        if let Stage::Replay { id, pulled, .. } = &mut subscription.stage
            && credit
            && !*pulled
        {
            *pulled = true;
            out.push(Effect::PullReplay { id: *id });
        }
    }

    /// Ends the replay of a subscription, if it has one; the subscription then waits to be placed.
    pub(super) fn close_replay(&mut self, generation: Generation, out: &mut Vec<Effect>) {
        let Some(subscription) = self.subscriptions.get_mut(&generation) else { return };
        if let Stage::Replay { id, .. } = subscription.stage {
            subscription.stage = Stage::Queued;
            self.replays.remove(&id);
            out.push(Effect::CloseReplay { id });
        }
    }
}
