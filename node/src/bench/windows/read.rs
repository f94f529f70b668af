//! A read of a full ladder beside merging as many words. Knows no definition text.
//!
//! The limit is a loop over the tiles of a page without the page: counts, sum, sum of squares with its carry, minimum and
//! maximum, and a copy of what runs where a window ends. It divides nothing, answers nothing and looks nothing up.

use std::hint::black_box;
use std::sync::Arc;

use featuregrid_actors::window::AsOf;
use featuregrid_protocol::definition::Mistakes;
use featuregrid_protocol::limits::FRAME_ROWS_MAX;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_simulations::random::Random;

use super::{Case, median, scaled};
use crate::bench::rows::{Frames, START, encode, pages, shard};
use crate::bench::six;

/// Few enough that their pages stay in the cache beside the code.
const ENTITIES: u64 = 8;
const READS: u64 = 200_000;
const WINDOWS: usize = 6;
/// Of a tile: its start, two words of counts, the sum, two words of squares, minimum, maximum.
const WORDS: usize = 8;

pub(super) fn case(scale: u64) -> Result<Case, Mistakes> {
    let plan = Arc::new(six::plan(six::FULL)?);
    let (mut shard, ranges) = shard(&plan, 1);
    let mut frames = Frames::new(&plan);
    let mut random = Random::new(1);
    let times = instants(START + Span::seconds(30 * 86_400));
    let newest = times.last().copied().unwrap_or(START);
    let rows: Vec<(u64, Timestamp, i64)> = times
        .iter()
        .flat_map(|ts| (0..ENTITIES).map(|user| (user, *ts)))
        .map(|(user, ts)| (user, ts, random.between(1, 100_000)))
        .collect();
    for rows in rows.chunks(FRAME_ROWS_MAX) {
        shard.apply(&frames.frame(rows.iter().copied()), &ranges);
    }
    let mut keys = vec![Vec::new(); ENTITIES as usize];
    (0..).zip(&mut keys).for_each(|(user, key)| encode(user, key));
    let (tiles, raw_rows) = pages(&mut shard, 0).fold((0, 0), |(tiles, rows), page| {
        (tiles + page.levels.iter().map(|level| level.tiles).sum::<usize>(), rows + page.raw_rows)
    });
    let reads = scaled(READS, scale);
    let as_of = AsOf::At(newest + Span::TICK);
    let read = |()| {
        for nth in 0..reads {
            black_box(shard.read(0, &keys[(nth % ENTITIES) as usize], as_of));
        }
    };
    let value = median(reads, || (), read);
    let words = (tiles + raw_rows) * WORDS;
    let pages: Vec<Vec<u64>> = (0..ENTITIES).map(|_| (0..words).map(|_| random.below(1 << 40)).collect()).collect();
    let merge = |()| {
        for nth in 0..reads {
            black_box(merged(black_box(&pages[(nth % ENTITIES) as usize])));
        }
    };
    let limit = median(reads, || (), merge);
    let workload = format!(
        "one read of {} features over {WINDOWS} windows, {tiles} tiles and {raw_rows} rows; limit: merging {} bytes",
        plan.views[0].features.len(),
        words * size_of::<u64>()
    );
    Ok(Case { case: "read", workload, value, limit })
}

/// Instants so dense up to `end` that every tile of every level has several.
fn instants(end: Timestamp) -> Vec<Timestamp> {
    let mut times = Vec::new();
    let mut age = Span::seconds(30 * 86_400);
    while age.0 > 200_000 {
        times.push(end - age);
        age = Span(age.0 - (age.0 / 500).max(200_000));
    }
    times
}

/// See the module.
fn merged(page: &[u64]) -> [[u64; WORDS]; WINDOWS] {
    let mut answers = [[0; WORDS]; WINDOWS];
    let mut running = [0u64; WORDS];
    (running[6], running[7]) = (u64::MAX, 0);
    let tiles = page.as_chunks::<WORDS>().0;
    let each = tiles.len().div_ceil(WINDOWS).max(1);
    for (answer, tiles) in answers.iter_mut().zip(tiles.rchunks(each)) {
        for tile in tiles.iter().rev() {
            running[0] = tile[0];
            for word in 1..4 {
                running[word] = running[word].wrapping_add(tile[word]);
            }
            let (low, carry) = running[4].overflowing_add(tile[4]);
            running[4] = low;
            running[5] = running[5].wrapping_add(tile[5]).wrapping_add(u64::from(carry));
            running[6] = running[6].min(tile[6]);
            running[7] = running[7].max(tile[7]);
        }
        *answer = running;
    }
    answers
}
