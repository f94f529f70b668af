//! Sums of squares of 64-bit numbers, exact for as many rows as a log can hold: 192 bits. Knows no statistic.

use ethnum::U256;

/// A sum of squares: three words, the least first. Squares of at most 2^126, 2^64 of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Squares {
    /// The words above 2^128; first, so that the order is that of the numbers.
    pub(crate) high: u64,
    /// The two words below.
    pub(crate) low: u128,
}

impl Squares {
    /// Of one number.
    #[inline]
    #[must_use]
    pub fn of(number: i64) -> Self {
        let magnitude = u128::from(number.unsigned_abs());
        Self { high: 0, low: magnitude * magnitude }
    }

    /// So many times as much.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        debug_assert!(self.high == 0, "a square has two words");
        let (low, high) = (self.low as u64 as u128 * u128::from(count), (self.low >> 64) * u128::from(count));
        Self { high: (high >> 64) as u64, low: 0 }.plus(Self { high: 0, low }).plus(Self { high: 0, low: high << 64 })
    }

    /// The least sum of squares of `n` numbers that add up to `sum`: `sum^2 / n`, rounded up (Cauchy and Schwarz).
    #[must_use]
    pub fn least(sum: i128, n: u64) -> Self {
        let square = U256::from(sum.unsigned_abs()).pow(2);
        let n = U256::from(n.max(1));
        let least = (square + (n - 1)) / n;
        Self { high: u64::try_from(*least.high()).unwrap_or(u64::MAX), low: *least.low() }
    }

    /// The sum of both.
    #[inline]
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let (low, carry) = self.low.overflowing_add(other.low);
        Self { high: self.high.wrapping_add(other.high).wrapping_add(u64::from(carry)), low }
    }
}
