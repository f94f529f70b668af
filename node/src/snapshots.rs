//! Makes what shards hold durable, range by range, while they go on. Decides nothing: [`Cadence`] says which range is due,
//! the shard walks it in slices, the keeper writes part and manifest.
//!
//! ```text
//! due -> walk (shard, in slices) -> part (encoded beside it) -> upload -> manifest by CAS -> offsets for lag tools
//! ```

pub mod restore;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use featuregrid_actors::ownership::Snapshot;
use featuregrid_actors::ports::Monotonic;
use featuregrid_actors::snapshot::cadence::Cadence;
use featuregrid_actors::snapshot::compaction::base_is_due;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Span;
use thiserror::Error;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock;
use crate::grid::Grid;
use crate::keeper::{DurableError, Ledger};

/// How often is looked which range is due: well below the shortest interval.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A store that refuses is mentioned this often.
const COMPLAIN_EVERY: Span = Span::seconds(30);

/// Why a range was not made durable this time.
#[derive(Debug, Error)]
enum FailedError {
    #[error("its shard is being restarted")]
    Gone,
    #[error("memory for compression ran out: {0}")]
    Encode(std::io::Error),
    #[error(transparent)]
    Durable(#[from] DurableError),
}

/// What was done, for status and metrics.
#[derive(Debug, Default)]
pub struct Durability {
    bases: AtomicU64,
    deltas: AtomicU64,
    quiet: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    /// Bytes of parts that were encoded and are not committed.
    debt: AtomicU64,
    /// Age of the oldest durable state, microseconds, when last looked.
    oldest: AtomicI64,
    alarm: AtomicBool,
}

/// [`Durability`] at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DurabilityFacts {
    /// Bases committed.
    pub bases: u64,
    /// Deltas committed.
    pub deltas: u64,
    /// Manifests that moved on without a part.
    pub quiet: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Bytes of committed parts.
    pub bytes: u64,
    /// Bytes of parts that wait for the store.
    pub debt: u64,
    /// Age of the oldest durable state.
    pub oldest: Span,
    /// Whether that is too old.
    pub alarm: bool,
}

impl Durability {
    /// Now.
    #[must_use]
    pub fn facts(&self) -> DurabilityFacts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DurabilityFacts {
            bases: count(&self.bases),
            deltas: count(&self.deltas),
            quiet: count(&self.quiet),
            failed: count(&self.failed),
            bytes: count(&self.bytes),
            debt: count(&self.debt),
            oldest: Span(self.oldest.load(Ordering::Relaxed)),
            alarm: self.alarm.load(Ordering::Relaxed),
        }
    }
}

/// Everything that an attempt needs.
#[derive(Clone)]
struct Shared {
    grid: Arc<Grid>,
    ledger: Ledger,
    durability: Arc<Durability>,
}

