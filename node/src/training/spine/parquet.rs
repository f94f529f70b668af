//! A spine in Parquet. Knows no column's meaning.

use std::path::Path;

use anyhow::{Context, bail};
use featuregrid_protocol::value::Value;

use super::{Budget, Cells, Column};
use crate::training::columnar::{self, Array};

/// Every column.
pub(super) fn read(path: &Path, budget: &mut Budget<'_>) -> anyhow::Result<Vec<Column>> {
    let mut columns: Vec<Column> = Vec::new();
    for batch in columnar::open(path, |_| true)? {
        let batch = batch.with_context(|| path.display().to_string())?;
        budget.take(
            batch.get_array_memory_size() + batch.num_rows() * batch.num_columns() * size_of::<Option<String>>(),
        )?;
        for (at, (name, array)) in columnar::arrays(path, &batch)?.into_iter().enumerate() {
            if at == columns.len() {
                columns.push(Column { name, cells: empty(&array) });
            }
            if !append(&mut columns[at].cells, &array) {
                bail!("{}, column `{}`: bytes are carried through as text only", path.display(), columns[at].name);
            }
        }
    }
    Ok(columns)
}

fn empty(array: &Array) -> Cells {
    match array {
        Array::Text(_) | Array::Bytes(_) | Array::Decimal(..) => Cells::Text(Vec::new()),
        Array::Int(_) => Cells::Int(Vec::new()),
        Array::Float(_) => Cells::Float(Vec::new()),
        Array::Bool(_) => Cells::Bool(Vec::new()),
        Array::Instant(_) => Cells::Instant(Vec::new()),
    }
}

/// Whether they could be appended.
fn append(cells: &mut Cells, array: &Array) -> bool {
    match (cells, array) {
        (Cells::Text(cells), Array::Text(array)) => cells.extend(array.iter().map(|text| text.map(str::to_owned))),
        // A decimal keeps its digits as text.
        (Cells::Text(cells), Array::Decimal(array, scale)) => cells.extend(
            array.iter().map(|value| value.map(|unscaled| Value::Decimal { unscaled, scale: *scale }.to_string())),
        ),
        (Cells::Int(cells), Array::Int(array)) | (Cells::Instant(cells), Array::Instant(array)) => {
            cells.extend(array.iter());
        }
        (Cells::Float(cells), Array::Float(array)) => cells.extend(array.iter()),
        (Cells::Bool(cells), Array::Bool(array)) => cells.extend(array.iter()),
        _ => return false,
    }
    true
}
