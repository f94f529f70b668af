//! What a read answers: values, their status, and how exact they are. Knows no wire encoding.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The value of one feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// No value: mean, min or max of nothing, or not found.
    Null,
    /// True or false.
    Bool(bool),
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
    /// A text.
    Text(Box<str>),
    /// Values of one kind in an order of their own.
    List(Box<[Value]>),
    /// How often values were there.
    Counts(Box<Counts>),
}

/// How many rows have each of some values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Different values with their counts, the most frequent first.
    pub values: Vec<(Value, u64)>,
    /// Rows of the values that were too many to be told apart.
    pub other: u64,
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
    /// More different values than are counted one by one: null, or what is known of them.
    Overflow,
}

impl Status {
    /// Every status, in order of declaration.
    pub const ALL: [Self; 7] = [
        Self::Present,
        Self::NullValue,
        Self::Defaulted,
        Self::OutsideMaxAge,
        Self::NotFound,
        Self::OutOfRange,
        Self::Overflow,
    ];

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
            Self::Overflow => "OVERFLOW",
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The tail of an exact window was rounded down to its hop, because too many rows lie about it.
    pub rounded: bool,
}

impl fmt::Display for Value {
    /// As JSON: decimals without trailing zeros, floats in the shortest form that reads back, counts as an object in which
    /// values that were too many stand under [`Counts::OTHER`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Int(int) => write!(f, "{int}"),
            // A float in its shortest form is no JSON number where it is huge; its debug form always is.
            Self::Float(float) if float.is_finite() => write!(f, "{float:?}"),
            Self::Float(_) => f.write_str("null"),
            Self::Decimal { unscaled, scale } => decimal(*unscaled, *scale, f),
            Self::Text(text) => quote(text, f),
            Self::List(values) => {
                f.write_str("[")?;
                for (at, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if at == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Self::Counts(counts) => counts.fmt(f),
        }
    }
}

impl Counts {
    /// The name of the rows of values that were too many.
    pub const OTHER: &str = "__other__";
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        let mut separator = "";
        for (value, count) in &self.values {
            f.write_str(separator)?;
            match value {
                Value::Text(text) => quote(text, f)?,
                value => write!(f, "\"{value}\"")?,
            }
            write!(f, ":{count}")?;
            separator = ",";
        }
        if self.other > 0 {
            write!(f, "{separator}\"{}\":{}", Self::OTHER, self.other)?;
        }
        f.write_str("}")
    }
}

fn decimal(unscaled: i128, scale: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let power = 10u128.pow(u32::from(scale));
    let magnitude = unscaled.unsigned_abs();
    let sign = if unscaled < 0 { "-" } else { "" };
    let fraction = format!("{:0width$}", magnitude % power, width = usize::from(scale));
    let fraction = if scale == 0 { "" } else { fraction.trim_end_matches('0') };
    write!(f, "{sign}{}", magnitude / power)?;
    if fraction.is_empty() { Ok(()) } else { write!(f, ".{fraction}") }
}

/// As a JSON string.
fn quote(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write as _;

    f.write_char('"')?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(f, "\\{letter}")?,
            letter if letter.is_control() => write!(f, "\\u{:04x}", u32::from(letter))?,
            letter => f.write_char(letter)?,
        }
    }
    f.write_char('"')
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

    #[test]
    fn what_is_printed_is_json() {
        let text = Value::Text("a\"b\\c\n\u{7f}".into());
        let list = Value::List([Value::Int(1), Value::Null, Value::Float(1e300), Value::Bool(true)].into());
        assert_eq!(text.to_string(), r#""a\"b\\c\u000a\u007f""#);
        assert_eq!(list.to_string(), "[1,null,1e300,true]");
        let values = vec![(Value::Text("DE".into()), 3), (Value::Decimal { unscaled: 15, scale: 1 }, 2)];
        let counts = |other| Value::Counts(Box::new(Counts { values: values.clone(), other })).to_string();
        assert_eq!(counts(0), r#"{"DE":3,"1.5":2}"#);
        assert_eq!(counts(9), r#"{"DE":3,"1.5":2,"__other__":9}"#);
    }
}
