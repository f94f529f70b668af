//! A feature's values for many entities as one column of the wire, and back. Knows no status.
//!
//! Values of one feature are of one kind, so a column is one packed list; only numbers beyond 64 bits take the long way.

use super::v1::feature_column::Values;
use super::v1::value::Kind;
use super::v1::{self, Decimals, FeatureColumn, Floats, Ints, Mixed, Status};
use crate::value::Value;

impl Values {
    /// The column of these values, as packed as they allow; `None` where all are null. In the place of a null stands a 0.
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
            Value::Null => return None,
        })
    }
}

fn null(value: &Value) -> Option<i64> {
    (*value == Value::Null).then_some(0)
}

fn mixed<'v>(values: impl Iterator<Item = &'v Value>) -> Values {
    let one = |value: &Value| {
        let kind = match value {
            Value::Null => None,
            Value::Int(int) => Some(i64::try_from(*int).map_or_else(|_| Kind::Decimal(int.to_string()), Kind::Int)),
            Value::Decimal { .. } => Some(Kind::Decimal(value.to_string())),
            Value::Float(float) => Some(Kind::Float(*float)),
        };
        v1::Value { kind }
    };
    Values::Mixed(Mixed { values: values.map(one).collect() })
}

impl FeatureColumn {
    /// In `flags`: the instant was rounded.
    pub const ROUNDED: u32 = 1;
    /// In `flags`: some input was no number of the domain.
    pub const INEXACT_INPUT: u32 = 2;
    /// In `flags`: kept only from an activation on.
    pub const PARTIAL_COVERAGE: u32 = 4;
    /// In `flags`: there is no value.
    pub const NO_VALUE: u32 = 8;

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
            Some(Values::Mixed(mixed)) => mixed.values.get(entity).and_then(|value| single(value.kind.as_ref()?)),
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
    }
}

#[cfg(test)]
mod tests;
