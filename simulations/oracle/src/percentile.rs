//! Percentiles by the nearest rank. Knows no domain.
//!
//! The numbers of a window stand in ascending order; the percentile is the one at place `ceil(p / 100 x n)`, the first
//! place being 1. It is answered as the middle of the bucket that it lies in, and how wide buckets are depends on all
//! numbers of the window together:
//!
//! - With `s` bits of precision a number whose magnitude `m` is less than `2^(s + 1)` has a bucket of its own. Of a larger
//!   one the `s + 1` highest bits count: with `e = floor(log2 m)` and `shift = e - s`, its bucket holds every magnitude with
//!   the same `m >> shift`. A number and its negative are never in one bucket.
//! - `s` is the largest of 63, 62, ..., 0 with which the numbers lie in at most [`limits::BUCKETS_MAX`] different buckets.
//!   So few different numbers are answered exactly: with 63 every number has a bucket of its own.
//! - The middle is `low + (width - 1) / 2`, rounded down, where `low` is the smallest magnitude of the bucket and `width`
//!   how many it holds, with the sign put back. What no i64 holds becomes the nearest that one does.

use featuregrid_protocol::limits;
use featuregrid_protocol::plan::Percent;

use crate::number::{self, Number};

/// `None` of nothing.
pub(crate) fn of(numbers: &[i64], percent: Percent) -> Option<i64> {
    let known = known(numbers);
    known.get(rank(percent, known.len()).checked_sub(1)?).copied()
}

/// The numbers in ascending order, each as the middle of its bucket.
pub(crate) fn known(numbers: &[i64]) -> Vec<i64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let fits = |bits: &u32| {
        let mut buckets: Vec<Bucket> = sorted.iter().map(|number| Bucket::of(*number, *bits)).collect();
        // Those of one bucket stand together.
        buckets.dedup();
        buckets.len() <= limits::BUCKETS_MAX
    };
    // Without a bit of precision there is a bucket for each power of two: few enough.
    let bits = (1..64).rev().find(fits).unwrap_or(0);
    sorted.into_iter().map(|number| Bucket::of(number, bits).middle()).collect()
}

/// The place among `n`, from 1.
fn rank(percent: Percent, n: usize) -> usize {
    let Number::Unscaled(parts) = number::read(&percent.to_string(), 4) else {
        unreachable!("{percent} is a number with four digits after the point")
    };
    // Rounded up.
    let rank = (n as i128 * i128::from(parts) + 999_999) / 1_000_000;
    rank as usize
}

/// Numbers that are not told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    is_negative: bool,
    /// The smallest magnitude in it.
    low: u128,
    /// How many there are.
    width: u128,
}

impl Bucket {
    fn of(number: i64, bits: u32) -> Self {
        let magnitude = u128::from(number.unsigned_abs());
        let shift = magnitude.checked_ilog2().map_or(0, |e| e.saturating_sub(bits));
        Self { is_negative: number < 0, low: magnitude >> shift << shift, width: 1 << shift }
    }

    fn middle(self) -> i64 {
        let magnitude = (self.low + (self.width - 1) / 2) as i128;
        let middle = if self.is_negative { -magnitude } else { magnitude };
        middle.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }
}

#[cfg(test)]
mod tests {
    //! Buckets by hand, and what they promise of any number.
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bucket_holds_what_shares_its_highest_bits() {
        let bucket = |number, bits| {
            let Bucket { is_negative, low, width } = Bucket::of(number, bits);
            (is_negative, low, width)
        };
        assert_eq!([bucket(0, 0), bucket(1, 0)], [(false, 0, 1), (false, 1, 1)]);
        assert_eq!([bucket(2, 0), bucket(3, 0), bucket(4, 0)], [(false, 2, 2), (false, 2, 2), (false, 4, 4)]);
        assert_eq!([bucket(7, 2), bucket(8, 2), bucket(9, 2)], [(false, 7, 1), (false, 8, 2), (false, 8, 2)]);
        assert_eq!([bucket(-9, 2), bucket(-16, 2)], [(true, 8, 2), (true, 16, 4)]);
        assert_eq!(bucket(i64::MIN, 63), (true, 1 << 63, 1));
        assert_eq!(bucket(i64::MIN, 62), (true, 1 << 63, 2));
        assert_eq!(bucket(i64::MAX, 61), (false, (1 << 63) - 2, 2));
    }

    #[test]
    fn a_rank_is_rounded_up() {
        let rank = |percent, n| rank(Percent::read(percent).unwrap(), n);
        assert_eq!([rank("50", 0), rank("50", 1), rank("50", 2), rank("50", 3)], [0, 1, 1, 2]);
        assert_eq!([rank("99.9999", 999_999), rank("0.0001", 1_000_000), rank("0.0001", 1_000_001)], [999_999, 1, 2]);
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_number_and_is_no_wider_than_its_precision(number: i64, bits in 0u32..64) {
            let Bucket { low, width, .. } = Bucket::of(number, bits);
            let magnitude = u128::from(number.unsigned_abs());
            prop_assert!(low <= magnitude && magnitude < low + width);
            // Doubled until so many bits tell them apart, and no further.
            let mut least = 1;
            while magnitude / least >= 1 << (bits + 1) {
                least *= 2;
            }
            prop_assert_eq!((low, width), (magnitude / least * least, least));
        }
    }
}
