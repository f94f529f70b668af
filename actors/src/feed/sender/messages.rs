//! What subscribers say. Knows no transport.

use featuregrid_protocol::ids::Generation;
use featuregrid_protocol::limits::SUBSCRIPTIONS_MAX;
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::time::Timestamp;

use super::subscription::Subscription;
use super::{Effect, Sender};
use crate::feed::messages::{Ack, Included, Nack, NackReason, Refusal, Refused, Subscribe, ToReader, Unsubscribe};

impl Sender {
    /// Takes any message of a receiver; one about another partition is ignored.
    pub fn on_message(&mut self, now: Timestamp, message: ToReader, out: &mut Vec<Effect>) {
        if message.partition() != self.origin.partition || self.halted.is_some() {
            return;
        }
        match message {
            ToReader::Subscribe(message) => self.on_subscribe(now, message, out),
            ToReader::Unsubscribe(message) => self.on_unsubscribe(now, message, out),
            ToReader::Nack(message) => self.on_nack(now, message, out),
            ToReader::Ack(message) => self.on_ack(now, message, out),
        }
    }

    fn on_subscribe(&mut self, now: Timestamp, message: Subscribe, out: &mut Vec<Effect>) {
        let Subscribe { subscriber, generation, set, position, .. } = message;
        let lives = |other: &Subscription| other.subscriber.node == subscriber.node;
        if self.subscriptions.values().any(|other| lives(other) && other.subscriber.boot > subscriber.boot) {
            return;
        }
        let dead = |other: &Subscription| lives(other) && other.subscriber.boot < subscriber.boot;
        let gone: Vec<Generation> =
            self.subscriptions.iter().filter(|(_, other)| dead(other)).map(|(name, _)| *name).collect();
        for name in gone {
            self.forget(name, out);
        }
        let included_from;
        if let Some(known) = self.subscriptions.get_mut(&generation) {
            // The name stands for one set for ever, so the set of a repeated message is not looked at.
            known.heard = now;
            if position.next < known.acked {
                return;
            }
            included_from = self.interest.included_from(&known.set, self.ring.tail());
            self.relocate(now, generation, position, out);
        } else {
            if self.subscriptions.len() >= SUBSCRIPTIONS_MAX {
                self.statistics.refused += 1;
                let partition = self.origin.partition;
                let answer = Refused { partition, generation, reason: Refusal::TooMany };
                out.push(Effect::Refused { to: subscriber, answer });
                return;
            }
            self.interest.join(&set, self.ring.head().next);
            included_from = self.interest.included_from(&set, self.ring.tail());
            self.subscriptions.insert(generation, Subscription::new(subscriber, set, position, now));
        }
        let answer = Included { partition: self.origin.partition, reader: self.me, generation, included_from };
        out.push(Effect::Included { to: subscriber, answer });
        self.place(generation, out);
        self.pump(now, generation, out);
        self.open_queued(now, out);
    }

    fn on_unsubscribe(&mut self, now: Timestamp, message: Unsubscribe, out: &mut Vec<Effect>) {
        self.forget(message.generation, out);
        self.open_queued(now, out);
    }

    fn on_nack(&mut self, now: Timestamp, message: Nack, out: &mut Vec<Effect>) {
        let Some(subscription) = self.subscriptions.get_mut(&message.generation) else { return };
        subscription.heard = now;
        if message.position.next < subscription.acked {
            return;
        }
        self.statistics.nacks += 1;
        let wrong = message.reason == NackReason::WrongPrefix
            && self.ring.max_at(message.position.next).is_some_and(|max| max != message.position.max);
        if wrong {
            self.reread(message.position.clone(), out);
        }
        self.relocate(now, message.generation, message.position, out);
        self.place(message.generation, out);
        self.pump(now, message.generation, out);
        self.open_queued(now, out);
    }

    fn on_ack(&mut self, now: Timestamp, message: Ack, out: &mut Vec<Effect>) {
        let Some(subscription) = self.subscriptions.get_mut(&message.generation) else { return };
        subscription.heard = now;
        subscription.acknowledge(message.next);
        self.pump(now, message.generation, out);
        self.open_queued(now, out);
    }

    /// The subscriber stands at `position`; whatever was sent after it is taken as lost.
    fn relocate(&mut self, now: Timestamp, generation: Generation, position: PartitionPosition, out: &mut Vec<Effect>) {
        self.close_replay(generation, out);
        if let Some(subscription) = self.subscriptions.get_mut(&generation) {
            subscription.outstanding.clear();
            subscription.acked = position.next;
            subscription.cursor = position;
            subscription.heard = now;
        }
    }

    /// Ends a subscription and what runs for it. Its ranges stay in the union until the next tick, so that a set that
    /// is only renamed keeps its place in the ring.
    pub(super) fn forget(&mut self, generation: Generation, out: &mut Vec<Effect>) {
        self.close_replay(generation, out);
        self.subscriptions.remove(&generation);
    }
}
