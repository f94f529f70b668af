//! The exact ratio of two integers as the nearest f64, ties to even: one rounding, the same on every machine.

use std::cmp::Ordering;

/// Integers up to here are exact as f64.
const EXACT: u128 = 1 << f64::MANTISSA_DIGITS;
/// Quotient bits kept before the rounding: the mantissa and one more; all below is only zero or not.
const KEPT: u32 = f64::MANTISSA_DIGITS + 1;

/// `numerator / denominator`, correctly rounded. The denominator lies in 1 to 2^126, as every `n x 10^scale` does;
/// so the result is 0 or between 2^-126 and 2^127 and never subnormal.
#[must_use]
pub fn nearest(numerator: i128, denominator: u128) -> f64 {
    debug_assert!(denominator > 0 && denominator < 1 << 126, "a mean divides by n x 10^scale");
    let magnitude = numerator.unsigned_abs();
    let unsigned = if magnitude <= EXACT && denominator <= EXACT {
        // Both operands are exact, and IEEE division rounds correctly.
        magnitude as f64 / denominator as f64
    } else {
        divide(magnitude, denominator)
    };
    if numerator < 0 { -unsigned } else { unsigned }
}

fn divide(numerator: u128, denominator: u128) -> f64 {
    if numerator == 0 {
        return 0.0;
    }
    let (mut quotient, mut rest) = (numerator / denominator, numerator % denominator);
    let mut exponent = 0i32;
    // Too few bits: long division, one bit a step. `rest < denominator < 2^126`, so doubling cannot overflow.
    while u128::BITS - quotient.leading_zeros() < KEPT {
        rest <<= 1;
        let bit = rest >= denominator;
        if bit {
            rest -= denominator;
        }
        quotient = quotient << 1 | u128::from(bit);
        exponent -= 1;
    }
    // Too many bits: the excess joins the remainder as "not zero".
    let excess = u128::BITS - quotient.leading_zeros() - KEPT;
    let lost = quotient & ((1 << excess) - 1);
    quotient >>= excess;
    exponent += excess as i32;
    round(quotient as u64, lost != 0 || rest != 0, exponent)
}

/// `quotient x 2^exponent` and, where `has_more`, a little more, rounded to even; the quotient has one bit more than a
/// mantissa.
pub(super) fn round(quotient: u64, has_more: bool, exponent: i32) -> f64 {
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
