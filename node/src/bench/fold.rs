//! How fast rows become state, beside what memory allows. Knows no log.
//!
//! The limit is a loop that does no work: a hash index, 256 bytes of state per entity of which two cache lines are
//! touched, batches of 32 so that misses overlap. It is frozen: a faster limit would make old ratios lie.

use std::sync::Arc;
use std::time::Instant;

use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::limits::FRAME_ROWS_MAX;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::time::Span;
use featuregrid_simulations::random::Random;
use hashbrown::HashTable;

use super::rows::{Frames, START, shard};

/// Ranges of the shard measured: as many as one of eight shards has.
const RANGES: u32 = 32;
/// Events per second of event time: busy enough that several fall into one tile.
const RATE: i64 = 10_000;
const BATCH: usize = 32;

/// One number of entities.
#[derive(Clone, Copy, Debug)]
pub struct Fold {
    /// How many entities.
    pub entities: u64,
    /// How many events were folded into them.
    pub events: u64,
    /// Nanoseconds for each.
    pub ns_per_event: f64,
    /// The limit's nanoseconds for each.
    pub limit_ns_per_event: f64,
}

/// Folds uniformly random events of W1's view into `entities` entities that exist already.
#[must_use]
pub fn fold(plan: Plan, entities: u64, events: u64) -> Fold {
    let plan = Arc::new(plan);
    let (mut shard, ranges) = shard(&plan, RANGES);
    let mut frames = Frames::new(&plan);
    let mut random = Random::new(1);
    let mut happened = 0;
    let mut spent = std::time::Duration::ZERO;
    for event in (0..entities + events).step_by(FRAME_ROWS_MAX) {
        let is_measured = event >= entities;
        let rows = (event..event + FRAME_ROWS_MAX as u64).map(|event| {
            let user = if is_measured { random.below(entities) } else { event % entities };
            happened += 1;
            (user, START + Span(happened * 1_000_000 / RATE), random.between(1, 100_000))
        });
        let frame = frames.frame(rows);
        let begin = Instant::now();
        shard.apply(&frame, &ranges);
        if is_measured {
            spent += begin.elapsed();
        }
    }
    let ns_per_event = spent.as_nanos() as f64 / events as f64;
    drop(shard); // millions of entities beside those of the limit would not fit everywhere
    Fold { entities, events, ns_per_event, limit_ns_per_event: limit(entities, events) }
}

/// See the module.
fn limit(entities: u64, events: u64) -> f64 {
    let hash = |user: u64| KeyHash::of(&user.to_le_bytes()).0;
    let mut index: HashTable<(u64, u32)> = HashTable::with_capacity(entities as usize);
    let mut states = vec![[0u64; 32]; entities as usize];
    for user in 0..entities {
        let hash = hash(user);
        index.insert_unique(hash, (hash, user as u32), |(hash, _)| *hash);
    }
    let mut random = Random::new(2);
    let mut spent = std::time::Duration::ZERO;
    for _ in 0..events / BATCH as u64 {
        let hashes: [u64; BATCH] = std::array::from_fn(|_| hash(random.below(entities)));
        let begin = Instant::now();
        let slots = hashes.map(|hash| index.find(hash, |(other, _)| *other == hash).map_or(0, |(_, slot)| *slot));
        for (slot, hash) in slots.into_iter().zip(hashes) {
            let state = &mut states[slot as usize];
            state[0] += 1;
            state[8] ^= hash;
        }
        spent += begin.elapsed();
    }
    std::hint::black_box(&states);
    spent.as_nanos() as f64 / events as f64
}
