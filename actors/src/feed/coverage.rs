//! Which hashes a set of ranges covers, as few intervals: asked once per row. Knows no owner.

use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::row::RowBatch;

/// Disjoint, ascending, inclusive intervals of hashes. Ranges that overlap or touch are merged, so a whole hash space
/// costs one comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    intervals: Vec<(u64, u64)>,
}

impl Coverage {
    /// The union of `ranges`, which come in ascending order of prefix and may overlap.
    #[must_use]
    pub fn of(ranges: impl IntoIterator<Item = RangeId>) -> Self {
        let mut intervals: Vec<(u64, u64)> = Vec::new();
        for range in ranges {
            let end = range.prefix | u64::MAX.checked_shr(u32::from(range.bits)).unwrap_or(0);
            match intervals.last_mut() {
                Some(last) if range.prefix <= last.1.saturating_add(1) => last.1 = last.1.max(end),
                _ => intervals.push((range.prefix, end)),
            }
        }
        Self { intervals }
    }

    /// Whether some range holds `hash`.
    #[must_use]
    pub fn contains(&self, hash: KeyHash) -> bool {
        let after = self.intervals.partition_point(|(start, _)| *start <= hash.0);
        after > 0 && hash.0 <= self.intervals[after - 1].1
    }

    /// The rows whose key lies in the set, in their order.
    #[must_use]
    pub fn filter(&self, rows: &RowBatch) -> RowBatch {
        if rows.heads().iter().all(|head| self.contains(head.hash)) {
            return rows.clone();
        }
        let mut kept = RowBatch::default();
        for row in rows.iter().filter(|row| self.contains(row.head.hash)) {
            kept.copy(&row);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    //! A coverage holds exactly the hashes its ranges hold.
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn covers_what_its_ranges_cover(
            picks in proptest::collection::btree_set((0u8..6, 0u64..64), 0..12), hash: u64, near in 0usize..12
        ) {
            let mut ranges: Vec<RangeId> = picks.into_iter().map(|(bits, at)| RangeId::of(KeyHash(at << 58), bits)).collect();
            ranges.sort();
            let coverage = Coverage::of(ranges.iter().copied());
            let edge = ranges.get(near).map_or(hash, |range| range.prefix);
            for hash in [hash, edge, edge.wrapping_sub(1), edge | (u64::MAX >> 6)].map(KeyHash) {
                prop_assert_eq!(coverage.contains(hash), ranges.iter().any(|range| range.contains(hash)));
            }
        }
    }

    #[test]
    fn a_whole_space_is_one_interval() {
        assert_eq!(Coverage::of(RangeId::split_evenly(256)).intervals, [(0, u64::MAX)]);
        assert!(Coverage::of([RangeId::WHOLE]).contains(KeyHash(u64::MAX)));
    }
}
