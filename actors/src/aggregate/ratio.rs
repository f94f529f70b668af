//! The exact ratio of two integers as the nearest f64, ties to even: one rounding, the same on every machine.

use std::cmp::Ordering;

use ethnum::U256;

use super::wide::U512;

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
    match (u128::try_from(numerator), u64::try_from(denominator)) {
        (Ok(numerator), Ok(denominator)) => divide_words(numerator, denominator),
        _ => divide(numerator, denominator),
    }
}

/// One division of machine words, which most ratios are.
fn divide_words(numerator: u128, denominator: u64) -> f64 {
    // The quotient is given two bits more than a mantissa at least, and a last bit that says whether there is a rest: then
    // what rounds the quotient rounds the ratio. At most 55 bits and those of the denominator are shifted in.
    let wanted = KEPT + 1 + (u64::BITS - denominator.leading_zeros());
    let shift = wanted.saturating_sub(u128::BITS - numerator.leading_zeros());
    let numerator = numerator << shift;
    let quotient = numerator / u128::from(denominator);
    let has_rest = quotient * u128::from(denominator) != numerator;
    scale((quotient | u128::from(has_rest)) as f64, -(shift as i32))
}

/// The same of magnitudes below 2^511, as long as neither is 2^510 times the other.
#[must_use]
pub(super) fn widest(numerator: U512, denominator: U512) -> f64 {
    let short = |number: U512| number.narrow().filter(|number| number.leading_zeros() > 0);
    match short(numerator).zip(short(denominator)) {
        Some((numerator, denominator)) => wide(numerator, denominator),
        None => divide(numerator, denominator),
    }
}

/// What is divided: magnitudes that leave their highest bit free, and are not 0.
trait Magnitude: Copy + PartialOrd {
    fn bits(self) -> u32;
    fn shifted(self, by: u32) -> Self;
    /// The difference, which is not negative.
    fn minus(self, other: Self) -> Self;
    fn is_nothing(self) -> bool;
}

impl Magnitude for U256 {
    fn bits(self) -> u32 {
        Self::BITS - self.leading_zeros()
    }

    fn shifted(self, by: u32) -> Self {
        self << by
    }

    fn minus(self, other: Self) -> Self {
        self - other
    }

    fn is_nothing(self) -> bool {
        self == 0
    }
}

impl Magnitude for U512 {
    fn bits(self) -> u32 {
        Self::BITS - self.leading_zeros()
    }

    fn shifted(self, by: u32) -> Self {
        self.shifted(by)
    }

    fn minus(self, other: Self) -> Self {
        self.minus(other)
    }

    fn is_nothing(self) -> bool {
        self.is_nothing()
    }
}

/// Long division, one bit a step.
fn divide<M: Magnitude>(numerator: M, denominator: M) -> f64 {
    if numerator.is_nothing() {
        return 0.0;
    }
    // Both are brought to the same length, so that the quotient's first bit is its first or second.
    let (long, short) = (numerator.bits(), denominator.bits());
    let (mut rest, denominator, mut exponent) = match long >= short {
        true => (numerator, denominator.shifted(long - short), (long - short) as i32),
        false => (numerator.shifted(short - long), denominator, -((short - long) as i32)),
    };
    let mut quotient = 0u64;
    loop {
        let bit = rest >= denominator;
        if bit {
            rest = rest.minus(denominator);
        }
        quotient = quotient << 1 | u64::from(bit);
        if u64::BITS - quotient.leading_zeros() == KEPT {
            return round(quotient, !rest.is_nothing(), exponent);
        }
        // `rest < denominator`, which leaves the highest bit free, so doubling cannot overflow.
        rest = rest.shifted(1);
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
