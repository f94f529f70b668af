//! One file per thing that can happen to a sender: the exact effects, and what is counted.

mod chunks;
mod replays;
mod subscriptions;
mod switches;
mod time;

use featuregrid_protocol::ids::{ControlIndex, Generation, LeaderEpoch, Offset, PartitionId, TopicId};
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::range::RangeSet;
use featuregrid_protocol::time::Timestamp;

use super::{Effect, Origin, Sender};
use crate::feed::messages::{Ack, Nack, NackReason, Subscribe, ToReader, Unsubscribe};
use crate::feed::tests::{chunk, life, triple};
use crate::reader::Chunk;

const PARTITION: PartitionId = PartitionId(0);

fn at(millis: i64) -> Timestamp {
    Timestamp(millis * 1_000)
}

fn sender() -> Sender {
    let origin = Origin { topic: TopicId([7; 16]), partition: PARTITION, leader: LeaderEpoch(1) };
    Sender::new(life(0, 1), origin, &PartitionPosition::start(0), ControlIndex(0), 0)
}

/// Chunk n covers `[10 n, 10 n + 10)`; the prefix max is the offset.
fn tenth(n: u64) -> Chunk {
    let max_before = if n == 0 { i64::MIN } else { n as i64 * 10 };
    chunk(n * 10, n * 10 + 10, max_before, n as i64 * 10 + 10)
}

/// The triple of every multiple of ten.
fn tenth_triple(next: Offset) -> PartitionPosition {
    triple(next, next as i64)
}

/// Generation `counter` of node 1.
fn name(counter: u64) -> Generation {
    Generation { incarnation: life(1, 1), counter }
}

fn subscribe(counter: u64, set: &RangeSet, position: PartitionPosition) -> ToReader {
    let (subscriber, generation) = (life(1, 1), name(counter));
    ToReader::Subscribe(Subscribe { partition: PARTITION, subscriber, generation, set: set.clone(), position })
}

fn nack(counter: u64, position: PartitionPosition, reason: NackReason) -> ToReader {
    ToReader::Nack(Nack { partition: PARTITION, generation: name(counter), position, reason })
}

fn ack(counter: u64, next: Offset) -> ToReader {
    ToReader::Ack(Ack { partition: PARTITION, generation: name(counter), next })
}

fn unsubscribe(counter: u64) -> ToReader {
    ToReader::Unsubscribe(Unsubscribe { partition: PARTITION, generation: name(counter) })
}

/// What a message makes the sender do, in short.
fn says(sender: &mut Sender, millis: i64, message: ToReader) -> Vec<String> {
    let mut out = Vec::new();
    sender.on_message(at(millis), message, &mut out);
    short(out)
}

/// What a chunk of the live walk makes the sender do, in short.
fn reads(sender: &mut Sender, chunk: Chunk) -> Vec<String> {
    let mut out = Vec::new();
    sender.on_chunk(at(0), chunk, &mut out);
    short(out)
}

fn short(effects: Vec<Effect>) -> Vec<String> {
    let text = |effect| match effect {
        Effect::Send { frame, .. } => {
            format!("frame #{} {}..{} {} rows", frame.generation.counter, frame.from, frame.to, frame.rows.len())
        }
        Effect::Included { answer, .. } => format!("included #{} {}", answer.generation.counter, answer.included_from),
        Effect::Refused { answer, .. } => format!("refused #{} {:?}", answer.generation.counter, answer.reason),
        Effect::OpenReplay { id, from, until } => {
            assert_eq!(from, tenth_triple_or(&from), "a replay starts from the subscriber's triple");
            format!("open {} {}..{until}", id.0, from.next)
        }
        Effect::PullReplay { id } => format!("pull {}", id.0),
        Effect::CloseReplay { id } => format!("close {}", id.0),
        Effect::Reread { from } => format!("reread {}", from.next),
        Effect::Halt(reason) => format!("halt {reason}"),
    };
    effects.into_iter().map(text).collect()
}

/// At multiples of ten, the triple that must be there; else what is.
fn tenth_triple_or(from: &PartitionPosition) -> PartitionPosition {
    if from.next.is_multiple_of(10) { tenth_triple(from.next) } else { from.clone() }
}
