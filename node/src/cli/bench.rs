//! `featuregrid bench`: figures with their limits, measured in the same run.

mod memory;
mod read;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Subcommand;
use featuregrid_simulations::workload::w1::{Parameters, W1};
use serde_json::{Value, json};

use super::Report;
use super::output::say;
use crate::assemble::{Node, SNAPSHOT_INTERVAL, Settings};
use crate::bench::fold::fold;
use crate::bench::ingest::{self, Meter, Stage, Used};
use crate::bench::training::training;
use crate::bench::windows::{Case, windows};
use crate::demo::append;
use crate::ingest::Log;
use crate::ingest::embedded::PARTITIONS;
use crate::ingest::kafka::{KafkaLog, Topics, create_topic};
use crate::store::{DataDir, Folder};
use crate::{bench, entropy};

/// `featuregrid bench`
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Bytes of an entity: bounded by windows, not by events. With W1's features, or with `--zipf` over six windows.
    Memory(memory::Arguments),
    /// CPU time of a read, of many measures and of expressions, each beside a loop that does only what must be done.
    Windows {
        /// How the result is printed.
        #[arg(long, value_enum, default_value = "text")]
        report: Report,
    },
    /// Time to fold an event into W1's features, beside what memory allows.
    Fold {
        /// How many entities, one case for each number.
        #[arg(long, value_delimiter = ',', default_value = "10000,1000000", value_parser = clap::value_parser!(u64).range(1..))]
        keys: Vec<u64>,
        /// How many events.
        #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1..))]
        events: u64,
        /// How the result is printed.
        #[arg(long, value_enum, default_value = "text")]
        report: Report,
    },
    /// CPU time per event from a Kafka topic to features, beside a loop that only reads it.
    Ingest(IngestArguments),
    /// A training set from Parquet to Parquet on one core, beside only decoding the events.
    Training {
        /// How many events of W1's view, over 100,000 users and two days.
        #[arg(long, default_value_t = 4_000_000, value_parser = clap::value_parser!(u64).range(1..))]
        events: u64,
        /// How many rows are asked for, with thirty features each.
        #[arg(long, default_value_t = 400_000, value_parser = clap::value_parser!(u64).range(1..))]
        rows: u64,
        /// How the result is printed.
        #[arg(long, value_enum, default_value = "text")]
        report: Report,
    },
    /// Latency of reads over gRPC, alone and while ingesting at half of the maximum, beside Redis MGET.
    Read(read::Arguments),
}

#[derive(Debug, clap::Args)]
pub(super) struct IngestArguments {
    /// Kafka's bootstrap servers.
    #[arg(long)]
    brokers: String,
    /// How many events of W1 to fill a new topic with.
    #[arg(long, default_value_t = 5_000_000)]
    events: u64,
    /// A topic that was filled before, instead.
    #[arg(long)]
    topic: Option<String>,
    /// Run one stage in this process.
    #[arg(long, value_enum, requires = "topic", hide = true)]
    stage: Option<Stage>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value = "text")]
    report: Report,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Memory(arguments) => memory::run(arguments)?,
        Command::Windows { report } => {
            let cases = windows(1_000)?.into_iter().map(|Case { case, workload, value, limit }| {
                json!({
                    "case": case,
                    "workload": workload,
                    "value": round(value, 1),
                    "unit": Case::UNIT,
                    "limit": round(limit, 1),
                    "ratio": round(value / limit.max(f64::MIN_POSITIVE), 2),
                })
            });
            print(report, &json!({ "cases": cases.collect::<Value>() }));
        }
        Command::Fold { keys, events, report } => {
            let mut cases = Vec::new();
            for entities in keys {
                let measured = fold(bench::plan()?, entities, events);
                cases.push(json!({
                    "workload": format!("W1's view, {entities} entities, uniform"),
                    "keys": entities,
                    "events": measured.events,
                    "value": round(measured.ns_per_event, 1),
                    "unit": "ns/event",
                    "limit": round(measured.limit_ns_per_event, 1),
                    "ratio": round(measured.ns_per_event / measured.limit_ns_per_event, 1),
                }));
            }
            print(report, &json!({ "cases": cases }));
        }
        Command::Training { events, rows, report } => {
            let mut cases = Vec::new();
            for (known, measured) in training(&Arc::new(bench::plan()?), events, rows)? {
                let seconds = measured.whole.as_secs_f64();
                let (value, limit) = (events as f64 / seconds, events as f64 / measured.decoded.as_secs_f64());
                cases.push(json!({
                    "workload": format!("W1's view from Parquet to Parquet, {events} events, {rows} rows, {known}"),
                    "events": events,
                    "rows": rows,
                    "value": value.round(),
                    "unit": "events/s of CPU",
                    "rows_per_second": (rows as f64 / seconds).round(),
                    "written_s": round(measured.written.as_secs_f64(), 2),
                    "whole_s": round(seconds, 2),
                    "limit": limit.round(),
                    "ratio": round(limit / value, 1),
                }));
            }
            print(report, &json!({ "cases": cases }));
        }
        Command::Ingest(arguments) => return ingest(arguments).await,
        Command::Read(arguments) => return read::run(arguments).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn ingest(arguments: IngestArguments) -> anyhow::Result<ExitCode> {
    let brokers = &arguments.brokers;
    if let (Some(stage), Some(topic)) = (arguments.stage, &arguments.topic) {
        say!("{}", serde_json::to_string(&stage_of(brokers, topic, stage).await?)?);
        return Ok(ExitCode::SUCCESS);
    }
    let topic = match &arguments.topic {
        Some(topic) => topic.clone(),
        None => fill(brokers, arguments.events).await?,
    };
    let mut used = Vec::new();
    for stage in [Stage::Limit, Stage::Poll, Stage::Decode, Stage::Feed, Stage::Node] {
        used.push(child(brokers, &topic, stage).await?);
    }
    let [limit, poll, decode, feed, node] = used[..] else { bail!("five stages were run") };
    let (value, least) = (node.cpu_us_per_event, limit.cpu_us_per_event);
    let share = |upper: Used, lower: f64| round((upper.cpu_us_per_event - lower).max(0.0) / value * 100.0, 1);
    let result = json!({
        "workload": "W1 from Kafka, thirty features of one view",
        "events": node.events,
        "value": round(value, 3),
        "unit": "cpu us/event",
        "limit": round(least, 3),
        "ratio": round(value / least, 2),
        "share_percent": {
            "poll": share(poll, 0.0),
            "decode": share(decode, poll.cpu_us_per_event),
            "feed": share(feed, decode.cpu_us_per_event),
            "dead_letters_and_fold": share(node, feed.cpu_us_per_event),
        },
        "cpu_us_per_event": {
            "limit": round(least, 3), "poll": round(poll.cpu_us_per_event, 3), "decode": round(decode.cpu_us_per_event, 3),
            "feed": round(feed.cpu_us_per_event, 3), "node": round(value, 3),
        },
        "events_per_second": (node.events as f64 / node.wall_s).round(),
        "limit_events_per_second": (limit.events as f64 / limit.wall_s).round(),
        "topic": topic,
    });
    print(arguments.report, &result);
    Ok(ExitCode::SUCCESS)
}

