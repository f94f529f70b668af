//! Quotients of exact numbers, rounded once: to the nearest float, or half even to so many digits. Knows no type.
//!
//! Nearly every quotient fits the integers there are; the others take a long division in 256 bits.

use std::cmp::Ordering;

use crate::aggregate::ratio;

/// Digits after the point of the sides of a quotient.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digits {
    pub(super) left: u8,
    pub(super) right: u8,
}

/// `left / right` as the nearest float, ties to even; `None` where the right side is zero.
pub(super) fn nearest(left: i128, right: i128, digits: Digits) -> Option<f64> {
    if right == 0 {
        return None;
    }
    if left == 0 {
        return Some(0.0);
    }
    let (above, below) = fraction(left.unsigned_abs(), right.unsigned_abs(), digits);
    let magnitude = match (above.small(), below.small()) {
        (Some(above), Some(below)) if above >> 127 == 0 && below >> 126 == 0 => ratio::nearest(above as i128, below),
        _ => above.over(below),
    };
    Some(if (left < 0) == (right < 0) { magnitude } else { -magnitude })
}

/// `left / right` with `to` digits after the point, half even; `None` where the right side is zero, or it does not fit.
pub(super) fn rounded(left: i128, right: i128, digits: Digits, to: u8) -> Option<i128> {
    if right == 0 {
        return None;
    }
    // (left / 10^l) / (right / 10^r) x 10^to
    let digits = Digits { left: digits.left, right: digits.right + to };
    let (above, below) = fraction(left.unsigned_abs(), right.unsigned_abs(), digits);
    let (whole, rest) = match (above.small(), below.small()) {
        (Some(above), Some(below)) => (Wide::from(above / below), Wide::from(above % below)),
        _ => above.divided(below),
    };
    let whole = whole.small()?;
    // The rest is below the divisor, which has at most 187 bits, so it can be doubled.
    let up = match rest.doubled().cmp(&below) {
        Ordering::Less => false,
        Ordering::Equal => whole % 2 == 1,
        Ordering::Greater => true,
    };
    let magnitude = whole.checked_add(u128::from(up))?;
    let is_negative = (left < 0) != (right < 0);
    if is_negative { 0i128.checked_sub_unsigned(magnitude) } else { i128::try_from(magnitude).ok() }
}

/// Above and below the line, as integers.
fn fraction(left: u128, right: u128, digits: Digits) -> (Wide, Wide) {
    let power = |digits: u8| 10u128.pow(digits.into());
    match digits.right.checked_sub(digits.left) {
        Some(more) => (Wide::product(left, power(more)), Wide::from(right)),
        None => (Wide::from(left), Wide::product(right, power(digits.left - digits.right))),
    }
}

/// A float with so many digits after the point, half even; `None` where it does not fit.
pub(super) fn of_float(value: f64, scale: u8) -> Option<i128> {
    let bits = value.to_bits();
    let (fraction, raised) = ((bits & ((1 << 52) - 1)) as i128, (bits >> 52 & 0x7ff) as i32);
    let mantissa = if raised == 0 { fraction } else { fraction | 1 << 52 };
    let exponent = raised.max(1) - 1075;
    // At most 53 + 60 bits.
    let scaled = mantissa * 10i128.pow(scale.into());
    let magnitude = match u32::try_from(exponent) {
        Ok(_) if scaled == 0 => 0,
        Ok(up) => scaled.checked_mul(1i128.checked_shl(up).filter(|power| *power > 0)?)?,
        // So far down that it is less than a half.
        Err(_) if exponent < -120 => 0,
        Err(_) => half_even(scaled, 1 << exponent.unsigned_abs()),
    };
    Some(if value < 0.0 { -magnitude } else { magnitude })
}

/// `value / power`, half even; the power is positive.
pub(super) fn half_even(value: i128, power: i128) -> i128 {
    let (whole, rest) = (value.div_euclid(power), value.rem_euclid(power));
    let up = match rest.cmp(&(power - rest)) {
        Ordering::Less => false,
        Ordering::Equal => whole % 2 != 0,
        Ordering::Greater => true,
    };
    whole + i128::from(up)
}

/// 256 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Wide {
    high: u128,
    low: u128,
}

/// Quotient bits kept before the rounding: well more than a mantissa and one.
const KEPT: u32 = 64;

impl Wide {
    fn product(left: u128, right: u128) -> Self {
        let half = |value: u128| (value >> 64, value & u128::from(u64::MAX));
        let ((a, b), (c, d)) = (half(left), half(right));
        let (low, middle, other) = (b * d, a * d, b * c);
        let carry = (low >> 64) + (middle & u128::from(u64::MAX)) + (other & u128::from(u64::MAX));
        Self {
            high: a * c + (middle >> 64) + (other >> 64) + (carry >> 64),
            low: low & u128::from(u64::MAX) | carry << 64,
        }
    }

    /// Where it fits half of the bits.
    fn small(self) -> Option<u128> {
        (self.high == 0).then_some(self.low)
    }

    fn doubled(self) -> Self {
        Self { high: self.high << 1 | self.low >> 127, low: self.low << 1 }
    }

    fn minus(self, other: Self) -> Self {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        Self { high: self.high - other.high - u128::from(borrow), low }
    }

    /// The bits from the highest on.
    fn bits(self) -> impl Iterator<Item = bool> {
        (0..256u32).rev().map(move |at| {
            let half = if at < 128 { self.low } else { self.high };
            half >> (at % 128) & 1 == 1
        })
    }

    /// One step of a long division: the rest with one more bit, and the bit of the quotient.
    fn step(self, bit: bool, below: Self) -> (Self, bool) {
        let mut rest = self.doubled();
        rest.low |= u128::from(bit);
        if rest >= below { (rest.minus(below), true) } else { (rest, false) }
    }

    /// Quotient and rest; the divisor has at most 255 bits.
    fn divided(self, below: Self) -> (Self, Self) {
        let (mut whole, mut rest) = (Self::default(), Self::default());
        for bit in self.bits() {
            let (next, one) = rest.step(bit, below);
            rest = next;
            whole = whole.doubled();
            whole.low |= u128::from(one);
        }
        (whole, rest)
    }

    /// The nearest float to a quotient that is not zero, ties to even.
    fn over(self, below: Self) -> f64 {
        let (mut kept, mut exponent, mut more, mut rest) = (0u128, 0i32, false, Self::default());
        let has_enough = |kept: u128| u128::BITS - kept.leading_zeros() >= KEPT;
        for bit in self.bits() {
            let (next, one) = rest.step(bit, below);
            rest = next;
            if has_enough(kept) {
                more |= one;
                exponent += 1;
            } else {
                kept = kept << 1 | u128::from(one);
            }
        }
        while !has_enough(kept) {
            let (next, one) = rest.step(false, below);
            rest = next;
            kept = kept << 1 | u128::from(one);
            exponent -= 1;
        }
        more |= rest != Self::default();
        // The last bit stands for all that is lost, so the conversion rounds as the quotient would.
        libm::ldexp((kept | u128::from(more)) as f64, exponent)
    }
}

impl From<u128> for Wide {
    fn from(low: u128) -> Self {
        Self { high: 0, low }
    }
}

#[cfg(test)]
mod tests;
