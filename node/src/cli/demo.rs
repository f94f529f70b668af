//! `featuregrid demo`: payments from a generator, features out of a node. Without a Kafka the log is a file.
//!
//! Until Ctrl-C it prints live features each second; with `--verify` it reads a whole workload, compares every value of
//! every key with the oracle, and ends.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::ValueEnum;
use featuregrid_actors::window::AsOf;
use featuregrid_protocol::definition;
use featuregrid_protocol::ids::{ControlIndex, PartitionId};
use featuregrid_protocol::key;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::time::Span;
use featuregrid_simulations::workload::Expected;
use featuregrid_simulations::workload::w1::{DEFINITIONS, Parameters, W1};
use serde_json::json;

use super::output::say;
use super::{Report, duration, plant, stopped};
use crate::assemble::{Node, Settings};
use crate::clock;
use crate::demo::append;
use crate::demo::live::{self, Live};
use crate::demo::verify;
use crate::grid::{Asked, GridRead};
use crate::ingest::Log;
use crate::ingest::embedded::{EmbeddedLog, PARTITIONS};
use crate::ingest::kafka::{KafkaLog, Topics, create_topic};
use crate::serve::Server;
use crate::status::status;
use crate::store::{DataDir, Folder};

/// Records of a verification that arrive one by one, for the freshness figure.
const ONE_BY_ONE: usize = 300;
/// How long a node may take to read the workload.
const READ_MAX: Duration = Duration::from_secs(600);
/// Where the demo answers, if the port is free.
const LISTEN: &str = "127.0.0.1:7450";

/// What payments are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// Payments by user (workload W1).
    Fraud,
}

/// `featuregrid demo`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What is played.
    #[arg(value_enum, default_value = "fraud")]
    workload: Workload,
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
    /// The topic, which is created.
    #[arg(long, default_value = "payments", requires = "brokers")]
    topic: String,
    /// Where to keep everything; without it, nothing is kept.
    #[arg(long)]
    data: Option<PathBuf>,
    /// End by itself after so long, for example 20s.
    #[arg(long = "for", value_parser = duration)]
    lasts: Option<Duration>,
    /// Switch a rule off, to see that it is noticed; needs a build with the feature `plants`.
    #[arg(long)]
    plant: Option<String>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value = "text")]
    report: Report,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    plant(arguments.plant.as_deref())?;
    let folder = Folder::open(arguments.data.as_deref())?;
    let data = Arc::new(DataDir::open(folder.path())?);
    let log = open(&arguments, &data).await?;
    if arguments.verify { verify(&arguments, data, log).await } else { live(&arguments, data, log).await }
}

/// The log, new or as it was left.
async fn open(arguments: &Arguments, data: &DataDir) -> anyhow::Result<Arc<dyn Log>> {
    let Some(brokers) = &arguments.brokers else {
        let log = EmbeddedLog::open(&data.log(), 1)?;
        return Ok(Arc::new(log));
    };
    let topic = &arguments.topic;
    if create_topic(brokers, topic, PARTITIONS).await? {
        eprintln!("created topic `{topic}` with {PARTITIONS} partitions");
    }
    let log = KafkaLog::new(brokers, Topics::one(topic))?;
    if log.partitions()?.len() != PARTITIONS as usize {
        bail!("topic `{topic}` does not have {PARTITIONS} partitions: choose another --topic, it will be created");
    }
    Ok(Arc::new(log))
}

fn plan() -> anyhow::Result<Plan> {
    Ok(definition::compile(DEFINITIONS, "the demo's definitions", None, ControlIndex(0))?)
}

