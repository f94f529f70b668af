//! Answers as Feast's JSON: a flat list of names, and one column of values, statuses and event times for each. Knows no
//! route and no grid.
//!
//! Clients infer types from the JSON, so a count is `42` and whatever may have a fraction shows one: `42.0`. Decimals keep
//! all their digits.

use std::fmt::Write as _;

use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::value::{Reading, Status, Value};

use super::request::Question;
use crate::grid::Answer;

/// How Feast writes that there is no event.
const NO_EVENT: &str = "1970-01-01T00:00:00Z";

/// The reply to a question, whose groups were answered in order.
pub(super) fn encode(question: &Question<'_>, answers: &[Vec<Vec<Answer>>]) -> String {
    let mut text = String::from("{\"metadata\":{\"feature_names\":");
    let names = question.entities.iter().map(|(name, _)| *name).chain(question.names.iter().map(String::as_str));
    list(&mut text, names, quote);
    text.push_str("},\"results\":[");
    for (_, values) in &question.entities {
        open(&mut text);
        list(&mut text, values.iter(), |text, value| text.push_str(value));
        text.push_str(",\"statuses\":");
        list(&mut text, values.iter(), |text, _| text.push_str("\"PRESENT\""));
        text.push_str(",\"event_timestamps\":");
        list(&mut text, values.iter(), |text, _| quote(text, NO_EVENT));
        text.push('}');
    }
    for wanted in &question.wanted.results {
        let place = |group: usize| {
            let selections = &question.groups[group].selections;
            let column = selections.iter().position(|selection| selection.view == wanted.view)?;
            Some((group, column, selections[column].place(wanted.result)?))
        };
        let Some((group, column, place)) = (0..question.groups.len()).find_map(place) else { continue };
        let rows = || answers[group].iter().map(|views| &views[column].0);
        let readings = || rows().map(|row| &row.readings[place]);
        open(&mut text);
        list(&mut text, readings(), |text, reading| value(text, &reading.value));
        text.push_str(",\"statuses\":");
        list(&mut text, readings(), |text, reading| quote(text, status(reading)));
        text.push_str(",\"event_timestamps\":");
        list(&mut text, rows().zip(readings()), |text, (row, reading)| event(text, row.newest_event, reading));
        text.push('}');
    }
    text.push_str("],\"status\":true}");
    text
}

/// Begins a column.
fn open(text: &mut String) {
    if text.ends_with('}') {
        text.push(',');
    }
    text.push_str("{\"values\":");
}

fn list<T>(text: &mut String, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    text.push('[');
    for (at, item) in items.enumerate() {
        if at > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(']');
}

/// Names, statuses and times: definitions allow nothing in them that JSON would escape.
fn quote(text: &mut String, word: &str) {
    text.push('"');
    text.push_str(word);
    text.push('"');
}

fn value(text: &mut String, value: &Value) {
    let from = text.len();
    match value {
        Value::Null => return text.push_str("null"),
        // Beyond 64 bits Feast has doubles alone.
        Value::Int(int) if i64::try_from(*int).is_err() => return number(text, *int as f64),
        Value::Float(float) => return number(text, *float),
        Value::List(values) => return list(text, values.iter(), self::value),
        Value::Bool(_) | Value::Int(_) | Value::Decimal { .. } | Value::Text(_) | Value::Counts(_) => {}
    }
    // Writing to a string cannot fail.
    let _ = write!(text, "{value}");
    if matches!(value, Value::Decimal { .. }) && !text[from..].contains('.') {
        text.push_str(".0");
    }
}

/// The shortest digits that read back as the same double, with a fraction or an exponent.
fn number(text: &mut String, float: f64) {
    if float.is_finite() {
        let _ = write!(text, "{float:?}");
    } else {
        text.push_str("null");
    }
}

/// Feast's four words for our seven.
fn status(reading: &Reading) -> &'static str {
    match reading.status {
        Status::Present | Status::Defaulted => "PRESENT",
        // What is known of too many values is a value.
        Status::Overflow if reading.value == Value::Null => "NULL_VALUE",
        Status::Overflow => "PRESENT",
        Status::NullValue | Status::OutOfRange => "NULL_VALUE",
        Status::NotFound => "NOT_FOUND",
        Status::OutsideMaxAge => "OUTSIDE_MAX_AGE",
    }
}

/// The newest event of the entity in the view.
fn event(text: &mut String, newest: Option<Timestamp>, reading: &Reading) {
    let unseen = matches!(reading.status, Status::NotFound | Status::OutOfRange);
    match newest.filter(|_| !unseen) {
        Some(newest) => quote(text, &instant(newest)),
        None => quote(text, NO_EVENT),
    }
}

/// RFC 3339 with no, three or six digits of a fraction: all that Feast writes and that every Python reads.
pub(super) fn instant(at: Timestamp) -> String {
    let text = at.to_string();
    let Some((seconds, digits)) = text.strip_suffix('Z').and_then(|text| text.split_once('.')) else { return text };
    let width = if digits.len() > 3 { 6 } else { 3 };
    format!("{seconds}.{digits:0<width$}Z")
}

#[cfg(test)]
mod tests;
