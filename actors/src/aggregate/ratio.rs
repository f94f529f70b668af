//! The exact ratio of two integers as the nearest f64, ties to even: one rounding, the same on every machine.

use std::cmp::Ordering;

use ethnum::U256;

/// Integers up to here are exact as f64.
const EXACT: U256 = U256::new(1 << f64::MANTISSA_DIGITS);
/// Quotient bits kept before the rounding: the mantissa and one more; all below is only zero or not.
const KEPT: u32 = f64::MANTISSA_DIGITS + 1;

/// `numerator / denominator`, correctly rounded. The denominator lies in 1 to 2^126, as every `n x 10^scale` does;
/// so the result is 0 or between 2^-126 and 2^127 and never subnormal.
#[must_use]
pub fn nearest(numerator: i128, denominator: u128) -> f64 {
    debug_assert!(denominator > 0 && denominator < 1 << 126, "a mean divides by n x 10^scale");
    let unsigned = wide(numerator.unsigned_abs().into(), denominator.into());
    if numerator < 0 { -unsigned } else { unsigned }
}

/// `numerator / denominator` of magnitudes below 2^255, correctly rounded.
#[must_use]
pub(crate) fn wide(numerator: U256, denominator: U256) -> f64 {
    if numerator <= EXACT && denominator <= EXACT {
        // Both operands are exact, and IEEE division rounds correctly.
        return numerator.as_u64() as f64 / denominator.as_u64() as f64;
    }
    if numerator == 0 {
        return 0.0;
    }
    // Long division, one bit a step.
    let bits = |number: U256| U256::BITS - number.leading_zeros();
    // Both are brought to the same length, so that the quotient's first bit is its first or second.
    let (long, short) = (bits(numerator), bits(denominator));
    let (mut rest, denominator, mut exponent) = match long >= short {
        true => (numerator, denominator << (long - short), (long - short) as i32),
        false => (numerator << (short - long), denominator, -((short - long) as i32)),
    };
    let mut quotient = 0u64;
    loop {
        let bit = rest >= denominator;
        if bit {
            rest -= denominator;
        }
        quotient = quotient << 1 | u64::from(bit);
        if u64::BITS - quotient.leading_zeros() == KEPT {
            return round(quotient, rest != 0, exponent);
        }
        // `rest < denominator < 2^255`, so doubling cannot overflow.
        rest <<= 1;
        exponent -= 1;
    }
}

/// `quotient x 2^exponent` and, where `has_more`, a little more, rounded to even; the quotient has one bit more than a
/// mantissa.
fn round(quotient: u64, has_more: bool, exponent: i32) -> f64 {
    let mut mantissa = quotient >> 1;
    mantissa += match (quotient & 1, has_more) {
        (0, _) => 0,
        (_, true) => 1,
        (_, false) => mantissa & 1,
    };
    // A mantissa of at most 2^53 is exact, and a power of two only moves the exponent.
    scale(mantissa as f64, exponent + 1)
}

/// `value x 2^exponent`, exactly; |exponent| stays below 512.
fn scale(value: f64, exponent: i32) -> f64 {
    let power = f64::from_bits(((1023 + i64::from(exponent.unsigned_abs())) as u64) << 52);
    match exponent.cmp(&0) {
        Ordering::Less => value / power,
        Ordering::Equal => value,
        Ordering::Greater => value * power,
    }
}

#[cfg(test)]
mod tests;
