//! The recent past of a partition as decoded chunks. Knows no subscriber.

use std::collections::VecDeque;
use std::sync::Arc;

use featuregrid_protocol::ids::Offset;
use featuregrid_protocol::limits::RING_CHUNKS_MAX;
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::time::Timestamp;

use crate::reader::Chunk;

/// Chunks without a hole from `tail` to `head`.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    tail: PartitionPosition,
    head: PartitionPosition,
    chunks: VecDeque<Arc<Chunk>>,
}

impl Ring {
    pub(super) fn new(start: PartitionPosition) -> Self {
        Self { tail: start.clone(), head: start, chunks: VecDeque::new() }
    }

    /// Where the oldest chunk begins.
    pub(super) fn tail(&self) -> Offset {
        self.tail.next
    }

    /// Where the next chunk begins.
    pub(super) fn head(&self) -> &PartitionPosition {
        &self.head
    }

    /// What the tail will be when the ring takes one more chunk.
    pub(super) fn tail_after_push(&self) -> Offset {
        if self.chunks.len() < RING_CHUNKS_MAX { self.tail.next } else { self.chunks[0].to }
    }

    /// Takes the chunk that begins at the head; the oldest leaves when the ring is full.
    pub(super) fn push(&mut self, chunk: Arc<Chunk>) {
        debug_assert!(chunk.from == self.head.next, "chunks come without a hole");
        if self.chunks.len() == RING_CHUNKS_MAX
            && let Some(oldest) = self.chunks.pop_front()
        {
            pass(&mut self.tail, &oldest);
        }
        pass(&mut self.head, &chunk);
        self.chunks.push_back(chunk);
    }

    /// How many chunks are kept.
    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// The chunk that begins at `next`.
    pub(super) fn at(&self, next: Offset) -> Option<&Arc<Chunk>> {
        self.chunks.binary_search_by_key(&next, |chunk| chunk.from).ok().map(|index| &self.chunks[index])
    }

    /// The end of the chunk that `next` lies inside of.
    pub(super) fn end_around(&self, next: Offset) -> Option<Offset> {
        let index = self.chunks.partition_point(|chunk| chunk.to <= next);
        self.chunks.get(index).filter(|chunk| chunk.from < next).map(|chunk| chunk.to)
    }

    /// The prefix max before `next`, where a chunk begins or ends there.
    pub(super) fn max_at(&self, next: Offset) -> Option<Timestamp> {
        if next == self.head.next { Some(self.head.max) } else { self.at(next).map(|chunk| chunk.max_before) }
    }

    /// Gives up what lies after `at`, whole chunks at a time; whether anything did. What left the ring stays left.
    pub(super) fn truncate(&mut self, at: Offset) -> bool {
        if self.head.next <= at {
            return false;
        }
        let kept = self.chunks.partition_point(|chunk| chunk.to <= at);
        self.chunks.truncate(kept);
        self.head = self.tail.clone();
        for chunk in &self.chunks {
            pass(&mut self.head, chunk);
        }
        true
    }

    /// Begins anew at `start`.
    pub(super) fn reset(&mut self, start: PartitionPosition) {
        *self = Self::new(start);
    }
}

/// Moves `position` over `chunk`.
pub(super) fn pass(position: &mut PartitionPosition, chunk: &Chunk) {
    position.next = chunk.to;
    position.max = chunk.max_after;
    position.counters += &chunk.deltas;
}

#[cfg(test)]
mod tests;
