//! How many bytes an entity takes: bounded by its windows, whatever the number of its events. Knows no log.

use std::sync::Arc;

use featuregrid_protocol::limits::FRAME_ROWS_MAX;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::time::Span;
use featuregrid_simulations::random::Random;

use super::rows::{DISORDER, Frames, START, shard};

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Keys with a page.
    pub entities: usize,
    /// Slots in use and index, for each.
    pub bytes_per_entity: usize,
    /// Taken from the allocator for each: free slots included.
    pub reserved_bytes_per_entity: usize,
    /// The largest of the first figure on the way, which is looked at a hundred times.
    pub bytes_per_entity_max: usize,
}

/// Applies `events` events of W1's view, evenly over `keys` keys and `span`.
#[must_use]
pub fn memory(plan: Plan, keys: u64, events: u64, span: Span) -> Memory {
    let plan = Arc::new(plan);
    let (mut shard, ranges) = shard(&plan, 1);
    let mut frames = Frames::new(&plan);
    let mut random = Random::new(1);
    let (mut done, mut largest, mut look) = (0, 0, 0);
    while done < events {
        let until = (done + FRAME_ROWS_MAX as u64).min(events);
        let rows = (done..until).map(|event| {
            let passed = (u128::from(event) * span.0.unsigned_abs() as u128 / u128::from(events)) as i64;
            let ts = START + Span(passed) - Span(random.between(0, DISORDER.0));
            (event % keys.max(1), ts, random.between(1, 100_000))
        });
        shard.apply(&frames.frame(rows), &ranges);
        done = until;
        if done >= look {
            look += events / 100;
            largest = largest.max(shard.bytes_per_entity());
        }
    }
    let entities = shard.entities();
    Memory {
        entities,
        bytes_per_entity: shard.bytes_per_entity(),
        reserved_bytes_per_entity: shard.reserved_bytes().div_ceil(entities.max(1)),
        bytes_per_entity_max: largest.max(shard.bytes_per_entity()),
    }
}
