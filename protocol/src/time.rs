//! Instants and spans in microseconds UTC. Knows no clock: every instant is handed in.

pub mod zone;

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A length of time in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub i64);

/// Why a text is no instant or span.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TimeError {
    /// Not RFC 3339 with an offset, or outside the years 1 to 9999.
    #[error("`{0}` is no instant; write RFC 3339 with an offset, for example 2026-01-01T12:00:00Z")]
    Instant(String),
    /// Not a whole number followed by a unit.
    #[error("`{0}` is no duration; write a whole number and one of us, ms, s, m, h, d, for example 5m")]
    Duration(String),
}

impl Timestamp {
    /// Before every event: the prefix maximum of a partition that has seen none.
    pub const MIN: Self = Self(i64::MIN);
    /// After every event.
    pub const MAX: Self = Self(i64::MAX);

    /// The largest multiple of `hop` that is not after this instant.
    #[must_use]
    pub fn floor(self, hop: Span) -> Self {
        debug_assert!(hop.0 > 0, "a hop is positive");
        Self(self.0.saturating_sub(self.0.rem_euclid(hop.0)))
    }

    /// Milliseconds since 1970; `None` outside the years that can be written.
    #[must_use]
    pub fn from_millis(millis: i64) -> Option<Self> {
        let micros = millis.checked_mul(1_000)?;
        jiff::Timestamp::from_microsecond(micros).is_ok().then_some(Self(micros))
    }

    /// Reads RFC 3339 (`2026-01-01T12:00:00.000001+02:00`); digits beyond microseconds are cut.
    ///
    /// # Errors
    /// [`TimeError::Instant`] when the text is no instant.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        text.parse::<jiff::Timestamp>()
            .map(|instant| Self(instant.as_nanosecond().div_euclid(1_000) as i64))
            .map_err(|_| TimeError::Instant(text.to_owned()))
    }
}

impl Span {
    /// One microsecond: the smallest step of time.
    pub const TICK: Self = Self(1);

    /// A span of whole seconds.
    #[must_use]
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds * 1_000_000)
    }

    /// A span of whole milliseconds.
    #[must_use]
    pub const fn millis(millis: i64) -> Self {
        Self(millis * 1_000)
    }

    /// Reads `5m`, `250ms`, `30d`.
    ///
    /// # Errors
    /// [`TimeError::Duration`] when the text is no whole number with a unit, or does not fit.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError::Duration(text.to_owned());
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(digits);
        let micros: i64 = match unit {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            _ => return Err(wrong()),
        };
        let count: i64 = number.parse().map_err(|_| wrong())?;
        count.checked_mul(micros).map(Self).ok_or_else(wrong)
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Span;
    fn sub(self, other: Self) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 where the year fits four digits, else the number of microseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Display for Span {
    /// In the largest unit that divides it: `5m`, never `300s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, &str); 5] =
            [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s"), (1_000, "ms")];
        for (micros, unit) in UNITS {
            if self.0 != 0 && self.0 % micros == 0 {
                return write!(f, "{}{unit}", self.0 / micros);
            }
        }
        write!(f, "{}us", self.0)
    }
}

#[cfg(test)]
mod tests;
