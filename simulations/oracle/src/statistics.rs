//! A rational as the nearest f64, ties to even, by one division of big integers; and the statistics that are such
//! rationals. Knows no window.

use num_bigint::{BigInt, BigUint, Sign};

/// Significant bits of an f64.
const BITS: u64 = 53;

/// `sum / count / 10^scale`, rounded once; `None` where nothing is counted.
pub(crate) fn mean(sum: i128, count: u64, scale: u8) -> Option<f64> {
    (count > 0).then(|| nearest(&sum.into(), &(BigUint::from(count) * power(scale))))
}

/// The mean square of the distance from the mean, where the sum of squares is divided by `n - less`; `None` where that is
/// nothing.
pub(crate) fn variance(numbers: &[i64], less: usize, scale: u8) -> Option<f64> {
    let divisor = numbers.len().checked_sub(less).filter(|divisor| *divisor > 0)?;
    let n = BigInt::from(numbers.len());
    let sum: BigInt = numbers.iter().map(|number| BigInt::from(*number)).sum();
    // n times the distance of each number from the mean, so that everything stays whole.
    let distances = numbers.iter().map(|number| BigInt::from(*number) * &n - &sum);
    let squares: BigInt = distances.map(|distance| &distance * &distance).sum();
    let denominator = BigUint::from(numbers.len()).pow(2) * divisor * power(scale).pow(2);
    Some(nearest(&squares, &denominator))
}

fn power(scale: u8) -> BigUint {
    BigUint::from(10u8).pow(scale.into())
}

/// `numerator / denominator`, rounded once.
pub(crate) fn nearest(numerator: &BigInt, denominator: &BigUint) -> f64 {
    let magnitude = numerator.magnitude();
    if *magnitude == BigUint::ZERO {
        return 0.0;
    }
    // Shifted until the quotient has at least two bits more than an f64; the rest of the division is only zero or not.
    let shift = (BITS + 2 + denominator.bits()).saturating_sub(magnitude.bits());
    let shifted = magnitude << shift;
    let (quotient, rest) = (&shifted / denominator, &shifted % denominator);
    let excess = quotient.bits() - BITS;
    let (kept, lost) = (&quotient >> excess, &quotient % (BigUint::from(1u8) << excess));
    let half = BigUint::from(1u8) << (excess - 1);
    let is_odd = kept.bit(0);
    let up = lost > half || (lost == half && (rest != BigUint::ZERO || is_odd));
    let mantissa = u64::try_from(kept).unwrap_or_default() + u64::from(up);
    // At most 2^53, so exact; and a power of two changes only the exponent, far from both ends of its range.
    let value = mantissa as f64 * 2f64.powi((excess as i64 - shift as i64) as i32);
    if numerator.sign() == Sign::Minus { -value } else { value }
}

#[cfg(test)]
mod tests {
    //! Means known by hand, and the defining property: no other float is nearer.
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_means() {
        assert_eq!(mean(0, 0, 2), None);
        assert_eq!(mean(0, 3, 2), Some(0.0));
        assert_eq!(mean(100, 1, 2), Some(1.0));
        assert_eq!(mean(-250, 1, 2), Some(-2.5));
        assert_eq!(mean(1, 3, 0), Some(1.0 / 3.0));
        assert_eq!(mean(10, 1, 2), Some(0.1));
        assert_eq!(mean(1, 1, 18), Some(1e-18));
        assert_eq!(mean(i128::from(i64::MAX), 1, 0), Some(9_223_372_036_854_775_808.0));
    }

    #[test]
    fn ties_go_to_the_even_mantissa() {
        // 2^53 + 1 lies half way between 2^53 (even) and 2^53 + 2; 2^53 + 3 between + 2 and + 4 (even).
        let base = 1i128 << 53;
        assert_eq!(mean(base + 1, 1, 0), Some(9_007_199_254_740_992.0));
        assert_eq!(mean(base + 3, 1, 0), Some(9_007_199_254_740_996.0));
        // A hair above half way: (2^54 + 3) / 2 = 2^53 + 1.5.
        assert_eq!(mean(2 * base + 3, 2, 0), Some(9_007_199_254_740_994.0));
        // All bits set round up into the next power of two.
        assert_eq!(mean((1 << 54) - 1, 1, 0), Some(18_014_398_509_481_984.0));
    }

    #[test]
    fn known_variances() {
        let numbers = [1_000_000_004, 1_000_000_007, 1_000_000_013, 1_000_000_016];
        assert_eq!((variance(&numbers, 0, 0), variance(&numbers, 1, 0)), (Some(22.5), Some(30.0)));
        assert_eq!((variance(&[5], 0, 2), variance(&[5], 1, 2), variance(&[], 0, 2)), (Some(0.0), None, None));
    }

    proptest! {
        #[test]
        fn text_rounded_by_the_standard_library_agrees(sum: i64, scale in 0u8..19) {
            let digits = format!("{sum}e-{scale}");
            prop_assert_eq!(mean(i128::from(sum), 1, scale), digits.parse::<f64>().ok());
        }

        #[test]
        fn quotients_of_exact_floats_agree(sum in -(1i128 << 53)..(1i128 << 53), count in 1u64..1 << 53) {
            // Both sides are exact as f64, and IEEE division rounds their quotient once.
            prop_assert_eq!(mean(sum, count, 0), Some(sum as f64 / count as f64));
        }
    }
}
