//! Merging the cells of tiles that follow each other: for every few words that are merged alike one loop over the tiles, so
//! that what runs stays in registers. Knows no column.

use std::ops::Range;

use super::layout::Layout;
use super::{ROW_WORDS, WEIGHT_WORDS, add_words, later};

/// Words of tiles that are gone over for the first few of theirs, then for the next: they stay in the nearest cache.
const NEAR: usize = 2048;

impl Layout {
    /// Merges tiles of `each` words, the last of which are their cells, into `cells`.
    pub(super) fn merge(&self, cells: &mut [u64], each: usize, tiles: &[u64]) {
        let first = each - self.words();
        for words in tiles.chunks((NEAR / each).max(1) * each) {
            self.merge_near(cells, Tiles { words, each, first });
        }
    }

    fn merge_near(&self, cells: &mut [u64], tiles: Tiles<'_>) {
        // Both halves of a word of counts are added at once: none of them overflows.
        tiles.add_up(cells, 0..self.pairs);
        for at in (self.pairs..self.triples).step_by(2) {
            tiles.merge(cells, at, |sum, other| add_words::<2>(sum, other));
        }
        for at in (self.triples..self.weights).step_by(3) {
            tiles.merge(cells, at, |sum, other| add_words::<3>(sum, other));
        }
        for at in (self.weights..self.extremes).step_by(WEIGHT_WORDS) {
            tiles.merge(cells, at, |sum, other| add_words::<WEIGHT_WORDS>(sum, other));
        }
        tiles.take_larger(cells, self.extremes..self.rows);
        for at in (self.rows..self.words()).step_by(ROW_WORDS) {
            tiles.merge(cells, at, |row, other| later(row, other));
        }
    }
}

/// Tiles that follow each other.
#[derive(Clone, Copy, Debug)]
struct Tiles<'a> {
    words: &'a [u64],
    /// Words of one.
    each: usize,
    /// The first of them that is of its cells.
    first: usize,
}

impl Tiles<'_> {
    /// Merges `N` words of every tile into those of the cells.
    #[inline]
    fn merge<const N: usize>(self, cells: &mut [u64], at: usize, law: impl Fn(&mut [u64; N], &[u64; N])) {
        let Some(merged) = cells[at..].first_chunk_mut() else { return };
        let mut running = *merged;
        for tile in self.words.chunks_exact(self.each) {
            if let Some(words) = tile[self.first + at..].first_chunk() {
                law(&mut running, words);
            }
        }
        *merged = running;
    }

    /// Adds words up, as many as four side by side.
    fn add_up(self, cells: &mut [u64], words: Range<usize>) {
        for at in words.clone().step_by(4) {
            match words.end - at {
                1 => self.merge(cells, at, add_each::<1>),
                2 => self.merge(cells, at, add_each::<2>),
                3 => self.merge(cells, at, add_each::<3>),
                _ => self.merge(cells, at, add_each::<4>),
            }
        }
    }

    /// Takes the larger of words, as many as four side by side.
    fn take_larger(self, cells: &mut [u64], words: Range<usize>) {
        for at in words.clone().step_by(4) {
            match words.end - at {
                1 => self.merge(cells, at, larger_of_each::<1>),
                2 => self.merge(cells, at, larger_of_each::<2>),
                3 => self.merge(cells, at, larger_of_each::<3>),
                _ => self.merge(cells, at, larger_of_each::<4>),
            }
        }
    }
}

/// Adds each word to its own.
#[inline]
fn add_each<const N: usize>(words: &mut [u64; N], others: &[u64; N]) {
    for (word, other) in words.iter_mut().zip(others) {
        *word = word.wrapping_add(*other);
    }
}

/// Takes the larger of each word and its own. Extremes seldom move: one branch that is foreseen costs less than to choose
/// each of them, for which a baseline processor has no vectors.
#[inline]
fn larger_of_each<const N: usize>(words: &mut [u64; N], others: &[u64; N]) {
    if words.iter().zip(others).any(|(word, other)| other > word) {
        for (word, other) in words.iter_mut().zip(others) {
            *word = (*word).max(*other);
        }
    }
}
