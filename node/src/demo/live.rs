//! Payments as they happen: the generator, paced by the wall clock. Knows no node.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_simulations::workload::w1::{Parameters, W1};

use super::APPEND_RECORDS;
use super::append;
use crate::clock;
use crate::ingest::Log;

/// Payments per second: lively for people, idle for a machine.
pub const RATE: u64 = 200;
/// Users of the demo: few enough that everybody is seen again soon.
pub const USERS: u32 = 1000;
/// How much history the demo begins with.
pub const HISTORY: Span = Span::seconds(48 * 3600);
/// Records that are due are appended this often: a small part of the freshness people see.
const STEP: Duration = Duration::from_millis(5);

/// The two days before `now`.
#[must_use]
pub fn history(seed: u64, events: u64, now: Timestamp) -> Parameters {
    let start = (now - HISTORY).floor(Span::millis(1));
    Parameters { users: USERS, start, span: HISTORY, ..Parameters::new(seed, events) }
}

/// From `now` on, without end and without disorder.
fn present(seed: u64, now: Timestamp) -> Parameters {
    const EVENTS: u64 = 1_000_000_000;
    let start = now.floor(Span::millis(1));
    let span = Span::seconds((EVENTS / RATE) as i64);
    Parameters { users: USERS, start, span, disorder: Span(0), ..Parameters::new(seed, EVENTS) }
}

/// A thread that appends payments until it is dropped.
pub struct Live {
    stop: Arc<AtomicBool>,
    appended: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// Starts it.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(seed: u64, log: Arc<dyn Log>) -> std::io::Result<Self> {
        let (stop, appended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (own_stop, own_appended) = (Arc::clone(&stop), Arc::clone(&appended));
        let thread = std::thread::Builder::new().name("payments".to_owned()).spawn(move || {
            if let Err(error) = run(seed, &*log, &own_stop, &own_appended) {
                tracing::error!(%error, "no more payments");
            }
        })?;
        Ok(Self { stop, appended, thread: Some(thread) })
    }

    /// How many payments there were.
    #[must_use]
    pub fn appended(&self) -> u64 {
        self.appended.load(Ordering::Relaxed)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the payments ended by a panic");
        }
    }
}

fn run(seed: u64, log: &dyn Log, stop: &AtomicBool, appended: &AtomicU64) -> anyhow::Result<()> {
    let mut payments = W1::new(present(seed, clock::wall())).peekable();
    while !stop.load(Ordering::Relaxed) {
        let now = clock::wall();
        let mut due = Vec::new();
        while due.len() < APPEND_RECORDS
            && let Some(payment) = payments.next_if(|payment| payment.log_timestamp <= now)
        {
            due.push(payment);
        }
        if !due.is_empty() {
            let count = due.len() as u64;
            append(log, &mut due.into_iter())?;
            appended.fetch_add(count, Ordering::Relaxed);
        }
        std::thread::park_timeout(STEP);
    }
    Ok(())
}
