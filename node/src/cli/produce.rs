//! `featuregrid produce`: simulated records into a real topic, as fast as it takes them or so many each second.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde_json::json;

use super::output::{Output, say};
use super::style::thousands;
use super::{duration, stopped};
use crate::clock;
use crate::demo::play::{Pace, Player};
use crate::demo::workload::{Play, WITHOUT_END, Workload};
use crate::ingest::Log;
use crate::ingest::kafka::{Cluster, KafkaLog, KafkaSettings, Topics, create_topic};

/// Records where neither a count nor a rate nor a duration is given.
const COUNT: u64 = 10_000;
/// Records each second where only a duration is given.
const RATE: u64 = 100;
/// The largest rate: beyond it a run without a rate is the honest one.
const RATE_MAX: u64 = 1_000_000;
/// Progress is shown this often, and looked for the end of the records.
const TICK: Duration = Duration::from_millis(100);

/// What is produced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Produced {
    /// Payments by user: what `featuregrid demo fraud` reads.
    Payments,
    /// Readings of sensors: what `featuregrid demo iot` reads.
    Sensors,
    /// What users do in a shop: what `featuregrid demo reco` reads.
    Clicks,
}

impl Produced {
    fn workload(self) -> Workload {
        match self {
            Self::Payments => Workload::Payments,
            Self::Sensors => Workload::Sensors,
            Self::Clicks => Workload::Clicks,
        }
    }
}

/// `featuregrid produce`
///
/// Without --rate and --duration the records are appended as fast as the brokers take them, and their event times are
/// spread over the two days before now. With one of them they are appended in time, each dated when it is appended.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What is produced.
    #[arg(value_enum)]
    what: Produced,
    /// Kafka's bootstrap servers.
    #[arg(long)]
    brokers: String,
    /// A setting of librdkafka under its own name; may be repeated.
    #[arg(long = "kafka-setting", value_name = "NAME=VALUE")]
    kafka_settings: Vec<String>,
    /// The topic [default: payments, raw_readings or user_events].
    #[arg(long)]
    topic: Option<String>,
    /// Create the topic with so many partitions, where it is not there.
    #[arg(long, value_name = "PARTITIONS", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    create: Option<u32>,
    /// How many records [default: 10000; with --rate or --duration, no end but theirs].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=WITHOUT_END))]
    count: Option<u64>,
    /// Records each second, for example 500/s [default with --duration: as --count says, or 100/s].
    #[arg(long, value_name = "R/s", value_parser = rate)]
    rate: Option<u64>,
    /// End after so long, for example 5m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    duration: Option<Duration>,
    /// Equal seeds produce equal records, but for their times.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How the result is printed.
    #[arg(short, long, visible_alias = "report", value_enum, default_value = "table")]
    output: Output,
}

/// `500/s` or `500`.
fn rate(text: &str) -> Result<u64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text).trim().parse::<u64>();
    let wrong = || format!("`{text}` is no rate from 1/s to {RATE_MAX}/s; write for example 500/s");
    number.ok().filter(|rate| (1..=RATE_MAX).contains(rate)).ok_or_else(wrong)
}

/// How many records, and how many of them each second: at once, where there is no rate.
fn amount(count: Option<u64>, rate: Option<u64>, duration: Option<Duration>) -> (u64, Option<u64>) {
    let seconds = |duration: Duration| duration.as_secs_f64();
    match (count, rate, duration) {
        (count, None, None) => (count.unwrap_or(COUNT), None),
        (count, Some(rate), None) => (count.unwrap_or(WITHOUT_END), Some(rate)),
        (Some(count), None, Some(duration)) => {
            (count, Some(((count as f64 / seconds(duration).max(1e-3)).ceil() as u64).clamp(1, RATE_MAX)))
        }
        (count, rate, Some(duration)) => {
            let rate = rate.unwrap_or(RATE);
            let fit = ((rate as f64 * seconds(duration)).round() as u64).clamp(1, WITHOUT_END);
            (count.map_or(fit, |count| count.min(fit)), Some(rate))
        }
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut stop = std::pin::pin!(stopped());
    let workload = arguments.what.workload();
    let topic = arguments.topic.as_deref().unwrap_or(workload.topic());
    let (log, partitions) = tokio::select! {
        opened = open(&arguments, topic) => opened?,
        () = &mut stop => return Ok(ExitCode::SUCCESS),
    };
    let (count, rate) = amount(arguments.count, arguments.rate, arguments.duration);
    let (play, pace) = match rate {
        None => (Play::history(arguments.seed, count, partitions, clock::wall()), Pace::AtOnce),
        Some(rate) => (Play::present(arguments.seed, count, partitions, clock::wall(), rate), Pace::InTime),
    };
    let begin = Instant::now();
    let player = Player::start(workload.records(play), pace, log)?;
    let mut progress = Progress::new(count);
    while !player.is_done() {
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep(TICK) => progress.show(player.records(), begin.elapsed()),
        }
    }
    progress.clear();
    let ended = tokio::task::spawn_blocking(move || player.stop()).await.context("the producer")?;
    let took = begin.elapsed();
    report(arguments.output, topic, ended.records, ended.bytes, took);
    ended.done.with_context(|| format!("appending to `{topic}` at {}", arguments.brokers))?;
    Ok(ExitCode::SUCCESS)
}

