//! `featuregrid demo`: records from a generator, features out of a node. Without a Kafka the log is a file.
//!
//! Until Ctrl-C it shows live features each second; with `--verify` it reads a whole workload, compares every value of
//! every key with the oracle, and ends.

mod live;
mod screen;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::ValueEnum;
use featuregrid_actors::shard::Selection;
use featuregrid_actors::window::AsOf;
use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::key;
use featuregrid_simulations::workload::{Expected, Records};
use serde_json::json;

use super::output::{Output, say};
use super::style::Style;
use super::{INTERRUPTED, duration, plant, stopped};
use crate::assemble::{Node, SNAPSHOT_INTERVAL, Settings};
use crate::clock;
use crate::demo::workload::Workload;
use crate::demo::{append, verify};
use crate::grid::{Asked, GridRead};
use crate::ingest::Log;
use crate::ingest::embedded::{EmbeddedLog, PARTITIONS};
use crate::ingest::kafka::{KafkaLog, Topics, create_topic};
use crate::status::status;
use crate::store::{DataDir, Folder};

/// Records of a verification that arrive one by one, for the freshness figure.
const ONE_BY_ONE: usize = 300;
/// How long a node may take to read the workload.
const READ_MAX: Duration = Duration::from_secs(600);
/// What is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Played {
    /// Payments by user (workload W1).
    Fraud,
    /// Readings of sensors.
    Iot,
    /// What users do in a shop.
    Reco,
}

impl Played {
    fn workload(self) -> Workload {
        match self {
            Self::Fraud => Workload::Payments,
            Self::Iot => Workload::Sensors,
            Self::Reco => Workload::Clicks,
        }
    }
}

/// `featuregrid demo`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What is played.
    #[arg(value_enum, default_value = "fraud")]
    workload: Played,
    /// How many records: of history, or of a verification [default: 20000, or 100000 to verify].
    #[arg(long)]
    events: Option<u64>,
    /// Equal seeds play equal records.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Compare every key and feature with the oracle, and end.
    #[arg(long)]
    verify: bool,
    /// Play through this Kafka instead of a file.
    #[arg(long)]
    brokers: Option<String>,
    /// The topic, which is created [default: payments, raw_readings or user_events].
    #[arg(long, requires = "brokers")]
    topic: Option<String>,
    /// Where to keep everything; without it, nothing is kept.
    #[arg(long)]
    data: Option<PathBuf>,
    /// End by itself after so long, for example 20s.
    #[arg(long = "for", value_parser = duration)]
    lasts: Option<Duration>,
    /// Switch a rule off, to see that it is noticed; needs a build with the feature `plants`.
    #[arg(long)]
    plant: Option<String>,
    /// How it is shown [default: a picture on a terminal, else JSON lines; of a verification a table].
    #[arg(short, long, visible_alias = "report", value_enum)]
    output: Option<Output>,
}

