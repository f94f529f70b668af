//! A training set in Parquet. Knows no row of it by itself.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Float64Array, Int8Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema};
use featuregrid_protocol::value::{Status, Value};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::compute_leaves;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde_json::Value as Json;

use crate::training::TrainingSet;
use crate::training::answers::{Answered, Values};
use crate::training::spine::Cells;

/// Rows handed to the writer of a column at a time.
const BATCH_ROWS: usize = 8192;
/// Rows of one group, as other writers have them.
const GROUP_ROWS: usize = 1 << 20;
/// Digits of a decimal column: the most there are, so that a longer sum never changes the type.
const DIGITS: u8 = 38;

/// The column of a result's status.
pub(super) fn status_of(result: &str) -> String {
    format!("{result}__status")
}

/// Writes it, column by column of each group of rows: what is read and made of a column stays in a processor's cache, and
/// so does what the writer keeps of it.
pub(super) fn write(set: &TrainingSet, path: &Path) -> anyhow::Result<()> {
    let columns = columns(set);
    let mut fields = Vec::new();
    for (name, column) in &columns {
        fields.push(Arc::new(Field::new(name.clone(), array(set, *column, 0..0)?.data_type().clone(), true)));
    }
    // Values rarely repeat, and a dictionary of them costs more than it saves; names of statuses always do.
    let properties = set.answers.columns.iter().fold(
        WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk),
        |properties, column| {
            properties.set_column_dictionary_enabled(ColumnPath::from(vec![column.name.clone()]), false)
        },
    );
    let schema = Arc::new(Schema::new(fields.clone()));
    let writer = ArrowWriter::try_new(File::create(path)?, schema, Some(properties.build()))?;
    let (mut file, writers) = writer.into_serialized_writer()?;
    for (number, from) in (0..set.answers.rows()).step_by(GROUP_ROWS).enumerate() {
        let until = (from + GROUP_ROWS).min(set.answers.rows());
        let mut group = file.next_row_group()?;
        for ((mut writer, field), (_, column)) in
            writers.create_column_writers(number)?.into_iter().zip(&fields).zip(&columns)
        {
            for from in (from..until).step_by(BATCH_ROWS) {
                let array = array(set, *column, from..(from + BATCH_ROWS).min(until))?;
                for leaf in compute_leaves(field, &array)? {
                    writer.write(&leaf)?;
                }
            }
            writer.close()?.append_to_row_group(&mut group)?;
        }
        group.close()?;
    }
    file.close()?;
    Ok(())
}

/// What a column is made of.
#[derive(Clone, Copy)]
enum Column<'a> {
    Spine(&'a Cells),
    Values(&'a Answered),
    Statuses(&'a Answered),
    Flags,
}

/// All of them, in their order.
fn columns(set: &TrainingSet) -> Vec<(String, Column<'_>)> {
    let spine = set.spine.columns.iter().map(|column| (column.name.clone(), Column::Spine(&column.cells)));
    let answers = set.answers.columns.iter().flat_map(|column| {
        [(column.name.clone(), Column::Values(column)), (status_of(&column.name), Column::Statuses(column))]
    });
    spine.chain(answers).chain([(super::FLAGS.to_owned(), Column::Flags)]).collect()
}

fn array(set: &TrainingSet, column: Column<'_>, rows: Range<usize>) -> anyhow::Result<ArrayRef> {
    Ok(match column {
        Column::Spine(column) => cells(column, rows.start, rows.end),
        Column::Values(column) => values(column, rows)?,
        Column::Statuses(column) => statuses(column, rows)?,
        Column::Flags => Arc::new(rows.map(|row| super::flags(set, row)).collect::<StringArray>()),
    })
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

fn values(column: &Answered, rows: Range<usize>) -> anyhow::Result<ArrayRef> {
    let valid: BooleanArray = column.marks(rows.clone()).iter().map(|mark| mark.is_value()).collect::<Vec<_>>().into();
    let valid = Some(valid.values().clone().into());
    Ok(match &column.values {
        Values::Int(values) => Arc::new(Int64Array::new(values[rows].to_vec().into(), valid)),
        Values::Float(values) => Arc::new(Float64Array::new(values[rows].to_vec().into(), valid)),
        Values::Decimal { scale, unscaled } => {
            let decimals = Decimal128Array::new(unscaled[rows].to_vec().into(), valid);
            Arc::new(decimals.with_precision_and_scale(DIGITS, *scale as i8)?)
        }
        Values::Bool(values) => Arc::new(BooleanArray::new(values[rows].to_vec().into(), valid)),
        // Lists and counts are JSON: tables have no column for numbers that keep all their digits in a list.
        Values::Whole(values) => {
            let text = |value: &Value| match value {
                Value::Text(text) => text.to_string(),
                value => value.to_string(),
            };
            let values = column.marks(rows.clone()).iter().zip(&values[rows]);
            Arc::new(values.map(|(mark, value)| mark.is_value().then(|| text(value))).collect::<StringArray>())
        }
    })
}

fn statuses(column: &Answered, rows: Range<usize>) -> anyhow::Result<ArrayRef> {
    let keys = column.marks(rows).iter().map(|mark| mark.status().map(|status| status as i8));
    let names = StringArray::from_iter_values(Status::ALL.map(Status::name));
    let dictionary = DictionaryArray::try_new(keys.collect::<Int8Array>(), Arc::new(names))?;
    debug_assert!(matches!(dictionary.data_type(), DataType::Dictionary(..)), "names stand once");
    Ok(Arc::new(dictionary))
}
