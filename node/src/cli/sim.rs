//! `featuregrid sim`: the simulation's own commands, and `served`, which writes files. Knows no scenario.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use featuregrid_simulations::served::{self, Marks};
use serde_json::json;

use super::Report;
use super::output::say;
use crate::training::served::write;

/// `featuregrid sim`
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Plays one node with late events and crashes, and writes what it served: what training sets must reproduce.
    Served {
        /// Equal seeds make equal files.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// The folder for definitions.yaml, events.parquet, spine.jsonl, as-known.jsonl, as-happened.jsonl.
        #[arg(long)]
        out: PathBuf,
        /// How the result is printed.
        #[arg(long, value_enum, default_value = "text")]
        report: Report,
    },
    #[command(flatten)]
    World(featuregrid_simulations::cli::Subcommands),
}

pub(super) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let (seed, out, report) = match command {
        Command::World(what) => return Ok(featuregrid_simulations::cli::execute(what)),
        Command::Served { seed, out, report } => (*seed, out, *report),
    };
    let run = served::run(seed)?;
    write(&run, out)?;
    let Marks { rounded, out_of_range, corrected } = run.marks();
    let (served, restarts, late_corrections) = (run.asked.len(), run.restarts, run.late_corrections);
    match report {
        Report::Json => say!(
            "{}",
            json!({
                "seed": seed, "records": run.log.len(), "late": run.late, "served": served, "restarts": restarts,
                "late_corrections": late_corrections, "rounded": rounded, "out_of_range": out_of_range,
                "corrected": corrected,
            })
        ),
        Report::Text => say!(
            "{served} reads served of {} records, {restarts} crashes, {late_corrections} late corrections; {corrected} reads \
             are others as it happened; {}",
            run.log.len(),
            out.display()
        ),
    }
    Ok(ExitCode::SUCCESS)
}
