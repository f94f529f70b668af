//! The cells of one tile as words: where each accumulator of each column stands, narrow or wide. Knows no tile and no page.
//!
//! Words that are merged alike stand together, so that a merge is a few straight loops over the words of two tiles:
//!
//! ```text
//!            narrow                             wide                     merged by
//! counts     n, bad: half a word each           a word each              addition
//! sums       sum: one word                                               addition
//! pairs      squares: two words                 sum: two words           addition with carry
//! triples                                       squares: three words     addition with carry
//! weights    weights, weighted, of squares:     the same                 addition with carry
//!            four words
//! extremes   max, last; min, first mirrored     the same                 the larger
//! rows       last; first mirrored: time, partition, offset, number       the later in the total order
//! ```
//!
//! Words of zero are empty cells. Which form a page has is physical: it never shows in a value or in canonical bytes.

mod count;
mod layout;
mod merge;

use ethnum::{I256, U256};
use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::plan::Keeps;
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;

pub(crate) use self::count::One;
use self::layout::Layout;
use super::{Accumulator, Placed, Squares};

/// How wide the cells of a page are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Counts of 32 bits, sums of 64, squares of 128.
    Narrow,
    /// Counts of 64 bits, sums of 128, squares of 192.
    Wide,
}

/// What a column keeps of a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Whether the measure has a value, which may be bad.
    pub(crate) has_value: bool,
    pub(crate) keeps: Keeps,
}

/// Where each column of a ladder stands within the cells of a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CellShape {
    kept: Vec<Kept>,
    narrow: Layout,
    wide: Layout,
}

impl CellShape {
    /// For these columns.
    pub(crate) fn new(kept: Vec<Kept>) -> Self {
        let (narrow, wide) = (Layout::new(&kept, Form::Narrow), Layout::new(&kept, Form::Wide));
        Self { kept, narrow, wide }
    }

    /// How many columns.
    pub(crate) fn columns(&self) -> usize {
        self.kept.len()
    }

    /// What a column keeps.
    pub(crate) fn kept(&self, column: usize) -> Kept {
        self.kept[column]
    }

    /// Words of the cells of one tile.
    #[inline]
    pub(crate) fn words(&self, form: Form) -> usize {
        self.layout(form).words()
    }

    #[inline]
    fn layout(&self, form: Form) -> &Layout {
        match form {
            Form::Narrow => &self.narrow,
            Form::Wide => &self.wide,
        }
    }

    /// How many rows of a column are counted.
    #[inline]
    pub(crate) fn n(&self, cells: &[u64], form: Form, column: usize) -> u64 {
        self.layout(form).places[column].n.read(cells)
    }

    /// Reads a cell.
    pub(crate) fn load(&self, cells: &[u64], form: Form, column: usize) -> Accumulator {
        let place = &self.layout(form).places[column];
        let mut read = Accumulator { n: place.n.read(cells), ..Accumulator::default() };
        read.bad = place.bad.map_or(0, |bad| bad.read(cells));
        if read.n == 0 {
            return read;
        }
        let pair = |at: usize| u128::from(cells[at + 1]) << 64 | u128::from(cells[at]);
        if let Some(at) = place.sum {
            read.sum = if form == Form::Narrow { i128::from(cells[at] as i64) } else { pair(at) as i128 };
        }
        if let Some(at) = place.squares {
            read.squares = Squares { high: if form == Form::Narrow { 0 } else { cells[at + 2] }, low: pair(at) };
        }
        if let Some(at) = place.min {
            read.min = unmirror(cells[at]);
        }
        if let Some(at) = place.max {
            read.max = unbias(cells[at]);
        }
        if let Some(at) = place.first {
            read.first = Timestamp(unmirror(cells[at]));
        }
        if let Some(at) = place.last {
            read.last = Timestamp(unbias(cells[at]));
        }
        read.first_row = place.first_row.map(|at| placed(&cells[at..], true));
        read.last_row = place.last_row.map(|at| placed(&cells[at..], false));
        let weighed = |at: usize| I256::from_words(pair(at + 2) as i128, pair(at) as i128);
        read.weights = place.weights.map_or(I256::ZERO, weighed);
        read.weighted = place.weighted.map_or(I256::ZERO, weighed);
        read.weighted_squares = place.weighted_squares.map_or(U256::ZERO, |at| weighed(at).as_u256());
        read
    }

