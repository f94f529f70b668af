//! What anomalies are told from: a baseline, and how far from its mean. Knows no number.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Keeps, parameter};
use crate::plan::Window;
use crate::time::Span;

/// What numbers are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The rows whose mean and standard deviation are taken; seen from where the feature's own window is.
    pub window: Window,
    /// A number that lies further from the mean is an anomaly.
    pub sigmas: Sigmas,
}

impl Baseline {
    /// What a column keeps of its rows.
    #[must_use]
    pub fn keeps(self) -> Keeps {
        match self.window {
            Window::Decay(_) => Keeps::WEIGHTED_MOMENTS,
            Window::LastN { n, .. } => Keeps::last_rows(n),
            _ => Keeps::MOMENTS,
        }
    }

    /// An hour, and two and a half.
    pub(super) const EXAMPLE: Self =
        Self { window: Window::Rolling { span: Span::seconds(3600), hop: Span::seconds(60) }, sigmas: Sigmas(25_000) };
}

/// So many standard deviations: more than none and at most 1000, to four digits after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sigmas(u32);

impl Sigmas {
    /// How many parts make one.
    pub const ONE: u32 = parameter::PARTS;
    const MOST: u32 = 1000 * Self::ONE;

    /// As written; `None` where it is no such number.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        parameter::parts(text).filter(|parts| (1..=Self::MOST).contains(parts)).map(Self)
    }

    /// In parts of [`Sigmas::ONE`].
    #[must_use]
    pub fn parts(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Sigmas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        parameter::show(self.0, f)
    }
}

#[cfg(test)]
mod tests {
    //! What is written is read, and shown, exactly.
    use super::*;

    #[test]
    fn so_many_are_more_than_none() {
        for (text, shown) in [("3", "3"), ("2.5", "2.5"), ("0.0001", "0.0001"), ("1000", "1000"), ("2.50", "2.5")] {
            assert_eq!(Sigmas::read(text).map(|sigmas| sigmas.to_string()).as_deref(), Some(shown), "{text}");
        }
        for text in ["0", "-1", "1000.0001", "2.00001", "x", "", "NaN"] {
            assert_eq!(Sigmas::read(text), None, "{text}");
        }
    }
}
