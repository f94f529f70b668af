//! A raw row as words of a page. Knows no page.
//!
//! Layout: ts, offset, then either one word of partition (high half), bad bits and presence bits by column, or three
//! words of them; then one number for each column that has a value, 0 where the row has none.

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::row::{Position, Row};
use featuregrid_protocol::time::Timestamp;

use super::gathered::RowTexts;
use crate::aggregate::{Collection, Form, Item, One};
use crate::window::{Gather, Input, Shape};

/// Where a row stands in the total order of its entity: event time, then place in the source.
pub(crate) type Order = (Timestamp, Position);

/// A raw row, borrowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawRow<'a> {
    words: &'a [u64],
    packed: bool,
}

impl<'a> RawRow<'a> {
    /// The row in `words`.
    #[inline]
    pub(crate) fn new(shape: &Shape, words: &'a [u64]) -> Self {
        Self { words, packed: shape.is_packed() }
    }

    /// Itself.
    pub(crate) fn words(self) -> &'a [u64] {
        self.words
    }

    /// Event time.
    #[inline]
    pub(crate) fn ts(self) -> Timestamp {
        Timestamp(self.words[0] as i64)
    }

    /// Its place in the total order.
    #[inline]
    pub(crate) fn order(self) -> Order {
        let partition = if self.packed { self.words[2] >> 32 } else { self.words[2] };
        (self.ts(), Position { partition: PartitionId(partition as u32), offset: self.words[1] })
    }

    /// Bit c: column c takes the row.
    #[inline]
    pub(crate) fn present(self) -> u64 {
        if self.packed { self.words[2] & 0xffff } else { self.words[3] }
    }

    /// Bit c: column c counts it as bad.
    #[inline]
    pub(crate) fn bad(self) -> u64 {
        if self.packed { self.words[2] >> 16 & 0xffff } else { self.words[4] }
    }

    /// The number at `value`, an index over columns that have one.
    #[inline]
    pub(crate) fn number(self, value: usize) -> i64 {
        self.words[if self.packed { 3 } else { 5 } + value] as i64
    }

    /// Adds the row to the collections of every column that takes it; `texts` are its own.
    pub(crate) fn gather(self, shape: &Shape, texts: &[Option<Box<str>>], collections: &mut [Collection]) {
        let taken = self.present() & !self.bad();
        let (ts, position) = self.order();
        for (Gather { column, .. }, collection) in shape.gathers.iter().zip(collections) {
            let input = shape.inputs[*column];
            if taken >> column & 1 == 1 {
                let word = input.value.map_or(0, |value| self.number(value));
                let text = input.text.and_then(|text| texts.get(text)?.as_deref());
                collection.add(&Item { ts, position, word, text });
            }
        }
    }

    /// What the row is to a column.
    #[inline]
    fn one(self, column: usize, value: Option<usize>) -> One {
        let (present, is_bad) = (self.present() >> column & 1 == 1, self.bad() >> column & 1 == 1);
        let (is_taken, (ts, position)) = (present && !is_bad, self.order());
        let number = value.filter(|_| is_taken).map_or(0, |value| self.number(value));
        One { is_taken, is_bad, number, ts, position }
    }
}

/// Raw rows as they stand one behind the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawRows<'a> {
    shape: &'a Shape,
    words: &'a [u64],
}

impl<'a> RawRows<'a> {
    /// All that stand in `words`.
    #[inline]
    pub(crate) fn new(shape: &'a Shape, words: &'a [u64]) -> Self {
        Self { shape, words }
    }

    /// One after the other.
    #[inline]
    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = RawRow<'a>> + ExactSizeIterator + Clone {
        self.words.chunks_exact(self.shape.row_words()).map(move |words| RawRow::new(self.shape, words))
    }

    /// The first `count`, and the others.
    #[inline]
    pub(crate) fn split_at(self, count: usize) -> (Self, Self) {
        let (first, others) = self.words.split_at(count * self.shape.row_words());
        (Self { words: first, ..self }, Self { words: others, ..self })
    }

    /// Adds all of them to the cells of every column that takes them.
    pub(crate) fn add_to(self, form: Form, cells: &mut [u64]) {
        for (column, input) in self.shape.inputs.iter().enumerate() {
            self.shape.cells.count(cells, form, column, self.iter().map(|row| row.one(column, input.value)));
        }
    }
}

