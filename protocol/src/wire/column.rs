//! A feature's values for many entities as one column of the wire, and back. Knows no status.
//!
//! Values of one feature are of one kind, so a column is one packed list; numbers beyond 64 bits, lists and counts take the
//! long way.

use super::v1::feature_column::Values;
use super::v1::value::Kind;
use super::v1::{self, Bools, Decimals, FeatureColumn, Floats, Ints, Mixed, Status, Texts};
use crate::value::{Counts, Value};

impl Values {
    /// The column of these values, as packed as they allow; `None` where all are null. In the place of a null stands what
    /// is nothing of its kind.
    pub fn of<'v>(values: impl Iterator<Item = &'v Value> + Clone) -> Option<Self> {
        let known = values.clone().filter(|value| **value != Value::Null);
        let small = |int: &i128| i64::try_from(*int).ok();
        Some(match known.clone().next()? {
            Value::Int(_) => {
                let int = |value: &Value| if let Value::Int(int) = value { small(int) } else { null(value) };
                match values.clone().map(int).collect() {
                    Some(values) => Self::Ints(Ints { values }),
                    None => mixed(values),
                }
            }
            Value::Decimal { scale, .. } => {
                let unscaled = |value: &Value| match value {
                    Value::Decimal { unscaled, scale: other } if other == scale => small(unscaled),
                    _ => null(value),
                };
                match values.clone().map(unscaled).collect() {
                    Some(unscaled) => Self::Decimals(Decimals { unscaled, scale: u32::from(*scale) }),
                    None => mixed(values),
                }
            }
            Value::Float(_) => {
                let float = |value: &Value| match value {
                    Value::Float(float) => Some(*float),
                    _ => null(value).map(|_| 0.0),
                };
                match values.clone().map(float).collect() {
                    Some(values) => Self::Floats(Floats { values }),
                    None => mixed(values),
                }
            }
            Value::Bool(_) => {
                let values = values.map(|value| *value == Value::Bool(true)).collect();
                Self::Bools(Bools { values })
            }
            Value::Text(_) => {
                let text = |value: &Value| if let Value::Text(text) = value { text.to_string() } else { String::new() };
                Self::Texts(Texts { values: values.map(text).collect() })
            }
            Value::List(_) | Value::Counts(_) => mixed(values),
            Value::Null => return None,
        })
    }
}

fn null(value: &Value) -> Option<i64> {
    (*value == Value::Null).then_some(0)
}

fn mixed<'v>(values: impl Iterator<Item = &'v Value>) -> Values {
    Values::Mixed(all(values))
}

fn all<'v>(values: impl Iterator<Item = &'v Value>) -> Mixed {
    Mixed { values: values.map(one).collect() }
}

fn one(value: &Value) -> v1::Value {
    let kind = match value {
        Value::Null => None,
        Value::Bool(truth) => Some(Kind::Bool(*truth)),
        Value::Int(int) => Some(i64::try_from(*int).map_or_else(|_| Kind::Decimal(int.to_string()), Kind::Int)),
        Value::Decimal { .. } => Some(Kind::Decimal(value.to_string())),
        Value::Float(float) => Some(Kind::Float(*float)),
        Value::Text(text) => Some(Kind::Text(text.to_string())),
        Value::List(values) => Some(Kind::List(all(values.iter()))),
        Value::Counts(counts) => {
            let (values, each) = counts.values.iter().map(|(value, count)| (one(value), *count)).unzip();
            Some(Kind::Counts(v1::Counts { values, counts: each, other: counts.other }))
        }
    };
    v1::Value { kind }
}

impl FeatureColumn {
    /// In `flags`: the instant was rounded, or the tail of an exact window.
    pub const ROUNDED: u32 = 1;
    /// In `flags`: some input was no number of the domain.
    pub const INEXACT_INPUT: u32 = 2;
    /// In `flags`: kept only from an activation on.
    pub const PARTIAL_COVERAGE: u32 = 4;
    /// In `flags`: there is no value.
    pub const NO_VALUE: u32 = 8;

