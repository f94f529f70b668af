//! How often each value is there, of a bounded number of different ones. Knows no operator.
//!
//! Beyond the bound the values whose hashes are smallest are counted, and the rows of all others together: whatever the
//! order, a value that is counted in the end was counted from its first row.

use featuregrid_protocol::limits::CATEGORIES_MAX;
use featuregrid_protocol::plants::{self, Plant};

use super::{Item, mix, put_value, take_value};
use featuregrid_protocol::varint::{Bytes, Damaged, put};

/// One value and how many rows have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Category {
    hash: u64,
    /// The word that stands for the value.
    pub(crate) word: i64,
    /// The value, where it is a text.
    pub(crate) text: Option<Box<str>>,
    /// Rows that have it.
    pub(crate) n: u64,
}

/// The word of a text is a hash already.
fn hash_of(word: i64, text: Option<&str>) -> u64 {
    if text.is_some() { word as u64 } else { mix(word) }
}

/// Values with their counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Categories {
    /// In order of hash.
    counted: Vec<Category>,
    /// Rows of the values whose hashes are larger.
    pub(crate) other: u64,
}

impl Categories {
    pub(super) fn add(&mut self, item: &Item<'_>) {
        self.count(hash_of(item.word, item.text), item.word, item.text, 1);
    }

    fn count(&mut self, hash: u64, word: i64, text: Option<&str>, n: u64) {
        match self.counted.binary_search_by_key(&hash, |category| category.hash) {
            Ok(at) => {
                let category = &mut self.counted[at];
                category.n += n;
                // Of two texts of one hash the smaller is shown, whichever came first.
                if text < category.text.as_deref() {
                    category.text = text.map(Into::into);
                }
            }
            Err(CATEGORIES_MAX) => self.other += n,
            Err(at) => {
                if self.counted.len() == CATEGORIES_MAX {
                    self.other += self.counted.pop().map_or(0, |category| category.n);
                }
                self.counted.insert(at, Category { hash, word, text: text.map(Into::into), n });
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for Category { hash, word, text, n } in &other.counted {
            self.count(*hash, *word, text.as_deref(), *n);
        }
        if !plants::on(Plant::OtherForgotten) {
            self.other += other.other;
        }
    }

    /// In order of hash.
    pub(crate) fn by_hash(&self) -> &[Category] {
        &self.counted
    }

    /// The most frequent first; of two that are as frequent, that of the smaller hash.
    pub(crate) fn by_frequency(&self) -> Vec<&Category> {
        let mut all: Vec<&Category> = self.counted.iter().collect();
        all.sort_by_key(|category| std::cmp::Reverse(category.n));
        all
    }

    /// How many rows there are; `None` where they are more than can be.
    pub(super) fn rows(&self) -> Option<u64> {
        self.counted.iter().try_fold(self.other, |sum, category| sum.checked_add(category.n))
    }

    pub(super) fn bytes(&self) -> usize {
        let texts = self.counted.iter().map(|category| category.text.as_ref().map_or(0, |text| text.len()));
        self.counted.capacity() * size_of::<Category>() + texts.sum::<usize>()
    }

    /// other, count, then how many, value
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put(out, self.other.into());
        put(out, self.counted.len() as u128);
        for Category { word, text, n, .. } in &self.counted {
            put(out, (*n).into());
            put_value(*word, text.as_deref(), out);
        }
    }

    pub(super) fn take(input: &mut Bytes<'_>) -> Result<Self, Damaged> {
        let other = input.small()?;
        let mut counted: Vec<Category> = Vec::new();
        for _ in 0..input.count()? {
            let n = input.small()?;
            let (word, text) = take_value(input)?;
            let hash = hash_of(word, text.as_deref());
            if n == 0 || counted.last().is_some_and(|last| last.hash >= hash) {
                return Err(Damaged("categories are out of order"));
            }
            counted.push(Category { hash, word, text, n });
        }
        if counted.len() > CATEGORIES_MAX || (other > 0 && counted.len() < CATEGORIES_MAX) {
            return Err(Damaged("too many categories are told apart, or too few"));
        }
        Ok(Self { counted, other })
    }
}
