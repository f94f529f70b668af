//! Values as JSON and text. Knows no command.

use std::io::Write as _;

use clap::ValueEnum;
use featuregrid_protocol::value::Value;
use featuregrid_protocol::wire::v1;
use serde_json::value::RawValue;
use serde_json::{Map, json};

use super::style::Style;

/// Prints a line to stdout. Whoever reads may have heard enough (`| head`): then the command ends without a word.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::output::print_line(format_args!($($text)*)) };
}
pub(super) use say;

pub(super) fn print_line(text: std::fmt::Arguments<'_>) {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            eprintln!("standard output: {error}");
            std::process::exit(1)
        }
        Ok(()) => {}
    }
}

/// How a command prints what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// Columns for people.
    #[value(alias = "text")]
    Table,
    /// JSON, one object a line.
    Json,
}

/// One feature of one entity.
pub(super) struct Shown<'r> {
    pub(super) feature: &'r str,
    pub(super) value: String,
    pub(super) status: v1::Status,
    /// The bits of `FeatureColumn.flags`.
    pub(super) flags: u32,
}

/// The features of the first entity of a reply.
pub(super) fn first_entity(reply: &v1::GetFeaturesResponse) -> Vec<Shown<'_>> {
    let columns = reply.features.iter();
    let shown = columns.map(|column| Shown {
        feature: &column.feature,
        value: column.value(0).to_string(),
        status: column.status(0),
        flags: column.flags_of(0),
    });
    shown.collect()
}

/// Their values as a JSON object.
pub(super) fn values_json(features: &[Shown<'_>]) -> serde_json::Value {
    let value = |shown: &Shown<'_>| serde_json::from_str(&shown.value).unwrap_or(json!(shown.value));
    let values: Map<String, serde_json::Value> =
        features.iter().map(|shown| (shown.feature.to_owned(), value(shown))).collect();
    values.into()
}

/// Rows under a heading, each column as wide as its widest cell; columns of numbers to the right, with their heading.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>]) {
    let style = Style::stdout();
    for (at, line) in lines(heading, rows).into_iter().enumerate() {
        match at {
            0 => say!("{}", style.bold(&line)),
            _ => say!("{line}"),
        }
    }
}

fn lines(heading: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let cells = |column: usize| rows.iter().map(move |row| row[column].as_str());
    let width = |column: usize| cells(column).chain([heading[column]]).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..heading.len()).map(|column| width(column).unwrap_or(0)).collect();
    let is_number = |text: &str| {
        text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || "+-.%".contains(c))
    };
    // A column of numbers may have gaps.
    let is_numeric =
        |column| cells(column).any(is_number) && cells(column).all(|cell| is_number(cell) || matches!(cell, "" | "-"));
    let numbers: Vec<bool> = (0..heading.len()).map(is_numeric).collect();
    let line = |cells: &mut dyn Iterator<Item = (&str, bool)>| {
        let cell = |((cell, right), width): ((&str, bool), &usize)| match right {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        };
        cells.zip(&widths).map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let first = line(&mut heading.iter().copied().zip(numbers.iter().copied()));
    let rest = rows.iter().map(|row| line(&mut row.iter().map(String::as_str).zip(numbers.iter().copied())));
    [first].into_iter().chain(rest).collect()
}

/// A value as JSON.
pub(crate) fn json(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    //! Columns stand under one another.
    use super::*;

    #[test]
    fn numbers_stand_under_their_heading_on_the_right() {
        let rows = [["payments 0", "7", "12"], ["p 1", "1234", "ok"], ["p 2", "-", "-"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let wanted = ["partition   next  state", "payments 0     7  12", "p 1         1234  ok", "p 2            -  -"];
        assert_eq!(lines(&["partition", "next", "state"], &rows), wanted);
    }
}
