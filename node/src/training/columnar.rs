//! Parquet files as batches of columns in few types. Knows no column's meaning.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, bail};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type,
};
use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringArray,
};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

/// Rows of one batch: a few columns of it stay in the second cache.
const BATCH_ROWS: usize = 8192;

/// A column of a batch.
#[derive(Clone, Debug)]
pub(super) enum Array {
    /// Text.
    Text(StringArray),
    /// Bytes.
    Bytes(BinaryArray),
    /// Whole numbers of up to 64 bits, unsigned 64 bits excepted.
    Int(Int64Array),
    /// Floats.
    Float(Float64Array),
    /// Truth values.
    Bool(BooleanArray),
    /// Decimals, and how many digits stand after their point.
    Decimal(Decimal128Array, u8),
    /// Microseconds since 1970; without a zone they are UTC.
    Instant(Int64Array),
}

/// The columns of a file that `keep` holds for, batch by batch.
pub(super) fn open(path: &Path, keep: impl Fn(&str) -> bool) -> anyhow::Result<ParquetRecordBatchReader> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    // The types that Parquet itself names: no dictionaries, views or large offsets of whoever wrote it.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .with_context(|| format!("{} is no Parquet file", path.display()))?;
    let fields = builder.schema().fields().iter().enumerate();
    let kept: Vec<usize> = fields.filter(|(_, field)| keep(field.name())).map(|(at, _)| at).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), kept);
    builder
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .build()
        .with_context(|| format!("{} is no Parquet file", path.display()))
}

/// The columns of a batch with their names.
pub(super) fn arrays(path: &Path, batch: &RecordBatch) -> anyhow::Result<Vec<(String, Array)>> {
    let schema = batch.schema();
    let named = schema.fields().iter().zip(batch.columns());
    let array = named.map(|(field, column)| {
        let array = Array::of(column).with_context(|| format!("{}, column `{}`", path.display(), field.name()))?;
        Ok((field.name().clone(), array))
    });
    array.collect()
}

fn ints<T: ArrowPrimitiveType>(array: &ArrayRef) -> Array
where
    i64: From<T::Native>,
{
    Array::Int(array.as_primitive::<T>().unary(i64::from))
}

/// The float that is printed alike: 0.1 stays 0.1, and does not become the 0.10000000149 that it is nearest to.
fn widened(float: f32) -> f64 {
    float.to_string().parse().unwrap_or_else(|_| f64::from(float))
}

impl Array {
    fn of(array: &ArrayRef) -> anyhow::Result<Self> {
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string::<i32>().clone()),
            DataType::Binary => Self::Bytes(array.as_binary::<i32>().clone()),
            DataType::Boolean => Self::Bool(array.as_boolean().clone()),
            DataType::Int64 => Self::Int(array.as_primitive::<Int64Type>().clone()),
            DataType::Int32 => ints::<Int32Type>(array),
            DataType::Int16 => ints::<Int16Type>(array),
            DataType::Int8 => ints::<Int8Type>(array),
            DataType::UInt32 => ints::<UInt32Type>(array),
            DataType::UInt16 => ints::<UInt16Type>(array),
            DataType::UInt8 => ints::<UInt8Type>(array),
            DataType::Float64 => Self::Float(array.as_primitive::<Float64Type>().clone()),
            DataType::Float32 => Self::Float(array.as_primitive::<Float32Type>().unary(widened)),
            DataType::Decimal128(_, scale @ 0..=38) => {
                Self::Decimal(array.as_primitive::<Decimal128Type>().clone(), *scale as u8)
            }
            DataType::Timestamp(unit, _) => Self::Instant(match unit {
                TimeUnit::Second => {
                    array.as_primitive::<TimestampSecondType>().unary(|at| at.saturating_mul(1_000_000))
                }
                TimeUnit::Millisecond => {
                    array.as_primitive::<TimestampMillisecondType>().unary(|at| at.saturating_mul(1_000))
                }
                TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast(),
                TimeUnit::Nanosecond => {
                    array.as_primitive::<TimestampNanosecondType>().unary(|at| at.div_euclid(1_000))
                }
            }),
            other => bail!("columns of type {other} are not read; write text, a number, a truth value or a timestamp"),
        })
    }

    /// Whether a row has no value.
    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Text(array) => array.is_null(row),
            Self::Bytes(array) => array.is_null(row),
            Self::Int(array) | Self::Instant(array) => array.is_null(row),
            Self::Float(array) => array.is_null(row),
            Self::Bool(array) => array.is_null(row),
            Self::Decimal(array, _) => array.is_null(row),
        }
    }
}
