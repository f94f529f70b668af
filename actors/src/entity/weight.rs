//! The proof that no narrow cell overflows, so that adding to one never has to be undone: how many rows, and how large
//! their numbers, a cell can hold at most. Physical: knows that it never shows in a value.

use super::page::{COUNTS, END, END_BITS, Memory, Page, WEIGHT, WIDE};
use crate::aggregate::Form;

impl<M: Memory> Page<'_, M> {
    /// Counts one row of numbers up to `magnitude` in advance; whether every narrow cell still surely fits.
    #[inline]
    pub(super) fn weigh(&mut self, magnitude: u64) -> bool {
        let words = self.memory.words_mut();
        words[WEIGHT] += 1;
        words[END] = words[END].max(words[END] & END_BITS | u64::from(bits(magnitude)));
        fits(words[WEIGHT], words[END] as u32)
    }

    /// The page no longer surely fits: counts what is really there, and widens the cells unless that leaves ample room.
    #[cold]
    pub(super) fn reweigh(&mut self) {
        if self.form() == Form::Wide {
            return;
        }
        let count = |cells: &[u64]| self.shape.cells.n(cells, Form::Narrow, 0);
        let kept = if self.shape.lifetime { count(self.lifetime()) } else { 0 };
        let tiled: u64 = (0..self.tiles_len()).map(|index| count(self.tile(index).1)).sum();
        let weight = kept + tiled + self.raw_len() as u64 + 1;
        self.set_word(WEIGHT, weight);
        if !fits(weight.saturating_mul(2), self.word(END) as u32) {
            self.widen();
        }
    }

    /// Weight and magnitude of a page that was decoded.
    pub(super) fn set_weight(&mut self, weight: u64, magnitude: u64) {
        self.set_word(WEIGHT, weight);
        self.set_word(END, self.word(END) & END_BITS | u64::from(bits(magnitude)));
    }

    /// The same rows, other columns.
    pub(super) fn copy_weight<N: Memory>(&mut self, other: &Page<'_, N>) {
        self.set_word(WEIGHT, other.word(WEIGHT));
        self.set_word(END, self.word(END) & END_BITS | other.word(END) & !END_BITS);
    }

    /// Whether every narrow cell surely fits.
    pub(super) fn is_ample(&self) -> bool {
        fits(self.word(WEIGHT), self.word(END) as u32)
    }

    /// Rewrites every cell in wide form.
    pub(super) fn widen(&mut self) {
        debug_assert_eq!(self.form(), Form::Narrow, "a page is widened once");
        let cells = &self.shape.cells;
        let mut low = self.memory.words()[..self.lifetime_at()].to_vec();
        let end = self.tiles_end();
        let widen = |narrow: &[u64], out: &mut Vec<u64>| {
            let at = out.len();
            out.resize(at + cells.words(Form::Wide), 0);
            for column in 0..cells.columns() {
                cells.store(&mut out[at..], Form::Wide, column, &cells.load(narrow, Form::Narrow, column));
            }
        };
        if self.shape.lifetime {
            widen(self.lifetime(), &mut low);
        }
        for index in 0..self.tiles_len() {
            let (start, narrow) = self.tile(index);
            low.push(start.0 as u64);
            widen(narrow, &mut low);
        }
        self.reserve(low.len() - end);
        low[COUNTS] |= WIDE;
        low[END] = low[END] & !END_BITS | (low.len() as u64) << 32;
        self.memory.words_mut()[..low.len()].copy_from_slice(&low);
    }
}

/// Bits of a magnitude.
#[inline]
fn bits(magnitude: u64) -> u32 {
    u64::BITS - magnitude.leading_zeros()
}

/// Whether no n reaches 2^32, no sum 2^63 and no sum of squares 2^128 with so many rows of numbers of so many bits.
#[inline]
fn fits(weight: u64, magnitude: u32) -> bool {
    weight <= u64::from(u32::MAX) && bits(weight) + magnitude <= 63
}
