//! `featuregrid sim`: list, run, replay, plants, windows. The only part of the simulation that touches threads, files and the
//! real clock; what it starts is deterministic.

mod windows;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::{Parser, Subcommand, ValueEnum};
use featuregrid_protocol::plants::Plant;
use serde_json::json;
use thiserror::Error;

use crate::plan::RunPlan;
use crate::report::{Adder, RunReport, Summary, Violation};
use crate::scenarios::{self, Scenario};
use crate::windows::golden::{self, GoldenError};
use crate::world;

/// Beats the grid's own decisions in a deterministic world of nodes, log, store and network.
#[derive(Debug, Parser)]
#[command(name = "sim")]
pub struct Command {
    #[command(subcommand)]
    what: Subcommands,
}

/// What can be asked of the simulation.
#[derive(Debug, Subcommand)]
pub enum Subcommands {
    /// Names every scenario and the planted bugs it catches.
    List,
    /// Runs a scenario, or all of them in turn, over a range of seeds.
    Run {
        /// A name of `sim list`, or `all`.
        scenario: String,
        /// Over which seeds.
        #[command(flatten)]
        how: How,
        /// Switches a rule off; needs a build with the feature `plants`.
        #[arg(long)]
        plant: Option<String>,
        /// Writes the plan of each failing seed here.
        #[arg(long)]
        save: Option<PathBuf>,
    },
    /// Runs one plan again: a saved file, or a scenario and its seed.
    Replay {
        /// A plan saved by `run --save`, or a name of `sim list`.
        what: String,
        /// The seed of a named scenario.
        #[arg(long, value_parser = parse_number, default_value = "0")]
        seed: u64,
        /// Writes a line for everything that happens.
        #[arg(long)]
        trace: Option<PathBuf>,
        /// Switches a rule off.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Random definitions over random events in random orders against the oracle, until enough values were compared.
    Windows(windows::Arguments),
    /// Pages and values of some records, written down once and for ever: a new golden file, or whether one still holds.
    Golden {
        /// A golden file of this or an earlier release; without it a new one is printed.
        #[arg(long)]
        check: Option<PathBuf>,
    },
    /// Every planted bug against its own scenario, or one against random seeds.
    Plants {
        /// One planted bug.
        name: Option<String>,
        /// Over which seeds.
        #[command(flatten)]
        how: How,
    },
}

/// Over which seeds, and how it is printed.
#[derive(Debug, clap::Args)]
pub struct How {
    /// `A..B`, B excluded.
    #[arg(long, value_parser = parse_seeds)]
    seeds: Option<(u64, u64)>,
    /// Threads; each world stays on one.
    #[arg(long)]
    jobs: Option<usize>,
    /// How to print the result.
    #[arg(long, value_enum, default_value = "text")]
    report: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Why a command could not be carried out; nothing was run.
#[derive(Debug, Error)]
enum CliError {
    #[error("no scenario `{0}`; `sim list` names them")]
    Scenario(String),
    #[error("no planted bug `{0}`; `sim list` names them")]
    Plant(String),
    #[cfg(not(feature = "plants"))]
    #[error("this build has no planted bugs; build with `--features plants`")]
    NoPlants,
    #[error("{path}: {error}")]
    File { path: PathBuf, error: std::io::Error },
    #[error("{path}: not a plan: {error}")]
    Plan { path: PathBuf, error: serde_json::Error },
    #[error(transparent)]
    Golden(#[from] GoldenError),
    #[error("the result does not print as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

fn parse_number(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("`{text}` is no number; write 17 or 0x11"))
}

fn parse_seeds(text: &str) -> Result<(u64, u64), String> {
    let wrong = || format!("`{text}` is no range of seeds; write 0..2000");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let (from, to) = (parse_number(from)?, parse_number(to)?);
    if from < to { Ok((from, to)) } else { Err(wrong()) }
}

/// Runs `sim` with these arguments, the command's own name first.
pub fn run<I, T>(arguments: I) -> ExitCode
where
    I: IntoIterator<Item = T>,
    T: Into<std::ffi::OsString> + Clone,
{
    match Command::try_parse_from(arguments) {
        Ok(command) => execute(&command.what),
        Err(error) => {
            let _ = error.print();
            ExitCode::from(error.exit_code() as u8)
        }
    }
}

/// Runs a parsed command.
#[must_use]
pub fn execute(what: &Subcommands) -> ExitCode {
    let done = match what {
        Subcommands::List => list(),
        Subcommands::Run { scenario, how, plant, save } => run_seeds(scenario, how, plant.as_deref(), save.as_deref()),
        Subcommands::Replay { what, seed, trace, plant } => replay(what, *seed, trace.as_deref(), plant.as_deref()),
        Subcommands::Windows(arguments) => windows::run(arguments),
        Subcommands::Golden { check } => golden(check.as_deref()),
        Subcommands::Plants { name: Some(name), how } => plant_median(name, how),
        Subcommands::Plants { name: None, how } => plants(how),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("sim: {error}");
            ExitCode::from(2)
        }
    }
}

/// A panic anywhere in a run is a violation like any other.
fn run_plan(plan: &RunPlan, trace: Option<&mut String>) -> RunReport {
    let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world::run(plan, trace)));
    run.unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str);
        let found = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned();
        let violation = Some(Violation { invariant: "no_panic", at_ms: 0, found });
        RunReport { violation, ..RunReport::default() }
    })
}

