//! Which numbers are anomalies: further from the mean of a baseline than so many of its standard deviations. Knows no
//! window.
//!
//! Law: nothing is rounded. With the baseline's weight `W`, its sum `S` and its sum of squares `Q` a number `x` is an
//! anomaly where `(W x - S)^2 > k^2 (W Q - S^2)`: integers decide it.

use std::cmp::Ordering;

use ethnum::{I256, U256};
use featuregrid_protocol::plan::Sigmas;

use super::collection::Quantiles;
use super::moments::Moments;
use super::wide::U512;

/// How many of the numbers are; `None` where the baseline has fewer than two rows, or all of its are alike.
pub(super) fn count(numbers: &Quantiles, baseline: &Moments, sigmas: Sigmas) -> Option<u64> {
    let bound = Bound::new(baseline, sigmas)?;
    // From either end on they are anomalies, until they are not.
    let below = numbers.ascending().take_while(|(number, _)| bound.side(*number).is_lt());
    let above = numbers.ascending().rev().take_while(|(number, _)| bound.side(*number).is_gt());
    Some(below.chain(above).map(|(_, n)| n).sum())
}

/// How far is too far.
struct Bound<'m> {
    baseline: &'m Moments,
    /// The square of the distance times `W` and [`Sigmas::ONE`].
    square: U512,
}

impl<'m> Bound<'m> {
    fn new(baseline: &'m Moments, sigmas: Sigmas) -> Option<Self> {
        let spread = baseline.spread();
        // Below 2^392 and 2^47.
        let square = spread.times(u64::from(sigmas.parts()).pow(2));
        (baseline.rows > 1 && !spread.is_nothing()).then_some(Self { baseline, square })
    }

    /// On which side of the mean a number is an anomaly; equal where it is none.
    fn side(&self, number: i64) -> Ordering {
        // Below 2^136 x 2^63; together with the sum, and in parts, below 2^214.
        let distance = self.baseline.weight.as_i256() * I256::from(number) - self.baseline.sum;
        let magnitude = distance.unsigned_abs() * U256::from(Sigmas::ONE);
        match U512::product(magnitude, magnitude) > self.square {
            true => distance.cmp(&I256::ZERO),
            false => Ordering::Equal,
        }
    }
}

#[cfg(test)]
mod tests {
    //! Distances by hand, and every number beside floats that are exact enough.
    use proptest::prelude::*;

    use super::*;
    use crate::aggregate::{Accumulator, Squares};

    fn moments(numbers: &[i64]) -> Moments {
        let sum = numbers.iter().map(|number| i128::from(*number)).sum();
        let squares = numbers.iter().fold(Squares::default(), |sum, number| sum.plus(Squares::of(*number)));
        Moments::of(&Accumulator { n: numbers.len() as u64, sum, squares, ..Accumulator::default() })
    }

    fn of(numbers: &[i64], baseline: &[i64], sigmas: &str) -> Option<u64> {
        let mut quantiles = Quantiles::default();
        numbers.iter().for_each(|number| quantiles.add(*number));
        count(&quantiles, &moments(baseline), Sigmas::read(sigmas).unwrap())
    }

    #[test]
    fn further_than_the_bound_is_an_anomaly() {
        // The mean is 5, the standard deviation 2.
        let baseline = [2, 4, 4, 4, 5, 5, 7, 9];
        assert_eq!(of(&[9, 1, 10, 0, 5], &baseline, "2"), Some(2));
        assert_eq!(of(&[9, 1, 10, 0, 5], &baseline, "1.9999"), Some(4));
        assert_eq!(of(&[], &baseline, "2"), Some(0));
    }

    #[test]
    fn what_does_not_spread_says_nothing() {
        assert_eq!((of(&[5], &[], "1"), of(&[5], &[3], "1"), of(&[5], &[3, 3, 3], "1")), (None, None, None));
        assert_eq!(of(&[5], &[3, 3, 3, 4], "1"), Some(1));
    }

    #[test]
    fn the_ends_of_the_range_do_not_overflow() {
        let ends = [i64::MIN, i64::MAX];
        assert_eq!((of(&ends, &ends, "1000"), of(&ends, &ends, "0.9999")), (Some(0), Some(2)));
        let most = Accumulator {
            n: u64::MAX,
            weights: I256::from(u64::MAX) << 72,
            weighted: -(I256::ONE << 195u32),
            ..Accumulator::default()
        };
        let most = Moments::decayed(&Accumulator { weighted_squares: U256::MAX, ..most });
        assert!(Bound::new(&most, Sigmas::read("1000").unwrap()).is_some_and(|bound| bound.side(i64::MAX).is_eq()));
    }

    proptest! {
        #[test]
        fn the_distance_decides(
            numbers in prop::collection::vec(-1000i64..1000, 0..100), baseline in prop::collection::vec(-1000i64..1000, 2..20),
            sigmas in 1u32..40_000,
        ) {
            let sigmas = Sigmas::read(&format!("{}.{:04}", sigmas / 10_000, sigmas % 10_000)).unwrap();
            let n = baseline.len() as f64;
            let mean = baseline.iter().sum::<i64>() as f64 / n;
            let variance = baseline.iter().map(|number| (*number as f64 - mean).powi(2)).sum::<f64>() / n;
            let far = f64::from(sigmas.parts()) / f64::from(Sigmas::ONE) * variance.sqrt();
            // What lies at the bound is told by integers alone.
            let is_near = |number: &i64| ((*number as f64 - mean).abs() - far).abs() < 1e-6;
            prop_assume!(variance > 0.0 && !numbers.iter().any(is_near));
            let wanted = numbers.iter().filter(|number| (**number as f64 - mean).abs() > far).count();
            let mut quantiles = Quantiles::default();
            numbers.iter().for_each(|number| quantiles.add(*number));
            prop_assert_eq!(count(&quantiles, &moments(&baseline), sigmas), Some(wanted as u64));
        }
    }
}
