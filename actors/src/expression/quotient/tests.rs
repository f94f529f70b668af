//! The long division against the short one, and roundings worked out by hand.

use proptest::prelude::*;

use super::*;

#[test]
fn roundings_by_hand() {
    let whole = Digits { left: 0, right: 0 };
    for (left, right, to, want) in [
        (1, 8, 2, Some(12)),
        (3, 8, 2, Some(38)),
        (-1, 8, 2, Some(-12)),
        (2, -3, 0, Some(-1)),
        (i128::MIN, 1, 0, Some(i128::MIN)),
        (i128::MIN, -1, 0, None),
        (i128::MAX, i128::MAX, 18, Some(10i128.pow(18))),
        (1, 0, 2, None),
    ] {
        assert_eq!(rounded(left, right, whole, to), want, "{left} / {right}");
    }
    // A tenth of a hundredth above the middle would be lost on the way through a float.
    let digits = Digits { left: 18, right: 0 };
    assert_eq!(rounded(125_000_000_000_000_000 + 1, 1, digits, 2), Some(13));
    for (value, scale, want) in [
        (0.125, 2, Some(12)),
        (0.375, 2, Some(38)),
        (-2.5, 0, Some(-2)),
        (1e300, 0, None),
        (1e-300, 18, Some(0)),
        (f64::MIN_POSITIVE / 4.0, 18, Some(0)),
        (2f64.powi(126), 0, Some(1 << 126)),
        (2f64.powi(127), 0, None),
        (-(2f64.powi(127)), 0, Some(i128::MIN)),
        (0.0, 18, Some(0)),
    ] {
        assert_eq!(of_float(value, scale), want, "{value}");
    }
}

proptest! {
    #[test]
    fn both_ways_to_a_rounded_quotient_agree(left: i64, right in 1i64.., shift in 0u32..62, to in 0u8..18) {
        let (left, right) = (i128::from(left), i128::from((right >> shift).max(1)));
        let whole = Digits { left: 0, right: 0 };
        // The same quotient, of sides that need 256 bits.
        let large = Digits { left: 18, right: 18 };
        let up = 10i128.pow(18);
        prop_assert_eq!(rounded(left * up, right * up, large, to), rounded(left, right, whole, to));
    }

    #[test]
    fn long_division_is_division(left: u128, right in 1u128.., shift in 0u32..120) {
        let right = (right >> shift).max(1);
        let (above, below) = (U256::from(left), U256::from(right));
        prop_assert_eq!((above / below, above % below), (U256::from(left / right), U256::from(left % right)));
        // What was multiplied comes back.
        prop_assert_eq!((above * below / below, above * below % below), (above, U256::ZERO));
    }

    #[test]
    fn both_ways_to_a_float_agree(left in 1i128..i128::MAX, right in 1u128..1 << 126, shift in 0u32..126) {
        let right = (right >> shift).max(1);
        let long = ratio::wide(U256::from(left as u128), U256::from(right));
        prop_assert_eq!(long.to_bits(), ratio::nearest(left, right).to_bits());
    }
}