async fn open(arguments: &Arguments, topic: &str) -> anyhow::Result<(Arc<dyn Log>, u32)> {
    let settings = KafkaSettings::parse(arguments.kafka_settings.iter().map(String::as_str))?;
    let cluster = Cluster::new(&arguments.brokers, settings)?;
    if let Some(partitions) = arguments.create
        && create_topic(&cluster, topic, partitions).await?
    {
        eprintln!("created topic `{topic}` with {partitions} partitions");
    }
    let log = KafkaLog::new(&cluster, Topics::one(topic))?;
    let asked = Arc::new(log);
    let own = Arc::clone(&asked);
    let partitions = tokio::task::spawn_blocking(move || own.partitions()).await.context("asking the brokers")?;
    match partitions {
        Ok(partitions) => Ok((asked, partitions.len() as u32)),
        Err(error) if arguments.create.is_none() => bail!("{error} (--create 4 makes a topic that is missing)"),
        Err(error) => Err(error.into()),
    }
}

fn report(output: Output, topic: &str, records: u64, bytes: u64, took: Duration) {
    let seconds = took.as_secs_f64();
    let per_second = (records as f64 / seconds.max(1e-3)).round();
    match output {
        Output::Json => say!(
            "{}",
            json!({
                "topic": topic, "records": records, "seconds": (seconds * 1000.0).round() / 1000.0,
                "records_per_second": per_second, "bytes": bytes,
            })
        ),
        Output::Table => say!(
            "{} records, {:.1} MiB, in topic {topic} after {seconds:.1} s: {} a second",
            thousands(records),
            bytes as f64 / f64::from(1 << 20),
            thousands(per_second as u64)
        ),
    }
}

/// A line on standard error that is written over itself; nothing where nobody looks.
struct Progress {
    wanted: u64,
    terminal: bool,
}

impl Progress {
    fn new(wanted: u64) -> Self {
        Self { wanted, terminal: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, records: u64, took: Duration) {
        let per_second = (records as f64 / took.as_secs_f64().max(1e-3)) as u64;
        let of = if self.wanted == WITHOUT_END { String::new() } else { format!(" of {}", thousands(self.wanted)) };
        self.write(&format!("{}{of} records, {} a second", thousands(records), thousands(per_second)));
    }

    fn clear(&mut self) {
        self.write("");
    }

    fn write(&mut self, text: &str) {
        if self.terminal {
            let mut stderr = std::io::stderr();
            // A terminal that went away needs no progress.
            let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    //! Two of count, rate and duration say the third.
    use super::*;

    #[test]
    fn rates_have_a_unit_or_none() {
        assert_eq!((rate("500/s"), rate("7")), (Ok(500), Ok(7)));
        assert!(["0/s", "5/m", "", "2000000/s", "-1"].into_iter().all(|text| rate(text).is_err()));
    }

    #[test]
    fn two_say_the_third() {
        let minute = Some(Duration::from_secs(60));
        assert_eq!(amount(None, None, None), (COUNT, None));
        assert_eq!(amount(Some(300_000), None, None), (300_000, None));
        assert_eq!(amount(None, Some(50), None), (WITHOUT_END, Some(50)));
        assert_eq!(amount(Some(600), None, minute), (600, Some(10)));
        assert_eq!(amount(None, Some(20), minute), (1200, Some(20)));
        assert_eq!(amount(None, None, minute), (6000, Some(RATE)));
        assert_eq!(amount(Some(10), Some(20), minute), (10, Some(20)));
        assert_eq!(amount(Some(10_000), Some(20), minute), (1200, Some(20)));
    }
}
