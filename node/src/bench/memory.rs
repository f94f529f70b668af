//! How many bytes an entity takes: bounded by its windows, whatever the number of its events. Knows no log.

use std::sync::Arc;

use featuregrid_protocol::limits::FRAME_ROWS_MAX;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::time::Span;
use featuregrid_simulations::random::Random;

use super::rows::{DISORDER, Frames, START, pages, shard};

/// How often the largest is looked for, and progress is told.
const LOOKS: u64 = 100;
/// Entities that are looked into.
const SAMPLED: u64 = 2_000;

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// Keys with a page.
    pub entities: usize,
    /// Slots in use and index, for each.
    pub bytes_per_entity: usize,
    /// Taken from the allocator for each: free slots included.
    pub reserved_bytes_per_entity: usize,
    /// The largest of the first figure on the way, which is looked at a hundred times.
    pub bytes_per_entity_max: usize,
    /// Of some entities that lie evenly among all: tiles of each level with its hop, finest first, and raw rows.
    pub tiles_per_entity: Vec<(Span, f64)>,
    /// The same of rows that are not in tiles.
    pub raw_rows_per_entity: f64,
}

/// Applies `events` events of a plan's first view, evenly over `span`; `key_of` says whose each is, of 0..keys, and `told`
/// hears of every hundredth part.
#[must_use]
pub fn memory(
    plan: Plan,
    keys: u64,
    events: u64,
    span: Span,
    mut key_of: impl FnMut(u64) -> u64,
    mut told: impl FnMut(u64),
) -> Memory {
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
            (key_of(event), ts, random.between(1, 100_000))
        });
        shard.apply(&frames.frame(rows), &ranges);
        done = until;
        if done >= look {
            look += (events / LOOKS).max(1);
            largest = largest.max(shard.bytes_per_entity());
            told(done);
        }
    }
    let entities = shard.entities();
    let bytes_per_entity = shard.bytes_per_entity();
    let reserved_bytes_per_entity = shard.reserved_bytes().div_ceil(entities.max(1));
    // Only now: looking folds what is looked at.
    let (mut tiles, mut raw_rows, mut sampled): (Vec<(Span, f64)>, f64, f64) = (Vec::new(), 0.0, 0.0);
    for user in (0..keys).step_by((keys / SAMPLED).max(1) as usize) {
        for page in pages(&mut shard, user) {
            tiles.resize(page.levels.len().max(tiles.len()), (Span(0), 0.0));
            tiles.iter_mut().zip(&page.levels).for_each(|(sum, level)| *sum = (level.hop, sum.1 + level.tiles as f64));
            raw_rows += page.raw_rows as f64;
            sampled += 1.0;
        }
    }
    tiles.iter_mut().for_each(|(_, sum)| *sum /= f64::max(sampled, 1.0));
    Memory {
        entities,
        bytes_per_entity,
        reserved_bytes_per_entity,
        bytes_per_entity_max: largest.max(bytes_per_entity),
        tiles_per_entity: tiles,
        raw_rows_per_entity: raw_rows / f64::max(sampled, 1.0),
    }
}

#[cfg(test)]
mod tests {
    //! The figures are of entities that were there.
    use super::*;
    use crate::bench::six;

    #[test]
    fn an_entity_is_bounded_by_its_windows() {
        let of = |events| {
            let plan = six::plan(six::COUNT_AND_SUM).unwrap();
            memory(plan, 10, events, Span::seconds(30 * 86_400), |event| event % 10, |_| {})
        };
        let (few, many) = (of(20_000), of(80_000));
        assert_eq!((few.entities, many.entities, many.tiles_per_entity.len()), (10, 10, 6));
        assert!(many.bytes_per_entity < few.bytes_per_entity * 2, "{few:?} {many:?}");
        let days = many.tiles_per_entity[5];
        assert!(days.0 == Span::seconds(86_400) && (22.0..=25.0).contains(&days.1), "{many:?}");
    }
}
