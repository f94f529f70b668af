//! Events of W1 into the log at a rate, as they happen. Knows no node.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use featuregrid_protocol::time::Span;
use featuregrid_simulations::workload::w1::{Parameters, W1};

use super::cases::USERS;
use super::now;
use crate::clock;
use crate::demo::{APPEND_RECORDS, append};
use crate::ingest::Log;

/// What is due is appended this often.
const STEP: Duration = Duration::from_millis(2);
/// More than any bench plays.
const EVENTS: u64 = 1_000_000_000;

/// A thread that appends until it is stopped, or dropped.
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<anyhow::Result<f64>>>,
}

impl Load {
    pub(super) fn start(log: Arc<dyn Log>, rate: f64) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("load".to_owned()).spawn(move || run(&*log, rate, &told))?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Ends it; the events per second that it reached.
    pub(super) async fn stop(mut self) -> anyhow::Result<f64> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().context("the load was stopped before")?;
        let ended = tokio::task::spawn_blocking(move || thread.join()).await.context("the load")?;
        ended.map_err(|_| anyhow!("the load ended by a panic"))?
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn run(log: &dyn Log, rate: f64, stop: &AtomicBool) -> anyhow::Result<f64> {
    let span = Span((EVENTS as f64 / rate * 1e6) as i64);
    let parameters = Parameters { users: USERS, start: now(), span, ..Parameters::new(8, EVENTS) };
    let mut events = W1::new(parameters).peekable();
    let (begin, mut appended) = (Instant::now(), 0_u64);
    while !stop.load(Ordering::Relaxed) {
        let due = clock::wall();
        let mut batch = Vec::new();
        while batch.len() < APPEND_RECORDS
            && let Some(event) = events.next_if(|event| event.log_timestamp <= due)
        {
            batch.push(event);
        }
        if batch.len() < APPEND_RECORDS {
            std::thread::park_timeout(STEP);
        }
        if !batch.is_empty() {
            appended += batch.len() as u64;
            append(log, &mut batch.into_iter())?;
        }
    }
    Ok(appended as f64 / begin.elapsed().as_secs_f64())
}
