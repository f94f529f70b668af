//! The plant that breaks no rule: a shard that takes no rows for a while. Knows no reader: what readers do about it is
//! what is looked at.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use featuregrid_protocol::plants::{Plant, on};

use super::Observed;
use crate::grid::Grid;

/// Long enough that permits, and what the client fetches ahead, run out at full speed.
const STALL: Duration = Duration::from_secs(3);

/// Stalls the first shard once, as soon as frames flow.
pub(super) fn stall_a_shard(grid: &Arc<Grid>, observed: &Arc<Observed>) {
    if !on(Plant::StalledShard) {
        return;
    }
    let (grid, observed) = (Arc::clone(grid), Arc::clone(observed));
    tokio::spawn(async move {
        while observed.frames.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let Some(first) = grid.handles().into_iter().next() else { return };
        if let Ok(permits) = first.stall().await {
            tracing::info!(seconds = STALL.as_secs(), "planted: the first shard takes no rows");
            tokio::time::sleep(STALL).await;
            drop(permits);
        }
    });
}
