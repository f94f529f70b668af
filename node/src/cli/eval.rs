//! `featuregrid eval`: definitions tried on files before they are deployed. Knows no log: the lines of a source's file
//! are one partition, and their order is the order of arrival.
//!
//! What is late, dead or a duplicate is decided line by line, exactly as it would be on a topic; then rows are applied
//! in order of event time, each spine row's up to its `as_of`, through the shard that serves.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use featuregrid_actors::dedup::KnownIds;
use featuregrid_actors::reader::{Interpreter, Record};
use featuregrid_actors::shard::{Shard, ViewReading};
use featuregrid_actors::window::AsOf;
use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::{Generation, LeaderEpoch, PartitionId, SourceId, TopicId};
use featuregrid_protocol::key;
use featuregrid_protocol::limits::FRAME_ROWS_MAX;
use featuregrid_protocol::plan::{LatenessClock, Plan, SourcePlan};
use featuregrid_protocol::position::{PartitionCounters, PartitionPosition, Positions};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::request;
use featuregrid_protocol::row::RowBatch;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::wire::v1::FeatureColumn;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use super::output;
use crate::files::{self, lines};
use crate::sent;
use crate::serve::encode;

/// `featuregrid eval`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The definitions (YAML).
    definitions: PathBuf,
    /// Events, one JSON object per line, in order of arrival; with several sources SOURCE=FILE, once for each.
    #[arg(long, required = true)]
    events: Vec<String>,
    /// What to evaluate, one JSON object per line: join keys, `as_of` (RFC 3339, or milliseconds since 1970), and the
    /// request values of on-demand features.
    #[arg(long)]
    spine: PathBuf,
}

/// One line of the output.
#[derive(Serialize)]
struct Evaluated<'a> {
    #[serde(flatten)]
    keys: &'a Map<String, Json>,
    features: Ordered<Box<RawValue>>,
    status: Ordered<&'static str>,
    /// Of every result; most have none.
    flags: Ordered<Vec<&'static str>>,
}

/// A JSON object in the order of its definition.
struct Ordered<T>(Vec<(String, T)>);

impl<T: Serialize> Serialize for Ordered<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// A row of the spine.
struct Asked {
    line: usize,
    keys: Map<String, Json>,
    /// The same, letter by letter.
    written: BTreeMap<String, Box<RawValue>>,
    as_of: Timestamp,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Answers { lines, counters, applied, duplicate } = answers(arguments)?;
    let mut stdout = std::io::stdout().lock();
    for line in lines {
        writeln!(stdout, "{line}")?;
    }
    let PartitionCounters { records, late, dead_lettered, tombstones, unmatched, routed, views } = counters;
    eprintln!(
        "records {records} = late {late} + dead_lettered {dead_lettered} + tombstones {tombstones} + unmatched \
         {unmatched} + routed {routed}"
    );
    let (rows, rejected) =
        views.values().fold((0, 0), |(rows, rejected), view| (rows + view.rows, rejected + view.rejected));
    eprintln!("rows {rows} = applied {applied} + duplicate {duplicate} + rejected {rejected}");
    Ok(ExitCode::SUCCESS)
}

/// What is printed.
struct Answers {
    /// In the order of the spine.
    lines: Vec<String>,
    counters: PartitionCounters,
    /// Rows, over all views.
    applied: usize,
    /// Likewise.
    duplicate: u64,
}

fn answers(arguments: &Arguments) -> anyhow::Result<Answers> {
    let plan = Arc::new(files::plan(&arguments.definitions)?);
    let (mut counters, mut duplicate) = (PartitionCounters::default(), 0);
    let mut rows = Vec::new();
    for (partition, path) in files_of(&plan, &arguments.events)? {
        read_events(&plan, partition, &path, &mut rows, (&mut counters, &mut duplicate))?;
    }
    rows.sort_by_key(|row: &Arrived| (row.ts, row.line, row.partition));
    let lines = evaluate(&plan, &rows, &read_spine(&arguments.spine)?)?;
    let applied = rows.iter().map(|arrived| arrived.rows.len()).sum();
    Ok(Answers { lines, counters, applied, duplicate })
}

