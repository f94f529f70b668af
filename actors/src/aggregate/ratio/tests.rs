//! Against exact comparison in big integers: no f64 is nearer, and a tie went to the even one.

use proptest::prelude::*;

use super::*;

/// A natural number in base 2^32, least first: naive on purpose.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Big(Vec<u32>);

impl Big {
    fn of(mut value: u128) -> Self {
        let mut digits = Vec::new();
        while value > 0 {
            digits.push(value as u32);
            value >>= 32;
        }
        Self(digits)
    }

    fn double(&self, times: u32) -> Self {
        let mut digits = vec![0; (times / 32) as usize];
        let shift = times % 32;
        let mut carry = 0u64;
        for digit in &self.0 {
            let wide = (u64::from(*digit) << shift) | carry;
            digits.push(wide as u32);
            carry = wide >> 32;
        }
        digits.push(carry as u32);
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Self(digits)
    }

    fn times(&self, other: &Self) -> Self {
        let mut digits = vec![0u32; self.0.len() + other.0.len() + 1];
        for (i, a) in self.0.iter().enumerate() {
            let mut carry = 0u64;
            for (j, b) in other.0.iter().enumerate() {
                let sum = u64::from(digits[i + j]) + u64::from(*a) * u64::from(*b) + carry;
                digits[i + j] = sum as u32;
                carry = sum >> 32;
            }
            digits[i + other.0.len()] = carry as u32;
        }
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Self(digits)
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

/// mantissa x 2^-300 of a positive f64, as a big integer x 2^300.
fn scaled(value: f64) -> Big {
    let bits = value.to_bits();
    let exponent = (bits >> 52) as i64 - 1075;
    Big::of(u128::from(bits & ((1 << 52) - 1) | 1 << 52)).double((exponent + 300) as u32)
}

/// `2 x numerator / denominator` against `low + high`: where the ratio lies beside the middle of two neighbours.
fn beside_middle(numerator: u128, denominator: u128, low: f64, high: f64) -> Ordering {
    let twice = Big::of(numerator).double(301);
    let (low, high) = (scaled(low), scaled(high));
    let sum = add(&low, &high);
    twice.compare(&sum.times(&Big::of(denominator)))
}

fn add(a: &Big, b: &Big) -> Big {
    let mut digits = Vec::new();
    let mut carry = 0u64;
    for at in 0..a.0.len().max(b.0.len()) + 1 {
        let digit = |big: &Big| u64::from(big.0.get(at).copied().unwrap_or(0));
        let sum = digit(a) + digit(b) + carry;
        digits.push(sum as u32);
        carry = sum >> 32;
    }
    while digits.last() == Some(&0) {
        digits.pop();
    }
    Big(digits)
}

fn is_nearest_even(numerator: u128, denominator: u128, got: f64) -> bool {
    let even = got.to_bits() & 1 == 0;
    let below = f64::from_bits(got.to_bits() - 1);
    let above = f64::from_bits(got.to_bits() + 1);
    let lower = beside_middle(numerator, denominator, below, got);
    let upper = beside_middle(numerator, denominator, got, above);
    (lower.is_gt() || (lower.is_eq() && even)) && (upper.is_lt() || (upper.is_eq() && even))
}

#[test]
fn known_means() {
    assert_eq!(nearest(1, 3), 1.0 / 3.0);
    assert_eq!(nearest(-15, 10), -1.5);
    assert_eq!(nearest(0, 7).to_bits(), 0.0f64.to_bits());
    // A tie between 2^53 and 2^53 + 2 goes to the even mantissa; one more unit of the numerator decides it.
    assert_eq!(nearest((1 << 53) + 1, 1), 9_007_199_254_740_992.0);
    assert_eq!(nearest(((1 << 53) + 1) * 1000 + 1, 1000), 9_007_199_254_740_994.0);
    assert_eq!(nearest(i128::MIN, 1), -(2f64.powi(127)));
}

proptest! {
    #[test]
    fn no_float_is_nearer(numerator in 1u128..1 << 127, denominator in 1u128..1 << 124, down in 0u32..126, lower in 0u32..123) {
        let (numerator, denominator) = ((numerator >> down).max(1), (denominator >> lower).max(1));
        let got = nearest(numerator as i128, denominator);
        prop_assert!(is_nearest_even(numerator, denominator, got), "{numerator} / {denominator} = {got:e}");
        prop_assert_eq!(nearest(-(numerator as i128), denominator), -got);
    }

    #[test]
    fn ties_go_to_even(mantissa in 1u128 << 53..1 << 54, shift in 1u32..60, factor in 1u128..1 << 50) {
        // An odd 54-bit mantissa lies exactly between two floats.
        let numerator = mantissa | 1;
        let got = nearest((numerator * factor) as i128, factor << shift);
        prop_assert!(is_nearest_even(numerator * factor, factor << shift, got));
    }

    #[test]
    fn words_are_divided_as_bits_are(numerator in 1u128.., denominator in 1u64.., down in 0u32..128, lower in 0u32..64) {
        let (numerator, denominator) = ((numerator >> down).max(1), (denominator >> lower).max(1));
        let bit_by_bit = divide(U256::from(numerator), U256::from(denominator));
        prop_assert_eq!(divide_words(numerator, denominator), bit_by_bit);
        prop_assert_eq!(divide_words(0, denominator).to_bits(), 0);
    }

    #[test]
    fn quotients_of_wide_numbers_agree_with_those_of_narrow(numerator: u64, denominator in 1u64.., shift in 0u32..128) {
        let wide = wide(U256::from(numerator) << shift, U256::from(denominator) << shift);
        prop_assert_eq!(wide, nearest(numerator.into(), denominator.into()));
        let factor = U256::ONE << (shift / 2 + 190);
        let widest = widest(U512::product(numerator.into(), factor), U512::product(denominator.into(), factor));
        prop_assert_eq!(widest, wide);
    }
}
