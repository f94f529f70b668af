//! How numbers are distributed: how many are in each of a bounded number of buckets. Knows no domain.
//!
//! At `s` bits of precision a bucket holds the magnitudes that agree in their highest `s + 1` bits, for each sign; so
//! buckets of less precision are whole sums of those of more. The precision is the largest at which the buckets are few
//! enough: a function of the numbers, and exact while they are few. (The buckets of HdrHistogram, and the uniform collapse
//! of UDDSketch: Epicoco et al., 2020.)

use featuregrid_protocol::limits::BUCKETS_MAX;

use featuregrid_protocol::varint::{Bytes, Damaged, put, put_signed};

/// Every number has a bucket of its own.
const EXACT: u8 = 63;

/// Numbers in buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quantiles {
    /// Bits of precision.
    precision: u8,
    /// (the number of the bucket that is nearest to zero, how many are in the bucket), ascending.
    buckets: Vec<(i64, u64)>,
}

impl Default for Quantiles {
    fn default() -> Self {
        Self { precision: EXACT, buckets: Vec::new() }
    }
}

/// How many low bits of this magnitude do not count.
fn shift(magnitude: u64, precision: u8) -> u32 {
    (u64::BITS - magnitude.leading_zeros()).saturating_sub(u32::from(precision) + 1)
}

/// The number nearest to zero in the bucket of `number`.
fn bucket(number: i64, precision: u8) -> i64 {
    let magnitude = number.unsigned_abs();
    let shift = shift(magnitude, precision);
    let low = magnitude >> shift << shift;
    if number < 0 { (low as i64).wrapping_neg() } else { low as i64 }
}

/// How many buckets there are at a precision.
fn count(buckets: &[(i64, u64)], precision: u8) -> usize {
    let mut last = None;
    buckets.iter().filter(|(low, _)| last.replace(bucket(*low, precision)) != Some(bucket(*low, precision))).count()
}

impl Quantiles {
    pub(crate) fn add(&mut self, number: i64) {
        self.count(number, 1);
    }

    fn count(&mut self, number: i64, n: u64) {
        let low = bucket(number, self.precision);
        match self.buckets.binary_search_by_key(&low, |(low, _)| *low) {
            Ok(at) => self.buckets[at].1 += n,
            Err(at) => {
                self.buckets.insert(at, (low, n));
                self.bound();
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if other.precision < self.precision {
            self.widen(other.precision);
        }
        for (low, n) in &other.buckets {
            self.count(*low, *n);
        }
    }

    /// Widens the buckets until they are few enough, and no more than that.
    fn bound(&mut self) {
        if self.buckets.len() > BUCKETS_MAX {
            // Fewer bits never make more buckets, and with none there are fewer than two for each bit of a number.
            let (mut enough, mut many) = (0, self.precision);
            while many - enough > 1 {
                let middle = enough.midpoint(many);
                if count(&self.buckets, middle) > BUCKETS_MAX { many = middle } else { enough = middle }
            }
            self.widen(enough);
            self.buckets.shrink_to(BUCKETS_MAX);
        }
    }

    fn widen(&mut self, precision: u8) {
        self.precision = precision;
        self.buckets.iter_mut().for_each(|(low, _)| *low = bucket(*low, precision));
        self.buckets.dedup_by(|later, first| {
            let is_same = later.0 == first.0;
            first.1 += if is_same { later.1 } else { 0 };
            is_same
        });
    }

    /// The middle of the bucket of the number of this rank, 1 the smallest; `None` where there are not so many.
    pub(crate) fn at_rank(&self, rank: u64) -> Option<i64> {
        let mut before = 0;
        let low = self.buckets.iter().find_map(|(low, n)| {
            before += n;
            (before >= rank).then_some(*low)
        })?;
        Some(self.middle(low))
    }

    /// The middles of the buckets, and how many numbers are in each.
    pub(crate) fn ascending(&self) -> impl DoubleEndedIterator<Item = (i64, u64)> {
        self.buckets.iter().map(|(low, n)| (self.middle(*low), *n))
    }

    fn middle(&self, low: i64) -> i64 {
        let width = 1u64 << shift(low.unsigned_abs(), self.precision);
        let middle = i64::try_from((width - 1) / 2).unwrap_or(i64::MAX);
        if low < 0 { low.saturating_sub(middle) } else { low.saturating_add(middle) }
    }

    /// How many numbers there are; `None` where they are more than can be.
    pub(super) fn rows(&self) -> Option<u64> {
        self.buckets.iter().try_fold(0u64, |sum, (_, n)| sum.checked_add(*n))
    }

    pub(super) fn bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<(i64, u64)>()
    }

    /// precision, count, then the bucket (signed) and how many are in it
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.push(self.precision);
        put(out, self.buckets.len() as u128);
        for (low, n) in &self.buckets {
            put_signed(out, (*low).into());
            put(out, (*n).into());
        }
    }

    pub(super) fn take(input: &mut Bytes<'_>) -> Result<Self, Damaged> {
        let [precision] = input.array()?;
        let mut buckets = Vec::new();
        for _ in 0..input.count()? {
            buckets.push((input.word()?, input.small()?));
        }
        if precision > EXACT || buckets.len() > BUCKETS_MAX {
            return Err(Damaged("a distribution has too many buckets"));
        }
        if !buckets.is_sorted_by(|left, right| left.0 < right.0)
            || buckets.iter().any(|(low, n)| *n == 0 || bucket(*low, precision) != *low)
        {
            return Err(Damaged("buckets are out of order"));
        }
        Ok(Self { precision, buckets })
    }
}
