//! Quotients of exact numbers, rounded once: to the nearest float, or half even to so many digits. Knows no type.
//!
//! Nearly every quotient that is rounded to digits fits the integers there are; the others take 256 bits.

use std::cmp::Ordering;

use ethnum::U256;
use featuregrid_protocol::plants::{self, Plant};

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
    let magnitude = ratio::wide(above, below);
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
    let (whole, rest) = match (u128::try_from(above), u128::try_from(below)) {
        (Ok(above), Ok(below)) => (above / below, U256::from(above % below)),
        _ => (u128::try_from(above / below).ok()?, above % below),
    };
    // The rest is below the divisor, which has at most 187 bits, so it can be doubled.
    let up = match (rest << 1u32).cmp(&below) {
        Ordering::Less => false,
        _ if plants::on(Plant::QuotientTruncated) => false,
        Ordering::Equal => whole % 2 == 1,
        Ordering::Greater => true,
    };
    let magnitude = whole.checked_add(u128::from(up))?;
    let is_negative = (left < 0) != (right < 0);
    if is_negative { 0i128.checked_sub_unsigned(magnitude) } else { i128::try_from(magnitude).ok() }
}

/// Above and below the line, as integers.
fn fraction(left: u128, right: u128, digits: Digits) -> (U256, U256) {
    let power = |digits: u8| U256::from(10u128.pow(digits.into()));
    let (left, right) = (U256::from(left), U256::from(right));
    match digits.right.checked_sub(digits.left) {
        Some(more) => (left * power(more), right),
        None => (left, right * power(digits.left - digits.right)),
    }
}

/// A float with so many digits after the point, half even; `None` where it does not fit.
pub(super) fn of_float(value: f64, scale: u8) -> Option<i128> {
    let bits = value.to_bits();
    let (fraction, raised) = ((bits & ((1 << 52) - 1)) as i128, (bits >> 52 & 0x7ff) as i32);
    let magnitude = if raised == 0 { fraction } else { fraction | 1 << 52 };
    // With its sign from here on: the smallest integer has no magnitude that fits.
    let mantissa = if value < 0.0 { -magnitude } else { magnitude };
    let exponent = raised.max(1) - 1075;
    // At most 53 + 60 bits.
    let scaled = mantissa * 10i128.pow(scale.into());
    Some(match u32::try_from(exponent) {
        Ok(_) if scaled == 0 => 0,
        Ok(up) => scaled.checked_mul(1i128.checked_shl(up).filter(|power| *power > 0)?)?,
        // So far down that it is less than a half.
        Err(_) if exponent < -120 => 0,
        Err(_) => half_even(scaled, 1 << exponent.unsigned_abs()),
    })
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

#[cfg(test)]
mod tests;
