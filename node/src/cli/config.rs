//! `featuregrid config show`: what may be set, and what is in force.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::output::{Output, say, table};
use super::serve;
use crate::config::{Effective, REFERENCE};

/// `featuregrid config`
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Prints the reference file, every setting with its meaning, range and default; or what is in force.
    Show(Show),
}

/// `featuregrid config show`
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// What is in force: every value, and whether it is a default or comes from a file, the environment or a flag.
    #[arg(long)]
    effective: bool,
    /// How it is printed, with --effective.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
    /// As of `featuregrid serve`.
    #[command(flatten)]
    serve: serve::Arguments,
}

/// Exit code 0 only if `featuregrid serve` would take the settings.
pub(super) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let Command::Show(show) = command;
    if !show.effective {
        say!("{}", REFERENCE.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let effective = show.serve.effective()?;
    match show.output {
        Output::Json => say!("{}", as_json(&effective)),
        Output::Table => {
            let row =
                |(name, layer): (String, &crate::config::Layer)| vec![name, layer.shown(), layer.origin.to_string()];
            table(&["setting", "value", "from"], &effective.iter().map(row).collect::<Vec<_>>());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(effective: &Effective) -> serde_json::Value {
    let setting = |(name, layer): (String, &crate::config::Layer)| {
        let value = layer.value.as_ref().map(|_| layer.shown());
        (name, json!({ "value": value, "from": layer.origin.to_string() }))
    };
    serde_json::Value::Object(effective.iter().map(setting).collect())
}
