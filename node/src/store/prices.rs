//! What requests to an object store cost, at list prices: the one table of them. Knows no bill, no discount and no free tier.

use std::time::Duration;

use super::meter::{Amount, MARK_EVERY, Used};

/// Whose list prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prices {
    /// S3 Standard in us-east-1, as Amazon lists it (2026). DELETE is free, and so are bytes between S3 and machines of its
    /// region; storage is not counted here.
    UsEast1,
}

/// A month of bills, which S3 takes as 30 days.
const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Prices {
    /// For people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UsEast1 => "S3 Standard, us-east-1",
        }
    }

    /// Dollars for a thousand requests: PUT, POST and LIST; GET and HEAD.
    fn per_thousand(self) -> (f64, f64) {
        match self {
            Self::UsEast1 => (0.005, 0.0004),
        }
    }

    /// Dollars for so many requests.
    #[must_use]
    pub fn dollars(self, amount: &Amount) -> f64 {
        let (writes, reads) = self.per_thousand();
        (amount.billed_writes as f64 * writes + amount.billed_reads as f64 * reads) / 1000.0
    }

    /// Dollars for a month that goes on like the last minutes; `None` while these hold the beginning of the node, which
    /// says nothing about a month.
    #[must_use]
    pub fn monthly(self, used: &Used) -> Option<f64> {
        let seconds = used.recent.time.as_secs_f64();
        let is_told = used.total.time > used.recent.time && seconds >= MARK_EVERY.as_secs_f64() / 2.0;
        is_told.then(|| self.dollars(&used.recent) * MONTH.as_secs_f64() / seconds)
    }
}

#[cfg(test)]
mod tests {
    //! A lease renewed twice a second for a month.
    use super::*;

    #[test]
    fn a_month_is_what_it_is_at_list_prices() {
        let recent = Amount { time: MARK_EVERY, billed_writes: 120, billed_reads: 60, ..Amount::default() };
        assert!((Prices::UsEast1.dollars(&recent) - 0.000_624).abs() < 1e-9);
        let used = Used { recent, total: Amount { time: MARK_EVERY * 5, ..recent }, ..Used::default() };
        assert!((Prices::UsEast1.monthly(&used).unwrap() - 26.956_8).abs() < 1e-6);
        assert_eq!(Prices::UsEast1.monthly(&Used { total: recent, ..used }), None);
    }
}
