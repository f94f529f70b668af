//! A partition's log, the simplest reader of it, and the oracle: what any range must hold at any offset.

use featuregrid_protocol::ids::{ControlIndex, Offset, PartitionId, ViewId};
use featuregrid_protocol::position::{PartitionCounters, PartitionPosition};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::row::RowBatch;
use featuregrid_protocol::time::{Span, Timestamp};

use super::kit::{Activations, row};
use crate::feed::receiver::InForce;
use crate::feed::ring;
use crate::reader::Chunk;

/// How late a record may be; later ones make no row, so a reader without a prefix max makes too many.
const LATENESS: Span = Span(5);

/// Records at sparse offsets.
#[derive(Default)]
pub(super) struct Log {
    records: Vec<(Offset, Timestamp)>,
    end: Offset,
}

/// What a range holds: (offset, index it was decoded under).
pub(super) type Rows = Vec<(Offset, u64)>;

impl Log {
    /// Appends a record after a hole of `hole` offsets.
    pub(super) fn append(&mut self, hole: u64, ts: i64) {
        self.end += hole;
        self.records.push((self.end, Timestamp(ts)));
        self.end += 1;
    }

    pub(super) fn end(&self) -> Offset {
        self.end
    }

    /// Decodes up to `records` records from `from` on, not past `until` and under one index: what an interpreter does.
    pub(super) fn decode(
        &self,
        from: &PartitionPosition,
        records: usize,
        until: Offset,
        known: &Activations,
    ) -> Option<Chunk> {
        let index = known.index_at(PartitionId(0), from.next);
        let switch = known.0.iter().copied().filter(|at| *at > from.next).min().unwrap_or(Offset::MAX);
        let stop = until.min(switch).min(self.end);
        let ahead = || self.records.iter().filter(|(offset, _)| (from.next..stop).contains(offset));
        let to = ahead().nth(records).map_or(stop, |(offset, _)| *offset);
        if to <= from.next {
            return None;
        }
        let mut chunk = Chunk {
            index,
            from: from.next,
            to,
            max_before: from.max,
            max_after: from.max,
            deltas: PartitionCounters::default(),
            rows: RowBatch::default(),
        };
        for (offset, ts) in ahead().take(records) {
            chunk.deltas.records += 1;
            if *ts < chunk.max_after - LATENESS {
                chunk.deltas.late += 1;
                continue;
            }
            chunk.max_after = chunk.max_after.max(*ts);
            chunk.deltas.routed += 1;
            // Accounting depends on the index too: a frame of the wrong one is seen in the counters.
            chunk.deltas.views.entry(ViewId(index.0)).or_default().rows += 1;
            chunk.rows.push(row(*offset, ts.0, index.0 as u16), &offset.to_le_bytes(), &[]);
        }
        Some(chunk)
    }

    /// The oracle: the triple at `next` and the rows of `range` before it, from nothing but the log.
    pub(super) fn truth(&self, range: RangeId, next: Offset, truth: &Activations) -> (PartitionPosition, Rows) {
        let mut position = PartitionPosition::start(0);
        let mut rows = Rows::new();
        while let Some(chunk) = self.decode(&position, 1, next, truth) {
            ring::pass(&mut position, &chunk);
            let mine = chunk.rows.iter().filter(|row| range.contains(row.head.hash));
            rows.extend(mine.map(|row| (row.head.offset, ControlIndex(u64::from(row.head.view)).0)));
        }
        (position, rows)
    }
}
