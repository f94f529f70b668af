//! Events of JSON lines: payloads, or records of a log. Knows no Parquet.

use anyhow::Context;
use featuregrid_actors::reader::Record;
use featuregrid_protocol::ids::Offset;
use featuregrid_protocol::time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use super::{File, Sink};
use crate::files::{instant, lines};

/// A record of a log.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Logged<'a> {
    source: Option<String>,
    #[serde(default)]
    partition: u32,
    offset: Offset,
    log_timestamp: Option<Json>,
    applied_at: Option<Json>,
    #[serde(default)]
    admit: bool,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// Reads a file; its first line says which of the two forms all lines have.
pub(super) fn read(file: &File<'_>, sink: &mut Sink<'_>) -> anyhow::Result<()> {
    let mut is_log = None;
    for line in lines(file.path)? {
        let (number, text) = line?;
        let place = || file.place(number);
        if *is_log.get_or_insert_with(|| is_logged(&text)) {
            logged(file, sink, &text).with_context(place)?;
        } else {
            let (partition, offset) = sink.place(file.source, 0, None)?;
            let payload = Some(text.as_bytes()).filter(|text| *text != b"null");
            let admit = sink.admits_undated(file.source);
            let record = Record { offset, log_timestamp: Timestamp::MAX, admit, payload };
            sink.history.record(partition, &record, None).with_context(place)?;
        }
    }
    Ok(())
}

/// Whether a line has what a record must have, and nothing that a record has not.
fn is_logged(text: &str) -> bool {
    const MEMBERS: [&str; 7] = ["source", "partition", "offset", "log_timestamp", "applied_at", "admit", "payload"];
    serde_json::from_str::<Map<String, Json>>(text).is_ok_and(|line| {
        line.contains_key("offset")
            && line.contains_key("payload")
            && line.keys().all(|name| MEMBERS.contains(&name.as_str()))
    })
}

fn logged(file: &File<'_>, sink: &mut Sink<'_>, text: &str) -> anyhow::Result<()> {
    let logged: Logged<'_> = serde_json::from_str(text)?;
    let source = logged.source.as_deref().map_or(Ok(file.source), |name| sink.source(name))?;
    let (partition, offset) = sink.place(source, logged.partition, Some(logged.offset))?;
    let log_timestamp = logged.log_timestamp.map(|given| instant(&given).context("log_timestamp")).transpose()?;
    let applied_at = logged.applied_at.map(|given| instant(&given).context("applied_at")).transpose()?;
    // Text is the payload's own text; so are an object's letters.
    let unquoted;
    let payload = match logged.payload.map(RawValue::get) {
        None | Some("null") => None,
        Some(raw) if raw.starts_with('"') => {
            unquoted = serde_json::from_str::<String>(raw)?;
            Some(unquoted.as_bytes())
        }
        Some(raw) => Some(raw.as_bytes()),
    };
    let admit = logged.admit || log_timestamp.is_none() && sink.admits_undated(source);
    let record = Record { offset, log_timestamp: log_timestamp.unwrap_or(Timestamp::MAX), admit, payload };
    sink.history.record(partition, &record, applied_at)?;
    Ok(())
}
