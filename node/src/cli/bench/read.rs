//! `featuregrid bench read`: latency of reads, alone and while ingesting, beside Redis.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::{Report, print};
use crate::bench::read::{Peer, Plan, read};
use crate::cli::{INTERRUPTED, stopped};
use crate::entropy;
use crate::ingest::embedded::{EmbeddedLog, PARTITIONS};
use crate::ingest::kafka::{KafkaLog, Topics, create_topic};
use crate::ingest::{Log, OpenLog};
use crate::store::{DataDir, Folder};

/// `featuregrid bench read`
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Ingest through this Kafka instead of the embedded log.
    #[arg(long)]
    brokers: Option<String>,
    /// How many events of W1 are there when reading begins.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// How often each case is measured; figures are medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each time, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// A Redis that runs, to compare with; without it the bench starts this machine's redis-server.
    #[arg(long)]
    redis: Option<String>,
    /// Compare with nobody.
    #[arg(long, conflicts_with = "redis")]
    no_redis: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value = "text")]
    report: Report,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(None)?;
    let data = Arc::new(DataDir::open(folder.path())?);
    let log: Box<OpenLog> = match &arguments.brokers {
        None => EmbeddedLog::open(&data.log(), 1)?.for_plans(),
        Some(brokers) => {
            let topic = format!("featuregrid-bench-{:016x}", entropy::number());
            create_topic(brokers, &topic, PARTITIONS).await?;
            let log: Arc<dyn Log> = Arc::new(KafkaLog::new(brokers, Topics::one(&topic))?);
            Box::new(move |_| Ok(Arc::clone(&log)))
        }
    };
    let plan = Plan {
        log,
        log_name: if arguments.brokers.is_some() { "kafka" } else { "embedded" },
        folder,
        data,
        ranges: crate::cli::RANGES,
        memory_budget: crate::cli::memory_budget(None),
        events: arguments.events,
        rounds: arguments.rounds as usize,
        lasts: Duration::from_secs(arguments.seconds),
        peer: match (arguments.no_redis, arguments.redis) {
            (true, _) => None,
            (false, Some(address)) => Some(Peer::At(address)),
            (false, None) => Some(Peer::Own),
        },
    };
    tokio::select! {
        report = read(plan) => print(arguments.report, &report?),
        // Its Redis and its folder go with it.
        () = stopped() => return Ok(INTERRUPTED.into()),
    }
    Ok(ExitCode::SUCCESS)
}
