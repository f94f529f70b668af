//! A read of one page: feeds a pass from the newest row to the oldest tile. The page is folded before.

use std::ops::Range;

use featuregrid_protocol::limits::EXACT_ROWS_MAX;
use featuregrid_protocol::time::Timestamp;

use super::page::{Memory, Page};
use super::raw::{RawRow, RawRows};
use crate::aggregate::{Form, merge};
use crate::window::{Extent, Group, Pass, Piece, Reach, Shape, Snapshots, Tail};

impl<M: Memory> Page<'_, M> {
    /// Evaluates every window of a group of the ladder's at `at` into `out`.
    pub(crate) fn read(&self, group: &Group, at: Timestamp, out: &mut Snapshots) {
        let shape: &Shape = self.shape;
        let form = self.form();
        let (gathers, gathered) = (!shape.gathers.is_empty(), self.memory.gathered());
        let mut pass = match self.session(group, at) {
            Some(session) => Pass::over(out, shape, group, form, session),
            None => Pass::start(out, shape, group, form, at, |piece| self.is_crowded(piece)),
        };
        self.read_rows(&mut pass);
        let tiles = self.tiles();
        let mut end = self.tiles_len();
        for level in 0..shape.levels.len() {
            let first = end - self.level_len(level);
            // Lifetime takes all of level 0.
            let is_whole = level == 0 && shape.lifetime;
            while first < end {
                // Where the rows of a tile are not kept no edge lies inside of it: its piece of time is crowded.
                let cut = (shape.exact && pass.cuts(tiles.start(end - 1))).then(|| gathered.rows(end - 1).kept(shape));
                if let Some(rows) = cut.flatten() {
                    rows.rev().for_each(|row| feed(shape, form, row, &mut pass));
                    end -= 1;
                    continue;
                }
                let Reach { is_within, down_to } = pass.reach(tiles.start(end - 1));
                if pass.is_past_all() && !is_whole {
                    return pass.finish();
                }
                let from = tiles.first_from(down_to, first..end);
                if is_within {
                    shape.cells.merge_tiles(pass.running(), form, tiles.words(from..end));
                    if gathers {
                        (from..end).rev().for_each(|index| merge(pass.collected(), gathered.tile(index)));
                    }
                }
                end = from;
            }
            if is_whole {
                // What has left level 0 stands in the header, all of it before any answerable instant.
                pass.close_lifetime(shape, self.lifetime(), gathered.lifetime());
            }
        }
        pass.finish();
    }

    /// Feeds the raw rows: all that lie between two edges at once.
    fn read_rows(&self, pass: &mut Pass<'_>) {
        let (gathers, gathered) = (!self.shape.gathers.is_empty(), self.memory.gathered());
        let mut left = self.raw_rows();
        while let Some(newest) = left.iter().next() {
            let Reach { is_within, down_to } = pass.reach(newest.ts());
            let alike = left.iter().take_while(|row| row.ts() >= down_to).count();
            let (rows, others) = left.split_at(alike);
            if is_within {
                rows.add_to(self.form(), pass.running());
                if gathers {
                    let older = others.iter().len();
                    for (row, index) in rows.iter().zip((older..older + alike).rev()) {
                        row.gather(self.shape, gathered.texts(index), pass.collected());
                    }
                }
            }
            left = others;
        }
    }

    /// Whether an event before an instant lies in the longest window there.
    pub(crate) fn finds(&self, ts: Timestamp, instant: Timestamp) -> bool {
        let begins = |tail: &Tail| {
            let crowded = tail.piece(instant).filter(|piece| self.is_crowded(piece));
            crowded.map_or_else(|| tail.edge(instant), |piece| piece.start)
        };
        self.shape.lifetime || self.shape.longest().is_some_and(|tail| begins(tail) <= ts)
    }

    /// Whether a piece of time that is made of whole tiles has more rows than are kept one by one.
    fn is_crowded(&self, piece: &Range<Timestamp>) -> bool {
        let raw = (0..self.raw_len()).filter(|index| piece.contains(&self.raw(*index).ts())).count();
        let tiles = self.tiles_before(piece.start)..self.tiles_before(piece.end);
        let tiled: u64 = tiles.map(|index| self.shape.cells.n(self.tile(index).1, self.form(), 0)).sum();
        raw as u64 + tiled > EXACT_ROWS_MAX as u64
    }

    /// Where the session is that a group is of, if it is of one: its rows say when they were, and so do its tiles.
    fn session(&self, group: &Group, at: Timestamp) -> Option<Extent> {
        let (session, is_last) = group.sight.session()?;
        let rows = (0..self.raw_len()).rev().map(|index| {
            let ts = self.raw(index).ts();
            Piece { place: ts, first: ts, last: ts }
        });
        let tiles = (0..self.tiles_len()).rev().map(|index| {
            let (place, cells) = self.tile(index);
            let rows = self.shape.cells.load(cells, self.form(), 0);
            Piece { place, first: rows.first, last: rows.last }
        });
        Some(Extent::find(session, is_last, at, rows.chain(tiles)))
    }
}

/// Feeds one row, unless it lies in no window that is left.
fn feed(shape: &Shape, form: Form, (row, texts): (RawRow<'_>, &[Option<Box<str>>]), pass: &mut Pass<'_>) {
    if pass.reach(row.ts()).is_within {
        RawRows::new(shape, row.words()).add_to(form, pass.running());
        if !shape.gathers.is_empty() {
            row.gather(shape, texts, pass.collected());
        }
    }
}
