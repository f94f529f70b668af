//! What the tests of the feed share: small chunks of known rows.

use featuregrid_protocol::ids::{ControlIndex, Offset};
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::position::PartitionCounters;
use featuregrid_protocol::row::{RowBatch, RowHead};
use featuregrid_protocol::time::Timestamp;

use crate::reader::Chunk;

/// A row for every offset of `[from, to)`: offset o belongs to quarter o % 4 of the hash space.
pub(super) fn chunk(from: Offset, to: Offset, max_before: i64, max_after: i64) -> Chunk {
    let mut rows = RowBatch::default();
    for offset in from..to {
        rows.push(row(offset), &offset.to_le_bytes(), &[]);
    }
    let records = to - from;
    let deltas = PartitionCounters { records, routed: records, ..PartitionCounters::default() };
    let (max_before, max_after) = (Timestamp(max_before), Timestamp(max_after));
    Chunk { index: ControlIndex(0), from, to, max_before, max_after, deltas, rows }
}

fn row(offset: Offset) -> RowHead {
    let hash = KeyHash((offset % 4) << 62 | offset);
    RowHead { hash, ts: Timestamp(offset as i64), offset, present: 0, bad: 0, view: 0, key_len: 0, number_len: 0 }
}
