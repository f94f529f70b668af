//! The peer: MGET of blobs that somebody else computed, decoded to floats, by a client of its own thread and connection.
//! Knows no feature.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use featuregrid_simulations::random::Random;
use redis::Connection;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::task::spawn_blocking;

use super::cases::{USERS, users};
use super::latency::{Percentiles, median};
use super::pace::pace;
use crate::store::Folder;

/// Keys of one MGET.
const KEYS: usize = 1000;
/// Floats of one blob: 80 bytes.
const FLOATS: usize = 10;
/// Different requests, made before the clock runs.
const REQUESTS: usize = 256;
/// Blobs of one SET pipeline.
const FILL: u32 = 1000;
/// They go by themselves, should this process not get to it.
const EXPIRE_S: u64 = 3600;
/// A server that was just started is asked again until then.
const START_MAX: Duration = Duration::from_secs(5);

/// Which Redis.
#[derive(Clone, Debug)]
pub enum Peer {
    /// One that runs.
    At(String),
    /// The `redis-server` of this machine, for the time of the bench.
    Own,
}

/// A Redis with a blob for each user.
pub(super) struct Redis {
    connection: Option<Connection>,
    version: String,
    /// Killed when dropped.
    _server: Option<Child>,
}

impl Redis {
    pub(super) async fn start(peer: Peer, folder: &Folder) -> anyhow::Result<Self> {
        let (address, server) = match peer {
            Peer::At(address) => (address, None),
            Peer::Own => {
                let (address, server) = own(folder)?;
                (address, Some(server))
            }
        };
        let filled = spawn_blocking(move || {
            let mut connection = connect(&address)?;
            let version = version(&mut connection)?;
            fill(&mut connection)?;
            anyhow::Ok((connection, version))
        });
        let (connection, version) = filled.await.context("the Redis client")??;
        Ok(Self { connection: Some(connection), version, _server: server })
    }

    /// Asks at a rate for so long.
    pub(super) async fn round(&mut self, rate: f64, lasts: Duration) -> anyhow::Result<Percentiles> {
        let mut connection = self.connection.take().context("the Redis connection broke in an earlier round")?;
        let asked = spawn_blocking(move || {
            let mut random = Random::new(11);
            let requests: Vec<Vec<String>> =
                (0..REQUESTS).map(|_| users(&mut random, KEYS).iter().map(|user| key(user)).collect()).collect();
            let (mut latencies, mut sum, mut turn) = (Vec::new(), 0.0, 0);
            pace(rate, lasts, |intended| -> anyhow::Result<()> {
                let blobs: Vec<Vec<u8>> = redis::cmd("MGET").arg(&requests[turn % REQUESTS]).query(&mut connection)?;
                let floats = decode(&blobs);
                latencies.push(intended.elapsed());
                if floats.len() != KEYS * FLOATS {
                    bail!("Redis answered {} floats for {KEYS} keys of {FLOATS}", floats.len());
                }
                sum += floats.iter().sum::<f64>();
                turn += 1;
                Ok(())
            })?;
            std::hint::black_box(sum);
            anyhow::Ok((connection, Percentiles::of(latencies)))
        });
        let (connection, percentiles) = asked.await.context("the Redis client")??;
        eprintln!("Redis MGET: p50 {:.2} ms, p99 {:.2} ms", percentiles.p50_ms, percentiles.p99_ms);
        self.connection = Some(connection);
        Ok(percentiles)
    }

    pub(super) fn report(&self, rounds: &[Percentiles]) -> Value {
        let Percentiles { p50_ms, p99_ms, p999_ms } = median(rounds);
        json!({ "p50_ms": p50_ms, "p99_ms": p99_ms, "p999_ms": p999_ms, "server": "redis", "version": self.version })
    }
}

/// A server without persistence on a port that was free a moment ago.
fn own(folder: &Folder) -> anyhow::Result<(String, Child)> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
    let mut command = Command::new("redis-server");
    command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
    command.arg(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    let server = command.spawn().context(
        "no redis-server to compare with: install it (Debian: apt-get install redis-server), name one that runs with --redis ADDR, or leave it out with --no-redis",
    )?;
    Ok((format!("127.0.0.1:{port}"), server))
}

fn connect(address: &str) -> anyhow::Result<Connection> {
    let url = if address.contains("://") { address.to_owned() } else { format!("redis://{address}/") };
    let client = redis::Client::open(url).with_context(|| format!("`{address}` is no address of a Redis"))?;
    let begin = Instant::now();
    loop {
        match client.get_connection_with_timeout(Duration::from_secs(1)) {
            Ok(connection) => return Ok(connection),
            Err(_) if begin.elapsed() < START_MAX => std::thread::park_timeout(Duration::from_millis(20)),
            Err(error) => return Err(error).with_context(|| format!("no Redis answers at {address}")),
        }
    }
}

fn version(connection: &mut Connection) -> anyhow::Result<String> {
    let text: String = redis::cmd("INFO").arg("server").query(connection)?;
    let version = text.lines().find_map(|line| line.strip_prefix("redis_version:"));
    Ok(version.unwrap_or("unknown").trim().to_owned())
}

fn key(user: &str) -> String {
    format!("featuregrid-bench:{user}")
}

fn fill(connection: &mut Connection) -> anyhow::Result<()> {
    for first in (1..=USERS).step_by(FILL as usize) {
        let mut pipeline = redis::pipe();
        for user in first..(first + FILL).min(USERS + 1) {
            let blob: Vec<u8> = (0..FLOATS).flat_map(|at| (f64::from(user) + at as f64).to_le_bytes()).collect();
            pipeline.cmd("SET").arg(key(&format!("u{user}"))).arg(blob).arg("EX").arg(EXPIRE_S).ignore();
        }
        pipeline.query::<()>(connection).context("filling Redis")?;
    }
    Ok(())
}

fn decode(blobs: &[Vec<u8>]) -> Vec<f64> {
    let mut floats = Vec::with_capacity(blobs.len() * FLOATS);
    for blob in blobs {
        floats.extend(blob.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)));
    }
    floats
}
