//! `featuregrid ops`: what can be computed over which windows, and that each of it is.

use std::process::ExitCode;

use featuregrid_protocol::plan::Operator;
use serde_json::Value as Json;

use super::output::{Output, say};
use crate::ops::{KINDS, cells, markdown, verify};

/// `featuregrid ops`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The reference page in Markdown, which is what is printed without any flag, too.
    #[arg(long, conflicts_with = "verify")]
    markdown: bool,
    /// Ask a running node for each operator over each window, and compare every value.
    #[arg(long)]
    verify: bool,
    /// How many events the node is given.
    #[arg(long, default_value_t = 20_000, requires = "verify")]
    events: u64,
    /// Equal seeds make equal events.
    #[arg(long, default_value_t = 7, requires = "verify")]
    seed: u64,
    /// How the result is printed.
    #[arg(short, long, visible_alias = "report", value_enum, default_value = "table")]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    if !arguments.verify {
        say!("{}", markdown().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let verified = verify(arguments.seed, arguments.events).await?;
    for mismatch in &verified.shown {
        eprintln!("{mismatch}");
    }
    let cells = cells().count();
    let told = [
        ("ops", Operator::ALL.len() as u64),
        ("windows", KINDS.len() as u64),
        ("cells", cells as u64),
        ("tested", verified.tested as u64),
        ("compared", verified.compared),
        ("differing", verified.differing),
        ("late", verified.late),
        ("restarts", verified.restarts),
    ];
    match arguments.output {
        Output::Json => say!("{}", Json::from_iter(told)),
        Output::Table => say!("{}", told.map(|(name, count)| format!("{name}={count}")).join(" ")),
    }
    let held = verified.tested == cells && verified.differing == 0 && verified.late > 0;
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
