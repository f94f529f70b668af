//! What is computed over the rows of a window, and what a column must keep for it. Knows no window and no cell.

mod baseline;
mod describe;
mod keeps;
mod parameter;

pub use baseline::{Baseline, Sigmas};
pub use describe::Description;
pub use keeps::Keeps;
pub use parameter::Percent;
use serde::{Deserialize, Serialize};

use super::{Decay, Items, Window};
use crate::expression::Type;
use crate::number::Domain;

/// Times are seconds, exact to the tick.
pub const SECONDS: Domain = Domain::Decimal(6);

/// An operator of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// How many rows of the measure.
    Count,
    /// Their sum; 0 when empty.
    Sum,
    /// Their mean; null when empty.
    Mean,
    /// The smallest; null when empty.
    Min,
    /// The largest; null when empty.
    Max,
    /// The one of the earliest row; null when empty.
    First,
    /// The one of the latest row; null when empty.
    Last,
    /// Those of so many earliest rows, the earliest first.
    FirstN(u8),
    /// Those of so many latest rows, the latest first.
    LastN(u8),
    /// So many different ones, each at its latest row, the latest first.
    LastNDistinct(u8),
    /// The one of the row whose `by` is the smallest, the earliest of equal ones; null when empty.
    MinBy,
    /// The one of the row whose `by` is the largest, the latest of equal ones; null when empty.
    MaxBy,
    /// How far they spread: the mean square of their distance from the mean.
    Variance(Spread),
    /// The square root of the variance.
    Stddev(Spread),
    /// The smallest one that so many percent of them do not exceed; null when empty.
    Percentile(Percent),
    /// The percentile of 50.
    Median,
    /// How many different ones.
    DistinctCount,
    /// The most frequent one; null when empty.
    Mode,
    /// Which part of the rows has the most frequent one; null when empty.
    ModeShare,
    /// So many most frequent ones, the most frequent first.
    TopK(u8),
    /// Which part of the rows each of the most frequent has.
    TopKShare(u8),
    /// How many rows each has.
    Histogram,
    /// How evenly the rows are spread over them, in nats; null when empty.
    Entropy,
    /// Whether one is true; null when empty.
    Any,
    /// Whether none is false; null when empty.
    All,
    /// Seconds from the oldest row to the instant; null when empty.
    TimeSinceFirst,
    /// Seconds from the newest row to the instant; null when empty.
    TimeSinceLast,
    /// Mean seconds from one row to the next; null below two.
    MeanGap,
    /// Rows a second over the length of the window.
    Rate,
    /// How many rows, each as its weight.
    DecayedCount,
    /// Their sum, each by its weight; 0 when empty.
    DecayedSum,
    /// Their mean, each by its weight; null when empty.
    DecayedMean,
    /// How far they spread, each by its weight: the mean square of their distance from that mean; null when empty.
    DecayedVariance,
    /// The square root of that.
    DecayedStddev,
    /// How many lie far from the mean of a baseline; null where that tells nothing.
    AnomalyCount(Baseline),
    /// Which part of the rows lies that far.
    AnomalyRate(Baseline),
}

/// Of what a variance speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spread {
    /// The rows are all there is: divided by n, null for none.
    Population,
    /// The rows are a sample: divided by n - 1, null below two.
    Sample,
}

/// What an operator reads of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing: rows are counted, or their times are looked at.
    Rows,
    /// A number.
    Number,
    /// True or false.
    Truth,
    /// A number, a truth or a text.
    Any,
}

/// What an operator answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// One value.
    One(Type),
    /// Several, in an order of their own.
    List(Type),
    /// How often each value was there.
    Counts(Type),
}

impl Operator {
    /// Every operator, those with a parameter once; anomalies beside an hour.
    pub const ALL: [Self; 38] = [
        Self::Count,
        Self::Sum,
        Self::Mean,
        Self::Min,
        Self::Max,
        Self::First,
        Self::Last,
        Self::FirstN(3),
        Self::LastN(3),
        Self::LastNDistinct(3),
        Self::MinBy,
        Self::MaxBy,
        Self::Variance(Spread::Population),
        Self::Variance(Spread::Sample),
        Self::Stddev(Spread::Population),
        Self::Stddev(Spread::Sample),
        Self::Percentile(Percent::whole(95)),
        Self::Median,
        Self::DistinctCount,
        Self::Mode,
        Self::ModeShare,
        Self::TopK(3),
        Self::TopKShare(3),
        Self::Histogram,
        Self::Entropy,
        Self::Any,
        Self::All,
        Self::TimeSinceFirst,
        Self::TimeSinceLast,
        Self::MeanGap,
        Self::Rate,
        Self::DecayedCount,
        Self::DecayedSum,
        Self::DecayedMean,
        Self::DecayedVariance,
        Self::DecayedStddev,
        Self::AnomalyCount(Baseline::EXAMPLE),
        Self::AnomalyRate(Baseline::EXAMPLE),
    ];

