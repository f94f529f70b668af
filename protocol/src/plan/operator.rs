//! What is computed over the rows of a window, and what a column must keep for it. Knows no window and no cell.

mod describe;

pub use describe::Description;
use serde::{Deserialize, Serialize};

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
    /// How far they spread: the mean square of their distance from the mean.
    Variance(Spread),
    /// The square root of the variance.
    Stddev(Spread),
    /// Seconds from the newest row to the instant; null when empty.
    TimeSinceLast,
    /// Mean seconds from one row to the next; null below two.
    MeanGap,
    /// Rows a second over the length of the window.
    Rate,
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
}

impl Operator {
    /// Every operator.
    pub const ALL: [Self; 14] = [
        Self::Count,
        Self::Sum,
        Self::Mean,
        Self::Min,
        Self::Max,
        Self::First,
        Self::Last,
        Self::Variance(Spread::Population),
        Self::Variance(Spread::Sample),
        Self::Stddev(Spread::Population),
        Self::Stddev(Spread::Sample),
        Self::TimeSinceLast,
        Self::MeanGap,
        Self::Rate,
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
            Self::Variance(Spread::Population) => "variance",
            Self::Variance(Spread::Sample) => "variance_sample",
            Self::Stddev(Spread::Population) => "stddev",
            Self::Stddev(Spread::Sample) => "stddev_sample",
            Self::TimeSinceLast => "time_since_last",
            Self::MeanGap => "inter_arrival_mean",
            Self::Rate => "rate",
        }
    }

    /// What it reads of a row.
    #[must_use]
    pub fn argument(self) -> Argument {
        match self {
            Self::Count | Self::TimeSinceLast | Self::MeanGap | Self::Rate => Argument::Rows,
            Self::Sum | Self::Mean | Self::Min | Self::Max => Argument::Number,
            Self::First | Self::Last | Self::Variance(_) | Self::Stddev(_) => Argument::Number,
        }
    }

    /// The domain of its values where it reads numbers of `domain`; what is rounded is in none, and takes any.
    #[must_use]
    pub fn domain(self, domain: Option<Domain>) -> Domain {
        match self {
            Self::TimeSinceLast => SECONDS,
            _ => domain.unwrap_or(Domain::Int),
        }
    }

    /// Whether its values are floats, rounded once from something exact.
    #[must_use]
    pub fn is_rounded(self) -> bool {
        match self {
            Self::Mean | Self::Variance(_) | Self::Stddev(_) | Self::MeanGap | Self::Rate => true,
            Self::Count | Self::Sum | Self::Min | Self::Max | Self::First | Self::Last | Self::TimeSinceLast => false,
        }
    }

    /// What its column keeps beside how many rows there are.
    #[must_use]
    pub fn keeps(self) -> Keeps {
        match self {
            Self::Count | Self::Rate => Keeps::NOTHING,
            Self::Sum | Self::Mean => Keeps::SUM,
            Self::Min => Keeps::MIN,
            Self::Max => Keeps::MAX,
            Self::First => Keeps::FIRST_ROW,
            Self::Last => Keeps::LAST_ROW,
            Self::Variance(_) | Self::Stddev(_) => Keeps::SUM.and(Keeps::SQUARES),
            Self::TimeSinceLast => Keeps::LAST,
            Self::MeanGap => Keeps::TIMES,
        }
    }
}

/// Which accumulators a column keeps beside how many rows there are, and how many of them were no number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Keeps(u16);

impl Keeps {
    /// Only how many.
    pub const NOTHING: Self = Self(0);
    /// The sum.
    pub const SUM: Self = Self(1);
    /// The sum of squares.
    pub const SQUARES: Self = Self(2);
    /// The smallest number.
    pub const MIN: Self = Self(4);
    /// The largest number.
    pub const MAX: Self = Self(8);
    /// The time of the first row.
    pub const FIRST: Self = Self(16);
    /// The time of the last row.
    pub const LAST: Self = Self(32);

    /// The number of the first row in the total order, and its place there.
    pub const FIRST_ROW: Self = Self(64);
    /// The number of the last row in the total order, and its place there.
    pub const LAST_ROW: Self = Self(128);
    /// What rows without a value can be asked for.
    pub const TIMES: Self = Self::FIRST.and(Self::LAST);
    /// Everything.
    pub const ALL: Self = Self(255);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both keep.
    #[must_use]
    pub const fn only(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of `other` is kept.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