/// Which file is which source's.
fn files_of(plan: &Plan, events: &[String]) -> anyhow::Result<Vec<(PartitionId, PathBuf)>> {
    let alone = |source: SourceId| PartitionId::of(source, 0).context("more sources than can be numbered");
    if let ([file], [_]) = (events, plan.sources.as_slice())
        && !file.starts_with(&format!("{}=", plan.sources[0].name))
    {
        return Ok(vec![(alone(SourceId(0))?, PathBuf::from(file))]);
    }
    let mut files = Vec::new();
    for given in events {
        let Some((name, file)) = given.split_once('=') else {
            bail!("--events {given}: several sources need SOURCE=FILE; they are: {}", plan.source_names());
        };
        let Some(source) = plan.source_id(name) else {
            bail!("--events {given}: `{name}` is no source; they are: {}", plan.source_names());
        };
        let partition = alone(source)?;
        if files.iter().any(|(known, _)| *known == partition) {
            bail!("--events {given}: `{name}` has a file already");
        }
        files.push((partition, PathBuf::from(file)));
    }
    Ok(files)
}

/// What an event contributes.
struct Arrived {
    ts: Timestamp,
    line: usize,
    partition: PartitionId,
    rows: RowBatch,
}

/// Appends the rows of a source's events, and counts where every line went.
fn read_events(
    plan: &Arc<Plan>,
    partition: PartitionId,
    path: &Path,
    arrived: &mut Vec<Arrived>,
    (counters, duplicate): (&mut PartitionCounters, &mut u64),
) -> anyhow::Result<()> {
    let source = plan.source(partition.source());
    let known_for = source.map_or(Span(0), SourcePlan::ids_known_for);
    // A file does not say when its lines were appended, so none is from the future, and none is late by append time.
    let admit = source.is_some_and(|source| source.lateness_clock == LatenessClock::AppendTime);
    let mut known = KnownIds::default();
    let mut interpreter = Interpreter::new(Arc::clone(plan), partition, PartitionPosition::start(0));
    for line in lines(path)? {
        let (line, text) = line?;
        let payload = Some(text.as_bytes()).filter(|text| *text != b"null");
        let record = Record { offset: line as u64, log_timestamp: Timestamp::MAX, admit, payload };
        interpreter.record(&record);
        let Some(chunk) = interpreter.cut() else { continue };
        // What repeats an id is decided in order of arrival, too: the first line counts, whatever its event time.
        let mut rows = RowBatch::default();
        for row in &chunk.rows {
            let view = plan.views[usize::from(row.head.view)].id;
            if known.admit(partition, view, &row, known_for) {
                rows.push(*row.head, row.key, row.numbers);
                rows.tell(row.texts);
            } else {
                *duplicate += 1;
            }
        }
        let ts = rows.heads().first().map(|head| head.ts);
        arrived.extend(ts.map(|ts| Arrived { ts, line, partition, rows }));
    }
    *counters += &interpreter.position().counters;
    Ok(())
}

fn read_spine(path: &Path) -> anyhow::Result<Vec<Asked>> {
    let mut spine = Vec::new();
    for line in lines(path)? {
        let (line, text) = line?;
        let place = || format!("{}:{line}", path.display());
        let keys: Map<String, Json> = serde_json::from_str(&text).with_context(place)?;
        let Some(as_of) = keys.get("as_of").filter(|as_of| !as_of.is_null()) else {
            bail!("{}: add `as_of`, for example \"as_of\": \"2026-01-01T12:00:00Z\"", place());
        };
        let as_of = files::instant(as_of).with_context(|| format!("{}: as_of", place()))?;
        let written = serde_json::from_str(&text).with_context(place)?;
        spine.push(Asked { line, keys, written, as_of });
    }
    Ok(spine)
}

