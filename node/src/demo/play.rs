//! Records into a log: at once, or as they come due by the wall clock. Knows no node.

use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use featuregrid_simulations::workload::{Produced, Records};

use super::{APPEND_RECORDS, append};
use crate::clock;
use crate::ingest::{Log, LogError};

/// Records that are due are appended this often: a small part of the freshness people see.
const STEP: Duration = Duration::from_millis(5);

/// When records are appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as the log takes them.
    AtOnce,
    /// Each at its own CreateTime.
    InTime,
}

/// What was appended so far, and whether to go on: looked at from outside.
#[derive(Debug, Default)]
struct Progress {
    stop: AtomicBool,
    records: AtomicU64,
    bytes: AtomicU64,
}

/// A thread that appends records until they end or it is told to stop.
pub struct Player {
    progress: Arc<Progress>,
    thread: Option<JoinHandle<Result<(), LogError>>>,
}

/// What a player did.
#[derive(Debug)]
pub struct Played {
    /// Records that were appended.
    pub records: u64,
    /// Bytes of their keys and payloads.
    pub bytes: u64,
    /// Why it ended early, if the log was why.
    pub done: Result<(), LogError>,
}

impl Player {
    /// Starts it.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(records: Box<dyn Records>, pace: Pace, log: Arc<dyn Log>) -> std::io::Result<Self> {
        let progress = Arc::new(Progress::default());
        let own = Arc::clone(&progress);
        let thread = std::thread::Builder::new().name("player".to_owned()).spawn(move || {
            let done = play(records, pace, &*log, &own);
            if let Err(error) = &done {
                tracing::error!(%error, "no more records are played");
            }
            done
        })?;
        Ok(Self { progress, thread: Some(thread) })
    }

    /// How many records were appended.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.progress.records.load(Ordering::Relaxed)
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends it after the batch it is at; what it did by then.
    #[must_use]
    pub fn stop(mut self) -> Played {
        let done = self.end().unwrap_or(Ok(()));
        Played { records: self.records(), bytes: self.progress.bytes.load(Ordering::Relaxed), done }
    }

    fn end(&mut self) -> Option<Result<(), LogError>> {
        self.progress.stop.store(true, Ordering::Relaxed);
        let joined = self.thread.take()?.join();
        joined.map_err(|_| tracing::error!("the records ended by a panic")).ok()
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // What the log said is in the log lines already.
        let _ = self.end();
    }
}

fn play(records: Box<dyn Records>, pace: Pace, log: &dyn Log, progress: &Progress) -> Result<(), LogError> {
    let mut records = records.peekable();
    while !progress.stop.load(Ordering::Relaxed) && records.peek().is_some() {
        let batch = next_batch(&mut records, pace);
        let bytes: usize =
            batch.iter().map(|record| record.key.len() + record.payload.as_ref().map_or(0, Vec::len)).sum();
        let count = batch.len() as u64;
        if count > 0 {
            append(log, &mut batch.into_iter())?;
            progress.records.fetch_add(count, Ordering::Relaxed);
            progress.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        if pace == Pace::InTime {
            std::thread::park_timeout(STEP);
        }
    }
    Ok(())
}

fn next_batch(records: &mut Peekable<Box<dyn Records>>, pace: Pace) -> Vec<Produced> {
    let now = clock::wall();
    let mut batch = Vec::new();
    while batch.len() < APPEND_RECORDS
        && let Some(record) = records.next_if(|record| pace == Pace::AtOnce || record.log_timestamp <= now)
    {
        batch.push(record);
    }
    batch
}