async fn start(data: Arc<DataDir>, log: Arc<dyn Log>) -> anyhow::Result<Arc<Node>> {
    let settings = Settings {
        definitions: DEFINITIONS.to_owned(),
        file: "the demo's definitions".to_owned(),
        log: Box::new(move |_| Ok(Arc::clone(&log))),
        data,
        ranges: super::RANGES,
        memory_budget: super::memory_budget(None),
        one_after_the_other: false,
        dead_letters: None,
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
    let mut records = W1::new(Parameters::new(arguments.seed, events));
    let one_by_one = (events as usize / 10).min(ONE_BY_ONE);
    let bulk = events as usize - one_by_one;
    let ends = append(&*log, &mut records.by_ref().take(bulk))?;

    let begin = Instant::now();
    let node = start(data, log).await?;
    if !node.reaches(&ends, begin + READ_MAX).await {
        bail!("the node did not read the log: {}", node.progress.any_halted().unwrap_or_else(|| "too slow".to_owned()));
    }
    let took = begin.elapsed();
    let freshness = append_one_by_one(&node, &mut records).await?;
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
    print(arguments.report, &report, &comparison);
    if let Ok(node) = Arc::try_unwrap(node) {
        node.stop().await;
    }
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Appends the rest record by record, and reads each one's user until the record is visible: how long that took, sorted.
async fn append_one_by_one(node: &Node, records: &mut W1) -> anyhow::Result<Vec<Duration>> {
    let mut took = Vec::new();
    for record in records {
        let mut bytes = Vec::new();
        key::encode([std::str::from_utf8(&record.key).context("a user's id")?], &mut bytes);
        let at_least = append(&*node.log, &mut std::iter::once(record))?;
        let acked = Instant::now();
        let read = GridRead {
            views: vec![0],
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

fn print(how: Report, report: &serde_json::Value, comparison: &verify::Comparison) {
    if !comparison.shown.is_empty() {
        say!("view key feature as_of want got");
        for mismatch in &comparison.shown {
            let verify::Mismatch { view, key, feature, as_of, want, got } = mismatch;
            say!("{view} {key} {feature} {as_of} {want} {got}");
        }
    }
    match (how, report.as_object()) {
        (Report::Text, Some(fields)) => fields.iter().for_each(|(name, value)| say!("{name:<20} {value}")),
        _ => say!("{report}"),
    }
}

async fn live(arguments: &Arguments, data: Arc<DataDir>, log: Arc<dyn Log>) -> anyhow::Result<ExitCode> {
    let begin = Instant::now();
    if is_empty(&*log)? {
        let events = arguments.events.unwrap_or(20_000);
        let mut records = W1::new(live::history(arguments.seed, events, clock::wall()));
        append(&*log, &mut records)?;
        eprintln!("{events} payments of the last two days are in {}", log.name(PartitionId(0)));
    }
    let node = start(data, log).await?;
    let ends = node.log_ends()?;
    if !node.reaches(&ends, begin + READ_MAX).await {
        bail!("the node did not read the log: {}", node.progress.any_halted().unwrap_or_else(|| "too slow".to_owned()));
    }
    node.freshness.reset();
    let server = match Server::start(Arc::clone(&node), LISTEN).await {
        Ok(server) => server,
        Err(_) => Server::start(Arc::clone(&node), "127.0.0.1:0").await?,
    };
    server.set_serving().await;
    eprintln!("ask it: featuregrid get user_spend user_id=u1 --address {}", server.address());
    let payments = Live::start(arguments.seed + 1, Arc::clone(&node.log))?;
    let until = arguments.lasts.map(|lasts| Instant::now() + lasts);
    let mut screen = Screen::new(&plan()?)?;
    let mut stop = std::pin::pin!(stopped());
    loop {
        let next = tokio::time::Instant::now() + Duration::from_secs(1);
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep_until(next) => {}
        }
        screen.show(&node, payments.appended()).await?;
        if until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
    }
    drop(payments);
    server.stop().await;
    if let Ok(node) = Arc::try_unwrap(node) {
        node.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// The lines of the live demo.
struct Screen {
    features: Vec<(&'static str, usize)>,
    shown: u64,
    before: u64,
}

impl Screen {
    const USERS: [&str; 3] = ["u1", "u2", "u3"];

    fn new(plan: &Plan) -> anyhow::Result<Self> {
        let wanted = ["spend_1h", "purchases_24h", "amount_mean_5m"];
        let view = plan.views.first().context("the demo has a view")?;
        let index = |name: &'static str| Some((name, view.result_index(name)?));
        Ok(Self { features: wanted.into_iter().filter_map(index).collect(), shown: 0, before: 0 })
    }

    async fn show(&mut self, node: &Node, appended: u64) -> anyhow::Result<()> {
        let as_of = AsOf::Now { clock: clock::wall() };
        let entities = Self::USERS.iter().map(|user| {
            let mut bytes = Vec::new();
            key::encode([*user], &mut bytes);
            Asked { key: bytes.into(), as_of }
        });
        let read = GridRead {
            views: vec![0],
            entities: entities.collect(),
            at_least: OffsetVector::default(),
            deadline: Instant::now() + Duration::from_secs(5),
        };
        let answers = node.grid.read(read).await?;
        let of_users = Self::USERS.iter().zip(&answers).map(|(user, views)| {
            let values = self.features.iter().map(|(name, at)| {
                let value = views.first().and_then(|(reading, _)| reading.readings.get(*at));
                let text = match value.map(|reading| reading.value) {
                    Some(featuregrid_protocol::value::Value::Float(mean)) => format!("{mean:.2}"),
                    Some(value) => value.to_string(),
                    None => "-".to_owned(),
                };
                format!("{name} {text:>9}")
            });
            format!("{user}: {}", values.collect::<Vec<_>>().join("  "))
        });
        let lines = of_users.collect::<Vec<_>>().join(" | ");
        let age = |percent| {
            node.freshness
                .percentile(percent)
                .map_or_else(|| "-".to_owned(), |age: Span| format!("{:.1}", age.0 as f64 / 1000.0))
        };
        let rate = appended - self.before;
        self.before = appended;
        self.shown += 1;
        say!("{lines} | {rate:>4} events/s  freshness p50 {} ms  p99 {} ms", age(50), age(99));
        Ok(())
    }
}
