//! Events in Parquet: records with a payload, or events with a column for each field. Knows no JSON.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, bail};
use arrow_array::{Array as _, BooleanArray, Int64Array, StringArray};
use featuregrid_actors::reader::{Field, Fields, Record};
use featuregrid_protocol::ids::{Offset, PartitionId, SourceId};
use featuregrid_protocol::time::Timestamp;

use super::{File, Sink};
use crate::training::columnar::{self, Array};

const EVENT_TIMESTAMP: &str = "event_timestamp";
const EVENT_ID: &str = "event_id";
const PAYLOAD: &str = "payload";
/// What a record has beside what it says.
const LOGGED: [&str; 6] = ["source", "partition", "offset", "log_timestamp", "applied_at", "admit"];

/// Reads a file.
pub(super) fn read(file: &File<'_>, sink: &mut Sink<'_>) -> anyhow::Result<()> {
    let path = file.path;
    let Some(source) = sink.plan.source(file.source) else { return Ok(()) };
    let mut names: Vec<&str> = source.fields.iter().map(|field| field.name.as_str()).collect();
    // Where a reader looks for the time, which is taken from its column as it is.
    let timestamp = names.len();
    names.push(EVENT_TIMESTAMP);
    names.extend(source.event_id.as_ref().map(|_| EVENT_ID));
    let is_used = |name: &str| name == PAYLOAD || LOGGED.contains(&name) || names.contains(&name);
    let mut texts = vec![Texts::default(); names.len()];
    let mut row_of_file = 0;
    for batch in columnar::open(path, is_used)? {
        let batch = batch.with_context(|| path.display().to_string())?;
        let arrays = columnar::arrays(path, &batch)?;
        let find = |name: &str| arrays.iter().find(|(own, _)| own == name).map(|(_, array)| array);
        let payload = find(PAYLOAD);
        // A declared field that is called like something of the log is the field.
        let logged = Logged::of(path, &|name| find(name).filter(|_| payload.is_some() || !names.contains(&name)))?;
        let columns: Vec<Option<&Array>> = names.iter().map(|name| find(name)).collect();
        if payload.is_none()
            && let Some(missing) = names.iter().find(|name| find(name).is_none())
        {
            bail!("{}: it has neither a column `{PAYLOAD}` nor `{missing}`, a field of its source", path.display());
        }
        for (at, (column, texts)) in columns.iter().zip(&mut texts).enumerate() {
            texts.print(column.filter(|_| at != timestamp), batch.num_rows());
        }
        let mut fields: Vec<Field<'_>> = Vec::with_capacity(names.len());
        for row in 0..batch.num_rows() {
            let place = || file.place(row_of_file + row);
            let source = logged.source(sink, file.source, row).with_context(place)?;
            let (partition, offset) = logged.place(sink, source, row).with_context(place)?;
            let log_timestamp = logged.log_timestamp.filter(|array| !array.is_null(row)).map(|array| array.value(row));
            let applied_at = logged.applied_at.filter(|array| !array.is_null(row));
            let applied_at = applied_at.map(|array| Timestamp(array.value(row)));
            let admit = logged.admit.is_some_and(|admit| !admit.is_null(row) && admit.value(row))
                || log_timestamp.is_none() && sink.admits_undated(source);
            let log_timestamp = log_timestamp.map_or(Timestamp::MAX, Timestamp);
            let taken = match payload {
                Some(payload) => {
                    let payload = bytes(payload, row).with_context(place)?;
                    let record = Record { offset, log_timestamp, admit, payload };
                    sink.history.record(partition, &record, applied_at)
                }
                None if source != file.source => {
                    bail!("{}: columns are the fields of one source; name it: --events SOURCE=FILE", place())
                }
                None => {
                    fields.clear();
                    fields.extend(columns.iter().zip(&texts).map(|(column, texts)| field(*column, row, texts)));
                    let event_time = columns[timestamp].and_then(|array| event_time(array, row));
                    let fields = Fields { offset, log_timestamp, admit, event_time, fields: &fields };
                    sink.history.event(partition, &fields, applied_at)
                }
            };
            taken.with_context(place)?;
        }
        row_of_file += batch.num_rows();
    }
    Ok(())
}

/// What stands beside a record, where the file has it.
struct Logged<'a> {
    source: Option<&'a StringArray>,
    partition: Option<&'a Int64Array>,
    offset: Option<&'a Int64Array>,
    log_timestamp: Option<&'a Int64Array>,
    applied_at: Option<&'a Int64Array>,
    admit: Option<&'a BooleanArray>,
}

impl<'a> Logged<'a> {
    fn of(path: &Path, find: &impl Fn(&str) -> Option<&'a Array>) -> anyhow::Result<Self> {
        let wrong = |name: &str, want: &str| format!("{}, column `{name}`: it must be {want}", path.display());
        let int = |name: &str| match find(name) {
            None => Ok(None),
            Some(Array::Int(array)) => Ok(Some(array)),
            Some(_) => bail!(wrong(name, "a whole number")),
        };
        let instant = |name: &str| match find(name) {
            None => Ok(None),
            Some(Array::Instant(array)) => Ok(Some(array)),
            Some(_) => bail!(wrong(name, "a timestamp")),
        };
        Ok(Self {
            source: match find("source") {
                None => None,
                Some(Array::Text(array)) => Some(array),
                Some(_) => bail!(wrong("source", "text")),
            },
            partition: int("partition")?,
            offset: int("offset")?,
            log_timestamp: instant("log_timestamp")?,
            applied_at: instant("applied_at")?,
            admit: match find("admit") {
                None => None,
                Some(Array::Bool(array)) => Some(array),
                Some(_) => bail!(wrong("admit", "true or false")),
            },
        })
    }

