//! `featuregrid sim windows`: the comparison of random definitions, printed. Knows no case.

use clap::builder::RangedU64ValueParser;

use super::{CliError, Format, choose, find_plant, parse_number};
use crate::windows::case::{Case, Difference};
use crate::windows::{Report, compare, one};

/// Differing values of one case that are printed; the count is of all.
const SHOWN_MAX: usize = 5;
/// Values compared until a planted bug counts as not caught.
const PLANTED_VALUES: u64 = 300_000;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How many values, at least; those of keys without rows, and those that are too far back, are compared but not counted.
    #[arg(long, default_value_t = 1_000_000, value_parser = RangedU64ValueParser::<u64>::new().range(1..))]
    compare: u64,
    /// Equal seeds draw and read the same, in every build: the trace hash says so.
    #[arg(long, value_parser = parse_number, default_value = "0")]
    seed: u64,
    /// One case of the seed alone, as a difference names it.
    #[arg(long, conflicts_with = "compare")]
    case: Option<u64>,
    /// Switches a rule off; needs a build with the feature `plants`.
    #[arg(long)]
    plant: Option<String>,
    /// How to print the result.
    #[arg(long, value_enum, default_value = "text")]
    report: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<bool, CliError> {
    let &Arguments { seed, case, report: format, ref plant, .. } = arguments;
    choose(plant.as_deref().map(find_plant).transpose()?)?;
    let report = match case {
        Some(number) => one(Case { seed, number }),
        None => compare(seed, arguments.compare),
    };
    choose(None)?;
    show(&report.differences, plant.as_deref());
    if format == Format::Text {
        println!("{}", tables(&report));
    }
    println!("{}", serde_json::to_string(&report)?);
    Ok(report.differing == 0)
}

/// Where a planted bug was noticed first.
pub(super) fn caught(seed: u64) -> Option<String> {
    let report = compare(seed, PLANTED_VALUES);
    let first = report.differences.first()?;
    Some(format!("windows seed {seed} case {}", first.case.number))
}

/// The values, each case behind the line that shows it again.
fn show(differences: &[Difference], plant: Option<&str>) {
    let plant = plant.map(|name| format!(" --plant {name}")).unwrap_or_default();
    for of_case in differences.chunk_by(|a, b| a.case == b.case) {
        let Case { seed, number } = of_case[0].case;
        eprintln!("featuregrid sim windows --seed {seed} --case {number}{plant}");
        eprintln!("  view key feature as_of want got");
        of_case.iter().take(SHOWN_MAX).for_each(|Difference { line, .. }| eprintln!("  {line}"));
        if of_case.len() > SHOWN_MAX {
            eprintln!("  and {} more", of_case.len() - SHOWN_MAX);
        }
    }
}

/// What was drawn, a table for each histogram.
fn tables(report: &Report) -> String {
    let mut lines = Vec::new();
    for (name, histogram) in report.drawn.histograms() {
        lines.push(name.replace('_', " "));
        let most = histogram.values().copied().max().unwrap_or(0).max(1);
        for (what, times) in histogram {
            let bar = "#".repeat((times * 30).div_ceil(most) as usize);
            lines.push(format!("  {what:<40} {times:>12}  {bar}"));
        }
    }
    lines.push(format!(
        "seed {}: {} values compared in {} cases ({} more that are not there), {} differ, trace {}",
        report.seed, report.compared, report.cases, report.absent, report.differing, report.trace_hash
    ));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    //! What was drawn is printed with its name and count.
    use super::*;

    #[test]
    fn every_histogram_is_a_table() {
        let text = tables(&compare(1, 1_000));
        for name in ["operators", "window lengths", "statuses", "lateness", "fates", "count of rows"] {
            assert!(text.contains(name), "{name}: {text}");
        }
        assert!(text.lines().last().is_some_and(|last| last.contains(" 0 differ")), "{text}");
    }
}
