//! One measure over some rows, in the widest integers. Knows neither its place in memory nor its bytes.

/// Count, bad count, sum, smallest and largest of a multiset of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accumulator {
    /// Rows with a finite number; all rows where the measure has no value.
    pub n: u64,
    /// Rows whose number is none of the domain.
    pub bad: u64,
    /// Exact sum of the unscaled numbers.
    pub sum: i128,
    /// The smallest; [`i64::MAX`] while `n` is 0.
    pub min: i64,
    /// The largest; [`i64::MIN`] while `n` is 0.
    pub max: i64,
}

impl Default for Accumulator {
    fn default() -> Self {
        Self { n: 0, bad: 0, sum: 0, min: i64::MAX, max: i64::MIN }
    }
}

impl Accumulator {
    /// The union of two multisets. Saturates only beyond 2^64 rows, which no log holds.
    #[inline]
    pub fn merge(&mut self, other: &Self) {
        self.n = self.n.saturating_add(other.n);
        self.bad = self.bad.saturating_add(other.bad);
        self.sum = self.sum.saturating_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}
