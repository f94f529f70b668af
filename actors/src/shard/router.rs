//! Which range holds a hash, in one step. Knows nothing of what a range is beyond its prefix.

use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::range::RangeId;

/// Leading bits that are looked up; finer ranges than this share a place and are searched. 16 KB at most.
const BITS_MAX: u8 = 12;
const NONE: u32 = u32::MAX;
const SEVERAL: u32 = u32::MAX - 1;

/// What a lookup says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// No range holds it.
    Nowhere,
    /// This one, by index in ascending order of prefix.
    To(usize),
    /// Look for it: finer ranges share the place.
    Search,
}

/// A table over the leading bits of hashes.
#[derive(Debug)]
pub(crate) struct Router {
    bits: u8,
    places: Vec<u32>,
}

impl Default for Router {
    fn default() -> Self {
        Self { bits: 0, places: vec![NONE] }
    }
}

impl Router {
    /// For these ranges, in ascending order of prefix, which do not overlap.
    pub(crate) fn new(ranges: impl Iterator<Item = RangeId> + Clone) -> Self {
        let bits = ranges.clone().map(|range| range.bits).max().unwrap_or(0).min(BITS_MAX);
        let mut places = vec![NONE; 1 << bits];
        for (index, range) in ranges.enumerate() {
            let first = place(range.prefix, bits);
            if range.bits > bits {
                places[first] = SEVERAL;
            } else {
                places[first..first + (1 << (bits - range.bits))].fill(index as u32);
            }
        }
        Self { bits, places }
    }

    /// Where `hash` belongs.
    #[inline]
    pub(crate) fn route(&self, hash: KeyHash) -> Route {
        match self.places[place(hash.0, self.bits)] {
            NONE => Route::Nowhere,
            SEVERAL => Route::Search,
            index => Route::To(index as usize),
        }
    }
}

#[inline]
fn place(hash: u64, bits: u8) -> usize {
    if bits == 0 { 0 } else { (hash >> (64 - u32::from(bits))) as usize }
}

#[cfg(test)]
mod tests {
    //! The table agrees with asking every range.
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn routes_agree_with_asking_every_range(
            splits in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..40), deep: bool, hashes: [u64; 20],
        ) {
            let mut ranges = vec![RangeId::WHOLE];
            for (at, keep) in splits {
                if ranges.is_empty() {
                    break;
                }
                let range = ranges.remove(at.index(ranges.len()));
                let bits = if deep { (range.bits + 9).min(63) } else { range.bits + 1 };
                let halves = [range.prefix, range.prefix | 1 << (64 - u32::from(bits))];
                ranges.extend(halves.map(|prefix| RangeId { prefix, bits }));
                if !keep {
                    ranges.pop();
                }
            }
            ranges.sort();
            let router = Router::new(ranges.iter().copied());
            let inside = ranges.iter().map(|range| range.prefix | 1);
            for hash in hashes.into_iter().chain(inside).map(KeyHash) {
                let want = ranges.iter().position(|range| range.contains(hash));
                match router.route(hash) {
                    Route::Nowhere => prop_assert_eq!(want, None),
                    Route::To(index) => prop_assert_eq!(want, Some(index).filter(|at| ranges[*at].contains(hash))),
                    Route::Search => prop_assert!(ranges.iter().any(|range| range.bits > BITS_MAX)),
                }
            }
        }
    }
}
