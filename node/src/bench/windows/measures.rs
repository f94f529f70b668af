//! Folding events with many measures beside folding the same with few. Knows no read.

use std::sync::Arc;

use featuregrid_protocol::definition::Mistakes;
use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::limits::FRAME_ROWS_MAX;
use featuregrid_protocol::time::Span;
use featuregrid_simulations::random::Random;

use super::{Case, median, scaled};
use crate::bench::rows::{Frames, START, shard};
use crate::bench::six;

const MANY: usize = 30;
const FEW: usize = 3;
/// So few that their pages, a hundred kilobytes each, stay in the cache.
const ENTITIES: u64 = 200;
const EVENTS: u64 = 300_000;
/// Events per second of event time: busy enough that several fall into one tile.
const RATE: i64 = 200;

pub(super) fn case(scale: u64) -> Result<Case, Mistakes> {
    let events = scaled(EVENTS, scale);
    let (value, limit) = (folded(MANY, events)?, folded(FEW, events)?);
    let workload = format!(
        "one event into {MANY} sums of distinct measures over 5m, 1h, 24h, {ENTITIES} entities; limit: into {FEW}"
    );
    Ok(Case { case: "measures", workload, value, limit })
}

/// CPU nanoseconds for one event.
fn folded(measures: usize, events: u64) -> Result<f64, Mistakes> {
    let sums: Vec<String> = (1..=measures).map(|digit| format!("sum: amount * {digit}")).collect();
    let plan = Arc::new(six::over("5m, 1h, 24h", &sums)?);
    let (mut shard, ranges) = shard(&plan, 1);
    let mut frames = Frames::new(&plan);
    let mut random = Random::new(1);
    let mut happened = 0;
    let mut batch = |count: u64| -> Vec<Frame> {
        let frame = |from: u64| {
            let rows = (from..(from + FRAME_ROWS_MAX as u64).min(count)).map(|_| {
                happened += 1;
                (random.below(ENTITIES), START + Span(happened * 1_000_000 / RATE), random.between(1, 100_000))
            });
            frames.frame(rows)
        };
        (0..count).step_by(FRAME_ROWS_MAX).map(frame).collect()
    };
    // Before the first run every page has grown: what the kernel takes to hand out fresh memory is no cost of an event.
    for frame in batch(events) {
        shard.apply(&frame, &ranges);
    }
    Ok(median(
        events,
        || batch(events),
        |frames| {
            for frame in &frames {
                shard.apply(frame, &ranges);
            }
        },
    ))
}
