//! A turn: one row into the raw head of a page, and now and then the oldest of them into tiles. Looks up nothing.

use featuregrid_protocol::limits::RAW_ROWS_MAX;
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::time::Timestamp;

use super::page::{Memory, Page};
use super::raw::{self, Arrival, Order, RawRow};
use crate::window::Bounds;

/// Rows a page holds before it tiles those that are due: a turn then usually only writes one row, and a page that saw
/// few events needs no tile at all.
const ROWS_HELD: usize = RAW_ROWS_MAX + 16;

/// The tile that rows are being added to.
#[derive(Clone, Copy, Debug)]
struct Open {
    level: usize,
    /// Rows before this belong to it.
    end: Timestamp,
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
        let oldest = RawRow::new(self.shape, &leaving[leaving.len() - words..]).ts();
        if oldest < bounds.levels[0] {
            self.fold_tiles(bounds);
        }
        let shape = self.shape;
        let mut newest = self.newest_tiled();
        let mut open = None;
        for (index, words) in leaving.rchunks_exact(words).enumerate() {
            let row = RawRow::new(shape, words);
            newest = newest.max(row.ts());
            self.tile_row(bounds, row, texts.get(index).map_or(&[], |texts| texts), &mut open);
        }
        self.set_newest_tiled(newest);
        if self.level_len(0) > 0 && self.tile(self.level_start(0)).0 < bounds.overdue {
            self.fold_tiles(bounds);
        }
    }

    /// Adds a row to its tile. Rows come in order of time, so the tile of the last one is usually theirs: `open`.
    fn tile_row(&mut self, bounds: &Bounds, row: RawRow<'_>, texts: &[Option<Box<str>>], open: &mut Option<Open>) {
        let (shape, form, ts) = (self.shape, self.form(), row.ts());
        if open.is_none_or(|open| ts >= open.end) {
            *open = bounds.place(shape, ts).map(|(level, start)| {
                let end = start + shape.levels[level].hop;
                // A coarse tile ends early where a finer level begins.
                let end = level.checked_sub(1).map_or(end, |finer| end.min(bounds.levels[finer]));
                Open { level, end, index: self.find_or_insert(level, start) }
            });
        }
        let gathers = !shape.gathers.is_empty();
        if shape.lifetime && open.is_none_or(|open| open.level > 0) {
            row.add_to(shape, form, self.lifetime_mut());
            if gathers {
                self.memory.gathered_mut().add_to_lifetime(|collections| row.gather(shape, texts, collections));
            }
        }
        if let Some(open) = open {
            row.add_to(shape, form, self.tile_mut(open.index));
            if gathers {
                let gathered = self.memory.gathered_mut();
                gathered.add_to_tile(open.index, |collections| row.gather(shape, texts, collections));
            }
            if shape.exact {
                self.memory.gathered_mut().add_row(open.index, shape, row, texts);
            }
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