/// Makes ranges durable until it is dropped.
pub struct Snapshots {
    cadence: Arc<Mutex<Cadence>>,
    durability: Arc<Durability>,
    ledger: Ledger,
    committed: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl Snapshots {
    /// Each range of the node once in `interval`.
    #[must_use]
    pub fn start(grid: Arc<Grid>, ledger: Ledger, interval: Span) -> Self {
        let durability = Arc::new(Durability::default());
        let ranges: Vec<RangeId> = ledger.owned().all().into_keys().collect();
        let mut cadence = Cadence::new(interval);
        cadence.own(clock::monotonic(), ranges.into_iter());
        let (cadence, committed) = (Arc::new(Mutex::new(cadence)), Arc::new(Notify::new()));
        let shared = Shared { grid, ledger: ledger.clone(), durability: Arc::clone(&durability) };
        let task = tokio::spawn(run(shared, Arc::clone(&cadence), Arc::clone(&committed)));
        Self { cadence, durability, ledger, committed, task }
    }

    /// What was done.
    #[must_use]
    pub fn durability(&self) -> DurabilityFacts {
        self.durability.facts()
    }

    /// Waits until every range is durable at or after `v`, without waiting for its turn.
    pub async fn reach(&self, v: &OffsetVector) {
        loop {
            let committed = self.committed.notified();
            let behind = self.ledger.owned().all().into_values().any(|manifest| {
                let durable = featuregrid_protocol::position::offsets(&manifest.positions);
                !durable.covers(v)
            });
            if !behind {
                return;
            }
            self.cadence.lock().unwrap_or_else(PoisonError::into_inner).hurry(clock::monotonic());
            // A range whose attempt is under way at an older v gets another one.
            let _ = tokio::time::timeout(Duration::from_millis(200), committed).await;
        }
    }
}

impl Drop for Snapshots {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(shared: Shared, cadence: Arc<Mutex<Cadence>>, committed: Arc<Notify>) {
    let mut attempts: JoinSet<(RangeId, Result<(), FailedError>)> = JoinSet::new();
    let mut complained = Monotonic::MIN;
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            Some(ended) = attempts.join_next() => {
                let Ok((range, done)) = ended else { continue };
                let now = clock::monotonic();
                if let Err(error) = &done {
                    shared.durability.failed.fetch_add(1, Ordering::Relaxed);
                    if now - complained >= COMPLAIN_EVERY {
                        complained = now;
                        tracing::warn!(%range, %error, "a range was not made durable; trying again");
                    }
                }
                let mut cadence = cadence.lock().unwrap_or_else(PoisonError::into_inner);
                if matches!(done, Err(FailedError::Durable(DurableError::Lost(_)))) {
                    cadence.disown(range);
                }
                cadence.ended(now, range, done.is_ok());
                drop(cadence);
                committed.notify_waiters();
            }
        }
        let now = clock::monotonic();
        let mut cadence = cadence.lock().unwrap_or_else(PoisonError::into_inner);
        // Without a lease nothing can be committed: no page is encoded in vain.
        while shared.ledger.is_leased()
            && let Some(range) = cadence.begin(now)
        {
            let shared = shared.clone();
            attempts.spawn(async move { (range, shared.make_durable(range).await) });
        }
        let alarm = cadence.is_alarming(now);
        shared.durability.oldest.store(cadence.oldest(now).0, Ordering::Relaxed);
        if shared.durability.alarm.swap(alarm, Ordering::Relaxed) != alarm {
            if alarm {
                tracing::error!(
                    "state has not become durable for three intervals: look at the object store; reads and folding go on"
                );
            } else {
                tracing::info!("state is durable again");
            }
        }
    }
}

impl Shared {
    async fn make_durable(&self, range: RangeId) -> Result<(), FailedError> {
        let Some(manifest) = self.ledger.owned().of(range) else { return Err(DurableError::Lost(range).into()) };
        let shard = self.grid.shard_of(range);
        let v = manifest.parts_v();
        let changed = shard.changed(range, v.clone()).await.map_err(|_| FailedError::Gone)?;
        if let Some(changed) = changed.filter(|changed| !changed.has_rows) {
            if changed.positions == manifest.positions {
                return Ok(());
            }
            self.ledger.stand(range, (changed.positions, changed.index)).await?;
            self.durability.quiet.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let since = (!base_is_due(&manifest.parts)).then_some(v);
        let walked = shard.walk(range, since).await.map_err(|_| FailedError::Gone)?.ok_or(FailedError::Gone)?;
        let is_delta = walked.head().since.is_some();
        let encoded = tokio::task::spawn_blocking(move || Snapshot::of(&walked.into_snapshot())).await;
        let snapshot =
            encoded.unwrap_or_else(|ended| Err(std::io::Error::other(ended))).map_err(FailedError::Encode)?;
        let bytes = snapshot.part.len() as u64;
        self.durability.debt.fetch_add(bytes, Ordering::Relaxed);
        let committed = self.ledger.commit(range, snapshot).await;
        self.durability.debt.fetch_sub(bytes, Ordering::Relaxed);
        committed?;
        self.durability.bytes.fetch_add(bytes, Ordering::Relaxed);
        let counter = if is_delta { &self.durability.deltas } else { &self.durability.bases };
        counter.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(%range, bytes, is_delta, "durable");
        Ok(())
    }
}
