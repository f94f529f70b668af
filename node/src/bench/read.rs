//! How long reads take, open loop: a request is due at its own time, whatever became of those before it, and its latency
//! counts from then. A node, its server and the clients share this process and its cores. Knows no command line.
//!
//! ```text
//! cases      what is asked: entities x features            pace       calls when something is due
//! ask        the clients of the node                       load       events at a rate into the log
//! fresh      from an acknowledged event to a reply         redis      the peer: MGET of ready blobs
//! latency    percentiles of a round, medians of rounds
//! ```

mod ask;
mod cases;
mod fresh;
mod latency;
mod load;
mod pace;
mod redis;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_simulations::workload::w1::{Parameters, W1};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::assemble::{Node, SNAPSHOT_INTERVAL, Settings};
use crate::clock;
use crate::demo::append;
use crate::ingest::{Log, OpenLog};
use crate::serve::Server;
use crate::store::{DataDir, Folder};
use ask::Readers;
use cases::{CASES, Case, USERS, definitions};
use latency::{Percentiles, median};
use load::Load;
pub use redis::Peer;
use redis::Redis;

/// The history that is there when reading begins.
const HISTORY: Span = Span::seconds(48 * 3600);
/// How long the node may take to show what is in the log.
const VISIBLE_MAX: Duration = Duration::from_secs(600);

/// What is measured.
pub struct Plan {
    /// Opens the log, which is empty.
    pub log: Box<OpenLog>,
    /// How reports name it.
    pub log_name: &'static str,
    /// The node's folder, and what it is to the node.
    pub folder: Folder,
    /// See [`Self::folder`].
    pub data: Arc<DataDir>,
    /// Ranges of the node.
    pub ranges: u32,
    /// Bytes of state at which reading of the log pauses.
    pub memory_budget: usize,
    /// Events of history.
    pub events: u64,
    /// How often each case is measured; figures are medians.
    pub rounds: usize,
    /// How long each time.
    pub lasts: Duration,
    /// Whom to compare with.
    pub peer: Option<Peer>,
}

/// Measures; the report as it is printed.
///
/// # Errors
/// When something does not answer, or falls so far behind that a latency would mean nothing.
pub async fn read(plan: Plan) -> anyhow::Result<Value> {
    let Plan { log, log_name, folder, data, ranges, memory_budget, events, rounds, lasts, peer } = plan;
    // Before anything else: a missing peer is better said now than after minutes.
    let mut redis = match peer {
        Some(peer) => Some(Redis::start(peer, &folder).await?),
        None => None,
    };
    let settings = Settings {
        definitions: definitions(),
        file: "the bench's definitions".to_owned(),
        log,
        data,
        ranges,
        memory_budget,
        one_after_the_other: false,
        objects: None,
        dead_letters: None,
        snapshot_interval: SNAPSHOT_INTERVAL,
    };
    let node = Arc::new(Node::start(settings).await?);
    let server = Server::start(Arc::clone(&node), "127.0.0.1:0").await?;
    let measured = measure(&node, &server, redis.as_mut(), log_name, events, rounds, lasts).await;
    server.stop().await;
    if let Ok(node) = Arc::try_unwrap(node) {
        node.stop().await;
    }
    measured
}

