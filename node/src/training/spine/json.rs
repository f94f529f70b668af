//! A spine of JSON objects, one a line. Knows no column's meaning.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value as Json};

use super::{Budget, Cells, Column};
use crate::files::lines;

/// The number of each line, and the columns in order of first mention.
pub(super) fn read(path: &Path, budget: &mut Budget<'_>) -> anyhow::Result<(Vec<usize>, Vec<Column>)> {
    let mut numbers = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut columns: Vec<Vec<Option<Json>>> = Vec::new();
    for line in lines(path)? {
        let (number, text) = line?;
        let row: Map<String, Json> =
            serde_json::from_str(&text).with_context(|| format!("{}:{number}", path.display()))?;
        budget.take(text.len() + row.len() * size_of::<Option<Json>>())?;
        for (name, value) in row {
            let at = *places.entry(name).or_insert_with_key(|name| {
                names.push(name.clone());
                columns.push(Vec::new());
                columns.len() - 1
            });
            columns[at].resize(numbers.len(), None);
            columns[at].push((!value.is_null()).then_some(value));
        }
        numbers.push(number);
    }
    let columns = names.into_iter().zip(columns).map(|(name, mut cells)| {
        cells.resize(numbers.len(), None);
        Column { name, cells: Cells::of(cells) }
    });
    let columns = columns.collect();
    Ok((numbers, columns))
}
