//! A rational as the nearest f64, ties to even, by long division in binary. Knows no window.

/// Significant bits of an f64.
const BITS: usize = 53;

/// `sum / count / 10^scale`, rounded once; `None` where nothing is counted.
pub(crate) fn mean(sum: i128, count: u64, scale: u8) -> Option<f64> {
    let divisor = u128::from(count) * 10u128.pow(u32::from(scale));
    if divisor == 0 {
        return None;
    }
    if sum == 0 {
        return Some(0.0);
    }
    let magnitude = sum.unsigned_abs();
    let (whole, mut rest) = (magnitude / divisor, magnitude % divisor);
    // The quotient in binary, first digit 1; `places` of them stand before the point (or -places zeros after it).
    let mut digits: Vec<bool> = (0..128).rev().map(|bit| whole >> bit & 1 == 1).skip_while(|bit| !bit).collect();
    let mut places = digits.len() as i32;
    // The divisor is below 2^127 (a count below 2^64, 10^18 below 2^60), so the doubled rest fits.
    while digits.len() <= BITS && rest != 0 {
        rest *= 2;
        let bit = rest >= divisor;
        if bit {
            rest -= divisor;
        }
        if digits.is_empty() && !bit {
            places -= 1;
        } else {
            digits.push(bit);
        }
    }
    let mantissa = digits.iter().take(BITS).fold(0u64, |sum, bit| sum * 2 + u64::from(*bit));
    let kept = digits.len().min(BITS) as i32;
    let next = digits.get(BITS).copied().unwrap_or(false);
    let more = rest != 0 || digits.iter().skip(BITS + 1).any(|bit| *bit);
    let up = next && (more || mantissa % 2 == 1);
    // At most 2^53, so exact; and a power of two changes only the exponent, far from both ends of its range.
    let rounded = (mantissa + u64::from(up)) as f64;
    let value = rounded * 2f64.powi(places - kept);
    Some(if sum < 0 { -value } else { value })
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
