//! The command line: what people type, and what it prints. Knows how to say things, not how to do them.
//!
//! Results go to stdout, everything else to stderr. `--report json` prints one JSON object, last, on stdout. The exit
//! code is 0 only if what was asked held.

mod eval;
mod output;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// A real-time feature store that computes what it serves.
#[derive(Debug, Parser)]
#[command(name = "featuregrid", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tries definitions on a file of events: the values that each row of a spine would have been served.
    Eval(eval::Arguments),
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Report {
    /// Lines for people.
    Text,
    /// One JSON object, last.
    Json,
}

/// Runs the command of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    crate::telemetry::start();
    let done = match arguments.command {
        Command::Eval(arguments) => eval::run(&arguments),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
