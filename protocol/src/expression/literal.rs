//! Numbers written in expressions, exactly. Knows no field: a literal is what its digits say.

use super::{Expression, Literal, Type};
use crate::number::SCALE_MAX;

/// The number of `-12.50`, `1e3`: whole, or a decimal with the digits it needs. What is wrong with it otherwise.
pub(super) fn number(text: &str) -> Result<Expression, &'static str> {
    let (is_negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("is no decimal number; write digits and at most one `.`, for example -12.50");
    }
    let exponent: i64 = exponent.parse().map_err(|_| "has an exponent out of range")?;
    let kept = all.trim_end_matches('0');
    if kept.is_empty() {
        return Ok(Expression::literal(Literal::Number(0), Type::Int));
    }
    // The value is `kept` x 10^-digits.
    let digits = fraction.len() as i64 - exponent.clamp(-1_000, 1_000) - (all.len() - kept.len()) as i64;
    if digits > i64::from(SCALE_MAX) {
        return Err("has more than 18 digits after the point; write fewer");
    }
    let power = u32::try_from(-digits).unwrap_or(0);
    let unscaled = kept.parse::<i128>().ok().and_then(|kept| kept.checked_mul(10i128.checked_pow(power)?));
    let unscaled = unscaled.filter(|unscaled| *unscaled <= DIGITS_MAX).ok_or("has too many digits")?;
    let of = if digits > 0 { Type::Decimal(digits as u8) } else { Type::Int };
    Ok(Expression::literal(Literal::Number(if is_negative { -unscaled } else { unscaled }), of))
}

/// The largest unscaled literal: with eighteen more digits it still fits 38.
const DIGITS_MAX: i128 = 10i128.pow(19);

/// A literal in a type with as many digits after the point, or more.
pub(super) fn widen(unscaled: i128, from: Type, to: Type) -> Option<i128> {
    let more = to.scale()?.checked_sub(from.scale()?)?;
    unscaled.checked_mul(10i128.pow(more.into()))
}

#[cfg(test)]
mod tests {
    //! Digits that say nothing do not count; none is lost.
    use super::*;

    #[test]
    fn numbers_are_what_they_say() {
        for (text, unscaled, of) in [
            ("0", 0, Type::Int),
            ("0.000", 0, Type::Int),
            ("-12.50", -125, Type::Decimal(1)),
            ("100.0", 100, Type::Int),
            ("1200", 1200, Type::Int),
            (".5", 5, Type::Decimal(1)),
            ("1.5e-3", 15, Type::Decimal(4)),
            ("1.25e3", 1250, Type::Int),
            ("0.000000000000000001", 1, Type::Decimal(18)),
            ("9223372036854775807", 9_223_372_036_854_775_807, Type::Int),
        ] {
            assert_eq!(number(text), Ok(Expression::literal(Literal::Number(unscaled), of)), "{text}");
        }
        for wrong in ["0x1F", "1.2.3", "", "-", "1e99999999999999999999", "0.0000000000000000001", "1e30", "1e999"] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }
}
