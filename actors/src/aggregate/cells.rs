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

mod layout;

use ethnum::{I256, U256};
use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::plan::Keeps;
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;

use self::layout::{Layout, Place};
use super::{Accumulator, Placed, Squares, decay};

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

    /// Adds one row to a cell.
    #[inline]
    pub(crate) fn count(
        &self,
        cells: &mut [u64],
        form: Form,
        column: usize,
        one: One,
        (ts, position): (Timestamp, Position),
    ) {
        let place = &self.layout(form).places[column];
        match one {
            One::Bad => {
                if let Some(bad) = place.bad {
                    bad.add_one(cells);
                }
                return;
            }
            One::Row => place.n.add_one(cells),
            One::Number(number) => {
                place.n.add_one(cells);
                add_number(place, cells, form, number);
                for (at, is_first) in [(place.first_row, true), (place.last_row, false)] {
                    if let Some(at) = at {
                        later(&mut cells[at..], &row_words(Placed { ts, position, number }, is_first));
                    }
                }
            }
        }
        if let Some(at) = place.first {
            cells[at] = cells[at].max(mirror(ts.0));
        }
        if let Some(at) = place.last {
            cells[at] = cells[at].max(bias(ts.0));
        }
        if let (Some(weights), Some(decay)) = (place.weights, place.decay) {
            let weight = decay::weight(decay, ts);
            add_words::<WEIGHT_WORDS>(&mut cells[weights..], &[weight, 0, 0, 0]);
            if let (Some(weighted), One::Number(number)) = (place.weighted, one) {
                let product = I256::from(i128::from(number) * i128::from(weight));
                add_words::<WEIGHT_WORDS>(&mut cells[weighted..], &weight_words(product));
            }
            if let (Some(squares), One::Number(number)) = (place.weighted_squares, one) {
                let square = I256::from(i128::from(number).pow(2)) * I256::from(weight);
                add_words::<WEIGHT_WORDS>(&mut cells[squares..], &weight_words(square));
            }
        }
    }

    /// Merges the cells of a tile into others of the same form.
    #[inline]
    pub(crate) fn merge(&self, cells: &mut [u64], form: Form, other: &[u64]) {
        let layout = self.layout(form);
        let (cells, other) = (&mut cells[..layout.words()], &other[..layout.words()]);
        let [pairs, triples, weights] = [layout.pairs, layout.triples, layout.weights];
        let [extremes, rows] = [layout.extremes, layout.rows];
        // Both halves of a word of counts are added at once: none of them overflows.
        for (word, other) in cells[..pairs].iter_mut().zip(other) {
            *word = word.wrapping_add(*other);
        }
        for at in (pairs..triples).step_by(2) {
            add_words::<2>(&mut cells[at..], &other[at..]);
        }
        for at in (triples..weights).step_by(3) {
            add_words::<3>(&mut cells[at..], &other[at..]);
        }
        for at in (weights..extremes).step_by(WEIGHT_WORDS) {
            add_words::<WEIGHT_WORDS>(&mut cells[at..], &other[at..]);
        }
        for (word, other) in cells[extremes..rows].iter_mut().zip(&other[extremes..]) {
            *word = (*word).max(*other);
        }
        for at in (rows..cells.len()).step_by(ROW_WORDS) {
            later(&mut cells[at..], &other[at..]);
        }
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
fn later(row: &mut [u64], other: &[u64]) {
    if other[..ROW_WORDS - 1] > row[..ROW_WORDS - 1] {
        row[..ROW_WORDS].copy_from_slice(&other[..ROW_WORDS]);
    }
}

#[inline]
fn add_number(place: &Place, cells: &mut [u64], form: Form, number: i64) {
    if let Some(at) = place.sum {
        match form {
            Form::Narrow => cells[at] = cells[at].wrapping_add(number as u64),
            Form::Wide => add_words::<2>(&mut cells[at..], &[number as u64, (number >> 63) as u64]),
        }
    }
    if let Some(at) = place.squares {
        let square = Squares::of(number).low;
        let words = [square as u64, (square >> 64) as u64, 0];
        match form {
            Form::Narrow => add_words::<2>(&mut cells[at..], &words),
            Form::Wide => add_words::<3>(&mut cells[at..], &words),
        }
    }
    if let Some(at) = place.min {
        cells[at] = cells[at].max(mirror(number));
    }
    if let Some(at) = place.max {
        cells[at] = cells[at].max(bias(number));
    }
}

/// Adds a number of `N` words, the least first.
#[inline]
fn add_words<const N: usize>(cells: &mut [u64], other: &[u64]) {
    let mut carry = false;
    for (word, other) in cells[..N].iter_mut().zip(&other[..N]) {
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

/// What one row is to one column that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum One {
    /// A row of a measure without value.
    Row,
    /// A number.
    Number(i64),
    /// No number of the domain.
    Bad,
}

#[cfg(test)]
mod tests;
