//! What people are told of each operator: the reference page is written from here. Knows no window.

use super::{Keeps, Operator, Spread};

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
            Self::TimeSinceLast => told("seconds from the latest event to the end of the window", "null", "exact"),
            Self::MeanGap => {
                told("mean seconds from one event to the next", "null, as of one event", "exact ratio, rounded once")
            }
            Self::Rate => told("events a second over the length of the window", "0", "exact ratio, rounded once"),
        }
    }
}

impl Keeps {
    /// What is kept, by name, with how two tiles of it are merged.
    pub const NAMES: [(Self, &'static str, &'static str); 8] = [
        (Self::SUM, "sum", "added"),
        (Self::SQUARES, "sum of squares", "added"),
        (Self::MIN, "smallest", "the smaller"),
        (Self::MAX, "largest", "the larger"),
        (Self::FIRST, "first time", "the earlier"),
        (Self::LAST, "last time", "the later"),
        (Self::FIRST_ROW, "first event", "the earlier in the total order"),
        (Self::LAST_ROW, "last event", "the later in the total order"),
    ];
}
