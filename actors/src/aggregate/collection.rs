//! What a column keeps of a tile where a few words are not enough: rows, different values, distributions, categories.
//! Knows no tile and no page.
//!
//! Law: a collection is a function of the multiset of its items. Each is bounded by a rule that looks at its content alone,
//! and bounding the union of two bounded ones is bounding the union: whatever was left out of a part is left out of the whole.

mod categories;
mod distinct;
mod quantiles;
mod rows;

use featuregrid_protocol::limits::TEXT_BYTES_MAX;
use featuregrid_protocol::plan::Keeps;
use featuregrid_protocol::row::{Position, text_word};
use featuregrid_protocol::time::Timestamp;

pub(crate) use self::categories::{Categories, Category};
use self::distinct::Distinct;
pub(crate) use self::quantiles::Quantiles;
use self::rows::Rows;
use featuregrid_protocol::varint::{Bytes, Damaged, put, put_signed};

/// One value of a column and its place in the total order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    pub(crate) ts: Timestamp,
    pub(crate) position: Position,
    /// The word that stands for it.
    pub(crate) word: i64,
    /// Itself, where it is a text.
    pub(crate) text: Option<&'a str>,
}

/// What is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collects {
    /// So many earliest rows.
    FirstRows(u8),
    /// So many latest rows.
    LastRows(u8),
    /// The latest row of each of so many different values.
    LastDistinct(u8),
    /// The row whose word is the smallest.
    LeastRow,
    /// The row whose word is the largest.
    GreatestRow,
    /// Which different values there are.
    Distinct,
    /// How the numbers are distributed.
    Quantiles,
    /// How often each value is there.
    Categories,
}

impl Collects {
    /// What a column of these `keeps` collects, in an order of its own.
    pub(crate) fn of(keeps: Keeps) -> impl Iterator<Item = Self> {
        let [first, last, distinct] = keeps.rows();
        let rows = [(first, Self::FirstRows as fn(u8) -> Self), (last, Self::LastRows), (distinct, Self::LastDistinct)];
        let rows = rows.into_iter().filter(|(most, _)| *most > 0).map(|(most, collects)| collects(most));
        let others = [
            (Keeps::LEAST_ROW, Self::LeastRow),
            (Keeps::GREATEST_ROW, Self::GreatestRow),
            (Keeps::DISTINCT, Self::Distinct),
            (Keeps::QUANTILES, Self::Quantiles),
            (Keeps::CATEGORIES, Self::Categories),
        ];
        rows.chain(others.into_iter().filter(move |(what, _)| keeps.has(*what)).map(|(_, collects)| collects))
    }

    /// The collection of no items.
    pub(crate) fn nothing(self) -> Collection {
        match self {
            Self::FirstRows(_) | Self::LastRows(_) | Self::LastDistinct(_) | Self::LeastRow | Self::GreatestRow => {
                Collection::Rows(Rows::new(self))
            }
            Self::Distinct => Collection::Distinct(Distinct::default()),
            Self::Quantiles => Collection::Quantiles(Quantiles::default()),
            Self::Categories => Collection::Categories(Categories::default()),
        }
    }

    /// Whether it has what the other asks for.
    pub(crate) fn serves(self, asked: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&asked)
    }
}

/// The collections of one tile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Collections(Vec<Collection>);

impl Collections {
    /// Of a ladder that collects nothing.
    pub(crate) const NONE: Self = Self(Vec::new());

    /// Those that are there already.
    pub(crate) fn of(collections: Vec<Collection>) -> Self {
        Self(collections)
    }

    /// Heap bytes in use.
    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<Collection>() + self.0.iter().map(Collection::bytes).sum::<usize>()
    }
}

impl std::ops::Deref for Collections {
    type Target = [Collection];

    fn deref(&self) -> &[Collection] {
        &self.0
    }
}

impl std::ops::DerefMut for Collections {
    fn deref_mut(&mut self) -> &mut [Collection] {
        &mut self.0
    }
}

/// Adds the items of one tile's collections to those of another.
pub(crate) fn merge(collections: &mut [Collection], other: &[Collection]) {
    collections.iter_mut().zip(other).for_each(|(collection, other)| collection.merge(other));
}

