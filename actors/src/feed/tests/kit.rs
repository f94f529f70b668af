//! Small things that tests of the feed are made of.

use featuregrid_protocol::ids::{ControlIndex, Incarnation, NodeId, Offset, PartitionId};
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::position::{PartitionCounters, PartitionPosition};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::row::{RowBatch, RowHead};
use featuregrid_protocol::time::Timestamp;

use crate::feed::receiver::InForce;
use crate::reader::Chunk;

/// A row for every offset of `[from, to)`: offset o belongs to quarter o % 4 of the hash space.
pub(in crate::feed) fn chunk(from: Offset, to: Offset, max_before: i64, max_after: i64) -> Chunk {
    let mut rows = RowBatch::default();
    for offset in from..to {
        rows.push(row(offset, offset as i64, 0), &offset.to_le_bytes(), &[]);
    }
    let records = to - from;
    let deltas = PartitionCounters { records, routed: records, ..PartitionCounters::default() };
    let (max_before, max_after) = (Timestamp(max_before), Timestamp(max_after));
    Chunk { index: ControlIndex(0), from, to, max_before, max_after, deltas, rows }
}

/// The row of the record at `offset`, decoded under control index `view`.
pub(super) fn row(offset: Offset, ts: i64, view: u16) -> RowHead {
    let hash = KeyHash((offset % 4) << 62 | offset);
    RowHead { hash, ts: Timestamp(ts), offset, present: 0, bad: 0, view, key_len: 0, number_len: 0 }
}

/// The chosen quarters of the hash space.
pub(in crate::feed) fn quarters<const N: usize>(chosen: [usize; N]) -> RangeSet {
    let all = RangeId::split_evenly(4);
    chosen.iter().map(|quarter| all[*quarter]).collect()
}

/// Life `boot` of node `node`.
pub(in crate::feed) fn life(node: u32, boot: u64) -> Incarnation {
    Incarnation { node: NodeId(node), boot }
}

/// The triple after `next` records of [`chunk`]s that begin at 0 with prefix max `max`.
pub(in crate::feed) fn triple(next: Offset, max: i64) -> PartitionPosition {
    let counters = PartitionCounters { records: next, routed: next, ..PartitionCounters::default() };
    PartitionPosition { next, max: if next == 0 { Timestamp::MIN } else { Timestamp(max) }, counters }
}

/// Activations a node knows: entry n is in force from the n-th offset on; entry 0 from the begin.
pub(in crate::feed) struct Activations(pub(in crate::feed) Vec<Offset>);

/// Entry 0 and those that begin at `offsets`.
pub(in crate::feed) fn node_indexes<const N: usize>(offsets: [Offset; N]) -> Activations {
    Activations(offsets.to_vec())
}

impl InForce for Activations {
    fn index_at(&self, _: PartitionId, offset: Offset) -> ControlIndex {
        ControlIndex(self.0.iter().filter(|from| **from <= offset).count() as u64)
    }

    fn newest(&self) -> ControlIndex {
        ControlIndex(self.0.len() as u64)
    }
}
