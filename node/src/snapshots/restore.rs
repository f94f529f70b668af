//! Ranges stand up in a shard from what is durable of them. Decides nothing: the keeper reads, the shard rebuilds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use featuregrid_actors::control::History;
use featuregrid_actors::host::{Installed, ShardHandle};
use featuregrid_actors::snapshot::RebuildError;
use featuregrid_protocol::position::{Positions, offsets};
use featuregrid_protocol::range::{RangeId, RangeSet};
use thiserror::Error;
use tokio::task::JoinSet;

use crate::ingest::surroundings::Stand;
use crate::keeper::Ledger;

/// Why a range does not stand up. What is durable was not changed.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// What is durable cannot be used.
    #[error("state of the store: {0}")]
    Rebuild(#[from] RebuildError),
    /// The shard ended meanwhile.
    #[error("a shard ended while it was restored")]
    Gone,
    /// The keeper ended meanwhile.
    #[error("the node's lease ended while its state was restored")]
    Ended,
}

/// What was restored since the start, for status.
#[derive(Debug, Default)]
pub struct Recovery {
    ranges: AtomicU64,
    bytes: AtomicU64,
}

impl Recovery {
    /// Ranges that had parts.
    #[must_use]
    pub fn ranges(&self) -> u64 {
        self.ranges.load(Ordering::Relaxed)
    }

    /// Bytes of their parts.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Restores `ranges` into a shard: where they stand then, grouped. `begins` are the starts of every partition.
///
/// # Errors
/// See [`RestoreError`].
pub async fn restore(
    shard: &ShardHandle,
    ledger: &Ledger,
    history: &Arc<History>,
    begins: &Positions,
    ranges: &[RangeId],
    recovery: &Recovery,
) -> Result<Vec<Stand>, RestoreError> {
    let mut reading = JoinSet::new();
    for range in ranges.iter().copied() {
        let ledger = ledger.clone();
        reading.spawn(async move { (range, ledger.restore(range).await) });
    }
    let mut stands: Vec<Stand> = Vec::new();
    while let Some(read) = reading.join_next().await {
        let Ok((range, Some(stored))) = read else { return Err(RestoreError::Ended) };
        // Every range was claimed, and a claim writes a manifest.
        let Some(manifest) = stored.manifest else { return Err(RestoreError::Ended) };
        if !stored.parts.is_empty() {
            recovery.ranges.fetch_add(1, Ordering::Relaxed);
            let bytes = stored.parts.iter().map(|part| part.len() as u64).sum();
            recovery.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        let mut positions = manifest.positions.clone();
        for (partition, begin) in begins {
            positions.entry(*partition).or_insert_with(|| begin.clone());
        }
        tracing::debug!(%range, epoch = %manifest.epoch, parts = stored.parts.len(), v = ?offsets(&positions), "restoring");
        let (history, begins) = (Arc::clone(history), begins.clone());
        let installed = Installed { manifest, parts: stored.parts, history, begins };
        shard.install(installed).await.map_err(|_| RestoreError::Gone)??;
        #[cfg(feature = "plants")]
        crate::crash::at(crate::crash::Point::InRecovery);
        match stands.iter_mut().find(|stand| stand.positions == positions) {
            Some(stand) => stand.ranges.insert(range),
            None => stands.push(Stand { ranges: RangeSet::from_iter([range]), positions }),
        }
    }
    Ok(stands)
}
