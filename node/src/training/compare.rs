//! A training set against what was served: values as they are printed, status, and flags where the file says any. Knows
//! not where the file is from.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::TrainingSet;
use crate::cli::output;
use crate::files::lines;

/// Differences shown.
const SHOWN: usize = 10;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    features: BTreeMap<String, &'a RawValue>,
    status: BTreeMap<String, String>,
    flags: Option<BTreeMap<String, Vec<String>>>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Values.
    pub compared: u64,
    /// Those that are not the same.
    pub differing: u64,
    /// The first of them: `place result want got`.
    pub shown: Vec<String>,
}

/// Compares row by row with the lines of a file.
///
/// # Errors
/// When the file cannot be read, or has other rows or results.
pub fn compare(set: &TrainingSet, path: &Path) -> anyhow::Result<Comparison> {
    let mut found = Comparison::default();
    let mut rows = 0;
    for line in lines(path)? {
        let (number, text) = line?;
        let place = || format!("{}:{number}", path.display());
        let want: Line<'_> = serde_json::from_str(&text).with_context(place)?;
        let row = rows;
        rows += 1;
        if row >= set.answers.rows() {
            continue;
        }
        for column in &set.answers.columns {
            let mark = column.mark(row);
            let (Some(status), name) = (mark.status(), &column.name) else { continue };
            let value = want.features.get(name).with_context(|| format!("{}: no feature `{name}`", place()))?;
            let wanted_status = want.status.get(name).with_context(|| format!("{}: no status of `{name}`", place()))?;
            let got = output::json(&column.value(row));
            let is_same_mark = want.flags.as_ref().is_none_or(|flags| {
                let wanted = flags.get(name).map_or(&[][..], Vec::as_slice);
                mark.flags().eq(wanted.iter().map(String::as_str))
            });
            found.compared += 1;
            if got.get() != value.get() || status.name() != wanted_status || !is_same_mark {
                found.differing += 1;
                if found.shown.len() < SHOWN {
                    let flags: Vec<&str> = mark.flags().collect();
                    found.shown.push(format!(
                        "{} {name} want {value} {wanted_status} got {} {} {flags:?}",
                        set.spine.place(row),
                        got.get(),
                        status.name(),
                    ));
                }
            }
        }
    }
    if rows != set.answers.rows() {
        bail!("{}: {rows} rows; the spine has {}", path.display(), set.answers.rows());
    }
    Ok(found)
}