/// Fixed part of a raw row, by column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawHead {
    /// Place in the total order.
    pub(crate) order: Order,
    /// Presence by column.
    pub(crate) present: u64,
    /// Bad by column.
    pub(crate) bad: u64,
}

impl RawHead {
    /// Writes it to the first words of a row.
    #[inline]
    pub(crate) fn write(self, shape: &Shape, words: &mut [u64]) {
        let (ts, position) = self.order;
        let partition = u64::from(position.partition.0);
        words[0] = ts.0 as u64;
        words[1] = position.offset;
        if shape.is_packed() {
            words[2] = partition << 32 | self.bad << 16 | self.present;
        } else {
            words[2..5].copy_from_slice(&[partition, self.present, self.bad]);
        }
    }
}

/// A row on its way into a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a> {
    /// Where it comes from.
    pub(crate) partition: PartitionId,
    /// What it holds.
    pub(crate) row: &'a Row<'a>,
    /// Bit c: column c had begun when it was decoded.
    pub(crate) columns: u64,
}

/// Writes a row as `shape`'s columns see it.
#[inline]
pub(crate) fn write(shape: &Shape, Arrival { partition, row, columns }: Arrival<'_>, words: &mut [u64]) {
    let head = row.head;
    let by_column = |bits: u64| {
        let taken = if shape.is_straight {
            bits & (u64::MAX >> (64 - shape.inputs.len()))
        } else {
            let inputs = shape.inputs.iter().enumerate();
            inputs.fold(0, |out, (column, input)| out | (bits >> input.measure & 1) << column)
        };
        taken & columns
    };
    // Only where a measure has a value can a row be bad.
    let (present, bad) = (by_column(head.present), by_column(head.present & head.bad & shape.value_measures));
    let with_number = head.present & !head.bad & shape.value_measures;
    let numbers = shape.row_head_words();
    words[numbers..].fill(0);
    for input in &shape.inputs {
        if let Some(value) = input.value
            && with_number >> input.measure & 1 == 1
        {
            let rank = (with_number & ((1 << input.measure) - 1)).count_ones() as usize;
            words[numbers + value] = row.numbers.get(rank).copied().unwrap_or_default() as u64;
        }
    }
    RawHead { order: order(partition, row), present, bad }.write(shape, words);
}

/// The texts of a row by `shape`'s columns that have some.
pub(crate) fn texts(shape: &Shape, Arrival { row, columns, .. }: Arrival<'_>) -> RowTexts {
    let with_text = row.head.present & !row.head.bad & shape.text_measures;
    let of = |(column, input): (usize, &Input)| {
        input.text?;
        let is_taken = columns >> column & with_text >> input.measure & 1 == 1;
        let rank = (with_text & ((1 << input.measure) - 1)).count_ones() as usize;
        Some(is_taken.then(|| row.texts.clone().nth(rank).unwrap_or_default().into()))
    };
    shape.inputs.iter().enumerate().filter_map(of).collect()
}

/// Where `row` of `partition` stands in the total order.
#[inline]
pub(crate) fn order(partition: PartitionId, row: &Row<'_>) -> Order {
    (row.head.ts, Position { partition, offset: row.head.offset })
}

/// Bits of the largest number of a row that is added up, those of other ladders included where that is all of them.
#[inline]
pub(crate) fn magnitude(shape: &Shape, row: &Row<'_>) -> u64 {
    let with_number = row.head.present & !row.head.bad & shape.value_measures;
    let all = |bits: u64, number: &i64| bits | number.unsigned_abs();
    if with_number & !shape.summed_measures == 0 {
        return row.numbers.iter().fold(0, all);
    }
    let mut left = with_number;
    let summed = row.numbers.iter().filter(|_| {
        let measure = left & left.wrapping_neg();
        left ^= measure;
        measure & shape.summed_measures != 0
    });
    summed.fold(0, all)
}
