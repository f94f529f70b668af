//! The command line: what people type, and what it prints. Knows how to say things, not how to do them.
//!
//! Results go to stdout, everything else to stderr. `--report json` prints one JSON object, last, on stdout. The exit
//! code is 0 only if what was asked held.

mod actor;
mod bench;
mod client;
mod completions;
mod config;
mod definitions;
mod demo;
mod dlq;
mod eval;
mod get;
mod node;
mod ops;
pub(crate) mod output;
mod produce;
mod push;
mod selftest;
mod serve;
mod sim;
mod state;
mod status;
mod store;
mod style;
mod training_set;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand, ValueEnum};
use featuregrid_protocol::plants::Plant;
use featuregrid_protocol::time::Span;

use crate::telemetry::logs::LogFormat;

/// The exit code of what Ctrl-C or SIGTERM ended before it was done, as shells have it.
const INTERRUPTED: u8 = 130;
/// Ranges of a new grid, unless another number is asked for.
pub(crate) const RANGES: u32 = 256;
/// Where a node answers and clients ask, unless another address is given.
pub(crate) const ADDRESS: &str = "127.0.0.1:7450";

/// A real-time feature store that computes what it serves.
#[derive(Debug, Parser)]
#[command(name = "featuregrid", version)]
struct Arguments {
    /// How log lines on stderr look; FEATUREGRID_LOG chooses which, for example `featuregrid=debug`.
    #[arg(long, global = true, value_enum, default_value = "auto")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Looks at one entity: where it lives, and what is kept of it.
    #[command(subcommand)]
    Actor(actor::Command),
    /// Measures, beside a limit or a peer in the same run.
    #[command(subcommand)]
    Bench(bench::Command),
    /// Prints what makes a shell complete these commands.
    Completions(completions::Arguments),
    /// Plays payments, sensors or a shop through a node and shows features, live or compared with the oracle.
    Demo(demo::Arguments),
    /// Tries definitions on a file of events: the values that each row of a spine would have been served.
    ///
    /// Prints a JSON object for each row of the spine, in its order: its keys and `as_of`, then by name of the results
    /// `features` (value or null), `status`, and `flags` (a list of rounded, inexact_input, partial_coverage; mostly empty).
    Eval(eval::Arguments),
    /// Names every mistake of definitions, or what they mean and how large an entity can get.
    ///
    /// The largest entity of a view is proven from its windows alone: the most tiles of each level and their bytes, the newest rows
    /// that are kept as they are, the key, and what is known of a partition. A view whose sum is above the limit is refused.
    Validate(definitions::Validate),
    /// Says what a change of definitions does: at once, kept from its activation on, or refused; and what it costs.
    Plan(definitions::Change),
    /// Prints the JSON schema of definitions, for editors.
    Schema,
    /// Reads a topic and answers reads, until it is told to stop.
    Serve(serve::Arguments),
    /// Shows what may be set, and what is in force.
    #[command(subcommand)]
    Config(config::Command),
    /// Asks a running node for the features of one entity.
    Get(get::Arguments),
    /// Prints the reference of operators and windows, or proves each of them on a running node.
    Ops(ops::Arguments),
    /// Appends simulated payments, sensor readings or clicks to a topic.
    Produce(produce::Arguments),
    /// Appends one event, waits until it is visible, and shows its entity's features before and after it.
    Push(push::Arguments),
    /// Shows what a running node has read and holds, and whether its accounting holds.
    Status(status::Arguments),
    /// Lists, shows and replays records that were not taken.
    #[command(subcommand)]
    Dlq(dlq::Command),
    /// Beats the grid's own decisions in a deterministic world of nodes, log, store and network.
    #[command(subcommand)]
    Sim(sim::Command),
    /// Tries whether what a node stands on keeps its promises.
    #[command(subcommand)]
    Selftest(selftest::Command),
    /// Looks at the state as a whole.
    #[command(subcommand)]
    State(state::Command),
    /// Adds to rows of a spine the features they would have been served, or that truly held, at their instants.
    TrainingSet(training_set::Arguments),
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Report {
    /// Lines for people.
    Text,
    /// One JSON object, last.
    Json,
}

/// Runs the command of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Log lines would stand in the middle of the picture.
    let quiet = matches!(&arguments.command, Command::Demo(demo) if demo.draws());
    crate::telemetry::logs::start(arguments.log_format, quiet);
    match run(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match &command {
        Command::Eval(arguments) => return eval::run(arguments),
        Command::Validate(arguments) => return definitions::validate(arguments),
        Command::Plan(arguments) => return definitions::plan(arguments),
        Command::Completions(arguments) => return completions::run(arguments),
        Command::Schema => return Ok(definitions::schema()),
        Command::Config(command) => return config::run(command),
        Command::Sim(command) => return sim::run(command),
        Command::TrainingSet(arguments) => return training_set::run(arguments),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting threads")?;
    let done = runtime.block_on(async {
        match command {
            Command::Actor(command) => actor::run(command).await,
            Command::Bench(command) => bench::run(command).await,
            Command::Completions(arguments) => completions::run(&arguments),
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Eval(arguments) => eval::run(&arguments),
            Command::Validate(arguments) => definitions::validate(&arguments),
            Command::Plan(arguments) => definitions::plan(&arguments),
            Command::Schema => Ok(definitions::schema()),
            Command::Config(command) => config::run(&command),
            Command::Sim(command) => sim::run(&command),
            Command::TrainingSet(arguments) => training_set::run(&arguments),
            Command::Serve(arguments) => serve::run(arguments).await,
            Command::Ops(arguments) => ops::run(arguments).await,
            Command::Produce(arguments) => produce::run(arguments).await,
            Command::Get(arguments) => get::run(arguments).await,
            Command::Selftest(command) => selftest::perform(command).await,
            Command::State(command) => state::run(command).await,
            Command::Push(arguments) => push::run(arguments).await,
            Command::Status(arguments) => status::run(arguments).await,
            Command::Dlq(command) => dlq::run(command).await,
        }
    });
    // A thread that hangs in a client library must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(2));
    done
}

/// Ends when the process is asked to: Ctrl-C or SIGTERM.
async fn stopped() {
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        done = tokio::signal::ctrl_c() => {
            if done.is_err() {
                std::future::pending::<()>().await;
            }
        }
        _ = terminate.recv() => {}
    }
}

/// `20s`, `5m`.
fn duration(text: &str) -> Result<Duration, String> {
    let span = Span::parse(text).map_err(|error| error.to_string())?;
    Ok(Duration::from_micros(span.0.unsigned_abs()))
}

/// The budget asked for, or half of the machine's memory.
fn memory_budget(asked: Option<usize>) -> usize {
    const UNKNOWN: usize = 4 << 30;
    let total = || {
        let text = std::fs::read_to_string("/proc/meminfo").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        Some(line.trim().trim_end_matches("kB").trim().parse::<usize>().ok()? << 10)
    };
    asked.unwrap_or_else(|| total().map_or(UNKNOWN, |total| total / 2))
}

/// Switches a rule off, where the build can.
fn plant(name: Option<&str>) -> anyhow::Result<()> {
    let Some(name) = name else { return Ok(()) };
    let Some(plant) = Plant::ALL.iter().copied().find(|plant| plant.name() == name) else {
        let names: Vec<&str> = Plant::ALL.iter().map(|plant| plant.name()).collect();
        bail!("no plant `{name}`; there are: {}", names.join(", "));
    };
    choose(plant)
}

#[cfg(feature = "plants")]
fn choose(plant: Plant) -> anyhow::Result<()> {
    featuregrid_protocol::plants::choose(Some(plant));
    Ok(())
}

#[cfg(not(feature = "plants"))]
fn choose(plant: Plant) -> anyhow::Result<()> {
    bail!("this build follows every rule: build with --features plants to switch `{}` off", plant.name())
}

#[cfg(test)]
mod tests {
    //! The shape of the command line.
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