impl Arguments {
    /// Whether a picture is drawn, over and over.
    pub(super) fn draws(&self) -> bool {
        let style = Style::stdout();
        !self.verify && style.redraws && self.output != Some(Output::Json)
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    plant(arguments.plant.as_deref())?;
    let folder = Folder::open(arguments.data.as_deref())?;
    let data = Arc::new(DataDir::open(folder.path())?);
    let log = open(&arguments, &data).await?;
    if !arguments.verify {
        return live::run(&arguments, data, log).await;
    }
    tokio::select! {
        done = verify(&arguments, data, log) => done,
        () = stopped() => Ok(INTERRUPTED.into()),
    }
}

/// The log, new or as it was left.
async fn open(arguments: &Arguments, data: &DataDir) -> anyhow::Result<Arc<dyn Log>> {
    let Some(brokers) = &arguments.brokers else {
        let log = EmbeddedLog::open(&data.log(), 1)?;
        return Ok(Arc::new(log));
    };
    let topic = arguments.topic.as_deref().unwrap_or(arguments.workload.workload().topic());
    if create_topic(brokers, topic, PARTITIONS).await? {
        eprintln!("created topic `{topic}` with {PARTITIONS} partitions");
    }
    let log = KafkaLog::new(brokers, Topics::one(topic))?;
    if log.partitions()?.len() != PARTITIONS as usize {
        bail!("topic `{topic}` does not have {PARTITIONS} partitions: choose another --topic, it will be created");
    }
    Ok(Arc::new(log))
}

async fn start(workload: Workload, data: Arc<DataDir>, log: Arc<dyn Log>) -> anyhow::Result<Arc<Node>> {
    let settings = Settings {
        definitions: workload.definitions().to_owned(),
        file: "the demo's definitions".to_owned(),
        log: Box::new(move |_| Ok(Arc::clone(&log))),
        data,
        ranges: super::RANGES,
        memory_budget: super::memory_budget(None),
        one_after_the_other: false,
        objects: None,
        dead_letters: None,
        snapshot_interval: SNAPSHOT_INTERVAL,
    };
    Ok(Arc::new(Node::start(settings).await?))
}

fn is_empty(log: &dyn Log) -> anyhow::Result<bool> {
    for partition in log.partitions()? {
        let bounds = log.bounds(partition)?;
        if bounds.end > bounds.earliest {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn verify(arguments: &Arguments, data: Arc<DataDir>, log: Arc<dyn Log>) -> anyhow::Result<ExitCode> {
    if !is_empty(&*log)? {
        bail!("`{}` holds records already: choose another --topic or --data", log.name(PartitionId(0)));
    }
    let events = arguments.events.unwrap_or(100_000);
    let workload = arguments.workload.workload();
    let mut records = workload.reference(arguments.seed, events);
    let one_by_one = (events as usize / 10).min(ONE_BY_ONE);
    let bulk = events as usize - one_by_one;
    let ends = append(&*log, &mut records.by_ref().take(bulk))?;

    let begin = Instant::now();
    let node = start(workload, data, log).await?;
    if !node.reaches(&ends, begin + READ_MAX).await {
        bail!("the node did not read the log: {}", node.progress.any_halted().unwrap_or_else(|| "too slow".to_owned()));
    }
    let took = begin.elapsed();
    let freshness = append_one_by_one(&node, &mut *records).await?;
    let expected = records.expected();

    let v = node.log_ends()?;
    if !node.reaches(&v, Instant::now() + READ_MAX).await {
        bail!("the node did not reach the end of the log: {v:?}");
    }
    let state = status(&node).await;
    let mut oracle = verify::read_oracle(&node, &v)?;
    let comparison = verify::compare(&node, &mut oracle, &v).await?;
    let accounting = verify::accounting(&state, &mut oracle, &node, &v, Some(expected))?;
    let held = comparison.differing == 0 && accounting.is_ok();
    let report = report(&state, &comparison, &accounting, bulk as f64 / took.as_secs_f64(), &freshness, expected);
    print(arguments.output.unwrap_or(Output::Table), &report, &comparison);
    if let Ok(node) = Arc::try_unwrap(node) {
        node.stop().await;
    }
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Appends the rest record by record, and reads each one's user until the record is visible: how long that took, sorted.
async fn append_one_by_one(node: &Node, records: &mut dyn Records) -> anyhow::Result<Vec<Duration>> {
    let mut took = Vec::new();
    for record in records {
        let mut bytes = Vec::new();
        key::encode([std::str::from_utf8(&record.key).context("a key of the workload")?], &mut bytes);
        let at_least = append(&*node.log, &mut std::iter::once(record))?;
        let acked = Instant::now();
        let read = GridRead {
            selections: [Selection::whole(node.grid.plan(), 0)].into(),
            sent: Arc::default(),
            entities: vec![Asked { key: bytes.into(), as_of: AsOf::Now { clock: clock::wall() } }],
            at_least,
            deadline: acked + Duration::from_secs(10),
        };
        node.grid.read(read).await?;
        took.push(acked.elapsed());
    }
    took.sort_unstable();
    Ok(took)
}

fn report(
    state: &crate::status::Status,
    comparison: &verify::Comparison,
    accounting: &Result<(), String>,
    records_per_second: f64,
    freshness: &[Duration],
    expected: Expected,
) -> serde_json::Value {
    let views: serde_json::Map<String, serde_json::Value> = state
        .views
        .iter()
        .map(|view| {
            let crate::status::ViewStatus { name, rows, applied, duplicate, rejected } = view;
            (name.clone(), json!({"rows": rows, "applied": applied, "duplicate": duplicate, "rejected": rejected}))
        })
        .collect();
    let percentile = |percent: usize| {
        let at = (freshness.len() * percent).div_ceil(100).saturating_sub(1);
        freshness.get(at).map(|took| took.as_micros() as f64 / 1000.0)
    };
    let totals = &state.totals;
    json!({
        "records": totals.records,
        "late": totals.late,
        "dead_lettered": totals.dead_lettered,
        "tombstones": totals.tombstones,
        "unmatched": totals.unmatched,
        "routed": totals.routed,
        "views": views,
        "keys": comparison.keys,
        "compared": comparison.compared,
        "differing": comparison.differing,
        "accounting": accounting.as_ref().map_or_else(String::as_str, |()| "holds"),
        "generated": expected.records,
        "state_bytes": state.bytes,
        "records_per_second": records_per_second.round(),
        "freshness_ms": {"p50": percentile(50), "p99": percentile(99)},
    })
}

fn print(how: Output, report: &serde_json::Value, comparison: &verify::Comparison) {
    if !comparison.shown.is_empty() {
        say!("view key feature as_of want got");
        for mismatch in &comparison.shown {
            let verify::Mismatch { view, key, feature, as_of, want, got } = mismatch;
            say!("{view} {key} {feature} {as_of} {want} {got}");
        }
    }
    match (how, report.as_object()) {
        (Output::Table, Some(fields)) => fields.iter().for_each(|(name, value)| say!("{name:<20} {value}")),
        _ => say!("{report}"),
    }
}