fn list() -> Result<bool, CliError> {
    for scenario in scenarios::all() {
        let plants: Vec<&str> = scenario.plants.iter().map(|plant| plant.name()).collect();
        let catches = if plants.is_empty() { String::new() } else { format!(" [catches {}]", plants.join(", ")) };
        println!("{:<28} {}{catches}", scenario.name, scenario.about);
    }
    Ok(true)
}

fn run_seeds(name: &str, how: &How, plant: Option<&str>, save: Option<&Path>) -> Result<bool, CliError> {
    choose(plant.map(find_plant).transpose()?)?;
    let scenario = (name != "all").then(|| find_scenario(name)).transpose()?;
    let of_seed = |seed| scenario.unwrap_or_else(|| scenarios::of_seed(seed));
    let seeds = how.seeds.unwrap_or((0, 100));
    let (runs, core_seconds) = parallel(seeds, how, |seed| run_plan(&(of_seed(seed).expand)(seed), None));
    let mut adder = Adder::default();
    for (seed, run) in (seeds.0..).zip(&runs) {
        adder.add(run);
        if run.violation.is_some() {
            let plan = (of_seed(seed).expand)(seed);
            describe(&plan, run, plant);
            if let Some(folder) = save {
                save_plan(folder, &plan)?;
            }
        }
    }
    let summary = adder.finish(core_seconds);
    print_summary(&summary, how.report)?;
    Ok(summary.violations == 0 && summary.rows_lost == 0 && summary.differing == 0)
}

/// The violated invariant, its time, and the one line that shows it again.
fn describe(plan: &RunPlan, run: &RunReport, plant: Option<&str>) {
    let Some(violation) = &run.violation else { return };
    let plant = plant.map(|name| format!(" --plant {name}")).unwrap_or_default();
    println!("VIOLATED {} at {} ms: {}", violation.invariant, violation.at_ms, violation.found);
    println!("  featuregrid sim replay {} --seed {}{plant} --trace trace.txt", plan.scenario, plan.seed);
}

fn save_plan(folder: &Path, plan: &RunPlan) -> Result<(), CliError> {
    let path = folder.join(format!("{}-{}.json", plan.scenario, plan.seed));
    std::fs::create_dir_all(folder).map_err(|error| CliError::File { path: folder.to_owned(), error })?;
    write(&path, serde_json::to_string_pretty(plan)?.as_bytes())
}

#[expect(clippy::disallowed_methods, reason = "the command line's own files")]
fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, bytes).map_err(|error| CliError::File { path: path.to_owned(), error })
}

#[expect(clippy::disallowed_methods, reason = "the command line's own files")]
fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| CliError::File { path: path.to_owned(), error })
}

fn replay(what: &str, seed: u64, trace: Option<&Path>, plant: Option<&str>) -> Result<bool, CliError> {
    choose(plant.map(find_plant).transpose()?)?;
    let path = Path::new(what);
    let plan = match scenarios::find(what) {
        Some(scenario) => (scenario.expand)(seed),
        None if path.exists() => {
            serde_json::from_str(&read(path)?).map_err(|error| CliError::Plan { path: path.to_owned(), error })?
        }
        None => return Err(CliError::Scenario(what.to_owned())),
    };
    println!("{}", serde_json::to_string(&plan)?);
    let mut lines = String::new();
    let run = run_plan(&plan, trace.is_some().then_some(&mut lines));
    if let Some(path) = trace {
        write(path, lines.as_bytes())?;
    }
    describe(&plan, &run, plant);
    let mut adder = Adder::default();
    adder.add(&run);
    print_summary(&adder.finish(0.0), Format::Json)?;
    Ok(run.violation.is_none())
}

fn golden(file: Option<&Path>) -> Result<bool, CliError> {
    let Some(file) = file else {
        print!("{}", golden::write()?);
        return Ok(true);
    };
    let lines = golden::check(&read(file)?)?;
    println!("{}: {lines} lines hold", file.display());
    Ok(true)
}

/// Seeds tried for a plant's own scenario: scripted ones need one, so this is room for the scenario's own variety.
const OWN_SEEDS: (u64, u64) = (0, 20);

