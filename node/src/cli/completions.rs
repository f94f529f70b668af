//! `featuregrid completions`: a script that makes a shell complete commands and flags.

use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::output::say;

/// `featuregrid completions`
///
/// bash: source <(featuregrid completions bash); zsh and fish alike, or into the folder your shell reads.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "featuregrid", &mut script);
    let script = String::from_utf8(script).context("the script")?;
    say!("{}", script.trim_end());
    Ok(ExitCode::SUCCESS)
}
