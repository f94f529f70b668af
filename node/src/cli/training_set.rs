//! `featuregrid training-set`: the rows of a spine with their features. Knows no window: the shard that serves answers.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;
use featuregrid_actors::training::Known;
use featuregrid_protocol::position::PartitionCounters;
use serde_json::json;

use super::Report;
use super::output::say;
use crate::files;
use crate::training::compare::{Comparison, compare};
use crate::training::spine::Spine;
use crate::training::{Asked, TrainingSet, build, table};

/// `featuregrid training-set`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The definitions (YAML).
    definitions: PathBuf,
    /// Events: Parquet, or one JSON object a line; with several sources SOURCE=FILE.
    #[arg(long, required = true, num_args = 1..)]
    events: Vec<String>,
    /// What to ask, Parquet or one JSON object a line: join keys, `as_of`, `token` or `known_at`, and whatever else.
    #[arg(long)]
    spine: PathBuf,
    /// The rows of the spine with their features; Parquet, or one JSON object a line, by its name.
    #[arg(short, long)]
    output: PathBuf,
    /// Which events count.
    #[arg(long, value_enum, default_value = "as-known")]
    known: Which,
    /// How much memory to take, for example 8GiB [default: half of the memory]. Where the events of all keys do not fit, the
    /// files are read several times, each time for another part of the keys.
    #[arg(long, value_parser = crate::config::size)]
    memory: Option<usize>,
    /// What was served (JSON lines, in the order of the spine): every value, status and flag is compared.
    #[arg(long)]
    compare: Option<PathBuf>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value = "text")]
    report: Report,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Those that were visible to whoever asked: what was, or would have been, served.
    AsKnown,
    /// All that happened before the instant, late ones too.
    AsHappened,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let plan = Arc::new(files::plan(&arguments.definitions)?);
    let memory = super::memory_budget(arguments.memory);
    let spine = Spine::read(&arguments.spine, &plan, memory)?;
    table::check(&plan, &spine, &arguments.output)?;
    let known = match arguments.known {
        Which::AsKnown => Known::AsKnown,
        Which::AsHappened => Known::AsHappened,
    };
    let set = build(&plan, spine, &arguments.events, Asked { known, memory })?;
    table::write(&set, &arguments.output)?;
    let found = arguments.compare.as_deref().map(|path| compare(&set, path)).transpose()?;
    print(arguments.report, &set, found.as_ref());
    let holds = found.is_none_or(|found| found.differing == 0);
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(report: Report, set: &TrainingSet, found: Option<&Comparison>) {
    let TrainingSet { answers, counters, applied, duplicate, parts, .. } = set;
    let PartitionCounters { records, late, dead_lettered, tombstones, unmatched, routed, .. } = counters;
    for line in found.iter().flat_map(|found| &found.shown) {
        eprintln!("{line}");
    }
    if report == Report::Text {
        say!("{} rows with {} results", answers.rows(), answers.columns.len());
        say!(
            "records {records} = late {late} + dead_lettered {dead_lettered} + tombstones {tombstones} + unmatched \
             {unmatched} + routed {routed}"
        );
        say!("of the keys asked for: {applied} rows, {duplicate} duplicates");
        if *parts > 1 {
            say!("the events were read {parts} times, to fit the memory; --memory gives more");
        }
        if let Some(found) = found {
            say!("{} values compared, {} differ", found.compared, found.differing);
        }
        return;
    }
    let mut result = json!({
        "rows": answers.rows(), "results": answers.columns.len(), "records": records, "late": late,
        "dead_lettered": dead_lettered, "tombstones": tombstones, "unmatched": unmatched, "routed": routed,
        "applied": applied, "duplicate": duplicate, "parts": parts,
    });
    if let Some(found) = found {
        result["compared"] = found.compared.into();
        result["differing"] = found.differing.into();
    }
    say!("{result}");
}
