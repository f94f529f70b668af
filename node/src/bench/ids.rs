//! Whether the memory of event ids comes back: many times more of them than are known at once. Knows no log.

use std::sync::Arc;

use featuregrid_protocol::definition::{self, Mistakes};
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::limits::FRAME_ROWS_MAX;
use featuregrid_protocol::time::Span;
use featuregrid_simulations::random::Random;

use super::rows::{DISORDER, Frames, START, shard};

/// W1's payments with ids. The longest window is far shorter than a quarter of the run, so that what grows after that
/// can only be ids.
const DEFINITIONS: &str = "project: ids
entities:
  user: { join_keys: [user_id] }
sources:
  transactions:
    kafka: { topic: payments }
    format: json
    fields: { user_id: payload.user_id, amount: { path: payload.properties.amount, type: decimal(2) } }
    event_timestamp: metadata.timestamp
    event_id: metadata.event_id
    allowed_lateness: 10m
feature_views:
  user_spend:
    entity: user
    source: transactions
    features:
      events: { count: true, windows: [5m, 1h] }
      spend: { sum: amount, windows: [5m, 1h] }
";
/// As [`DEFINITIONS`] says.
pub const HORIZON: Span = Span::seconds(600);
const KEYS: u64 = 100_000;
const SPAN: Span = Span::seconds(86_400);
const RANGES: u32 = 32;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// Keys the events were spread over.
    pub entities: u64,
    /// Pages, index and ids after a quarter of the events.
    pub bytes_after_quarter: usize,
    /// And after all of them.
    pub bytes_at_end: usize,
    /// Of these, ids.
    pub id_bytes_at_end: usize,
}

impl Ids {
    /// By how much memory grew after the first quarter, as a part of what it was then.
    #[must_use]
    pub fn growth(&self) -> f64 {
        self.bytes_at_end as f64 / self.bytes_after_quarter.max(1) as f64 - 1.0
    }
}

/// Applies `count` events with an id each. Bytes are looked at after all pages were folded, as a snapshot does it: a
/// page that was not looked at for a while holds rows that are due to be folded, which is no growth.
///
/// # Errors
/// Never, unless the definitions and this release disagree.
pub fn ids(count: u64) -> Result<Ids, Mistakes> {
    let plan = Arc::new(definition::compile(DEFINITIONS, "ids", None, ControlIndex(0))?);
    let (mut shard, ranges) = shard(&plan, RANGES);
    let mut frames = Frames::new(&plan);
    let mut random = Random::new(1);
    let mut bytes_after_quarter = 0;
    for from in (0..count).step_by(FRAME_ROWS_MAX) {
        if bytes_after_quarter == 0 && from >= count / 4 {
            shard.digest();
            bytes_after_quarter = shard.bytes();
        }
        let rows = (from..count.min(from + FRAME_ROWS_MAX as u64)).map(|event| {
            let passed = (i128::from(event) * i128::from(SPAN.0) / i128::from(count)) as i64;
            let ts = START + Span(passed) - Span(random.between(0, DISORDER.0));
            (event % KEYS, ts, random.between(1, 100_000))
        });
        shard.apply(&frames.frame(rows), &ranges);
    }
    shard.digest();
    let (bytes_at_end, id_bytes_at_end) = (shard.bytes(), shard.id_bytes());
    Ok(Ids { entities: KEYS.min(count), bytes_after_quarter, bytes_at_end, id_bytes_at_end })
}
