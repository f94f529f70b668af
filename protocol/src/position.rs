//! How far a partition has been read and what was seen on the way: offset, prefix max, counters. Knows no log.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::ids::{Offset, PartitionId, SourceId, ViewId};
use crate::time::Timestamp;

/// Next offset per partition; a partition that is not named stands at 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OffsetVector(pub BTreeMap<PartitionId, Offset>);

impl OffsetVector {
    /// The next offset of `partition`.
    #[must_use]
    pub fn get(&self, partition: PartitionId) -> Offset {
        self.0.get(&partition).copied().unwrap_or(0)
    }

    /// Whether every partition stands at or after `other`'s.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(partition, offset)| self.get(*partition) >= *offset)
    }

    /// Raises every partition to at least `other`'s.
    pub fn raise(&mut self, other: &Self) {
        for (partition, offset) in &other.0 {
            let mine = self.0.entry(*partition).or_default();
            *mine = (*mine).max(*offset);
        }
    }
}

/// Rows of one view as the reader made them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewCounters {
    /// Records the view's filter took: sent as rows, or rejected.
    pub rows: u64,
    /// Records it took and could not use: null key, wrong type.
    pub rejected: u64,
}

/// The accounting of a prefix of one partition: records = late + dead_lettered + tombstones + unmatched + routed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionCounters {
    /// Records read.
    pub records: u64,
    /// Behind the prefix max by more than the allowed lateness.
    pub late: u64,
    /// Undecodable, without a usable timestamp, in the future, or refused by every view they match.
    pub dead_lettered: u64,
    /// Null payloads.
    pub tombstones: u64,
    /// No view's filter took them.
    pub unmatched: u64,
    /// At least one view took them.
    pub routed: u64,
    /// Per view.
    pub views: BTreeMap<ViewId, ViewCounters>,
}

impl PartitionCounters {
    /// Law 6, the source's equation.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.records == self.late + self.dead_lettered + self.tombstones + self.unmatched + self.routed
    }
}

impl AddAssign<&Self> for PartitionCounters {
    fn add_assign(&mut self, other: &Self) {
        self.records += other.records;
        self.late += other.late;
        self.dead_lettered += other.dead_lettered;
        self.tombstones += other.tombstones;
        self.unmatched += other.unmatched;
        self.routed += other.routed;
        for (view, counters) in &other.views {
            let mine = self.views.entry(*view).or_default();
            mine.rows += counters.rows;
            mine.rejected += counters.rejected;
        }
    }
}

/// The triple a reader starts from, and what a range stores per partition: never an offset alone (trace A5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionPosition {
    /// Next offset to apply.
    pub next: Offset,
    /// Largest event time of the prefix that was neither dead, late nor in the future; [`Timestamp::MIN`] if none.
    pub max: Timestamp,
    /// Accounting of the prefix.
    pub counters: PartitionCounters,
}

impl PartitionPosition {
    /// Nothing read, starting at `next`.
    #[must_use]
    pub fn start(next: Offset) -> Self {
        Self { next, max: Timestamp::MIN, counters: PartitionCounters::default() }
    }
}

/// Positions of every partition: what state is a function of, beside the control log.
pub type Positions = BTreeMap<PartitionId, PartitionPosition>;

/// The offsets of positions.
#[must_use]
pub fn offsets(positions: &Positions) -> OffsetVector {
    OffsetVector(positions.iter().map(|(partition, position)| (*partition, position.next)).collect())
}

/// T(v) of a source: the largest accepted event time of its partitions; the only clock of its views' state.
#[must_use]
pub fn t_max(positions: &Positions, source: SourceId) -> Timestamp {
    let own = positions.iter().filter(|(partition, _)| partition.source() == source);
    own.map(|(_, position)| position.max).max().unwrap_or(Timestamp::MIN)
}