    fn source(&self, sink: &Sink<'_>, own: SourceId, row: usize) -> anyhow::Result<SourceId> {
        let name = self.source.filter(|names| !names.is_null(row));
        name.map_or(Ok(own), |names| sink.source(names.value(row)))
    }

    fn place(&self, sink: &Sink<'_>, source: SourceId, row: usize) -> anyhow::Result<(PartitionId, Offset)> {
        let int = |array: Option<&Int64Array>| array.filter(|array| !array.is_null(row)).map(|array| array.value(row));
        let number = int(self.partition).unwrap_or_default();
        let number = u32::try_from(number).with_context(|| format!("column `partition`: there is no {number}"))?;
        let offset = int(self.offset)
            .map(|offset| Offset::try_from(offset).with_context(|| format!("column `offset`: {offset}")));
        sink.place(source, number, offset.transpose()?)
    }
}

fn bytes(payload: &Array, row: usize) -> anyhow::Result<Option<&[u8]>> {
    Ok(match payload {
        _ if payload.is_null(row) => None,
        Array::Text(array) => Some(array.value(row).as_bytes()),
        Array::Bytes(array) => Some(array.value(row)),
        _ => bail!("column `{PAYLOAD}`: it must be text or bytes"),
    })
}

/// What is no text in a column, as it would be written in a payload, row after row of a batch.
#[derive(Clone, Debug, Default)]
struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    fn print(&mut self, array: Option<&Array>, rows: usize) {
        self.text.clear();
        self.ends.clear();
        let is_printed = |array: &&Array| !matches!(array, Array::Text(_) | Array::Bytes(_) | Array::Bool(_));
        let Some(array) = array.filter(is_printed) else { return };
        for row in 0..rows {
            if !array.is_null(row) {
                print(array, row, &mut self.text);
            }
            self.ends.push(self.text.len());
        }
    }

    /// That of a row; empty where nothing is printed.
    fn of(&self, row: usize) -> &str {
        let Some(end) = self.ends.get(row) else { return "" };
        let from = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[from..*end]
    }
}

/// Writes a number as it would be written in a payload.
fn print(array: &Array, row: usize, out: &mut String) {
    // Writing to a string does not fail.
    let _ = match array {
        Array::Int(array) => {
            decimal(array.value(row).into(), 0, out);
            Ok(())
        }
        Array::Float(array) => write!(out, "{:?}", array.value(row)),
        Array::Decimal(array, scale) => {
            decimal(array.value(row), *scale, out);
            Ok(())
        }
        Array::Instant(array) => write!(out, "{}", Timestamp(array.value(row))),
        Array::Text(_) | Array::Bytes(_) | Array::Bool(_) => Ok(()),
    };
}

/// Writes a decimal digit by digit: it is read again at once, for every event.
fn decimal(unscaled: i128, scale: u8, out: &mut String) {
    if unscaled < 0 {
        out.push('-');
    }
    let mut digits = [b'0'; 40];
    let mut at = digits.len();
    let mut rest = unscaled.unsigned_abs();
    // Division by a small machine word is several times cheaper; almost every number is one.
    while rest > u128::from(u64::MAX) {
        at -= 1;
        digits[at] += (rest % 10) as u8;
        rest /= 10;
    }
    let mut rest = rest as u64;
    while rest > 0 {
        at -= 1;
        digits[at] += (rest % 10) as u8;
        rest /= 10;
    }
    let point = digits.len() - usize::from(scale);
    let at = at.min(point - 1);
    out.extend(digits[at..point].iter().map(|digit| char::from(*digit)));
    if scale > 0 {
        out.push('.');
        out.extend(digits[point..].iter().map(|digit| char::from(*digit)));
    }
}

/// A cell as the reader takes a field of a payload.
fn field<'a>(array: Option<&'a Array>, row: usize, texts: &'a Texts) -> Field<'a> {
    let text = texts.of(row);
    match array {
        None => Field::Missing,
        Some(array) if array.is_null(row) => Field::Null,
        Some(Array::Text(array)) => Field::Text(Cow::Borrowed(array.value(row))),
        Some(Array::Bool(array)) => Field::Bool(array.value(row)),
        // What is no JSON number is text there, too: NaN, inf; and so is an instant.
        Some(Array::Float(array)) if !array.value(row).is_finite() => Field::Text(Cow::Borrowed(text)),
        Some(Array::Instant(_)) => Field::Text(Cow::Borrowed(text)),
        Some(Array::Int(_) | Array::Float(_) | Array::Decimal(..)) => Field::Number(text),
        Some(Array::Bytes(_)) => Field::Composite,
    }
}

/// RFC 3339 text, whole milliseconds, or a timestamp.
fn event_time(array: &Array, row: usize) -> Option<Timestamp> {
    match array {
        _ if array.is_null(row) => None,
        Array::Instant(array) => Some(Timestamp(array.value(row))),
        Array::Int(array) => Timestamp::from_millis(array.value(row)),
        Array::Text(array) => Timestamp::parse(array.value(row)).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    //! Decimals are written with all their digits.
    use super::decimal;

    #[test]
    fn decimals_are_written_digit_by_digit() {
        let cases = [
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-5, 0, "-5"),
            (-12_345, 3, "-12.345"),
            (i128::from(u64::MAX) * 10, 1, "18446744073709551615.0"),
            (10i128.pow(38) - 1, 38, "0.99999999999999999999999999999999999999"),
        ];
        for (unscaled, scale, want) in cases {
            let mut got = String::new();
            decimal(unscaled, scale, &mut got);
            assert_eq!(got, want);
        }
    }
}
