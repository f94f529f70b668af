//! Values as JSON and text. Knows no command.

use std::io::Write as _;

use clap::ValueEnum;
use featuregrid_protocol::value::Value;
use featuregrid_protocol::wire::v1;
use featuregrid_protocol::wire::v1::value::Kind;
use serde_json::value::RawValue;
use serde_json::{Map, json};

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
    Table,
    /// JSON, one object a line.
    Json,
}

/// A value of the wire as text, digit by digit.
pub(super) fn wire_text(value: &v1::Value) -> String {
    match &value.kind {
        None => "null".to_owned(),
        Some(Kind::Int(int)) => int.to_string(),
        Some(Kind::Decimal(digits)) => digits.clone(),
        Some(Kind::Float(float)) => format!("{float:?}"),
    }
}

/// The features of the first entity of a reply as (name, value, status).
pub(super) fn first_entity(reply: &v1::GetFeaturesResponse) -> Vec<(&str, String, v1::Status)> {
    let row = |column: &'_ v1::FeatureColumn| {
        let value = column.values.first().map_or_else(|| "null".to_owned(), wire_text);
        let status = column.statuses.first().and_then(|status| v1::Status::try_from(*status).ok()).unwrap_or_default();
        (value, status)
    };
    reply.features.iter().map(|column| (column.feature.as_str(), row(column).0, row(column).1)).collect()
}

/// The same as a JSON object of values.
pub(super) fn first_entity_json(reply: &v1::GetFeaturesResponse) -> serde_json::Value {
    let value = |text: String| serde_json::from_str(&text).unwrap_or(json!(text));
    let values: Map<String, serde_json::Value> =
        first_entity(reply).into_iter().map(|(name, text, _)| (name.to_owned(), value(text))).collect();
    values.into()
}

/// Rows under a heading, each column as wide as its widest cell; numbers to the right.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heading[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || "+-.%".contains(c));
    let line = |cells: &[String]| {
        let cell = |(cell, width): (&String, &usize)| match is_number(cell) {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        };
        cells.iter().zip(&widths).map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    say!("{}", line(&heading.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()));
    for row in rows {
        say!("{}", line(row));
    }
}

/// A value as JSON: numbers digit by digit as they are, never through a float.
pub(crate) fn json(value: &Value) -> Box<RawValue> {
    let text = match value {
        // A float in its shortest form is no JSON number where it is huge; its debug form always is.
        Value::Float(float) if float.is_finite() => format!("{float:?}"),
        Value::Float(_) | Value::Null => "null".to_owned(),
        Value::Int(_) | Value::Decimal { .. } => value.to_string(),
    };
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