/// One line of output per row of the spine, in its order.
fn evaluate(plan: &Arc<Plan>, arrived: &[Arrived], spine: &[Asked]) -> anyhow::Result<Vec<String>> {
    let mut shard = Shard::new(Arc::clone(plan));
    shard.add_range(RangeId::WHOLE, Positions::new());
    let mut applier = Applier { plan, shard, arrived, at: 0, stands: BTreeMap::new() };
    let mut order: Vec<usize> = (0..spine.len()).collect();
    order.sort_by_key(|row| spine[*row].as_of);
    let mut output = vec![String::new(); spine.len()];
    for row in order {
        let asked = &spine[row];
        applier.advance(asked.as_of);
        output[row] = answer(plan, &mut applier.shard, asked)?;
    }
    Ok(output)
}

/// Applies rows in order of event time.
struct Applier<'a> {
    plan: &'a Plan,
    shard: Shard,
    arrived: &'a [Arrived],
    at: usize,
    /// Per partition: rows applied, and the newest of them.
    stands: BTreeMap<PartitionId, (u64, Timestamp)>,
}

impl Applier<'_> {
    /// Everything that happened before `until`.
    fn advance(&mut self, until: Timestamp) {
        while let Some(first) = self.arrived.get(self.at).filter(|first| first.ts < until) {
            let partition = first.partition;
            let (from, max_before) = self.stands.get(&partition).copied().unwrap_or((0, Timestamp::MIN));
            let (mut to, mut max_after) = (from, max_before);
            let mut batch = RowBatch::default();
            while let Some(next) = self.arrived.get(self.at)
                && next.partition == partition
                && next.ts < until
                && batch.len() < FRAME_ROWS_MAX
            {
                for row in &next.rows {
                    batch.push(*row.head, row.key, row.numbers);
                    batch.tell(row.texts);
                }
                (to, max_after) = (to + 1, max_after.max(next.ts));
                self.at += 1;
            }
            self.stands.insert(partition, (to, max_after));
            let frame = Frame {
                topic: TopicId::default(),
                partition,
                leader_epoch: LeaderEpoch(0),
                index: self.plan.index,
                generation: Generation::default(),
                from,
                to,
                max_before,
                max_after,
                deltas: PartitionCounters::default(),
                rows: batch,
            };
            self.shard.apply(&frame, &RangeSet::from_iter([RangeId::WHOLE]));
        }
    }
}

fn answer(plan: &Plan, shard: &mut Shard, asked: &Asked) -> anyhow::Result<String> {
    let mut readings: Vec<(usize, ViewReading)> = Vec::new();
    for (index, view) in plan.views.iter().enumerate() {
        let parts: Option<Vec<String>> = view.keys.iter().map(|(name, _)| key_text(asked.keys.get(name)?)).collect();
        let Some(parts) = parts else { continue };
        let mut bytes = Vec::new();
        key::encode(parts.iter().map(String::as_str), &mut bytes);
        // All other columns of a spine row are labels and the like.
        let sent = request::of_row(plan, index, |name| asked.written.get(name).map(|value| sent::written(value)))
            .with_context(|| format!("line {} of the spine", asked.line))?;
        let reading = shard.read_with(index, &bytes, AsOf::At(asked.as_of), sent.row(0));
        readings.extend(reading.map(|reading| (index, reading)));
    }
    if readings.is_empty() {
        let wanted: Vec<String> = plan
            .views
            .iter()
            .map(|view| view.keys.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "))
            .collect();
        bail!("line {} of the spine has the join keys of no view; they are: {}", asked.line, wanted.join("; "));
    }
    let views: Vec<usize> = readings.iter().map(|(index, _)| *index).collect();
    let (mut features, mut status, mut flags) = (Ordered(Vec::new()), Ordered(Vec::new()), Ordered(Vec::new()));
    for (names, (_, ViewReading { readings, edge, .. })) in plan.result_names(&views).into_iter().zip(&readings) {
        for (name, reading) in names.into_iter().zip(readings) {
            features.0.push((name.clone(), output::json(&reading.value)));
            status.0.push((name.clone(), reading.status.name()));
            flags.0.push((name, FeatureColumn::flag_names(encode::flags(reading, *edge)).collect()));
        }
    }
    Ok(serde_json::to_string(&Evaluated { keys: &asked.keys, features, status, flags })?)
}

/// A join key as the reader takes it: text, or the digits of a number.
fn key_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod page;
