//! Core values as messages of the wire, and back where clients send them. Knows no call.

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::value::{Edge, Reading, Status, Value};
use featuregrid_protocol::wire::v1::{self, FeatureColumn};

pub(super) fn token(v: &OffsetVector) -> v1::Token {
    v1::Token { offsets: v.0.iter().map(|(partition, next)| (partition.0, *next)).collect() }
}

pub(super) fn offsets(token: Option<v1::Token>) -> OffsetVector {
    let offsets = token.unwrap_or_default().offsets;
    OffsetVector(offsets.into_iter().map(|(partition, next)| (PartitionId(partition), next)).collect())
}

pub(super) fn status(status: Status) -> v1::Status {
    match status {
        Status::Present => v1::Status::Present,
        Status::NullValue => v1::Status::NullValue,
        Status::Defaulted => v1::Status::Defaulted,
        Status::OutsideMaxAge => v1::Status::OutsideMaxAge,
        Status::NotFound => v1::Status::NotFound,
        Status::OutOfRange => v1::Status::OutOfRange,
        Status::Overflow => v1::Status::Overflow,
    }
}

/// The bits of `FeatureColumn.flags`.
pub(crate) fn flags(reading: &Reading, edge: Edge) -> u32 {
    let bits = [
        (edge == Edge::Rounded || reading.rounded, FeatureColumn::ROUNDED),
        (reading.inexact_input, FeatureColumn::INEXACT_INPUT),
        (reading.partial_coverage, FeatureColumn::PARTIAL_COVERAGE),
        (matches!(reading.value, Value::Null), FeatureColumn::NO_VALUE),
    ];
    bits.into_iter().filter(|(is_so, _)| *is_so).fold(0, |flags, (_, bit)| flags | bit)
}
