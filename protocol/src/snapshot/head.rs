//! What a part says of its range beside the pages: under which index, at which positions, since which. Knows no page.
//!
//! ```text
//! range prefix, bits | control index
//! positions: count, then partition, next, max (signed), records, late, dead, tombstones, unmatched, routed,
//!            views: count, then view, rows, rejected
//! since:     0 for a base; else 1, count, then partition, next offset
//! rows:      count, then view, applied, duplicate
//! event ids: see ids.rs
//! ```

use std::collections::BTreeMap;

use super::ids::{IdList, put_lists, take_lists};
use crate::ids::{ControlIndex, PartitionId, ViewId};
use crate::key::KeyHash;
use crate::position::{OffsetVector, PartitionCounters, PartitionPosition, Positions, ViewCounters};
use crate::range::RangeId;
use crate::time::Timestamp;
use crate::varint::{Bytes, Damaged, put, put_signed};

/// What became of the rows of a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// In the state.
    pub applied: u64,
    /// Not applied, because they repeat the event id of another.
    pub duplicate: u64,
}

/// A range at (control index, positions), without its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeHead {
    /// Which range.
    pub range: RangeId,
    /// Whose plan the pages follow.
    pub index: ControlIndex,
    /// v, prefix maxima and accounting.
    pub positions: Positions,
    /// `None`: every page is here. Else those that changed after these offsets.
    pub since: Option<OffsetVector>,
    /// Rows by view; views without any are left out.
    pub rows: BTreeMap<ViewId, RowCounts>,
    /// The event ids that are known at `positions`, of records at or after `since`; in order of (partition, view).
    pub ids: Vec<IdList>,
}

impl RangeHead {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put(out, self.range.prefix.into());
        put(out, self.range.bits.into());
        put(out, self.index.0.into());
        put(out, self.positions.len() as u128);
        for (partition, position) in &self.positions {
            put(out, partition.0.into());
            put(out, position.next.into());
            put_signed(out, position.max.0.into());
            put_counters(out, &position.counters);
        }
        put(out, self.since.is_some().into());
        if let Some(since) = &self.since {
            put(out, since.0.len() as u128);
            for (partition, next) in &since.0 {
                put(out, partition.0.into());
                put(out, (*next).into());
            }
        }
        put(out, self.rows.len() as u128);
        for (view, rows) in &self.rows {
            put(out, view.0.into());
            put(out, rows.applied.into());
            put(out, rows.duplicate.into());
        }
        put_lists(out, &self.ids);
    }

    pub(super) fn take(input: &mut Bytes<'_>) -> Result<Self, Damaged> {
        let range = RangeId { prefix: input.small()?, bits: input.small()? };
        if range.bits > 63 || !range.contains(KeyHash(range.prefix)) {
            return Err(Damaged("its range does not exist"));
        }
        let index = ControlIndex(input.small()?);
        let mut positions = Positions::new();
        for _ in 0..input.count()? {
            let partition = PartitionId(input.small()?);
            let (next, max) = (input.small()?, Timestamp(input.word()?));
            positions.insert(partition, PartitionPosition { next, max, counters: take_counters(input)? });
        }
        let since = match input.small::<u8>()? {
            0 => None,
            1 => {
                let count = input.count()?;
                let offsets = (0..count).map(|_| Ok((PartitionId(input.small()?), input.small()?)));
                Some(OffsetVector(offsets.collect::<Result<_, Damaged>>()?))
            }
            _ => return Err(Damaged("it is neither base nor delta")),
        };
        let mut rows = BTreeMap::new();
        for _ in 0..input.count()? {
            let view = ViewId(input.small()?);
            rows.insert(view, RowCounts { applied: input.small()?, duplicate: input.small()? });
        }
        let ids = take_lists(input)?;
        Ok(Self { range, index, positions, since, rows, ids })
    }
}

fn put_counters(out: &mut Vec<u8>, counters: &PartitionCounters) {
    let PartitionCounters { records, late, dead_lettered, tombstones, unmatched, routed, views } = counters;
    for count in [records, late, dead_lettered, tombstones, unmatched, routed] {
        put(out, (*count).into());
    }
    put(out, views.len() as u128);
    for (view, counters) in views {
        put(out, view.0.into());
        put(out, counters.rows.into());
        put(out, counters.rejected.into());
    }
}

fn take_counters(input: &mut Bytes<'_>) -> Result<PartitionCounters, Damaged> {
    let mut counters = PartitionCounters {
        records: input.small()?,
        late: input.small()?,
        dead_lettered: input.small()?,
        tombstones: input.small()?,
        unmatched: input.small()?,
        routed: input.small()?,
        views: BTreeMap::new(),
    };
    for _ in 0..input.count()? {
        let view = ViewId(input.small()?);
        counters.views.insert(view, ViewCounters { rows: input.small()?, rejected: input.small()? });
    }
    Ok(counters)
}
