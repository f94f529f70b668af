//! One file per thing that can happen to a receiver: the verdict, the exact effects, and where the groups stand.

mod frames;
mod holds;
mod joins;
mod mismatches;
mod ranges;

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::{ControlIndex, Generation, LeaderEpoch, NodeId, Offset, PartitionId, TopicId};
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::range::RangeSet;
use featuregrid_protocol::time::Timestamp;

use super::{Dropped, Effect, Receiver, Verdict};
use crate::feed::messages::ToReader;
use crate::feed::tests::{chunk, life, node_indexes, quarters, triple};

const PARTITION: PartitionId = PartitionId(0);
const TOPIC: TopicId = TopicId([7; 16]);

fn at(millis: i64) -> Timestamp {
    Timestamp(millis * 1_000)
}

/// A receiver that asks node 0 and follows `sets`, each from its own multiple of ten on; generations count from 1.
fn receiver<const N: usize>(sets: [(RangeSet, Offset); N]) -> Receiver {
    let mut receiver = Receiver::new(life(1, 1), TOPIC, PARTITION);
    let mut out = Vec::new();
    receiver.on_reader(at(0), NodeId(0), &mut out);
    for (set, next) in sets {
        receiver.add_ranges(at(0), &set, triple(next, next as i64), &mut out);
    }
    receiver
}

/// A frame of generation `counter` over `[from, to)`, as a right reader of the test's log would send it.
fn frame(counter: u64, from: Offset, to: Offset) -> Frame {
    let max = |offset: Offset| if offset == 0 { i64::MIN } else { offset as i64 };
    let chunk = chunk(from, to, max(from), max(to));
    Frame {
        topic: TOPIC,
        partition: PARTITION,
        leader_epoch: LeaderEpoch(1),
        index: ControlIndex(0),
        generation: Generation { incarnation: life(1, 1), counter },
        from,
        to,
        max_before: chunk.max_before,
        max_after: chunk.max_after,
        deltas: chunk.deltas,
        rows: chunk.rows,
    }
}

/// What a frame makes the receiver do, in short, under entry 0 alone.
fn takes(receiver: &mut Receiver, millis: i64, frame: &Frame) -> (Verdict, Vec<String>) {
    let mut out = Vec::new();
    let verdict = receiver.on_frame(at(millis), frame, &node_indexes([]), &mut out);
    (verdict, short(out))
}

fn apply(set: &RangeSet) -> Verdict {
    Verdict::Apply(std::sync::Arc::new(set.clone()))
}

/// The groups as (counter of the generation, number of ranges, next offset).
fn groups(receiver: &Receiver) -> Vec<(u64, usize, Offset)> {
    receiver.groups().map(|(name, set, position)| (name.counter, set.len(), position.next)).collect()
}

fn ticks(receiver: &mut Receiver, millis: i64) -> Vec<String> {
    let mut out = Vec::new();
    receiver.on_tick(at(millis), &mut out);
    short(out)
}

fn short(effects: Vec<Effect>) -> Vec<String> {
    let text = |effect| match effect {
        Effect::Send { to, message } => match message {
            ToReader::Subscribe(m) => {
                format!("{to} subscribe #{} {} ranges at {}", m.generation.counter, m.set.len(), m.position.next)
            }
            ToReader::Unsubscribe(m) => format!("{to} unsubscribe #{}", m.generation.counter),
            ToReader::Nack(m) => {
                assert_eq!(m.position, triple(m.position.next, m.position.max.0), "a nack carries the whole triple");
                format!("{to} nack #{} at {} {:?}", m.generation.counter, m.position.next, m.reason)
            }
            ToReader::Ack(m) => format!("{to} ack #{} {}", m.generation.counter, m.next),
        },
        Effect::FetchControl { index } => format!("fetch {index}"),
        Effect::CheckTruncation { leader, since } => format!("check {leader} after {since}"),
        Effect::AskSecondReader { at, first, .. } => format!("ask at {} not {first:?}", at.next),
        Effect::Halt(reason) => format!("halt {reason}"),
    };
    effects.into_iter().map(text).collect()
}

fn position(next: Offset) -> PartitionPosition {
    triple(next, next as i64)
}