fn plants(how: &How) -> Result<bool, CliError> {
    let seeds = how.seeds.unwrap_or(OWN_SEEDS);
    let mut uncaught = Vec::new();
    let wrong: Vec<&Plant> = Plant::ALL.iter().filter(|plant| plant.breaks_a_rule()).collect();
    for plant in &wrong {
        let plant = *plant;
        choose(Some(*plant))?;
        let caught = match scenarios::of_plant(*plant) {
            Some(scenario) => first_caught(scenario, seeds),
            None => windows::caught(seeds.0),
        };
        if how.report == Format::Text || caught.is_none() {
            match &caught {
                Some(by) => println!("{:<26} caught by {by}", plant.name()),
                None => println!("{:<26} NOT CAUGHT", plant.name()),
            }
        }
        if caught.is_none() {
            uncaught.push(plant.name());
        }
    }
    choose(None)?;
    println!("{}", json!({ "plants": wrong.len(), "uncaught": uncaught.len(), "names": uncaught }));
    Ok(uncaught.is_empty())
}

/// What a scenario noticed first, and where.
fn first_caught(scenario: Scenario, seeds: (u64, u64)) -> Option<String> {
    (seeds.0..seeds.1).find_map(|seed| {
        let violation = run_plan(&(scenario.expand)(seed), None).violation?;
        Some(format!("{} in {} seed {seed}", violation.invariant, scenario.name))
    })
}

/// How many random seeds it takes to catch a planted bug: from every seed of the range on (which goes round), the
/// distance to the next that catches it; half of all starts need no more than the median.
fn plant_median(name: &str, how: &How) -> Result<bool, CliError> {
    choose(Some(find_plant(name)?))?;
    let seeds = how.seeds.unwrap_or((0, 1_000));
    let (runs, _) = parallel(seeds, how, |seed| run_plan(&(scenarios::random_of(seed).expand)(seed), None));
    choose(None)?;
    let caught: Vec<u64> =
        (seeds.0..).zip(&runs).filter(|(_, run)| run.violation.is_some()).map(|(seed, _)| seed).collect();
    let count = seeds.1 - seeds.0;
    let distance = |from: u64| caught.iter().map(|seed| (seed + count - from) % count + 1).min();
    let mut needed: Vec<u64> = (seeds.0..seeds.1).filter_map(distance).collect();
    needed.sort_unstable();
    let median = needed.get(needed.len() / 2).copied();
    println!(
        "{}",
        json!({
            "plant": name, "plants": 1, "uncaught": u32::from(caught.is_empty()), "seeds": seeds.1 - seeds.0,
            "caught_by": caught.len(), "first_seed": caught.first(), "median_seed": median,
        })
    );
    Ok(!caught.is_empty())
}

fn find_scenario(name: &str) -> Result<Scenario, CliError> {
    scenarios::find(name).ok_or_else(|| CliError::Scenario(name.to_owned()))
}

fn find_plant(name: &str) -> Result<Plant, CliError> {
    Plant::ALL.iter().find(|plant| plant.name() == name).copied().ok_or_else(|| CliError::Plant(name.to_owned()))
}

#[cfg(feature = "plants")]
fn choose(plant: Option<Plant>) -> Result<(), CliError> {
    featuregrid_protocol::plants::choose(plant);
    Ok(())
}

#[cfg(not(feature = "plants"))]
fn choose(plant: Option<Plant>) -> Result<(), CliError> {
    plant.map_or(Ok(()), |_| Err(CliError::NoPlants))
}

fn print_summary(summary: &Summary, format: Format) -> Result<(), CliError> {
    if format == Format::Text {
        println!(
            "{} seeds, {} violations, {} rows lost, {} readings differ, {:.2} simulated hours",
            summary.seeds, summary.violations, summary.rows_lost, summary.differing, summary.simulated_hours
        );
    }
    println!("{}", serde_json::to_string(summary)?);
    Ok(())
}

/// Runs every seed on one of `jobs` threads; results in order of seed, and the busy seconds of all threads.
#[expect(
    clippy::disallowed_methods,
    reason = "threads over seeds and the time they took; every world stays on one thread"
)]
fn parallel(seeds: (u64, u64), how: &How, one: impl Fn(u64) -> RunReport + Sync) -> (Vec<RunReport>, f64) {
    let jobs = how.jobs.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1).max(1);
    let next = AtomicU64::new(seeds.0);
    let results = Mutex::new((Vec::new(), 0.0));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let began = std::time::Instant::now();
                let mut mine = Vec::new();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.1 {
                        break;
                    }
                    mine.push((seed, one(seed)));
                }
                let busy = began.elapsed().as_secs_f64();
                let mut results = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                results.0.extend(mine);
                results.1 += busy;
            });
        }
    });
    let (mut runs, busy) = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    runs.sort_by_key(|(seed, _)| *seed);
    (runs.into_iter().map(|(_, run)| run).collect(), busy)
}
