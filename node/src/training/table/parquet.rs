//! A training set in Parquet. Knows no row of it by itself.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Float64Array, Int8Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema};
use featuregrid_protocol::value::{Status, Value};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde_json::Value as Json;

use crate::training::TrainingSet;
use crate::training::answers::{Answered, Values};
use crate::training::spine::Cells;

/// Rows of one batch handed to the writer.
const BATCH_ROWS: usize = 65_536;
/// Digits of a decimal column: the most there are, so that a longer sum never changes the type.
const DIGITS: u8 = 38;

/// The column of a result's status.
pub(super) fn status_of(result: &str) -> String {
    format!("{result}__status")
}

/// Writes it.
pub(super) fn write(set: &TrainingSet, path: &Path) -> anyhow::Result<()> {
    let file = File::create(path)?;
    let first = batch(set, 0, 0)?;
    // Values rarely repeat, and a dictionary of them costs more than it saves; names of statuses always do.
    let properties = set.answers.columns.iter().fold(
        WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk),
        |properties, column| {
            properties.set_column_dictionary_enabled(ColumnPath::from(vec![column.name.clone()]), false)
        },
    );
    let mut writer = ArrowWriter::try_new(file, first.schema(), Some(properties.build()))?;
    for from in (0..set.answers.rows()).step_by(BATCH_ROWS) {
        let until = (from + BATCH_ROWS).min(set.answers.rows());
        writer.write(&batch(set, from, until)?)?;
    }
    writer.close()?;
    Ok(())
}

fn batch(set: &TrainingSet, from: usize, until: usize) -> anyhow::Result<RecordBatch> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut push = |name: String, array: ArrayRef| {
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    };
    for column in &set.spine.columns {
        push(column.name.clone(), cells(&column.cells, from, until));
    }
    for column in &set.answers.columns {
        push(column.name.clone(), values(column, from, until)?);
        push(status_of(&column.name), statuses(column, from, until)?);
    }
    let flags: StringArray = (from..until).map(|row| super::flags(set, row)).collect();
    push(super::FLAGS.to_owned(), Arc::new(flags));
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

fn cells(cells: &Cells, from: usize, until: usize) -> ArrayRef {
    match cells {
        Cells::Text(cells) => Arc::new(cells[from..until].iter().map(Option::as_deref).collect::<StringArray>()),
        Cells::Int(cells) => Arc::new(cells[from..until].iter().copied().collect::<Int64Array>()),
        Cells::Float(cells) => Arc::new(cells[from..until].iter().copied().collect::<Float64Array>()),
        Cells::Bool(cells) => Arc::new(cells[from..until].iter().copied().collect::<BooleanArray>()),
        Cells::Instant(cells) => {
            let micros = cells[from..until].iter().copied().collect::<TimestampMicrosecondArray>();
            Arc::new(micros.with_timezone("UTC"))
        }
        Cells::Json(cells) => {
            let text = cells[from..until].iter().map(|cell| match cell {
                Some(Json::String(text)) => Some(text.clone()),
                other => other.as_ref().map(ToString::to_string),
            });
            Arc::new(text.collect::<StringArray>())
        }
    }
}

fn values(column: &Answered, from: usize, until: usize) -> anyhow::Result<ArrayRef> {
    let is_value = |row: usize| column.mark(row).is_value();
    let rows = from..until;
    Ok(match &column.values {
        Values::Int(values) => Arc::new(rows.map(|row| is_value(row).then(|| values[row])).collect::<Int64Array>()),
        Values::Float(values) => Arc::new(rows.map(|row| is_value(row).then(|| values[row])).collect::<Float64Array>()),
        Values::Decimal { scale, unscaled } => {
            let decimals = rows.map(|row| is_value(row).then(|| unscaled[row])).collect::<Decimal128Array>();
            Arc::new(decimals.with_precision_and_scale(DIGITS, *scale as i8)?)
        }
        Values::Bool(values) => Arc::new(rows.map(|row| is_value(row).then(|| values[row])).collect::<BooleanArray>()),
        // Lists and counts are JSON: tables have no column for numbers that keep all their digits in a list.
        Values::Whole(values) => {
            let text = |row: usize| match &values[row] {
                Value::Text(text) => text.to_string(),
                value => value.to_string(),
            };
            Arc::new(rows.map(|row| is_value(row).then(|| text(row))).collect::<StringArray>())
        }
    })
}

fn statuses(column: &Answered, from: usize, until: usize) -> anyhow::Result<ArrayRef> {
    let keys: Int8Array = (from..until).map(|row| column.mark(row).status().map(|status| status as i8)).collect();
    let names = StringArray::from_iter_values(Status::ALL.map(Status::name));
    let dictionary = DictionaryArray::try_new(keys, Arc::new(names))?;
    debug_assert!(matches!(dictionary.data_type(), DataType::Dictionary(..)), "names stand once");
    Ok(Arc::new(dictionary))
}
