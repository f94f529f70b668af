//! Why a reading thread has paused consumption, and the lines that say so. Knows no client: whoever pauses it asks here.
//!
//! There are two reasons, which may hold at once: entity state has reached the memory budget, or a shard takes no more
//! rows. Consumption goes on when neither holds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::progress::Progress;

/// A shard that takes no frame for this long is not merely slower than the log for a moment: a frame costs it less than
/// a millisecond, and it may have as many before this one as it has permits.
pub(super) const PAUSE_AFTER: Duration = Duration::from_millis(100);
/// A paused thread looks at its stop signal this often.
pub(super) const STALLED_TURN: Duration = Duration::from_millis(100);

/// Why consumption pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Memory { bytes: usize, budget: usize },
    Shard(usize),
}

/// Of one thread.
pub(super) struct Pauses {
    progress: Arc<Progress>,
    memory: bool,
    shard: bool,
    since: Instant,
}

impl Pauses {
    pub(super) fn new(progress: Arc<Progress>) -> Self {
        Self { progress, memory: false, shard: false, since: Instant::now() }
    }

    /// Whether the memory budget holds consumption up.
    pub(super) fn is_memory_full(&self) -> bool {
        self.memory
    }

    /// Whether anything does.
    pub(super) fn is_paused(&self) -> bool {
        self.memory || self.shard
    }

    /// A reason began to hold, or holds no longer: whether the client is to be paused (or resumed) now. `partitions` are
    /// this thread's.
    pub(super) fn change(&mut self, reason: Reason, holds: bool, partitions: &str) -> bool {
        let before = self.is_paused();
        match reason {
            Reason::Memory { .. } => self.memory = holds,
            Reason::Shard(_) => self.shard = holds,
        }
        let changed = self.is_paused() != before;
        if changed {
            self.progress.set_paused(!before);
            if !before {
                self.since = Instant::now();
            }
        }
        self.say(reason, holds, partitions);
        changed
    }

    fn say(&self, reason: Reason, holds: bool, partitions: &str) {
        let after_ms = self.since.elapsed().as_millis() as u64;
        match (reason, holds) {
            (Reason::Memory { bytes, budget }, true) => {
                let reason = "entity state reached the memory budget; raise --memory-budget or add nodes";
                tracing::warn!(partitions, reason, bytes, budget, "consumption paused");
            }
            (Reason::Memory { bytes, budget }, false) => {
                let reason = "entity state is below the memory budget again";
                tracing::info!(partitions, reason, bytes, budget, after_ms, "consumption resumed");
            }
            (Reason::Shard(shard), true) => {
                tracing::info!(partitions, reason = "a shard takes no more rows", shard, "consumption paused");
            }
            (Reason::Shard(shard), false) => {
                tracing::info!(
                    partitions,
                    reason = "the shard takes rows again",
                    shard,
                    after_ms,
                    "consumption resumed"
                );
            }
        }
    }
}

/// A thread that ends holds nothing up any more.
impl Drop for Pauses {
    fn drop(&mut self) {
        if self.is_paused() {
            self.progress.set_paused(false);
        }
    }
}

#[cfg(test)]
mod tests {
    //! Two reasons, one pause.
    use super::*;

    #[test]
    fn consumption_goes_on_when_no_reason_is_left() {
        let progress = Arc::new(Progress::default());
        let memory = Reason::Memory { bytes: 2, budget: 1 };
        let mut pauses = Pauses::new(Arc::clone(&progress));
        assert!(pauses.change(memory, true, "p0"));
        assert!(!pauses.change(Reason::Shard(3), true, "p0"), "paused already");
        assert!(!pauses.change(memory, false, "p0"), "a shard still holds it up");
        assert!(progress.is_paused());
        assert!(pauses.change(Reason::Shard(3), false, "p0"));
        assert!(!progress.is_paused());
        assert!(pauses.change(memory, true, "p0"));
        drop(pauses);
        assert_eq!((progress.is_paused(), progress.pauses()), (false, 2));
    }
}
