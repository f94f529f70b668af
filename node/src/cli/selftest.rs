//! `featuregrid selftest`: whether what a node stands on keeps its promises.

use std::process::ExitCode;
use std::time::Instant;

use clap::Subcommand;
use serde_json::json;

use super::Report;
use super::output::say;
use super::store::StoreArguments;
use crate::store::open::open;
use crate::store::selftest::{Tally, Trial, run};

/// `featuregrid selftest`
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Races writers for one object, again and again: in each round exactly one may win.
    ///
    /// First every writer wants to create the object (If-None-Match), then to replace the same version of it (If-Match).
    /// A node asks the same in short before it begins. What is written is removed.
    Store(Store),
}

/// `featuregrid selftest store`
#[derive(Debug, clap::Args)]
pub(super) struct Store {
    #[command(flatten)]
    store: StoreArguments,
    /// Writers at once.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..=256))]
    writers: u32,
    /// Rounds for each of the two conditions.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rounds: u32,
    /// How the result is printed.
    #[arg(long, value_enum, default_value = "text")]
    report: Report,
}

/// Exit code 0 only if every round had one winner.
pub(super) async fn perform(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Store(Store { store, writers, rounds, report }) = command;
    let store = open(&store.settings()?).await?;
    let begin = Instant::now();
    let found = run(&store, Trial { writers, rounds }).await?;
    let seconds = begin.elapsed().as_secs_f64();
    match report {
        Report::Text => {
            say!("absent: {}", told(found.absent));
            say!("etag: {}", told(found.etag));
        }
        Report::Json => say!(
            "{}",
            json!({
                "store": store.place(), "writers": writers, "rounds": rounds, "absent": as_json(found.absent),
                "etag": as_json(found.etag), "holds": found.hold(), "seconds": (seconds * 1000.0).round() / 1000.0,
            })
        ),
    }
    Ok(if found.hold() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `winners_per_round=1 (1000/1000)`
fn told(tally: Tally) -> String {
    let Tally { rounds, held, astray, fewest, most } = tally;
    let winners = if fewest == most { most.to_string() } else { format!("{fewest}..{most}") };
    let astray = if astray == 0 { String::new() } else { format!(" astray={astray}") };
    format!("winners_per_round={winners} ({held}/{rounds}){astray}")
}

fn as_json(tally: Tally) -> serde_json::Value {
    let Tally { rounds, held, astray, fewest, most } = tally;
    json!({ "rounds": rounds, "held": held, "astray": astray, "winners_per_round": { "fewest": fewest, "most": most } })
}

#[cfg(test)]
mod tests {
    //! One line for each condition.
    use super::*;

    #[test]
    fn winners_are_told_by_round() {
        let tally = Tally { rounds: 10, held: 10, astray: 0, fewest: 1, most: 1 };
        assert_eq!(told(tally), "winners_per_round=1 (10/10)");
        assert_eq!(told(Tally { held: 7, astray: 1, most: 4, ..tally }), "winners_per_round=1..4 (7/10) astray=1");
    }
}
