//! Exact numbers as integers of any size, and the floats nearest to them. Knows no expression.

use featuregrid_protocol::expression::Type;
use num_bigint::BigInt;

/// 10^digits
pub(super) fn power(digits: u8) -> BigInt {
    BigInt::from(10).pow(digits.into())
}

/// Numerator and denominator of a number.
pub(super) fn fraction(unscaled: i128, of: Type) -> Option<(BigInt, BigInt)> {
    Some((unscaled.into(), power(of.scale()?)))
}

/// The largest integer that is not larger than a quotient; the divisor is positive.
pub(super) fn floor(value: &BigInt, divisor: &BigInt) -> BigInt {
    let (whole, rest) = (value / divisor, value % divisor);
    if rest < BigInt::from(0) { whole - 1 } else { whole }
}

/// The integer nearest to a quotient, half even; the divisor is not zero.
pub(super) fn half_even(value: BigInt, divisor: BigInt) -> BigInt {
    let zero = BigInt::from(0);
    let (value, divisor) = if divisor < zero { (-value, -divisor) } else { (value, divisor) };
    let below = floor(&value, &divisor);
    let twice = (value - &below * &divisor) * 2;
    let is_odd = &below % 2 != zero;
    if twice > divisor || (twice == divisor && is_odd) { below + 1 } else { below }
}

/// The float nearest to a quotient, ties to even; `None` where the divisor is zero.
pub(super) fn nearest(value: BigInt, divisor: BigInt) -> Option<f64> {
    let zero = BigInt::from(0);
    if divisor == zero {
        return None;
    }
    let is_negative = (value < zero) != (divisor < zero);
    let absolute = |value: BigInt| if value < zero { -value } else { value };
    let (value, divisor) = (absolute(value), absolute(divisor));
    if value == zero {
        return Some(0.0);
    }
    // The quotient x 2^shift has 64 bits or 65; what is lost below them only says whether there is more.
    let shift = 65 + divisor.bits() as i64 - value.bits() as i64;
    let (above, below) =
        if shift >= 0 { (value << shift as u64, divisor) } else { (value, divisor << shift.unsigned_abs()) };
    let whole = u128::try_from(&above / &below).ok()?;
    let rest = u128::from(above % below != zero);
    // More than 55 bits with a last one that stands for all that is lost: the conversion rounds as the quotient would.
    let magnitude = (whole | rest) as f64 * 2f64.powi(i32::try_from(-shift).ok()?);
    finite(if is_negative { -magnitude } else { magnitude })
}

/// A float as a number with so many digits after the point, half even.
pub(super) fn of_float(value: f64, scale: u8) -> Option<i128> {
    // Every float is an integer x 2^-1074.
    let (mantissa, exponent) = parts(value);
    let above = (BigInt::from(mantissa) * power(scale)) << (exponent + 1074) as u64;
    i128::try_from(half_even(above, BigInt::from(1) << 1074)).ok()
}

/// A finite float is an integer x 2^exponent.
fn parts(value: f64) -> (i64, i32) {
    let bits = value.to_bits();
    let (fraction, raised) = ((bits & ((1 << 52) - 1)) as i64, (bits >> 52 & 0x7ff) as i32);
    let magnitude = if raised == 0 { fraction } else { fraction | 1 << 52 };
    (if value < 0.0 { -magnitude } else { magnitude }, raised.max(1) - 1075)
}

/// No float is infinite, `NaN` or minus zero.
pub(super) fn finite(value: f64) -> Option<f64> {
    // Adding zero makes the one zero with a sign the one without.
    value.is_finite().then_some(value + 0.0)
}
