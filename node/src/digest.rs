//! One number for all state of a node, at one v. Knows no page: shards show them.

use std::time::{Duration, Instant};

use featuregrid_actors::shard::{DigestBuilder, PageBytes};
use featuregrid_protocol::ids::ViewId;
use featuregrid_protocol::position::{OffsetVector, offsets};
use featuregrid_protocol::range::RangeId;
use thiserror::Error;

use crate::assemble::Node;
use crate::grid::Grid;

/// State that moved while it was looked at is looked at again after this long.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// A node's digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeDigest {
    /// sha256 in hexadecimal digits.
    pub sha256: String,
    /// How many pages.
    pub pages: u64,
    /// Where every range stood.
    pub v: OffsetVector,
}

/// Why there is none. It may be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the state kept moving while its pages were read; ask while nothing is produced, or with a later deadline")]
pub struct Moving;

/// The digest of everything the node holds, at one v for all ranges.
///
/// # Errors
/// [`Moving`] when the ranges do not stand together, or move, until the deadline.
pub async fn digest(node: &Node, deadline: Instant) -> Result<NodeDigest, Moving> {
    loop {
        if let Some(digest) = attempt(node).await {
            return Ok(digest);
        }
        if Instant::now() >= deadline {
            return Err(Moving);
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn attempt(node: &Node) -> Option<NodeDigest> {
    let mut views: Vec<ViewId> = node.grid.plan().views.iter().map(|view| view.id).collect();
    views.sort();
    let handles = node.grid.handles();
    let split = Grid::split(node.grid.ranges(), handles.len());
    let mut builder = DigestBuilder::default();
    let mut v: Option<OffsetVector> = None;
    for view in views {
        // Shards hold neighbouring ranges in order, so this walks the ranges in order, too.
        for (handle, ranges) in handles.iter().zip(&split) {
            for range in ranges {
                let range: RangeId = *range;
                let shown = handle.pages(view, range).await.ok()??;
                let at = offsets(&shown.positions);
                if v.get_or_insert_with(|| at.clone()) != &at {
                    return None;
                }
                for page in &shown.pages {
                    let (hash, ladder) = (page.hash, page.ladder);
                    builder.add(&PageBytes { view, hash, key: &page.key, ladder, bytes: &page.bytes });
                }
            }
        }
    }
    let digest = builder.finish();
    Some(NodeDigest { sha256: digest.to_string(), pages: digest.pages, v: v? })
}
