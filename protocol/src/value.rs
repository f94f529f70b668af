//! What a read answers: values, their status, and how exact they are. Knows no wire encoding.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The value of one feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// No value: mean, min or max of nothing, or not found.
    Null,
    /// A count, or a number of an `int` domain.
    Int(i128),
    /// A number of a `decimal` domain: unscaled x 10^-scale.
    Decimal {
        /// value x 10^scale
        unscaled: i128,
        /// Digits after the point.
        scale: u8,
    },
    /// A mean: the exact rational rounded once to the nearest even f64.
    Float(f64),
}

/// How a value came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// A value.
    Present,
    /// Rows exist, but not for this feature.
    NullValue,
    /// Rows exist, but not for this feature: the value is its `default`.
    Defaulted,
    /// A value or null, and the newest row of the view is older than its `max_age`.
    OutsideMaxAge,
    /// No row of the view lies in its longest window; the value is null.
    NotFound,
    /// Older than T - slack: belongs to training.
    OutOfRange,
}

impl Status {
    /// Every status, in order of declaration.
    pub const ALL: [Self; 6] =
        [Self::Present, Self::NullValue, Self::Defaulted, Self::OutsideMaxAge, Self::NotFound, Self::OutOfRange];

    /// The name in protobuf, JSON and the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Present => "PRESENT",
            Self::NullValue => "NULL_VALUE",
            Self::Defaulted => "DEFAULTED",
            Self::OutsideMaxAge => "OUTSIDE_MAX_AGE",
            Self::NotFound => "NOT_FOUND",
            Self::OutOfRange => "OUT_OF_RANGE",
        }
    }
}

/// Whether the effective instant, and that before it for features without the current event, is the one meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edge {
    /// It is.
    Exact,
    /// One was rounded down to a multiple of [`crate::limits::INSTANT_STEP`].
    Rounded,
}

/// One feature of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The value; null where the status is [`Status::NullValue`], [`Status::NotFound`] or [`Status::OutOfRange`], and
    /// where it would be null were it not [`Status::OutsideMaxAge`].
    pub value: Value,
    /// How it came about.
    pub status: Status,
    /// Some input in the window was no finite number of the domain.
    pub inexact_input: bool,
    /// The column began at an activation: earlier rows are not in it.
    pub partial_coverage: bool,
}

impl fmt::Display for Value {
    /// Decimals without trailing zeros; floats in the shortest form that reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Null => f.write_str("null"),
            Self::Int(int) => write!(f, "{int}"),
            Self::Float(float) => write!(f, "{float}"),
            Self::Decimal { unscaled, scale } => {
                let power = 10u128.pow(u32::from(scale));
                let magnitude = unscaled.unsigned_abs();
                let sign = if unscaled < 0 { "-" } else { "" };
                let fraction = format!("{:0width$}", magnitude % power, width = usize::from(scale));
                let fraction = if scale == 0 { "" } else { fraction.trim_end_matches('0') };
                write!(f, "{sign}{}", magnitude / power)?;
                if fraction.is_empty() { Ok(()) } else { write!(f, ".{fraction}") }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! Decimals print without trailing zeros and never through a float.
    use super::*;

    #[test]
    fn decimals_print_their_digits() {
        let print = |unscaled, scale| Value::Decimal { unscaled, scale }.to_string();
        assert_eq!(print(1_000_000, 6), "1");
        assert_eq!(print(-5, 2), "-0.05");
        assert_eq!(print(1230, 2), "12.3");
        assert_eq!(print(7, 0), "7");
    }
}