    /// Writes a cell: of `value` what the column keeps. In narrow form the caller has made sure that counts and sums fit
    /// (`page`: weight and magnitude).
    pub(crate) fn store(&self, cells: &mut [u64], form: Form, column: usize, value: &Accumulator) {
        let place = &self.layout(form).places[column];
        place.n.write(cells, value.n);
        if let Some(bad) = place.bad {
            bad.write(cells, value.bad);
        }
        let is_empty = value.n == 0;
        if let Some(at) = place.sum {
            cells[at] = value.sum as u64;
            match form {
                Form::Narrow => debug_assert!(i64::try_from(value.sum).is_ok(), "narrow sums fit"),
                Form::Wide => cells[at + 1] = (value.sum >> 64) as u64,
            }
        }
        if let Some(at) = place.squares {
            cells[at] = value.squares.low as u64;
            cells[at + 1] = (value.squares.low >> 64) as u64;
            match form {
                Form::Narrow => debug_assert!(value.squares.high == 0, "narrow squares fit"),
                Form::Wide => cells[at + 2] = value.squares.high,
            }
        }
        let mut extreme = |at: Option<usize>, word: u64| {
            if let Some(at) = at {
                cells[at] = if is_empty { 0 } else { word };
            }
        };
        extreme(place.min, mirror(value.min));
        extreme(place.max, bias(value.max));
        extreme(place.first, mirror(value.first.0));
        extreme(place.last, bias(value.last.0));
        let rows = [(place.first_row, value.first_row, true), (place.last_row, value.last_row, false)];
        for (at, row, is_first) in rows {
            if let Some(at) = at {
                let words = row.map_or([0; ROW_WORDS], |row| row_words(row, is_first));
                cells[at..at + ROW_WORDS].copy_from_slice(&words);
            }
        }
        let squares = value.weighted_squares.as_i256();
        for (at, sum) in
            [(place.weights, value.weights), (place.weighted, value.weighted), (place.weighted_squares, squares)]
        {
            if let Some(at) = at {
                cells[at..at + WEIGHT_WORDS].copy_from_slice(&weight_words(sum));
            }
        }
    }

    /// Merges the cells of a tile into others of the same form.
    #[inline]
    pub(crate) fn merge(&self, cells: &mut [u64], form: Form, other: &[u64]) {
        self.layout(form).merge(cells, self.words(form), other);
    }

    /// The same with all tiles of `tiles`, each a word and its cells.
    pub(crate) fn merge_tiles(&self, cells: &mut [u64], form: Form, tiles: &[u64]) {
        self.layout(form).merge(cells, 1 + self.words(form), tiles);
    }
}

/// Bytes that a column takes of a tile in its narrow form.
#[must_use]
pub fn narrow_bytes(has_value: bool, keeps: Keeps) -> usize {
    // A count is half a word: two equal columns fill whole ones.
    let two = CellShape::new(vec![Kept { has_value, keeps }; 2]);
    two.words(Form::Narrow) * size_of::<u64>() / 2
}

/// Words of a row with its place: time, partition, offset, number.
const ROW_WORDS: usize = 4;

/// Words of a sum of weights, of weighted numbers or of weighted squares: a weight has 25 bits, a square 127, and there are
/// at most 2^64 rows.
const WEIGHT_WORDS: usize = 4;

/// The least word first.
#[inline]
fn weight_words(sum: I256) -> [u64; WEIGHT_WORDS] {
    let (high, low) = sum.into_words();
    [low as u64, (low >> 64) as u64, high as u64, (high >> 64) as u64]
}

/// Words whose order is the total order, or its reverse; an empty cell's come before all of them.
#[inline]
fn row_words(Placed { ts, position, number }: Placed, is_first: bool) -> [u64; ROW_WORDS] {
    let place = [bias(ts.0), u64::from(position.partition.0) + 1, position.offset];
    let [time, partition, offset] = if is_first { place.map(|word| !word) } else { place };
    [time, partition, offset, number as u64]
}

fn placed(words: &[u64], is_first: bool) -> Placed {
    let [time, partition, offset] = [words[0], words[1], words[2]].map(|word| if is_first { !word } else { word });
    let position = Position { partition: PartitionId(partition.wrapping_sub(1) as u32), offset };
    Placed { ts: Timestamp(unbias(time)), position, number: words[3] as i64 }
}

/// Takes the other row where it is later.
#[inline]
fn later(row: &mut [u64], other: &[u64; ROW_WORDS]) {
    if other[..ROW_WORDS - 1] > row[..ROW_WORDS - 1] {
        row[..ROW_WORDS].copy_from_slice(other);
    }
}

/// Adds a number of `N` words, the least first.
#[inline]
fn add_words<const N: usize>(words: &mut [u64], other: &[u64; N]) {
    let mut carry = false;
    for (word, other) in words.iter_mut().zip(other) {
        let (sum, over) = word.overflowing_add(*other);
        let (sum, over_by_carry) = sum.overflowing_add(u64::from(carry));
        (*word, carry) = (sum, over | over_by_carry);
    }
}

const SIGN: u64 = 1 << 63;

/// A number as a word of the same order: 0 for the least of all, which is what an empty cell holds.
#[inline]
fn bias(number: i64) -> u64 {
    number as u64 ^ SIGN
}

#[inline]
fn unbias(word: u64) -> i64 {
    (word ^ SIGN) as i64
}

/// A number as a word of the reverse order: the smallest number is the largest word.
#[inline]
fn mirror(number: i64) -> u64 {
    !bias(number)
}

#[inline]
fn unmirror(word: u64) -> i64 {
    unbias(!word)
}

#[cfg(test)]
mod tests;
