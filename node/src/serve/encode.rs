//! Core values as messages of the wire, and back where clients send them. Knows no call.

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::value::{Edge, Reading, Status, Value};
use featuregrid_protocol::wire::v1;

const ROUNDED: u32 = 1;
const INEXACT_INPUT: u32 = 2;
const PARTIAL_COVERAGE: u32 = 4;

pub(super) fn token(v: &OffsetVector) -> v1::Token {
    v1::Token { offsets: v.0.iter().map(|(partition, next)| (partition.0, *next)).collect() }
}

pub(super) fn offsets(token: Option<v1::Token>) -> OffsetVector {
    let offsets = token.unwrap_or_default().offsets;
    OffsetVector(offsets.into_iter().map(|(partition, next)| (PartitionId(partition), next)).collect())
}

pub(super) fn value(value: &Value) -> v1::Value {
    use v1::value::Kind;
    let kind = match value {
        Value::Null => None,
        Value::Int(int) => Some(i64::try_from(*int).map_or_else(|_| Kind::Decimal(int.to_string()), Kind::Int)),
        Value::Decimal { .. } => Some(Kind::Decimal(value.to_string())),
        Value::Float(float) => Some(Kind::Float(*float)),
    };
    v1::Value { kind }
}

pub(super) fn status(status: Status) -> v1::Status {
    match status {
        Status::Present => v1::Status::Present,
        Status::NullValue => v1::Status::NullValue,
        Status::Defaulted => v1::Status::Defaulted,
        Status::OutsideMaxAge => v1::Status::OutsideMaxAge,
        Status::NotFound => v1::Status::NotFound,
        Status::OutOfRange => v1::Status::OutOfRange,
    }
}

pub(super) fn flags(reading: &Reading, edge: Edge) -> u32 {
    let mut flags = 0;
    if edge == Edge::Rounded {
        flags |= ROUNDED;
    }
    if reading.inexact_input {
        flags |= INEXACT_INPUT;
    }
    if reading.partial_coverage {
        flags |= PARTIAL_COVERAGE;
    }
    flags
}

#[cfg(test)]
mod tests {
    //! No digit is lost on the wire.
    use super::*;

    #[test]
    fn large_integers_keep_their_digits() {
        use v1::value::Kind;
        assert_eq!(value(&Value::Int(i128::from(i64::MAX))).kind, Some(Kind::Int(i64::MAX)));
        let large = i128::from(i64::MAX) + 1;
        assert_eq!(value(&Value::Int(large)).kind, Some(Kind::Decimal(large.to_string())));
        assert_eq!(value(&Value::Decimal { unscaled: -1230, scale: 2 }).kind, Some(Kind::Decimal("-12.3".to_owned())));
        assert_eq!(value(&Value::Null).kind, None);
    }
}