/// A new topic with W1 in it.
async fn fill(brokers: &str, events: u64) -> anyhow::Result<String> {
    let topic = format!("featuregrid-bench-{:016x}", entropy::number());
    create_topic(brokers, &topic, PARTITIONS).await?;
    let log = KafkaLog::new(brokers, Topics::one(&topic))?;
    let begin = Instant::now();
    append(&log, &mut W1::new(Parameters::new(7, events)))?;
    eprintln!("{events} events are in `{topic}` after {:.0} s", begin.elapsed().as_secs_f64());
    Ok(topic)
}

/// Runs one stage in a process of its own.
async fn child(brokers: &str, topic: &str, stage: Stage) -> anyhow::Result<Used> {
    let program: PathBuf = std::env::current_exe().context("finding this program")?;
    let name = format!("{stage:?}").to_lowercase();
    let output = tokio::process::Command::new(program)
        .args(["bench", "ingest", "--brokers", brokers, "--topic", topic, "--stage", &name])
        .stderr(std::process::Stdio::inherit())
        .output()
        .await
        .with_context(|| format!("running stage {name}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let used: Used = serde_json::from_str(text.lines().last().unwrap_or_default())
        .with_context(|| format!("stage {name} ended with {}", output.status))?;
    eprintln!("{name}: {:.3} CPU us/event, {:.0} events/s", used.cpu_us_per_event, used.events as f64 / used.wall_s);
    Ok(used)
}

async fn stage_of(brokers: &str, topic: &str, stage: Stage) -> anyhow::Result<Used> {
    match stage {
        Stage::Limit => ingest::limit(brokers, topic),
        Stage::Poll | Stage::Decode | Stage::Feed => ingest::read(brokers, topic, stage),
        Stage::Node => {
            let folder = Folder::open(None)?;
            let meter = Meter::start();
            let log: Arc<dyn Log> = Arc::new(KafkaLog::new(brokers, Topics::one(topic))?);
            let settings = Settings {
                definitions: featuregrid_simulations::workload::w1::DEFINITIONS.to_owned(),
                file: "W1".to_owned(),
                log: Box::new(move |_| Ok(Arc::clone(&log))),
                data: Arc::new(DataDir::open(folder.path())?),
                ranges: super::RANGES,
                memory_budget: super::memory_budget(None),
                one_after_the_other: false,
                objects: None,
                dead_letters: None,
                snapshot_interval: SNAPSHOT_INTERVAL,
            };
            let node = Node::start(settings).await?;
            let ends = node.log_ends()?;
            if !node.reaches(&ends, Instant::now() + Duration::from_secs(600)).await {
                bail!("the topic was not read to its end");
            }
            let events = crate::status::status(&node).await.totals.records;
            let used = meter.used(events);
            node.stop().await;
            Ok(used)
        }
    }
}

fn round(value: f64, digits: i32) -> f64 {
    let power = 10_f64.powi(digits);
    (value * power).round() / power
}

fn print(how: Report, result: &Value) {
    match (how, result) {
        (Report::Text, Value::Object(fields)) => {
            for (name, value) in fields {
                say!("{name:<28} {value}");
            }
        }
        _ => say!("{result}"),
    }
}
