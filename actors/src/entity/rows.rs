//! The rows of one tile as they came, where windows are cut inside of it. Knows no page and no clock.
//!
//! Law: what is kept is a function of the tile's rows: all of them while they are at most [`EXACT_ROWS_MAX`], none beyond.
//! So tiles that are joined keep what they would have kept as one.

use featuregrid_protocol::limits::EXACT_ROWS_MAX;

use super::gathered::{RowTexts, bytes_of};
use super::raw::RawRow;
use crate::window::Shape;

/// The rows of a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TileRows {
    /// All of them.
    Few(Few),
    /// More than are kept.
    Many,
}

/// Rows in the total order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Few {
    /// Those of raw rows, one behind the other.
    words: Vec<u64>,
    /// Row by row; empty where no column has texts.
    texts: Vec<RowTexts>,
    text_bytes: usize,
}

impl Default for TileRows {
    fn default() -> Self {
        Self::Few(Few::default())
    }
}

impl TileRows {
    /// Adds one.
    pub(super) fn add(&mut self, shape: &Shape, row: RawRow<'_>, texts: &[Option<Box<str>>]) {
        match self {
            Self::Few(few) if few.len(shape) < EXACT_ROWS_MAX => few.add(shape, row, texts),
            _ => *self = Self::Many,
        }
    }

    /// Adds those of the tile that follows.
    pub(super) fn join(&mut self, shape: &Shape, later: Self) {
        match (&mut *self, later) {
            (Self::Few(few), Self::Few(later)) if few.len(shape) + later.len(shape) <= EXACT_ROWS_MAX => {
                few.words.reserve_exact(later.words.len());
                few.words.extend_from_slice(&later.words);
                few.texts.reserve_exact(later.texts.len());
                few.texts.extend(later.texts);
                few.text_bytes += later.text_bytes;
            }
            _ => *self = Self::Many,
        }
    }

    /// The oldest first, each with its texts; `None` where they are not kept.
    pub(super) fn kept<'a>(
        &'a self,
        shape: &'a Shape,
    ) -> Option<impl DoubleEndedIterator<Item = (RawRow<'a>, &'a [Option<Box<str>>])>> {
        let Self::Few(few) = self else { return None };
        let rows = few.words.chunks_exact(shape.row_words()).enumerate();
        Some(rows.map(|(at, words)| (RawRow::new(shape, words), few.texts.get(at).map_or(&[][..], |texts| texts))))
    }

    /// Heap bytes in use.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Few(few) => {
                few.words.capacity() * size_of::<u64>() + few.texts.capacity() * size_of::<RowTexts>() + few.text_bytes
            }
            Self::Many => 0,
        }
    }
}

impl Few {
    fn len(&self, shape: &Shape) -> usize {
        self.words.len() / shape.row_words()
    }

    fn add(&mut self, shape: &Shape, row: RawRow<'_>, texts: &[Option<Box<str>>]) {
        let (len, each) = (self.len(shape), shape.row_words());
        // Rows leave in the total order, so that it is usually the last.
        let is_newer = |other: &&[u64]| RawRow::new(shape, other).order() > row.order();
        let at = len - self.words.rchunks_exact(each).take_while(is_newer).count();
        grow(&mut self.words, each);
        self.words.resize((len + 1) * each, 0);
        self.words.copy_within(at * each..len * each, (at + 1) * each);
        self.words[at * each..][..each].copy_from_slice(row.words());
        if shape.text_columns > 0 {
            let texts = RowTexts::from(texts);
            self.text_bytes += bytes_of(&texts);
            grow(&mut self.texts, 1);
            self.texts.insert(at, texts);
        }
    }
}

/// Makes room for one more row of so many items: for as many as there are, but never for more than are kept.
fn grow<T>(items: &mut Vec<T>, each: usize) {
    let len = items.len() / each;
    if items.capacity() < (len + 1) * each {
        items.reserve_exact(len.clamp(1, EXACT_ROWS_MAX - len) * each);
    }
}
