//! What is seen of shards while they work: how long folds and slices take, what became visible, whether they make progress.
//! Decides nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use featuregrid_actors::host::message::Rows;
use featuregrid_actors::host::shard::Folding;
use featuregrid_actors::host::{ShardHandle, Slicing};
use featuregrid_protocol::position::OffsetVector;

use crate::clock;
use crate::freshness::Freshness;
use crate::grid::Grid;
use crate::ingest::progress::Progress;
use crate::keeper::Vital;
use crate::telemetry::{Metrics, Stage};

/// What shards report to.
pub(super) struct Observed {
    pub(super) freshness: Arc<Freshness>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) frames: AtomicU64,
    /// Offsets that some read may have seen.
    shown: Mutex<OffsetVector>,
}

impl Observed {
    /// Nothing yet.
    pub(super) fn new(freshness: Arc<Freshness>, metrics: Arc<Metrics>) -> Self {
        Self { freshness, metrics, frames: AtomicU64::new(0), shown: Mutex::default() }
    }

    /// Offsets that some read may have seen.
    pub(super) fn shown(&self) -> OffsetVector {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Folds, and notes how long it took; frames without rows come ten times a second and are no news.
    fn fold(&self, rows: &Rows, fold: &mut dyn FnMut() -> bool) -> bool {
        let frame = &rows.frame;
        if frame.rows.is_empty() {
            return fold();
        }
        let (from, to, count) = (frame.from, frame.to, frame.rows.len());
        let _span = tracing::debug_span!("apply", partition = %frame.partition, from, to, rows = count).entered();
        let begin = clock::monotonic();
        let everywhere = fold();
        let now = clock::monotonic();
        self.metrics.spent(Stage::Fold, now - begin);
        if everywhere {
            self.metrics.spent(Stage::Visible, now - rows.handed);
        }
        everywhere
    }
}

/// What happens around the fold of a frame in a shard.
pub(super) fn folding(observed: &Arc<Observed>, grid: &Arc<OnceLock<Arc<Grid>>>) -> Folding {
    let (observed, grid) = (Arc::clone(observed), Arc::clone(grid));
    Arc::new(move |rows: &Rows, fold: &mut dyn FnMut() -> bool| {
        let everywhere = observed.fold(rows, fold);
        if everywhere {
            observed.frames.fetch_add(1, Ordering::Relaxed);
            observed.freshness.visible(&rows.frame.rows);
            let mut shown = observed.shown.lock().unwrap_or_else(PoisonError::into_inner);
            let next = shown.0.entry(rows.frame.partition).or_default();
            *next = rows.frame.to.max(*next);
        }
        if let Some(grid) = grid.get() {
            grid.visible.notify_waiters();
        }
    })
}

/// What happens around a slice of a snapshot in a shard: whoever is behind it waits so long.
pub(super) fn slicing(observed: &Arc<Observed>) -> Slicing {
    let observed = Arc::clone(observed);
    Arc::new(move |slice: &mut dyn FnMut()| {
        let begin = clock::monotonic();
        slice();
        observed.metrics.spent(Stage::Snapshot, clock::monotonic() - begin);
    })
}

/// Whether readers and shards make progress.
pub(super) fn vital(grid: &Arc<Grid>, progress: &Arc<Progress>, observed: &Arc<Observed>) -> Vital {
    let (grid, progress, observed) = (Arc::clone(grid), Arc::clone(progress), Arc::clone(observed));
    let seen = AtomicU64::new(0);
    Box::new(move || {
        let frames = observed.frames.load(Ordering::Relaxed);
        let moved = seen.swap(frames, Ordering::Relaxed) != frames;
        (progress.take_turned(), moved || grid.handles().iter().all(ShardHandle::is_idle))
    })
}