/// Items of one column, as far as they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Collection {
    Rows(Rows),
    Distinct(Distinct),
    Quantiles(Quantiles),
    Categories(Categories),
}

impl Collection {
    /// Adds one item.
    pub(crate) fn add(&mut self, item: &Item<'_>) {
        match self {
            Self::Rows(rows) => rows.add(item),
            Self::Distinct(distinct) => distinct.add(item.word),
            Self::Quantiles(quantiles) => quantiles.add(item.word),
            Self::Categories(categories) => categories.add(item),
        }
    }

    /// Adds the items of another collection of the same kind.
    pub(crate) fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Rows(rows), Self::Rows(other)) => rows.merge(other),
            (Self::Distinct(distinct), Self::Distinct(other)) => distinct.merge(other),
            (Self::Quantiles(quantiles), Self::Quantiles(other)) => quantiles.merge(other),
            (Self::Categories(categories), Self::Categories(other)) => categories.merge(other),
            _ => debug_assert!(false, "a column collects one thing"),
        }
    }

    /// The same where less is kept.
    pub(crate) fn keep(&mut self, collects: Collects) {
        if let Self::Rows(rows) = self {
            rows.keep(collects);
        }
    }

    /// Whether so many rows can have come to this.
    pub(crate) fn is_of(&self, n: u64) -> bool {
        match self {
            Self::Rows(rows) => rows.is_of(n),
            Self::Distinct(distinct) => distinct.is_of(n),
            Self::Quantiles(quantiles) => quantiles.rows() == Some(n),
            Self::Categories(categories) => categories.rows() == Some(n),
        }
    }

    /// Heap bytes in use.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.bytes(),
            Self::Distinct(distinct) => distinct.bytes(),
            Self::Quantiles(quantiles) => quantiles.bytes(),
            Self::Categories(categories) => categories.bytes(),
        }
    }

    /// Appends its canonical bytes.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Rows(rows) => rows.put(out),
            Self::Distinct(distinct) => distinct.put(out),
            Self::Quantiles(quantiles) => quantiles.put(out),
            Self::Categories(categories) => categories.put(out),
        }
    }

    /// Reads what [`Collection::put`] writes.
    pub(crate) fn take(collects: Collects, input: &mut Bytes<'_>) -> Result<Self, Damaged> {
        Ok(match collects {
            Collects::Distinct => Self::Distinct(Distinct::take(input)?),
            Collects::Quantiles => Self::Quantiles(Quantiles::take(input)?),
            Collects::Categories => Self::Categories(Categories::take(input)?),
            _ => Self::Rows(Rows::take(collects, input)?),
        })
    }
}

/// A hash of a word under which different words are never taken for one another: the finalizer of splitmix64 (Steele,
/// Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014), which can be undone.
pub(crate) fn mix(word: i64) -> u64 {
    let mut hash = word as u64;
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

/// Appends a value: 0 and its word (signed), or 1 and its text, from which the word follows.
fn put_value(word: i64, text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        None => {
            out.push(0);
            put_signed(out, word.into());
        }
        Some(text) => {
            out.push(1);
            put_text(text, out);
        }
    }
}

/// Reads what [`put_value`] writes.
fn take_value(input: &mut Bytes<'_>) -> Result<(i64, Option<Box<str>>), Damaged> {
    match input.take(1)? {
        [0] => Ok((input.word()?, None)),
        [1] => take_text(input).map(|text| (text_word(text), Some(text.into()))),
        _ => Err(Damaged("a flag is neither 0 nor 1")),
    }
}

/// Appends a text.
pub(crate) fn put_text(text: &str, out: &mut Vec<u8>) {
    put(out, text.len() as u128);
    out.extend_from_slice(text.as_bytes());
}

/// Reads what [`put_text`] writes.
pub(crate) fn take_text<'a>(input: &mut Bytes<'a>) -> Result<&'a str, Damaged> {
    let length = input.count()?;
    let text = std::str::from_utf8(input.take(length)?).map_err(|_| Damaged("a text is no UTF-8"))?;
    if text.len() <= TEXT_BYTES_MAX { Ok(text) } else { Err(Damaged("a text is too long")) }
}

#[cfg(test)]
mod tests;