    /// The key in definitions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::First => "first",
            Self::Last => "last",
            Self::FirstN(_) => "first_n",
            Self::LastN(_) => "last_n",
            Self::LastNDistinct(_) => "last_n_distinct",
            Self::MinBy => "min_by",
            Self::MaxBy => "max_by",
            Self::Variance(Spread::Population) => "variance",
            Self::Variance(Spread::Sample) => "variance_sample",
            Self::Stddev(Spread::Population) => "stddev",
            Self::Stddev(Spread::Sample) => "stddev_sample",
            Self::Percentile(_) => "percentile",
            Self::Median => "median",
            Self::DistinctCount => "distinct_count",
            Self::Mode => "mode",
            Self::ModeShare => "mode_share",
            Self::TopK(_) => "top_k",
            Self::TopKShare(_) => "top_k_share",
            Self::Histogram => "histogram",
            Self::Entropy => "entropy",
            Self::Any => "any",
            Self::All => "all",
            Self::TimeSinceFirst => "time_since_first",
            Self::TimeSinceLast => "time_since_last",
            Self::MeanGap => "inter_arrival_mean",
            Self::Rate => "rate",
            Self::DecayedCount => "decayed_count",
            Self::DecayedSum => "decayed_sum",
            Self::DecayedMean => "decayed_mean",
            Self::DecayedVariance => "decayed_variance",
            Self::DecayedStddev => "decayed_stddev",
            Self::AnomalyCount(_) => "anomaly_count",
            Self::AnomalyRate(_) => "anomaly_rate",
        }
    }

    /// Whether it looks at rows that lose their weight: with a half-life, and no window.
    #[must_use]
    pub fn is_decayed(self) -> bool {
        matches!(self, Self::DecayedCount | Self::DecayedSum | Self::DecayedMean)
            || matches!(self, Self::DecayedVariance | Self::DecayedStddev)
    }

    /// What it compares its rows with.
    #[must_use]
    pub fn baseline(self) -> Option<Baseline> {
        match self {
            Self::AnomalyCount(baseline) | Self::AnomalyRate(baseline) => Some(baseline),
            _ => None,
        }
    }

    /// The same, compared with the rows of another window.
    #[must_use]
    pub fn against(self, window: Window) -> Self {
        match self {
            Self::AnomalyCount(baseline) => Self::AnomalyCount(Baseline { window, ..baseline }),
            Self::AnomalyRate(baseline) => Self::AnomalyRate(Baseline { window, ..baseline }),
            other => other,
        }
    }

    /// What it reads of a row.
    #[must_use]
    pub fn argument(self) -> Argument {
        match self {
            Self::Count | Self::TimeSinceFirst | Self::TimeSinceLast | Self::MeanGap | Self::Rate => Argument::Rows,
            Self::DecayedCount => Argument::Rows,
            Self::Sum | Self::Mean | Self::Min | Self::Max | Self::Variance(_) | Self::Stddev(_) => Argument::Number,
            Self::Percentile(_) | Self::Median | Self::DecayedSum | Self::DecayedMean => Argument::Number,
            Self::DecayedVariance | Self::DecayedStddev => Argument::Number,
            Self::AnomalyCount(_) | Self::AnomalyRate(_) => Argument::Number,
            Self::Any | Self::All => Argument::Truth,
            Self::First | Self::Last | Self::FirstN(_) | Self::LastN(_) | Self::LastNDistinct(_) => Argument::Any,
            Self::DistinctCount | Self::Mode | Self::ModeShare | Self::TopK(_) | Self::TopKShare(_) => Argument::Any,
            Self::Histogram | Self::Entropy | Self::MinBy | Self::MaxBy => Argument::Any,
        }
    }

    /// Whether it compares rows by a number beside what it reads of them.
    #[must_use]
    pub fn is_ranked(self) -> bool {
        matches!(self, Self::MinBy | Self::MaxBy)
    }

    /// What its values are where it reads `items`.
    #[must_use]
    pub fn answers(self, items: Items) -> Answers {
        let of = Type::from(items);
        match self {
            Self::Count | Self::DistinctCount | Self::AnomalyCount(_) => Answers::One(Type::Int),
            Self::TimeSinceFirst | Self::TimeSinceLast => Answers::One(SECONDS.into()),
            Self::Sum | Self::Min | Self::Max | Self::First | Self::Last | Self::Mode => Answers::One(of),
            Self::Percentile(_) | Self::Median | Self::Any | Self::All => Answers::One(of),
            Self::MinBy | Self::MaxBy => Answers::One(of),
            Self::FirstN(_) | Self::LastN(_) | Self::LastNDistinct(_) | Self::TopK(_) => Answers::List(of),
            Self::TopKShare(_) => Answers::List(Type::Float),
            Self::Histogram => Answers::Counts(of),
            Self::Mean | Self::Variance(_) | Self::Stddev(_) | Self::MeanGap | Self::Rate => Answers::One(Type::Float),
            Self::ModeShare | Self::Entropy => Answers::One(Type::Float),
            Self::DecayedCount | Self::DecayedSum | Self::DecayedMean => Answers::One(Type::Float),
            Self::DecayedVariance | Self::DecayedStddev | Self::AnomalyRate(_) => Answers::One(Type::Float),
        }
    }

    /// What its column keeps of `items` beside how many rows there are, where it looks at this window.
    #[must_use]
    pub fn keeps_over(self, items: Items, window: Window) -> Keeps {
        let keeps = match (window.last_n(), self.baseline()) {
            (None, _) => self.keeps(items),
            // Whatever is asked of so few rows is found where it is asked.
            (Some(n), None) => Keeps::last_rows(n),
            (Some(n), Some(baseline)) => Keeps::last_rows(n).and(baseline.keeps()),
        };
        keeps.decaying(self.decay(window))
    }

    /// How rows lose their weight where it looks at this window: in the window, or in its baseline.
    #[must_use]
    pub fn decay(self, window: Window) -> Option<Decay> {
        window.decay().or(self.baseline().and_then(|baseline| baseline.window.decay()))
    }

    /// What its column keeps of `items` beside how many rows there are; how they decay is said by the window.
    #[must_use]
    pub fn keeps(self, items: Items) -> Keeps {
        // A text has no word of its own.
        let is_word = items != Items::Texts;
        match self {
            Self::Count | Self::Rate => Keeps::NOTHING,
            Self::Sum | Self::Mean => Keeps::SUM,
            Self::Min | Self::All => Keeps::MIN,
            Self::Max | Self::Any => Keeps::MAX,
            Self::First if is_word => Keeps::FIRST_ROW,
            Self::Last if is_word => Keeps::LAST_ROW,
            Self::First => Keeps::first_rows(1),
            Self::Last => Keeps::last_rows(1),
            Self::FirstN(n) => Keeps::first_rows(n),
            Self::LastN(n) => Keeps::last_rows(n),
            Self::LastNDistinct(n) => Keeps::last_distinct(n),
            Self::MinBy => Keeps::LEAST_ROW,
            Self::MaxBy => Keeps::GREATEST_ROW,
            Self::Variance(_) | Self::Stddev(_) => Keeps::SUM.and(Keeps::SQUARES),
            Self::Percentile(_) | Self::Median => Keeps::QUANTILES,
            Self::DistinctCount => Keeps::DISTINCT,
            Self::Mode | Self::ModeShare | Self::TopK(_) | Self::TopKShare(_) => Keeps::CATEGORIES,
            Self::Histogram | Self::Entropy => Keeps::CATEGORIES,
            Self::TimeSinceFirst => Keeps::FIRST,
            Self::TimeSinceLast => Keeps::LAST,
            Self::MeanGap => Keeps::TIMES,
            Self::DecayedCount => Keeps::WEIGHTS,
            Self::DecayedSum | Self::DecayedMean => Keeps::WEIGHTS.and(Keeps::WEIGHTED),
            Self::DecayedVariance | Self::DecayedStddev => Keeps::WEIGHTED_MOMENTS,
            Self::AnomalyCount(baseline) | Self::AnomalyRate(baseline) => Keeps::QUANTILES.and(baseline.keeps()),
        }
    }
}
