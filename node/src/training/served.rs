//! What a simulated node served, as the files that training sets are made of and compared with. Knows no command line.

use std::fs::{File, create_dir_all};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray,
};
use arrow_schema::{Field, Schema};
use featuregrid_protocol::plan::Plan;
use featuregrid_simulations::served::{Asked, DEFINITIONS, Recorded, Served, View};
use parquet::arrow::ArrowWriter;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

use super::answers::Mark;
use super::spine::token_json;
use crate::cli::output;

/// Writes definitions, events, spine, what was served and what happened into a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write(run: &Served, folder: &Path) -> anyhow::Result<()> {
    create_dir_all(folder).with_context(|| folder.display().to_string())?;
    lines(folder, "definitions.yaml", std::iter::once(DEFINITIONS.trim_end().to_owned()))?;
    lines(folder, "spine.jsonl", run.asked.iter().map(|asked| spine(&run.plan, asked).to_string()))?;
    lines(folder, "as-known.jsonl", run.asked.iter().map(|asked| answer(&run.plan, &asked.served)))?;
    lines(folder, "as-happened.jsonl", run.asked.iter().map(|asked| answer(&run.plan, &asked.happened)))?;
    let path = folder.join("events.parquet");
    events(&run.log, &path).with_context(|| path.display().to_string())
}

fn lines(folder: &Path, name: &str, lines: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let path = folder.join(name);
    let name = || path.display().to_string();
    let mut out = BufWriter::new(File::create(&path).with_context(name)?);
    for line in lines {
        writeln!(out, "{line}").with_context(name)?;
    }
    out.flush().with_context(name)
}

fn spine(plan: &Plan, asked: &Asked) -> Json {
    json!({
        "user_id": asked.user, "card": asked.card, "as_of": asked.as_of.to_string(),
        "known_at": asked.asked_at.to_string(), "token": token_json(plan, &asked.token),
    })
}

/// As `training-set` writes a row, the flags always.
fn answer(plan: &Plan, views: &[View]) -> String {
    let (mut features, mut status, mut flags) = (Vec::new(), Map::new(), Map::new());
    for (plan, view) in plan.views.iter().zip(views) {
        for (result, reading) in plan.results().zip(&view.readings) {
            let value: Box<RawValue> = output::json(&reading.value);
            features.push(format!("{}:{}", json!(result), value.get()));
            status.insert(result.to_owned(), reading.status.name().into());
            let set: Vec<&str> = Mark::of(reading, view.edge).flags().collect();
            if !set.is_empty() {
                flags.insert(result.to_owned(), set.into());
            }
        }
    }
    format!(
        r#"{{"features":{{{}}},"status":{},"flags":{}}}"#,
        features.join(","),
        Json::from(status),
        Json::from(flags)
    )
}

fn events(log: &[Recorded], path: &Path) -> anyhow::Result<()> {
    let instants = |of: fn(&Recorded) -> i64| -> ArrayRef {
        let micros = log.iter().map(|recorded| Some(of(recorded)));
        Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    };
    let ints = |of: fn(&Recorded) -> i64| -> ArrayRef {
        Arc::new(log.iter().map(|recorded| Some(of(recorded))).collect::<Int64Array>())
    };
    let payload = log.iter().map(|recorded| recorded.record.payload.as_deref());
    let admit = log.iter().map(|recorded| Some(recorded.record.admit));
    let columns: [(&str, ArrayRef); 6] = [
        ("partition", ints(|recorded| recorded.partition.number().into())),
        ("offset", ints(|recorded| recorded.record.offset as i64)),
        ("log_timestamp", instants(|recorded| recorded.record.log_timestamp.0)),
        ("applied_at", instants(|recorded| recorded.applied_at.0)),
        ("admit", Arc::new(admit.collect::<BooleanArray>())),
        ("payload", Arc::new(payload.collect::<BinaryArray>())),
    ];
    let fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|(_, array)| array).collect())?;
    let mut writer = ArrowWriter::try_new(File::create(path)?, schema, None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}
