//! What people are told of each operator: the reference page is written from here. Knows no window.

use super::{Keeps, Operator, Spread};

const QUANTILES: &str = "exact to 256 different numbers; beyond, within 1/64 of it where they lie within a factor of 16, and twice as far each time the number of octaves doubles";
const DISTINCT: &str = "exact to 128; beyond, a standard error of 3.3 %";
const DECAYED: &str =
    "a weight within 8 x 10^-7 of it, the rest an exact ratio, rounded once; older than 48 half-lives, nothing";
const DECAYED_ROOT: &str = "root of that number";
const ANOMALY: &str = "the bound exact; numbers exact to 256 different ones, beyond as the percentile's; null where the baseline has fewer than two events, or no spread";
const CATEGORIES: &str = "exact to 64 different ones; beyond, null with status OVERFLOW";

/// One operator in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// What it answers.
    pub answers: &'static str,
    /// What it answers of nothing.
    pub empty: &'static str,
    /// How exact it is.
    pub error: &'static str,
}

impl Operator {
    /// Itself in words.
    #[must_use]
    pub fn describe(self) -> Description {
        let told = |answers, empty, error| Description { answers, empty, error };
        match self {
            Self::Count => told("how many events", "0", "exact"),
            Self::Sum => told("their sum", "0", "exact"),
            Self::Mean => told("their mean", "null", "exact ratio, rounded once"),
            Self::Min => told("the smallest", "null", "exact"),
            Self::Max => told("the largest", "null", "exact"),
            Self::First => told("the one of the earliest event", "null", "exact"),
            Self::Last => told("the one of the latest event", "null", "exact"),
            Self::FirstN(_) => told("those of the `n` earliest events, the earliest first", "an empty list", "exact"),
            Self::LastN(_) => told("those of the `n` latest events, the latest first", "an empty list", "exact"),
            Self::LastNDistinct(_) => {
                told("the `n` different ones that were there last, the latest first", "an empty list", "exact")
            }
            Self::MinBy => told("the one where `by` is the smallest, the earliest of equal ones", "null", "exact"),
            Self::MaxBy => told("the one where `by` is the largest, the latest of equal ones", "null", "exact"),
            Self::Variance(Spread::Population) => {
                told("the mean square of the distance from the mean", "null", "exact ratio, rounded once")
            }
            Self::Variance(Spread::Sample) => {
                told("the same of a sample: divided by n - 1", "null, as of one event", "exact ratio, rounded once")
            }
            Self::Stddev(Spread::Population) => {
                told("the square root of `variance`", "null", "root of a number rounded once")
            }
            Self::Stddev(Spread::Sample) => {
                told("the square root of `variance_sample`", "null, as of one event", "root of a number rounded once")
            }
            Self::Percentile(_) => told("the smallest one that at least `p` percent do not exceed", "null", QUANTILES),
            Self::Median => told("the percentile of 50", "null", QUANTILES),
            Self::DistinctCount => told("how many different ones", "0", DISTINCT),
            Self::Mode => told("the most frequent one", "null", CATEGORIES),
            Self::ModeShare => told("the part of the events that has it", "null", CATEGORIES),
            Self::TopK(_) => told("the `k` most frequent ones, the most frequent first", "an empty list", CATEGORIES),
            Self::TopKShare(_) => told("the part of the events that each of them has", "an empty list", CATEGORIES),
            Self::Histogram => {
                told("how many events each has", "no counts", "exact to 64 different ones; the rest counts as `other`")
            }
            Self::Entropy => told("how evenly events are spread over them, in nats", "null", CATEGORIES),
            Self::Any => told("whether one is true", "null", "exact"),
            Self::All => told("whether none is false", "null", "exact"),
            Self::TimeSinceFirst => told("seconds from the earliest event to the end of the window", "null", "exact"),
            Self::TimeSinceLast => told("seconds from the latest event to the end of the window", "null", "exact"),
            Self::MeanGap => {
                told("mean seconds from one event to the next", "null, as of one event", "exact ratio, rounded once")
            }
            Self::DecayedCount => told("how many events, each as what is left of it", "0", DECAYED),
            Self::DecayedSum => told("their sum, each by what is left of it", "0", DECAYED),
            Self::DecayedMean => told("their mean, each by what is left of it", "null", DECAYED),
            Self::DecayedVariance => {
                told("the mean square of the distance from `decayed_mean`, each by what is left of it", "null", DECAYED)
            }
            Self::DecayedStddev => told("the square root of `decayed_variance`", "null", DECAYED_ROOT),
            Self::AnomalyCount(_) => {
                told("how many lie more than `sigmas` standard deviations from the mean of `baseline`", "0", ANOMALY)
            }
            Self::AnomalyRate(_) => told("the part of the events that lies so far", "null", ANOMALY),
            Self::Rate => told("events a second over the length of the window", "0", "exact ratio, rounded once"),
        }
    }
}

impl Keeps {
    /// What is kept, by name, with how two tiles of it are merged.
    pub const NAMES: [(Self, &'static str, &'static str); 19] = [
        (Self::SUM, "sum", "added"),
        (Self::SQUARES, "sum of squares", "added"),
        (Self::MIN, "smallest", "the smaller"),
        (Self::MAX, "largest", "the larger"),
        (Self::FIRST, "first time", "the earlier"),
        (Self::LAST, "last time", "the later"),
        (Self::FIRST_ROW, "first event", "the earlier in the total order"),
        (Self::LAST_ROW, "last event", "the later in the total order"),
        (Self::first_rows(1), "first events", "the earliest of both"),
        (Self::last_rows(1), "last events", "the latest of both"),
        (Self::last_distinct(1), "last different values", "the latest of both, each value once"),
        (Self::LEAST_ROW, "event of the smallest", "that of the smaller"),
        (Self::GREATEST_ROW, "event of the largest", "that of the larger"),
        (Self::DISTINCT, "different values", "united; beyond 128 the larger of each of 1024 registers"),
        (Self::QUANTILES, "distribution", "counts added; beyond 256 different numbers in buckets twice as wide"),
        (Self::WEIGHTS, "sum of weights", "added"),
        (Self::WEIGHTED, "weighted sum", "added"),
        (Self::WEIGHTED_SQUARES, "weighted sum of squares", "added"),
        (Self::CATEGORIES, "counts by value", "added, of the 64 values whose hashes are smallest; the rest together"),
    ];
}
