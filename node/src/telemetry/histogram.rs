//! A histogram that threads share without a lock, and that takes a batch at once. Knows no name.
//!
//! The client library's own histogram takes a mutex for each value; frames become visible on every shard's task, a
//! thousand events at a time, so here a batch is counted on the stack and added bucket by bucket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use featuregrid_protocol::time::Span;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Edges of one histogram at most: the batch on the stack is this large.
const EDGES_MAX: usize = 24;
/// The last bucket.
const INFINITY: i64 = i64::MAX;

/// Upper edges, ascending. The lines of the objectives are edges: 5 ms and 10 ms for reads, 1 s for freshness.
pub(super) const READ_EDGES: [Span; 14] = [
    Span(50),
    Span(100),
    Span(250),
    Span(500),
    Span::millis(1),
    Span(2500),
    Span::millis(5),
    Span::millis(10),
    Span::millis(25),
    Span::millis(50),
    Span::millis(100),
    Span::millis(250),
    Span::millis(500),
    Span::seconds(1),
];

/// From an event to its features.
pub(super) const FRESHNESS_EDGES: [Span; 15] = [
    Span::millis(1),
    Span(2500),
    Span::millis(5),
    Span::millis(10),
    Span::millis(25),
    Span::millis(50),
    Span::millis(100),
    Span::millis(250),
    Span::millis(500),
    Span::seconds(1),
    Span::millis(2500),
    Span::seconds(5),
    Span::seconds(10),
    Span::seconds(20),
    Span::seconds(30),
];

/// Stages of a batch are as short as a few microseconds.
pub(super) const STAGE_EDGES: [Span; 14] = [
    Span(10),
    Span(50),
    Span(100),
    Span(500),
    Span::millis(1),
    Span::millis(5),
    Span::millis(10),
    Span::millis(20),
    Span::millis(50),
    Span::millis(100),
    Span::millis(500),
    Span::seconds(1),
    Span::seconds(5),
    Span::seconds(30),
];

/// Clones count into the same buckets.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    edges: &'static [Span],
    buckets: [AtomicU64; EDGES_MAX + 1],
    micros: AtomicU64,
}

impl Histogram {
    /// With these upper edges, ascending, [`EDGES_MAX`] at most.
    #[must_use]
    pub fn new(edges: &'static [Span]) -> Self {
        let edges = &edges[..edges.len().min(EDGES_MAX)];
        Self(Arc::new(Inner {
            edges,
            buckets: [const { AtomicU64::new(0) }; EDGES_MAX + 1],
            micros: AtomicU64::new(0),
        }))
    }

    /// Counts one value; a negative one as none at all.
    pub fn observe(&self, value: Span) {
        self.observe_all([value]);
    }

    /// Counts many at the price of a few.
    pub fn observe_all(&self, values: impl IntoIterator<Item = Span>) {
        let (mut counts, mut micros) = ([0_u64; EDGES_MAX + 1], 0_u64);
        for value in values {
            counts[self.0.edges.partition_point(|edge| *edge < value)] += 1;
            micros = micros.saturating_add(value.0.max(0).unsigned_abs());
        }
        for (bucket, count) in self.0.buckets.iter().zip(counts).filter(|(_, count)| *count > 0) {
            bucket.fetch_add(count, Ordering::Relaxed);
        }
        self.0.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// How many values were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }
}

fn as_seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let edges = self.0.edges.iter().map(|edge| edge.0).chain([INFINITY]);
        let edge = |micros: i64| if micros == INFINITY { f64::INFINITY } else { as_seconds(micros.unsigned_abs()) };
        let buckets: Vec<(f64, u64)> =
            edges.zip(&self.0.buckets).map(|(micros, bucket)| (edge(micros), bucket.load(Ordering::Relaxed))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = as_seconds(self.0.micros.load(Ordering::Relaxed));
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    //! Values at an edge belong below it, and a batch counts as its values do.
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::{Registry, Unit};

    use super::*;

    #[test]
    fn edges_are_upper_edges_and_buckets_add_up() {
        let histogram = Histogram::new(&READ_EDGES);
        histogram.observe(Span::millis(5));
        histogram.observe_all([Span(5001), Span::millis(10), Span::seconds(2), Span(-3)]);
        let mut registry = Registry::default();
        registry.register_with_unit("read", "x", Unit::Seconds, histogram.clone());
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "read_seconds_bucket{le=\"0.00005\"} 1",
            "read_seconds_bucket{le=\"0.005\"} 2",
            "read_seconds_bucket{le=\"0.01\"} 4",
            "read_seconds_bucket{le=\"1.0\"} 4",
            "read_seconds_bucket{le=\"+Inf\"} 5",
            "read_seconds_count 5",
            "read_seconds_sum 2.020001",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert_eq!(histogram.count(), 5);
    }
}
