//! Events from files into a history. Knows no question.
//!
//! A file holds the records of one source (`--events FILE`, or SOURCE=FILE where there are several), or says of each
//! record whose it is. Several files of one source follow one another. Three forms, told apart by themselves:
//!
//! - JSON lines that are payloads: one partition, in order of arrival; nothing is dated ahead of its record.
//! - JSON lines, or Parquet rows, that are records of a log: `payload`, `offset`, and where they are known `source`,
//!   `partition`, `log_timestamp`, `applied_at`, `admit`.
//! - Parquet rows that are events: a column for each declared field of the source, `event_timestamp`, `event_id`, and
//!   beside them the same columns as records have, but for those that are called like a field.

mod json;
mod parquet;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use featuregrid_actors::training::History;
use featuregrid_protocol::ids::{Offset, PartitionId, SourceId};
use featuregrid_protocol::plan::{LatenessClock, Plan};

/// Reads every file in turn.
///
/// # Errors
/// When a file cannot be read, or a row of it cannot be used: file, row and column.
pub fn read(plan: &Plan, given: &[String], history: &mut History) -> anyhow::Result<()> {
    let mut sink = Sink { plan, history };
    for given in given {
        let (source, path) = source_of(plan, given)?;
        let file = File { path: &path, source };
        if super::is_parquet(&path) { parquet::read(&file, &mut sink)? } else { json::read(&file, &mut sink)? }
    }
    Ok(())
}

/// A file, and whose records it holds where they do not say so themselves.
struct File<'a> {
    path: &'a Path,
    source: SourceId,
}

impl File<'_> {
    fn place(&self, row: usize) -> String {
        let mark = if super::is_parquet(self.path) { ", row " } else { ":" };
        format!("{}{mark}{row}", self.path.display())
    }
}

/// Where records go.
struct Sink<'a> {
    plan: &'a Plan,
    history: &'a mut History,
}

impl Sink<'_> {
    /// The partition of a record, and its offset: the next one, where it says none.
    fn place(&self, source: SourceId, number: u32, offset: Option<Offset>) -> anyhow::Result<(PartitionId, Offset)> {
        let partition = PartitionId::of(source, number).with_context(|| format!("there is no partition {number}"))?;
        Ok((partition, offset.unwrap_or_else(|| self.history.next(partition))))
    }

    /// Whether nothing of a source is late where it is not said when it was appended.
    fn admits_undated(&self, source: SourceId) -> bool {
        self.plan.source(source).is_some_and(|source| source.lateness_clock == LatenessClock::AppendTime)
    }

    fn source(&self, name: &str) -> anyhow::Result<SourceId> {
        let id = self.plan.source_id(name);
        id.with_context(|| format!("`{name}` is no source; they are: {}", self.plan.source_names()))
    }
}

fn source_of(plan: &Plan, given: &str) -> anyhow::Result<(SourceId, PathBuf)> {
    if let Some((name, file)) = given.split_once('=')
        && let Some(source) = plan.source_id(name)
    {
        return Ok((source, PathBuf::from(file)));
    }
    match plan.sources.as_slice() {
        [_] => Ok((SourceId(0), PathBuf::from(given))),
        _ => bail!("--events {given}: several sources need SOURCE=FILE; they are: {}", plan.source_names()),
    }
}
