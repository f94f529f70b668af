//! How far the readers are, for status, waiting and metrics. Knows no state of entities.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use featuregrid_protocol::ids::{Offset, PartitionId};

/// Of all partitions of the source.
#[derive(Debug, Default)]
pub struct Progress {
    partitions: BTreeMap<PartitionId, PartitionProgress>,
    paused: AtomicBool,
    pauses: AtomicU64,
    /// Some loop of a reader turned since it was last asked.
    turned: AtomicBool,
}

#[derive(Debug, Default)]
struct PartitionProgress {
    log_end: AtomicU64,
    halted: Mutex<Option<String>>,
}

impl Progress {
    /// Nothing read yet.
    #[must_use]
    pub fn new(partitions: &[PartitionId]) -> Self {
        let partitions = partitions.iter().map(|partition| (*partition, PartitionProgress::default())).collect();
        Self { partitions, ..Self::default() }
    }

    /// A reader reached the end of the log, which stood here.
    pub fn set_log_end(&self, partition: PartitionId, end: Offset) {
        if let Some(progress) = self.partitions.get(&partition) {
            progress.log_end.fetch_max(end, Ordering::Relaxed);
        }
    }

    /// Where the log ended when a reader last reached it.
    #[must_use]
    pub fn log_end(&self, partition: PartitionId) -> Offset {
        self.partitions.get(&partition).map_or(0, |progress| progress.log_end.load(Ordering::Relaxed))
    }

    /// The partition cannot go on. Logged here, once.
    pub fn halt(&self, partition: PartitionId, why: &str) {
        tracing::error!(%partition, error = why, "the partition has halted");
        if let Some(progress) = self.partitions.get(&partition) {
            *progress.halted.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
        }
    }

    /// Why the partition has halted, if it has.
    #[must_use]
    pub fn halted(&self, partition: PartitionId) -> Option<String> {
        let progress = self.partitions.get(&partition)?;
        progress.halted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why some partition has halted, if one has.
    #[must_use]
    pub fn any_halted(&self) -> Option<String> {
        self.partitions.keys().find_map(|partition| self.halted(*partition))
    }

    /// Entity state reached the memory budget, or left it again. Logged here, at each change.
    pub fn set_paused(&self, paused: bool, bytes: usize, budget: usize) {
        if self.paused.swap(paused, Ordering::Relaxed) == paused {
            return;
        }
        if paused {
            self.pauses.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(bytes, budget, "memory budget reached: reading pauses; raise --memory-budget or add nodes");
        } else {
            tracing::info!(bytes, budget, "reading goes on");
        }
    }

    /// Whether reading pauses at the memory budget.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// A reader's loop turned.
    pub fn set_turned(&self) {
        self.turned.store(true, Ordering::Relaxed);
    }

    /// Whether a reader's loop turned since the last call.
    #[must_use]
    pub fn take_turned(&self) -> bool {
        self.turned.swap(false, Ordering::Relaxed)
    }

    /// How often reading paused.
    #[must_use]
    pub fn pauses(&self) -> u64 {
        self.pauses.load(Ordering::Relaxed)
    }
}
