//! How far the readers are, for status, waiting and metrics. Knows no state of entities.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use featuregrid_protocol::ids::{Offset, PartitionId};
use featuregrid_protocol::position::PartitionPosition;

/// Of all partitions of all sources.
#[derive(Debug, Default)]
pub struct Progress {
    known: RwLock<Known>,
    /// Some partition has halted: looked at by every read.
    halted: AtomicBool,
    /// Reading threads that have paused consumption.
    paused: AtomicUsize,
    pauses: AtomicU64,
    /// Some loop of a reader turned since it was last asked.
    turned: AtomicBool,
}

/// Partitions found so far. They only grow in number.
#[derive(Debug, Default)]
struct Known {
    /// As they were found: the place of a partition in it, and so its reader, never changes.
    order: Vec<PartitionId>,
    partitions: BTreeMap<PartitionId, Arc<PartitionProgress>>,
}

#[derive(Debug, Default)]
struct PartitionProgress {
    /// The first offset that belongs to the state.
    begin: Offset,
    log_end: AtomicU64,
    halted: Mutex<Option<String>>,
}

impl Progress {
    /// Nothing read yet of these partitions, each of which begins at its offset.
    #[must_use]
    pub fn new(begins: impl IntoIterator<Item = (PartitionId, Offset)>) -> Self {
        let progress = Self::default();
        for (partition, begin) in begins {
            progress.add(partition, begin);
        }
        progress
    }

    /// A partition was found that begins here; its place among all of them, unless it was known before.
    pub fn add(&self, partition: PartitionId, begin: Offset) -> Option<usize> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.partitions.contains_key(&partition) {
            return None;
        }
        let progress = PartitionProgress { begin, ..PartitionProgress::default() };
        known.partitions.insert(partition, Arc::new(progress));
        known.order.push(partition);
        Some(known.order.len() - 1)
    }

    /// Every partition found so far, ascending.
    #[must_use]
    pub fn partitions(&self) -> Vec<PartitionId> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).partitions.keys().copied().collect()
    }

    /// Whether the partition was found before.
    #[must_use]
    pub fn knows(&self, partition: PartitionId) -> bool {
        self.of(partition).is_some()
    }

    /// The first offset of the partition that belongs to the state.
    #[must_use]
    pub fn begin(&self, partition: PartitionId) -> Offset {
        self.of(partition).map_or(0, |progress| progress.begin)
    }

    /// Where the partition stands before its first frame.
    #[must_use]
    pub fn start(&self, partition: PartitionId) -> PartitionPosition {
        PartitionPosition::start(self.begin(partition))
    }

    /// Those that one of so many readers reads.
    #[must_use]
    pub fn of_reader(&self, reader: usize, readers: usize) -> Vec<PartitionId> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.order.iter().skip(reader).step_by(readers).copied().collect()
    }

    fn of(&self, partition: PartitionId) -> Option<Arc<PartitionProgress>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).partitions.get(&partition).cloned()
    }

    /// A reader reached the end of the log, which stood here.
    pub fn set_log_end(&self, partition: PartitionId, end: Offset) {
        if let Some(progress) = self.of(partition) {
            progress.log_end.fetch_max(end, Ordering::Relaxed);
        }
    }

    /// Where the log ended when a reader last reached it.
    #[must_use]
    pub fn log_end(&self, partition: PartitionId) -> Offset {
        self.of(partition).map_or(0, |progress| progress.log_end.load(Ordering::Relaxed))
    }

    /// The partition cannot go on. Logged here, once.
    pub fn halt(&self, partition: PartitionId, why: &str) {
        let Some(progress) = self.of(partition) else { return };
        let mut halted = progress.halted.lock().unwrap_or_else(PoisonError::into_inner);
        if halted.as_deref() != Some(why) {
            tracing::error!(%partition, error = why, "the partition has halted");
            *halted = Some(why.to_owned());
            self.halted.store(true, Ordering::Relaxed);
        }
    }

    /// Why the partition has halted, if it has.
    #[must_use]
    pub fn halted(&self, partition: PartitionId) -> Option<String> {
        let progress = self.of(partition)?;
        let halted = progress.halted.lock().unwrap_or_else(PoisonError::into_inner);
        halted.clone()
    }

    /// Why some partition has halted, if one has.
    #[must_use]
    pub fn any_halted(&self) -> Option<String> {
        if !self.halted.load(Ordering::Relaxed) {
            return None;
        }
        self.partitions().into_iter().find_map(|partition| self.halted(partition))
    }

    /// One more reading thread has paused consumption, or one less. Logged by it, because it knows why.
    pub fn set_paused(&self, paused: bool) {
        if paused {
            self.pauses.fetch_add(1, Ordering::Relaxed);
            self.paused.fetch_add(1, Ordering::Relaxed);
        } else {
            self.paused.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether some thread has paused consumption.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed) > 0
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
