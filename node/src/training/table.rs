//! A training set as a file: the spine's columns, then a value and a status for each result, then flags. Knows no
//! question.

mod parquet;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context, bail};
use featuregrid_protocol::plan::Plan;
use serde::Serialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::TrainingSet;
use super::answers::Answers;
use super::spine::{Column, Spine};
use crate::cli::output;

/// Where the flags of a row stand.
const FLAGS: &str = "flags";

/// Whether every column of a table will have a name of its own; asked before anything is computed.
///
/// # Errors
/// With the column of the spine that has the name of another.
pub fn check(plan: &Plan, spine: &Spine, path: &Path) -> anyhow::Result<()> {
    let results = Answers::names(plan, spine).into_iter();
    let beside: Vec<String> = if super::is_parquet(path) {
        results.flat_map(|name| [parquet::status_of(&name), name]).chain([FLAGS.to_owned()]).collect()
    } else {
        ["features", "status", FLAGS].map(str::to_owned).to_vec()
    };
    match spine.columns.iter().find(|column| beside.contains(&column.name)) {
        None => Ok(()),
        Some(Column { name, .. }) => bail!(
            "{}, column `{name}`: {} has a column of that name beside the spine's; rename it",
            spine.path().display(),
            path.display()
        ),
    }
}

/// Writes it, Parquet by the name of the file or one JSON object a line.
///
/// # Errors
/// When the file cannot be written.
pub fn write(set: &TrainingSet, path: &Path) -> anyhow::Result<()> {
    let name = || path.display().to_string();
    if super::is_parquet(path) {
        return parquet::write(set, path).with_context(name);
    }
    let mut out = BufWriter::new(File::create(path).with_context(name)?);
    for row in 0..set.answers.rows() {
        serde_json::to_writer(&mut out, &line(set, row)).with_context(name)?;
        out.write_all(b"\n").with_context(name)?;
    }
    out.flush().with_context(name)
}

/// One row, as `eval` prints it.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    spine: Ordered<'a, Json>,
    features: Ordered<'a, Box<RawValue>>,
    status: Ordered<'a, &'static str>,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    flags: Ordered<'a, Vec<&'static str>>,
}

/// A JSON object in the order of its definition.
struct Ordered<'a, T>(Vec<(&'a str, T)>);

impl<T> Ordered<'_, T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for Ordered<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn line(set: &TrainingSet, row: usize) -> Line<'_> {
    let spine = set.spine.columns.iter();
    let spine = spine.map(|column| (column.name.as_str(), column.cells.json(row).unwrap_or(Json::Null)));
    let asked = set.answers.columns.iter().filter_map(|column| Some((column, column.mark(row).status()?)));
    let (mut features, mut status, mut flags) = (Vec::new(), Vec::new(), Vec::new());
    for (column, found) in asked {
        let name = column.name.as_str();
        features.push((name, output::json(&column.value(row))));
        status.push((name, found.name()));
        if !column.mark(row).is_plain() {
            flags.push((name, column.mark(row).flags().collect()));
        }
    }
    Line {
        spine: Ordered(spine.collect()),
        features: Ordered(features),
        status: Ordered(status),
        flags: Ordered(flags),
    }
}

/// The flags of a row as JSON, where it has any.
fn flags(set: &TrainingSet, row: usize) -> Option<String> {
    let flagged = set.answers.columns.iter().filter(|column| !column.mark(row).is_plain());
    let flags: Vec<(&str, Vec<&str>)> =
        flagged.map(|column| (column.name.as_str(), column.mark(row).flags().collect())).collect();
    if flags.is_empty() { None } else { serde_json::to_string(&Ordered(flags)).ok() }
}
