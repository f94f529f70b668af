//! Variance from count, sum and sum of squares: one exact rational, rounded once. Knows no window and no column.

use ethnum::{I256, U256};

use super::wide::U512;
use super::{Accumulator, ratio};

/// `(n x squares - sum^2) / (n x divisor) / 10^(2 scale)`, the nearest f64, ties to even; the divisor is n for a
/// population, n - 1 for a sample, and not 0.
#[must_use]
pub(crate) fn variance(rows: &Accumulator, divisor: u64, scale: u8) -> f64 {
    // With n < 2^64 and numbers below 2^63 in magnitude, both products stay below 2^254. The difference is never negative
    // (Cauchy and Schwarz); bytes that say so were refused where they were read.
    let squares = U256::from_words(rows.squares.high.into(), rows.squares.low) * U256::from(rows.n);
    let sum = U256::from(rows.sum.unsigned_abs());
    let numerator = squares.saturating_sub(sum * sum);
    // Below 2^128 x 2^120: 10^36 is below 2^120.
    let denominator = U256::from(rows.n) * U256::from(divisor) * U256::from(10u128.pow(scale.into())).pow(2);
    ratio::wide(numerator, denominator)
}

/// What rows weigh together, and the sums of their numbers and of the squares of these, each times its weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moments {
    pub(super) rows: u64,
    pub(super) weight: U256,
    pub(super) sum: I256,
    squares: U256,
}

impl Moments {
    /// Of rows that weigh one each.
    pub(crate) fn of(rows: &Accumulator) -> Self {
        let squares = U256::from_words(rows.squares.high.into(), rows.squares.low);
        Self { rows: rows.n, weight: rows.n.into(), sum: rows.sum.into(), squares }
    }

    /// Of rows that lose their weight: of the total of their half-lives.
    pub(crate) fn decayed(total: &Accumulator) -> Self {
        let weight = total.weights.unsigned_abs();
        Self { rows: total.n, weight, sum: total.weighted, squares: total.weighted_squares }
    }

    /// `weight x squares - sum^2`: the square of the weight times the variance. Weights stay below 2^136, sums below 2^199
    /// (`decay`), so that this stays below 2^392; and it is never negative (Cauchy and Schwarz).
    pub(super) fn spread(self) -> U512 {
        let sum = self.sum.unsigned_abs();
        U512::product(self.weight, self.squares).minus(U512::product(sum, sum))
    }

    /// The mean square of the distance from the mean, of at least one row, of numbers of `scale` digits after the point.
    pub(crate) fn variance(self, scale: u8) -> f64 {
        // Below 2^136 x 2^60.
        let divisor = self.weight * U256::from(10u128.pow(scale.into()));
        ratio::widest(self.spread(), U512::product(divisor, divisor))
    }
}

#[cfg(test)]
mod tests {
    //! Variances known by hand, and agreement with a variance of integers.
    use proptest::prelude::*;

    use super::*;
    use crate::aggregate::Squares;

    fn of(numbers: &[i64]) -> Accumulator {
        let sum = numbers.iter().map(|number| i128::from(*number)).sum();
        let squares = numbers.iter().fold(Squares::default(), |sum, number| sum.plus(Squares::of(*number)));
        Accumulator { n: numbers.len() as u64, sum, squares, ..Accumulator::default() }
    }

    #[test]
    fn large_numbers_close_together_keep_their_spread() {
        let numbers = of(&[1_000_000_004, 1_000_000_007, 1_000_000_013, 1_000_000_016]);
        assert_eq!((variance(&numbers, 4, 0), variance(&numbers, 3, 0)), (22.5, 30.0));
        assert_eq!(variance(&numbers, 4, 2), 0.00225);
        assert_eq!(variance(&of(&[7, 7, 7]), 3, 0), 0.0);
    }

    #[test]
    fn the_ends_of_the_range_do_not_overflow() {
        let numbers = of(&[i64::MIN, i64::MAX]);
        assert_eq!(variance(&numbers, 2, 0), (u64::MAX as f64 / 2.0).powi(2));
        assert!(variance(&numbers, 1, 18) > 0.0);
        let many = Accumulator { n: u64::MAX, sum: 0, squares: Squares { high: 1 << 62, low: 0 }, ..of(&[]) };
        assert_eq!(variance(&many, u64::MAX, 0), 2f64.powi(126));
    }

    proptest! {
        #[test]
        fn rows_of_one_weight_have_the_variance_of_rows_that_keep_it(
            numbers in prop::collection::vec(any::<i64>(), 1..20), weight in 1u32..1 << 25, halvings in 0u32..48, scale in 0u8..19,
        ) {
            let plain = of(&numbers);
            let weight = U256::from(weight) << halvings;
            let weighed = Moments {
                rows: plain.n,
                weight: U256::from(plain.n) * weight,
                sum: I256::from(plain.sum) * weight.as_i256(),
                squares: U256::from_words(plain.squares.high.into(), plain.squares.low) * weight,
            };
            prop_assert_eq!(weighed.variance(scale), variance(&plain, plain.n, scale));
            prop_assert_eq!(Moments::of(&plain).variance(scale), variance(&plain, plain.n, scale));
        }

        #[test]
        fn small_numbers_agree_with_exact_division(numbers in prop::collection::vec(-1_000_000i64..1_000_000, 1..20)) {
            let of = of(&numbers);
            let n = numbers.len() as i128;
            let numerator = n * i128::try_from(of.squares.low).unwrap() - of.sum * of.sum;
            // Both sides are exact as f64, and IEEE division rounds their quotient once.
            prop_assume!(numerator < 1 << 53);
            prop_assert_eq!(variance(&of, of.n, 0), numerator as f64 / (n * n) as f64);
        }
    }
}
