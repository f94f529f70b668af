//! Percentiles. Knows nothing of what took so long.

use std::time::Duration;

use serde::Serialize;

/// Of one round, or the medians of several.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Percentiles {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) p999_ms: f64,
}

impl Percentiles {
    /// By nearest rank: each is a latency that was measured.
    pub(super) fn of(mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        let at = |per_mille: usize| {
            let rank = (latencies.len() * per_mille).div_ceil(1000).max(1) - 1;
            latencies.get(rank).map_or(0.0, |latency| latency.as_micros() as f64 / 1000.0)
        };
        Self { p50_ms: at(500), p99_ms: at(990), p999_ms: at(999) }
    }
}

/// The median of each percentile on its own; of an even number of rounds the worse of the two in the middle.
pub(super) fn median(rounds: &[Percentiles]) -> Percentiles {
    let of = |percentile: fn(&Percentiles) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(percentile).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    Percentiles {
        p50_ms: of(|round| round.p50_ms),
        p99_ms: of(|round| round.p99_ms),
        p999_ms: of(|round| round.p999_ms),
    }
}

#[cfg(test)]
mod tests {
    //! Ranks and medians.
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let got = Percentiles::of((1..=1000).rev().map(Duration::from_millis).collect());
        assert_eq!(got, Percentiles { p50_ms: 500.0, p99_ms: 990.0, p999_ms: 999.0 });
        let few = Percentiles::of(vec![Duration::from_millis(2), Duration::from_millis(1)]);
        assert_eq!(few, Percentiles { p50_ms: 1.0, p99_ms: 2.0, p999_ms: 2.0 });
        assert_eq!(Percentiles::of(Vec::new()).p999_ms, 0.0);
    }

    #[test]
    fn a_median_is_of_each_percentile() {
        let round = |p50_ms, p99_ms| Percentiles { p50_ms, p99_ms, p999_ms: 9.0 };
        assert_eq!(median(&[round(1.0, 9.0), round(3.0, 2.0), round(2.0, 5.0)]), round(2.0, 5.0));
    }
}
