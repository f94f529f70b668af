//! Ranges of the key-hash space. Knows nothing of who owns them.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::KeyHash;

/// All hashes whose first `bits` bits equal `prefix`'s: the unit of placement, snapshot and movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RangeId {
    /// The leading bits, left-aligned; the others are zero.
    pub prefix: u64,
    /// How many bits count, 0 to 63; 0 is the whole space.
    pub bits: u8,
}

impl RangeId {
    /// The only range of a grid that has one: the whole hash space.
    pub const WHOLE: Self = Self { prefix: 0, bits: 0 };

    /// The whole hash space as `count` equal ranges, a power of two up to 2^16.
    #[must_use]
    pub fn split_evenly(count: u32) -> Vec<Self> {
        debug_assert!(count.is_power_of_two() && count <= 1 << 16, "the number of ranges is a power of two");
        let bits = count.trailing_zeros() as u8;
        (0..u64::from(count)).map(|index| Self { prefix: Self::align(index, bits), bits }).collect()
    }

    /// The range of `bits` bits that holds `hash`.
    #[must_use]
    pub fn of(hash: KeyHash, bits: u8) -> Self {
        Self { prefix: hash.0 & Self::mask(bits), bits }
    }

    /// Whether `hash` lies in this range.
    #[must_use]
    pub fn contains(self, hash: KeyHash) -> bool {
        hash.0 & Self::mask(self.bits) == self.prefix
    }

    /// Position among its equally long siblings, 0 to 2^bits - 1.
    #[must_use]
    pub fn index(self) -> usize {
        if self.bits == 0 { 0 } else { (self.prefix >> (64 - u32::from(self.bits))) as usize }
    }

    fn mask(bits: u8) -> u64 {
        if bits == 0 { 0 } else { u64::MAX << (64 - u32::from(bits)) }
    }

    fn align(index: u64, bits: u8) -> u64 {
        if bits == 0 { 0 } else { index << (64 - u32::from(bits)) }
    }
}

impl fmt::Display for RangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$x}/{}", self.index(), self.bits, width = usize::from(self.bits).div_ceil(4).max(1))
    }
}

/// A set of ranges that do not overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RangeSet(BTreeSet<RangeId>);

impl RangeSet {
    /// Whether some range of the set holds `hash`.
    #[must_use]
    pub fn contains_hash(&self, hash: KeyHash) -> bool {
        // The candidate is the last range that starts at or before the hash: ranges do not overlap.
        let end = RangeId { prefix: hash.0, bits: u8::MAX };
        self.0.range(..=end).next_back().is_some_and(|range| range.contains(hash))
    }

    /// Whether the set has exactly this range.
    #[must_use]
    pub fn contains(&self, range: RangeId) -> bool {
        self.0.contains(&range)
    }

    /// Whether every range of `other` is here too.
    #[must_use]
    pub fn is_superset(&self, other: &Self) -> bool {
        self.0.is_superset(&other.0)
    }

    /// Adds a range; it must not overlap those present.
    pub fn insert(&mut self, range: RangeId) {
        self.0.insert(range);
    }

    /// Removes a range; whether it was there.
    pub fn remove(&mut self, range: RangeId) -> bool {
        self.0.remove(&range)
    }

    /// In ascending order of prefix.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = RangeId> + '_ {
        self.0.iter().copied()
    }

    /// How many ranges.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<RangeId> for RangeSet {
    fn from_iter<I: IntoIterator<Item = RangeId>>(ranges: I) -> Self {
        Self(ranges.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    //! Every hash lies in exactly one range of an even split.
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_even_split_covers_every_hash_once(hash: u64, bits in 0u32..9) {
            let hash = KeyHash(hash);
            let ranges = RangeId::split_evenly(1 << bits);
            prop_assert_eq!(ranges.iter().filter(|range| range.contains(hash)).count(), 1);
            let home = RangeId::of(hash, bits as u8);
            prop_assert_eq!(ranges[home.index()], home);
            let set: RangeSet = ranges.iter().copied().collect();
            prop_assert!(set.contains_hash(hash));
            let others: RangeSet = ranges.iter().copied().filter(|range| *range != home).collect();
            prop_assert!(!others.contains_hash(hash));
        }
    }
}
