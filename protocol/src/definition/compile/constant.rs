//! Numbers written in definitions, exactly: one that had to be rounded would mean another. Knows no field and no place.

use crate::number::{Domain, Number, SCALE_MAX};

/// What keeps a text from being a number of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    NoNumber,
    /// It has more digits after the point than the domain.
    Finer,
    OutOfRange,
}

/// The number of a text in a domain, unscaled.
pub(super) fn exact(text: &str, domain: Domain) -> Result<i64, Misfit> {
    if fraction(text)?.len() > usize::from(domain.scale()) {
        return Err(Misfit::Finer);
    }
    match domain.parse(text) {
        Number::Unscaled(unscaled) => Ok(unscaled),
        Number::Bad | Number::NotANumber => Err(Misfit::OutOfRange),
    }
}

/// A number with the digits it is written with, unscaled, and where they stand.
pub(super) fn as_written(text: &str) -> Result<(i64, Domain), Misfit> {
    let digits = u8::try_from(fraction(text)?.len()).unwrap_or(u8::MAX).min(SCALE_MAX);
    let domain = if digits == 0 { Domain::Int } else { Domain::Decimal(digits) };
    Ok((exact(text, domain)?, domain))
}

/// What a domain keeps, for messages.
pub(super) fn keeps(domain: Domain) -> String {
    match domain {
        Domain::Int => "whole numbers".to_owned(),
        Domain::Decimal(scale) => format!("{scale} digits after the point"),
    }
}

/// The digits after the point of `-12.50`, without zeros at the end.
fn fraction(text: &str) -> Result<&str, Misfit> {
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(fraction) { Ok(fraction.trim_end_matches('0')) } else { Err(Misfit::NoNumber) }
}
