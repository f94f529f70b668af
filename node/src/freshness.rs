//! How old events are when every shard of the node shows them. Knows no row but its event time.
//!
//! Counted in buckets a quarter of a power of two wide, so that percentiles are off by 19 % at most; only events of the
//! last minute count, because a history that is read again is not fresh and not meant to be. The histogram of the metrics
//! takes every event instead, once the history was read: there a consumer that falls behind must be seen.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use featuregrid_protocol::row::RowBatch;
use featuregrid_protocol::time::Span;

use crate::clock;
use crate::telemetry::Histogram;

/// Events older than this are history.
const LIVE: Span = Span::seconds(60);
/// Quarter powers of two up to that age in microseconds.
const BUCKETS: usize = 4 * 27;

/// Ages of events as they became visible.
#[derive(Debug)]
pub struct Freshness {
    buckets: [AtomicU64; BUCKETS],
    live: AtomicBool,
    histogram: Histogram,
}

impl Freshness {
    /// Nothing seen yet; what is seen once the history was read goes into the histogram as well.
    #[must_use]
    pub fn new(histogram: Histogram) -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS], live: AtomicBool::new(false), histogram }
    }

    /// These rows are visible everywhere from now on.
    pub fn visible(&self, rows: &RowBatch) {
        let now = clock::wall();
        for head in rows.heads() {
            self.add(now - head.ts);
        }
        if self.is_live() && !rows.is_empty() {
            self.histogram.observe_all(rows.heads().iter().map(|head| now - head.ts));
        }
    }

    /// An event became visible at this age.
    pub fn add(&self, age: Span) {
        if age <= LIVE {
            self.buckets[bucket(age)].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether the history was read.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }

    /// Forgets what was counted: the history has been read, from now on events are fresh.
    pub fn reset(&self) {
        self.live.store(true, Ordering::Relaxed);
        for bucket in &self.buckets {
            bucket.store(0, Ordering::Relaxed);
        }
    }

    /// The age that `percent` of the events did not exceed; `None` before there was one.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<Span> {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        let wanted = (total * percent).div_ceil(100).max(1);
        let mut passed = 0;
        let at = counts.iter().position(|count| {
            passed += count;
            passed >= wanted
        })?;
        Some(upper(at))
    }
}

/// Index of the quarter power of two that holds an age.
fn bucket(age: Span) -> usize {
    let micros = age.0.max(4).unsigned_abs();
    let power = micros.ilog2();
    let quarter = (micros >> (power - 2)) & 3;
    (power as usize * 4 + quarter as usize).min(BUCKETS - 1)
}

/// The largest age of a bucket.
fn upper(bucket: usize) -> Span {
    let (power, quarter) = (bucket / 4, bucket % 4);
    Span(((5 + quarter as i64) << power) / 4)
}

#[cfg(test)]
mod tests {
    //! Percentiles are at or above the truth, by a fifth at most.
    use super::*;

    #[test]
    fn percentiles_are_close() {
        let histogram = Histogram::new(&[]);
        let freshness = Freshness::new(histogram.clone());
        assert_eq!(freshness.percentile(50), None);
        for millis in 1..=1000 {
            freshness.add(Span::millis(millis));
        }
        freshness.add(Span::seconds(3600));
        for percent in [1, 50, 99, 100] {
            let got = freshness.percentile(percent).unwrap().0 as f64;
            let want = percent as f64 * 10_000.0;
            assert!(got >= want && got <= want * 1.25, "{percent}: {got} for {want}");
        }
    }
}