async fn measure(
    node: &Arc<Node>,
    server: &Server,
    mut redis: Option<&mut Redis>,
    log_name: &str,
    events: u64,
    rounds: usize,
    lasts: Duration,
) -> anyhow::Result<Value> {
    let maximum = fill(node, events).await?;
    eprintln!("{events} events of history; at most {maximum:.0} events/s");
    server.set_serving().await;
    let readers = Arc::new(Readers::connect(server.address()).await?);

    let mut alone = Figures::default();
    let mut mget = Vec::new();
    for _ in 0..rounds {
        alone.round(&readers, lasts).await?;
        if let Some(redis) = redis.as_deref_mut() {
            mget.push(redis.round(CASES[2].rate, lasts).await?);
        }
    }
    let load = Load::start(Arc::clone(&node.log), maximum / 2.0)?;
    let mut ingesting = Figures::default();
    for _ in 0..rounds {
        ingesting.round(&readers, lasts).await?;
    }
    let mut fresh = Vec::new();
    for _ in 0..rounds {
        fresh.push(fresh::round(&node.log, &readers, lasts).await?);
    }
    let behind = behind(node).await?;
    let reached = load.stop().await?;

    Ok(json!({
        "workload": format!("W1's view and one like it of the other events: {} users, {events} events over {HISTORY}, thirty features each", USERS),
        "measured": format!("open loop over gRPC on loopback, node and clients in one process on {} cores; latency from the intended time; median of {rounds} rounds of {} s", cores(), lasts.as_secs_f64()),
        "unit": "ms",
        "log": log_name,
        "alone": alone.report(),
        "ingesting": ingesting.report(),
        "ingest": {
            "maximum_events_per_s": maximum.round(),
            "asked_events_per_s": (maximum / 2.0).round(),
            "reached_events_per_s": reached.round(),
            "behind_at_the_end_events": behind,
        },
        "event_to_readable": fresh::report(&fresh),
        "redis_mget_1000x10": redis.map(|redis| redis.report(&mget)),
    }))
}

/// Appends the history as fast as the log takes it while the node reads it; events per second until all are visible.
async fn fill(node: &Arc<Node>, events: u64) -> anyhow::Result<f64> {
    let now = clock::wall();
    let start = (now - HISTORY).floor(Span::millis(1));
    let parameters = Parameters { users: USERS, start, span: HISTORY, ..Parameters::new(7, events) };
    let log: Arc<dyn Log> = Arc::clone(&node.log);
    let begin = Instant::now();
    let ends = spawn_blocking(move || append(&*log, &mut W1::new(parameters))).await.context("appending")??;
    if !node.reaches(&ends, Instant::now() + VISIBLE_MAX).await {
        bail!("the node did not read its log: {}", node.progress.any_halted().unwrap_or_else(|| "too slow".to_owned()));
    }
    Ok(events as f64 / begin.elapsed().as_secs_f64())
}

/// Records in the log that not every range shows.
async fn behind(node: &Node) -> anyhow::Result<u64> {
    let ends = node.log_ends()?;
    let statuses = node.grid.statuses().await;
    let next = |partition| {
        let positions = statuses.iter().flat_map(|status| status.ranges.values());
        positions.map(|positions| positions.get(partition).map_or(0, |position| position.next)).min().unwrap_or(0)
    };
    Ok(ends.0.iter().map(|(partition, end)| end.saturating_sub(next(partition))).sum())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The rounds of every case.
#[derive(Default)]
struct Figures {
    rounds: [Vec<ask::Round>; CASES.len()],
}

impl Figures {
    async fn round(&mut self, readers: &Arc<Readers>, lasts: Duration) -> anyhow::Result<()> {
        for (case, rounds) in CASES.iter().zip(&mut self.rounds) {
            let readers = Arc::clone(readers);
            let handle = tokio::runtime::Handle::current();
            let round = spawn_blocking(move || readers.round(&handle, case, lasts)).await.context("reading")??;
            eprintln!("{case}: p50 {:.2} ms, p99 {:.2} ms", round.percentiles.p50_ms, round.percentiles.p99_ms);
            rounds.push(round);
        }
        Ok(())
    }

    fn report(&self) -> Value {
        let case = |(case, rounds): (&Case, &Vec<ask::Round>)| {
            let percentiles: Vec<Percentiles> = rounds.iter().map(|round| round.percentiles).collect();
            let Percentiles { p50_ms, p99_ms, p999_ms } = median(&percentiles);
            let (values, present) =
                rounds.iter().fold((0, 0), |sum, round| (sum.0 + round.values, sum.1 + round.present));
            let reads: usize = rounds.iter().map(|round| round.reads).sum();
            let report = json!({
                "p50_ms": p50_ms, "p99_ms": p99_ms, "p999_ms": p999_ms, "rate": case.rate, "reads": reads,
                "present": (present as f64 / values.max(1) as f64 * 1000.0).round() / 1000.0,
            });
            (case.to_string(), report)
        };
        CASES.iter().zip(&self.rounds).map(case).collect::<serde_json::Map<_, _>>().into()
    }
}

/// A present instant for generators: whole milliseconds.
fn now() -> Timestamp {
    clock::wall().floor(Span::millis(1))
}
