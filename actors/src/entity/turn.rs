//! A turn: one row into the raw head of a page, and now and then the oldest of them into tiles. Looks up nothing.

use featuregrid_protocol::limits::RAW_ROWS_MAX;
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::time::Timestamp;

use super::gathered::RowTexts;
use super::page::{Memory, Page};
use super::raw::{self, Arrival, Order, RawRow, RawRows};
use crate::aggregate::Collection;
use crate::window::Bounds;

/// Rows a page holds before it tiles those that are due: a turn then usually only writes one row, and a page that saw
/// few events needs no tile at all.
const ROWS_HELD: usize = RAW_ROWS_MAX + 16;

/// A tile that rows are added to.
#[derive(Clone, Copy, Debug)]
struct Open {
    level: usize,
    index: usize,
}

impl<M: Memory> Page<'_, M> {
    /// Applies one row. `bounds` are those of T after the frame: what they tile now, the canonical page has tiled too.
    pub(crate) fn turn(&mut self, bounds: &Bounds, leaving: &mut Vec<u64>, arrival: Arrival<'_>) {
        let Arrival { partition, row, .. } = arrival;
        if !self.weigh(raw::magnitude(self.shape, row)) {
            self.reweigh();
        }
        self.note(partition.0, row.head.offset, row.head.ts);
        if self.raw_len() >= ROWS_HELD {
            self.graduate(bounds, leaving);
        }
        let shape = self.shape;
        let (words, index) = self.insert_raw(raw::order(partition, row));
        raw::write(shape, arrival, words);
        if shape.text_columns > 0 {
            self.memory.gathered_mut().insert_texts(index, raw::texts(shape, arrival));
        }
    }

    /// Makes room for a row where the total order wants it, which is usually last: words for the caller to write, and its
    /// index, before which its texts belong.
    #[inline]
    pub(super) fn insert_raw(&mut self, order: Order) -> (&mut [u64], usize) {
        let words = self.shape.row_words();
        self.reserve(words);
        let (shape, len, at) = (self.shape, self.raw_len(), self.raw_at());
        self.set_raw_len(len + 1);
        let all = self.memory.words_mut();
        let is_newer = |row: &&[u64]| RawRow::new(shape, row).order() > order && !plants::on(Plant::RawByArrival);
        let count = all[at..].chunks_exact(words).take_while(is_newer).count();
        let newer = count * words;
        all.copy_within(at..at + newer, at - words);
        (&mut all[at + newer - words..at + newer], len - count)
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
        let texts = if self.shape.text_columns > 0 { self.memory.gathered_mut().take_texts(leave) } else { Vec::new() };
        // The oldest stands last. Rows may only join levels that are themselves folded, unless it is level 0.
        let rows = RawRows::new(self.shape, leaving);
        let times = rows.iter().map(RawRow::ts);
        let (newest, oldest) = (times.clone().fold(self.newest_tiled(), Ord::max), times.clone().next_back());
        if oldest.is_some_and(|oldest| oldest < bounds.levels[0]) {
            self.fold_tiles(bounds);
        }
        self.set_newest_tiled(newest);
        self.tile_rows(bounds, rows, &texts);
        if self.level_len(0) > 0 && self.tile(self.level_start(0)).0 < bounds.overdue {
            self.fold_tiles(bounds);
        }
    }

    /// Adds rows to their tiles, all of one tile at once: those of the oldest first, which stands last.
    fn tile_rows(&mut self, bounds: &Bounds, rows: RawRows<'_>, texts: &[RowTexts]) {
        let (mut left, mut done) = (rows, 0);
        while let Some(oldest) = left.iter().next_back() {
            let (open, end) = self.tile_of(bounds, oldest.ts());
            // The oldest belongs there even where time ends before the tile does.
            let alike = 1 + left.iter().rev().skip(1).take_while(|row| row.ts() < end).count();
            let (newer, rows) = left.split_at(left.iter().len() - alike);
            self.add_to_tile(open, rows, texts.get(done..done + alike).unwrap_or_default());
            (left, done) = (newer, done + alike);
        }
    }

    /// The tile of the oldest rows, if what they are of is kept at all, and up to when rows belong there.
    fn tile_of(&mut self, bounds: &Bounds, oldest: Timestamp) -> (Option<Open>, Timestamp) {
        let Some((level, start)) = bounds.place(self.shape, oldest) else { return (None, bounds.prune()) };
        let end = start + self.shape.levels[level].hop;
        // A coarse tile ends early where a finer level begins.
        let end = level.checked_sub(1).map_or(end, |finer| end.min(bounds.levels[finer]));
        (Some(Open { level, index: self.find_or_insert(level, start) }), end)
    }

    /// Adds rows, with their texts in reverse, to a tile, and to lifetime if that is where they belong too.
    fn add_to_tile(&mut self, open: Option<Open>, rows: RawRows<'_>, texts: &[RowTexts]) {
        let (shape, form) = (self.shape, self.form());
        let with_texts =
            || rows.iter().rev().enumerate().map(|(at, row)| (row, texts.get(at).map_or(&[][..], |texts| texts)));
        let gather = |collections: &mut [Collection]| {
            with_texts().for_each(|(row, texts)| row.gather(shape, texts, collections));
        };
        let gathers = !shape.gathers.is_empty();
        if shape.lifetime && open.is_none_or(|open| open.level > 0) {
            rows.add_to(form, self.lifetime_mut());
            if gathers {
                self.memory.gathered_mut().add_to_lifetime(gather);
            }
        }
        let Some(Open { index, .. }) = open else { return };
        rows.add_to(form, self.tile_mut(index));
        if gathers {
            self.memory.gathered_mut().add_to_tile(index, gather);
        }
        if shape.exact {
            with_texts().for_each(|(row, texts)| self.memory.gathered_mut().add_row(index, shape, row, texts));
        }
    }

    /// Index of the tile of `level` that begins at `start`; rows leave in order, so it is usually the newest.
    fn find_or_insert(&mut self, level: usize, start: Timestamp) -> usize {
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
