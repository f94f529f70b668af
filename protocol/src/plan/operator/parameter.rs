//! What some operators are told beside what they read: how many, which percentile, how far from a mean. Knows no file.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Baseline, Operator, Sigmas};
use crate::limits::LIST_ITEMS_MAX;
use crate::number::{Domain, Number};

/// More than none and less than all of a hundred, to four digits after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Percent(u32);

impl Percent {
    const ALL: u32 = 100 * PARTS;

    /// Of whole percent.
    #[must_use]
    pub(crate) const fn whole(percent: u32) -> Self {
        Self(percent * (Self::ALL / 100))
    }

    /// As written; `None` where it is no number between 0 and 100, or finer than four digits.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        parts(text).filter(|parts| (1..Self::ALL).contains(parts)).map(Self)
    }

    /// The place of the percentile among `n` sorted values, 1 the first: the least that covers the percentage.
    #[must_use]
    pub fn rank(self, n: u64) -> u64 {
        let rank = (u128::from(n) * u128::from(self.0)).div_ceil(u128::from(Self::ALL));
        // Less than all of them.
        rank as u64
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, f)
    }
}

/// How many of them make one: parameters have four digits after the point.
pub(super) const PARTS: u32 = 10_000;

/// A number in [`PARTS`] as written; `None` where it is none, negative, finer, or too large.
pub(super) fn parts(text: &str) -> Option<u32> {
    let fraction = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    match Domain::Decimal(4).parse(text) {
        Number::Unscaled(parts) if fraction <= 4 => u32::try_from(parts).ok(),
        Number::Unscaled(_) | Number::Bad | Number::NotANumber => None,
    }
}

/// As it is written, without digits that say nothing.
pub(super) fn show(parts: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (whole, rest) = (parts / PARTS, parts % PARTS);
    let digits = format!("{rest:04}");
    match digits.trim_end_matches('0') {
        "" => write!(f, "{whole}"),
        digits => write!(f, "{whole}.{digits}"),
    }
}

impl Operator {
    /// The percentage of [`Operator::Median`].
    pub const HALF: Percent = Percent::whole(50);

    /// The key of its parameter, and the parameter as it is written.
    #[must_use]
    pub fn parameter(self) -> Option<(&'static str, String)> {
        match self {
            Self::FirstN(n) | Self::LastN(n) | Self::LastNDistinct(n) => Some(("n", n.to_string())),
            Self::TopK(k) | Self::TopKShare(k) => Some(("k", k.to_string())),
            Self::Percentile(p) => Some(("p", p.to_string())),
            Self::AnomalyCount(baseline) | Self::AnomalyRate(baseline) => Some(("sigmas", baseline.sigmas.to_string())),
            _ => None,
        }
    }

    /// What stands beside it in a definition: its parameter, or that rows are compared by the number `by`, and a baseline
    /// of an hour; each with a comma behind it.
    #[must_use]
    pub fn beside(self, by: &str) -> String {
        let by = self.is_ranked().then(|| ("by", by.to_owned()));
        let baseline = self.baseline().map(|_| ("baseline", "1h".to_owned()));
        let all = self.parameter().or(by).into_iter().chain(baseline);
        all.map(|(key, written)| format!("{key}: {written}, ")).collect()
    }

    /// What may be written as its parameter.
    #[must_use]
    pub fn parameters(self) -> String {
        match self {
            Self::Percentile(_) => "a number above 0 and below 100 with at most four digits after the point".to_owned(),
            Self::AnomalyCount(_) | Self::AnomalyRate(_) => {
                "a number above 0 and not above 1000 with at most four digits after the point".to_owned()
            }
            _ => format!("a whole number from 1 to {LIST_ITEMS_MAX}"),
        }
    }

    /// The same operator with another parameter; `None` where it takes no such.
    #[must_use]
    pub fn with(self, written: &str) -> Option<Self> {
        let many = || written.parse().ok().filter(|n| (1..=LIST_ITEMS_MAX).contains(n));
        match self {
            Self::FirstN(_) => many().map(Self::FirstN),
            Self::LastN(_) => many().map(Self::LastN),
            Self::LastNDistinct(_) => many().map(Self::LastNDistinct),
            Self::TopK(_) => many().map(Self::TopK),
            Self::TopKShare(_) => many().map(Self::TopKShare),
            Self::Percentile(_) => Percent::read(written).map(Self::Percentile),
            Self::AnomalyCount(of) => Sigmas::read(written).map(|sigmas| Self::AnomalyCount(Baseline { sigmas, ..of })),
            Self::AnomalyRate(of) => Sigmas::read(written).map(|sigmas| Self::AnomalyRate(Baseline { sigmas, ..of })),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    //! Percentages are read exactly, and their ranks cover what they say.
    use super::*;

    #[test]
    fn a_percentage_lies_between_none_and_all() {
        for (text, shown) in [("95", "95"), ("99.9", "99.9"), ("0.0001", "0.0001"), ("50.00", "50"), (".5", "0.5")] {
            assert_eq!(Percent::read(text).map(|percent| percent.to_string()).as_deref(), Some(shown), "{text}");
        }
        for text in ["0", "100", "-1", "99.99999", "x", "", "NaN"] {
            assert_eq!(Percent::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_rank_covers_its_percentage() {
        let rank = |percent: &str, n| Percent::read(percent).unwrap().rank(n);
        assert_eq!([rank("50", 1), rank("50", 2), rank("50", 3), rank("50", 4)], [1, 1, 2, 2]);
        assert_eq!([rank("95", 20), rank("95", 21), rank("0.0001", 5), rank("99.9999", 5)], [19, 20, 1, 5]);
        assert_eq!(rank("99.9999", u64::MAX), u64::MAX - u64::MAX / 1_000_000);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for operator in Operator::ALL {
            if let Some((_, written)) = operator.parameter() {
                assert_eq!(operator.with(&written), Some(operator));
                assert_eq!(operator.with("0"), None);
            }
        }
        assert_eq!(Operator::LastN(3).with("65"), None);
    }
}
