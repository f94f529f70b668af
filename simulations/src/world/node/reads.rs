//! The read path of a node: answers what is here, waits for a token, passes on what is elsewhere. Knows no client.

use featuregrid_actors::window;
use featuregrid_oracle::AsOf;
use featuregrid_protocol::ids::NodeId;
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::time::{Span, Timestamp};

use super::{Act, Around, Node};
use crate::world::message::{Message, Read, ReadAnswer};

/// Reads that wait for a token, per node.
const WAITING_MAX: usize = 64;
/// A read waits so long for its token.
const WAIT: Span = Span::millis(800);

/// A read that waits until the state covers its token.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    read: Read,
    from: NodeId,
    until: Timestamp,
}

impl Node {
    /// A read arrived: from a client, or from a node that could not answer it.
    pub fn on_read(&mut self, around: &mut Around<'_>, from: NodeId, read: Read, hops: u32) {
        if !self.running {
            around.acts.push(Act::Mark("reads_refused", 1));
            return;
        }
        let hash = KeyHash::of(&read.key);
        let here = self.shard.as_ref().and_then(|shard| shard.range_of(hash));
        if here.is_some() {
            if !self.answer(around, from, &read) && self.waiting.len() < WAITING_MAX {
                self.waiting.push_back(Waiting { read, from, until: around.feed + WAIT });
                around.acts.push(Act::Queue("waiting reads", self.waiting.len(), WAITING_MAX));
            }
            return;
        }
        around.acts.push(Act::Mark("misrouted_reads", 1));
        let range = self.steward.ranges().into_iter().find(|range| range.contains(hash));
        let owner =
            range.and_then(|range| self.steward.hint(range).map(|life| life.node).or_else(|| self.peers.owner(range)));
        match owner {
            Some(owner) if owner != self.id && hops < 2 => {
                around.acts.push(Act::Send(owner, Message::Read { from, read }));
            }
            _ => around.acts.push(Act::Mark("unrouted_reads", 1)),
        }
    }

    /// Reads that wait are tried again.
    pub(super) fn turn_reads(&mut self, around: &mut Around<'_>) {
        for _ in 0..self.waiting.len() {
            let Some(waiting) = self.waiting.pop_front() else { break };
            if self.running && self.answer(around, waiting.from, &waiting.read) {
                around.acts.push(Act::Mark("waited_reads", 1));
            } else if self.running && around.feed < waiting.until {
                self.waiting.push_back(waiting);
            } else {
                around.acts.push(Act::Mark("stale_reads_refused", 1));
            }
        }
    }

    /// Answers if the state covers the token.
    fn answer(&mut self, around: &mut Around<'_>, from: NodeId, read: &Read) -> bool {
        let Some(shard) = &mut self.shard else { return false };
        let Some(range) = shard.range_of(KeyHash::of(&read.key)) else { return false };
        let Some(v) = shard.positions(range).map(featuregrid_protocol::position::offsets) else { return false };
        if !v.covers(&read.at_least) {
            return false;
        }
        // "Now" is the clock of the node that answers.
        let (as_of, meant) = match read.as_of {
            AsOf::At(at) => (window::AsOf::At(at), AsOf::At(at)),
            AsOf::Now(_) => (window::AsOf::Now { clock: around.wall }, AsOf::Now(around.wall)),
        };
        let Some(view) = shard.plan().views.iter().position(|view| view.name == read.view) else { return true };
        let Some(reading) = shard.read(view, &read.key, as_of) else { return true };
        let read = Read { as_of: meant, ..read.clone() };
        let answer = ReadAnswer { read, node: self.me, v, reading };
        if from == self.id {
            around.acts.push(Act::Answer(Box::new(answer)));
        } else {
            around.acts.push(Act::Send(from, Message::Answer { answer }));
        }
        true
    }
}
