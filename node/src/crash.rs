//! Places where a process kills itself if it is asked to, for tests of what is durable: as kill -9, at one known instruction.
//! Only in builds with the feature `plants`. Knows nothing of what is there.
//!
//! `FEATUREGRID_CRASH_AT=POINT:N` kills at the Nth passage.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// A part is on its way to the store.
    InUpload,
    /// A part is there, and its manifest was not sent.
    UploadToCas,
    /// A manifest stands, and nobody here has heard of it.
    CasToCommit,
    /// Some ranges of a beginning node stand, others do not.
    InRecovery,
}

impl Point {
    /// Every place.
    pub const ALL: [Self; 4] = [Self::InUpload, Self::UploadToCas, Self::CasToCommit, Self::InRecovery];

    /// As it is spelt.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InUpload => "in_upload",
            Self::UploadToCas => "upload_to_cas",
            Self::CasToCommit => "cas_to_commit",
            Self::InRecovery => "in_recovery",
        }
    }
}

/// Which place, and how often it is passed before.
static ASKED: OnceLock<Option<(Point, u64)>> = OnceLock::new();
static PASSED: AtomicU64 = AtomicU64::new(0);

fn asked() -> Option<(Point, u64)> {
    *ASKED.get_or_init(|| {
        let text = std::env::var("FEATUREGRID_CRASH_AT").ok()?;
        let (name, nth) = text.split_once(':')?;
        let point = Point::ALL.into_iter().find(|point| point.name() == name)?;
        Some((point, nth.parse().ok()?))
    })
}

/// Execution is at `point`.
pub fn at(point: Point) {
    let Some((_, nth)) = asked().filter(|(asked, _)| *asked == point) else { return };
    if PASSED.fetch_add(1, Ordering::Relaxed) + 1 == nth {
        // No destructor, no flush: what a power cut leaves of a process.
        std::process::abort();
    }
}
