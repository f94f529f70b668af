//! A turn: one row into the raw head of a page, and now and then the oldest of them into tiles. Looks up nothing.

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::limits::RAW_ROWS_MAX;
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::row::Row;

use super::page::{Memory, Page};
use super::raw::{self, RawRow};
use crate::window::{Bounds, Shape};

/// Rows a page holds before it tiles those that are due: a turn then usually only writes one row, and a page that saw
/// few events needs no tile at all.
const ROWS_HELD: usize = RAW_ROWS_MAX + 16;

/// Memory of turns, kept between them.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    row: Vec<u64>,
    leaving: Vec<u64>,
}

impl<M: Memory> Page<'_, M> {
    /// Applies one row. `bounds` are those of T after the frame: what they tile now, the canonical page has tiled too.
    pub(crate) fn turn(&mut self, turn: &mut Turn, bounds: &Bounds, partition: PartitionId, row: &Row<'_>) {
        let words = self.shape.row_words();
        turn.row.clear();
        turn.row.resize(words, 0);
        let magnitude = raw::write(self.shape, partition, row, &mut turn.row);
        if !self.weigh(magnitude) {
            self.reweigh();
        }
        self.note(partition.0, row.head.offset, row.head.ts);
        if self.raw_len() >= ROWS_HELD {
            self.graduate(bounds, &mut turn.leaving);
        }
        self.insert_raw(&turn.row);
    }

    /// Puts a row where the total order wants it, which is usually last.
    pub(super) fn insert_raw(&mut self, row: &[u64]) {
        let order = RawRow::new(self.shape, row).order();
        let len = self.raw_len();
        let mut index = len;
        while index > 0 && self.raw(index - 1).order() > order && !plants::on(Plant::RawByArrival) {
            index -= 1;
        }
        self.reserve(row.len());
        let (at, end) = (self.raw_at(), self.memory.words().len());
        let all = self.memory.words_mut();
        all.copy_within(at..end - index * row.len(), at - row.len());
        all[end - (index + 1) * row.len()..][..row.len()].copy_from_slice(row);
        self.set_raw_len(len + 1);
    }

    /// Moves the rows that are raw no more into tiles: those before the raw edge, and the oldest beyond the bound.
    pub(super) fn graduate(&mut self, bounds: &Bounds, leaving: &mut Vec<u64>) {
        let len = self.raw_len();
        let before = (0..len).position(|index| self.raw(index).ts() >= bounds.raw).unwrap_or(len);
        let leave = before.max(len.saturating_sub(RAW_ROWS_MAX));
        if leave == 0 {
            return;
        }
        let words = self.shape.row_words();
        let (at, end) = (self.raw_at(), self.memory.words().len());
        let first = end - leave * words;
        let all = self.memory.words_mut();
        leaving.clear();
        leaving.extend_from_slice(&all[first..]);
        all.copy_within(at..first, at + leave * words);
        self.set_raw_len(len - leave);
        // The oldest stands last. Rows may only join levels that are themselves folded, unless it is level 0.
        let oldest = RawRow::new(self.shape, &leaving[leaving.len() - words..]).ts();
        if oldest < bounds.levels[0] {
            self.fold_tiles(bounds);
        }
        let shape = self.shape;
        let mut newest = self.newest_tiled();
        for words in leaving.rchunks_exact(words) {
            let row = RawRow::new(shape, words);
            newest = newest.max(row.ts());
            self.tile_row(bounds, row);
        }
        self.set_newest_tiled(newest);
        if self.level_len(0) > 0 && self.tile(self.level_start(0)).0 < bounds.overdue {
            self.fold_tiles(bounds);
        }
    }

    fn tile_row(&mut self, bounds: &Bounds, row: RawRow<'_>) {
        let shape: &Shape = self.shape;
        let form = self.form();
        let place = bounds.place(shape, row.ts());
        if shape.lifetime && place.is_none_or(|(level, _)| level > 0) {
            let cells = self.lifetime_mut();
            row.each(shape, |column, one| shape.cells.add(cells, form, column, one));
        }
        let Some((level, start)) = place else { return };
        let index = self.find_or_insert(level, start);
        let cells = self.tile_mut(index);
        row.each(shape, |column, one| shape.cells.add(cells, form, column, one));
    }

    /// Index of the tile of `level` that begins at `start`; rows leave in order, so it is usually the newest.
    fn find_or_insert(&mut self, level: usize, start: featuregrid_protocol::time::Timestamp) -> usize {
        let (first, len) = (self.level_start(level), self.level_len(level));
        let mut low = first;
        let mut high = first + len;
        if len > 0 {
            let newest = self.tile(high - 1).0;
            if newest == start {
                return high - 1;
            }
            if newest < start {
                low = high;
            }
        }
        while low < high {
            let middle = low.midpoint(high);
            match self.tile(middle).0.cmp(&start) {
                std::cmp::Ordering::Equal => return middle,
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        self.insert_tile(level, low, start);
        low
    }
}
