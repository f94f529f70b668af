//! How often each value is there. Knows no operator.
//!
//! Every different value of a window is a category, known by its hash. Of more than [`limits::CATEGORIES_MAX`] those with
//! the smallest hashes are counted one by one, and the rows of all the rest are only `other`. In their order the most
//! frequent category comes first, and of equally frequent ones the one with the smaller hash.

use std::collections::BTreeMap;

use featuregrid_protocol::limits;
use num_bigint::{BigInt, BigUint};

use crate::item::Item;
use crate::statistics::nearest;

/// What a window holds of each.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Categories {
    /// With how many rows each has, in ascending order of hash.
    counted: Vec<(Item, u64)>,
    /// Rows of those that are not counted one by one.
    pub(crate) other: u64,
    rows: u64,
}

impl Categories {
    pub(crate) fn of(items: &[Item]) -> Self {
        let mut by_hash: BTreeMap<u64, (Item, u64)> = BTreeMap::new();
        for item in items {
            let (shown, count) = by_hash.entry(item.hash()).or_insert_with(|| (item.clone(), 0));
            // Two texts of one hash are one category, which is shown as the smaller.
            *shown = item.clone().min(shown.clone());
            *count += 1;
        }
        let rest = by_hash.values().skip(limits::CATEGORIES_MAX).map(|(_, count)| count);
        let (other, rows) = (rest.sum(), items.len() as u64);
        Self { counted: by_hash.into_values().take(limits::CATEGORIES_MAX).collect(), other, rows }
    }

    /// Those counted one by one, in their order.
    pub(crate) fn sorted(&self) -> Vec<(Item, u64)> {
        let mut sorted = self.counted.clone();
        // What is equally frequent stays in the order of hashes.
        sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        sorted
    }

    /// Which part so many rows are of all: the exact ratio, rounded once.
    pub(crate) fn share(&self, count: u64) -> f64 {
        nearest(&BigInt::from(count), &BigUint::from(self.rows))
    }

    /// How evenly the rows are spread: the sum of -p ln p, where p is the share of a category, in ascending order of
    /// hash; `None` of nothing.
    pub(crate) fn entropy(&self) -> Option<f64> {
        let shares = self.counted.iter().map(|(_, count)| self.share(*count));
        let entropy = shares.fold(0.0, |sum, p| sum - p * libm::log(p));
        // That of one category is no minus zero.
        (self.rows > 0).then_some(if entropy <= 0.0 { 0.0 } else { entropy })
    }
}