    /// What can be raised beside a status, in the order of the bits.
    pub const FLAGS: [(u32, &'static str); 3] = [
        (Self::ROUNDED, "rounded"),
        (Self::INEXACT_INPUT, "inexact_input"),
        (Self::PARTIAL_COVERAGE, "partial_coverage"),
    ];

    /// The names of the [`FeatureColumn::FLAGS`] among some bits.
    pub fn flag_names(flags: u32) -> impl Iterator<Item = &'static str> {
        Self::FLAGS.into_iter().filter(move |(bit, _)| flags & bit != 0).map(|(_, name)| name)
    }

    /// The status of the entity at this place of the request.
    #[must_use]
    pub fn status(&self, entity: usize) -> Status {
        let status = item(&self.statuses, entity).and_then(|status| Status::try_from(status).ok());
        status.unwrap_or(Status::Unspecified)
    }

    /// The bits of `flags` for the entity at this place of the request.
    #[must_use]
    pub fn flags_of(&self, entity: usize) -> u32 {
        item(&self.flags, entity).unwrap_or(Self::NO_VALUE)
    }

    /// The value of the entity at this place of the request; null also where there is no such place.
    #[must_use]
    pub fn value(&self, entity: usize) -> Value {
        if self.flags_of(entity) & Self::NO_VALUE != 0 {
            return Value::Null;
        }
        let value = match &self.values {
            None => None,
            Some(Values::Ints(ints)) => ints.values.get(entity).map(|int| Value::Int(i128::from(*int))),
            Some(Values::Decimals(Decimals { unscaled, scale })) => {
                let decimal = unscaled.get(entity).zip(u8::try_from(*scale).ok());
                decimal.map(|(unscaled, scale)| Value::Decimal { unscaled: i128::from(*unscaled), scale })
            }
            Some(Values::Floats(floats)) => floats.values.get(entity).map(|float| Value::Float(*float)),
            Some(Values::Bools(bools)) => bools.values.get(entity).map(|truth| Value::Bool(*truth)),
            Some(Values::Texts(texts)) => texts.values.get(entity).map(|text| Value::Text(text.as_str().into())),
            Some(Values::Mixed(mixed)) => mixed.values.get(entity).and_then(known),
        };
        value.unwrap_or(Value::Null)
    }
}

/// One item for each entity, or one for all.
fn item<T: Copy>(items: &[T], entity: usize) -> Option<T> {
    match items {
        [all] => Some(*all),
        each => each.get(entity).copied(),
    }
}

fn single(kind: &Kind) -> Option<Value> {
    match kind {
        Kind::Int(int) => Some(Value::Int(i128::from(*int))),
        Kind::Float(float) => Some(Value::Float(*float)),
        Kind::Decimal(digits) => {
            let scale = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            let unscaled = digits.replacen('.', "", 1).parse().ok()?;
            Some(Value::Decimal { unscaled, scale: u8::try_from(scale).ok()? })
        }
        Kind::Bool(truth) => Some(Value::Bool(*truth)),
        Kind::Text(text) => Some(Value::Text(text.as_str().into())),
        Kind::List(list) => list.values.iter().map(known).collect::<Option<_>>().map(Value::List),
        Kind::Counts(v1::Counts { values, counts, other }) => {
            let values = values.iter().zip(counts).map(|(value, count)| Some((known(value)?, *count)));
            let counts = Counts { values: values.collect::<Option<_>>()?, other: *other };
            Some(Value::Counts(counts.into()))
        }
    }
}

/// `None` where it is of a kind that only a newer release knows.
fn known(value: &v1::Value) -> Option<Value> {
    value.kind.as_ref().map_or(Some(Value::Null), single)
}

#[cfg(test)]
mod tests;
