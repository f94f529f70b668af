//! Folding a page to T: tiles that have left their level move to the next, the last level prunes. Never changes a
//! value that an answerable read can see.

use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::time::{Span, Timestamp};

use super::gathered::Fold;
use super::page::{Memory, Page};
use crate::aggregate::{Collection, merge};
use crate::window::{Bounds, Shape};

impl<M: Memory> Page<'_, M> {
    /// Brings the page to its canonical form at T.
    pub(crate) fn fold(&mut self, bounds: &Bounds, leaving: &mut Vec<u64>) {
        self.graduate(bounds, leaving);
        self.fold_tiles(bounds);
        if !self.shape.lifetime {
            // Without lifetime a page that lost everything is forgotten; one that was not yet must look the same.
            if self.newest_tiled() < bounds.prune() {
                self.set_newest_tiled(Timestamp::MIN);
            }
            self.forget_before(bounds.prune());
        }
        self.shrink();
    }

    /// Whether the oldest tile of some level has left it.
    fn is_due(&self, bounds: &Bounds) -> bool {
        let mut first = 0;
        (0..self.shape.levels.len()).rev().any(|level| {
            let at = first;
            first += self.level_len(level);
            first > at && self.tile(at).0 < bounds.levels[level]
        })
    }

    /// Moves every tile to the level it belongs to, in one pass from the oldest. Starts stay ascending: all starts of a
    /// coarser level lie before its finer neighbour's boundary, and rounding down keeps the order.
    pub(super) fn fold_tiles(&mut self, bounds: &Bounds) {
        if !self.is_due(bounds) {
            return;
        }
        let shape: &Shape = self.shape;
        let (form, words, at) = (self.form(), self.tile_words(), self.tiles_at());
        let total = self.tiles_len();
        let levels = shape.levels.len();
        // (level, start) of the tile written last, and how many were written.
        let mut last: Option<(usize, Timestamp)> = None;
        let mut written = 0;
        let mut read = 0;
        let mut lens = [0usize; featuregrid_protocol::limits::LEVELS_MAX];
        let is_gathered = !shape.gathers.is_empty() || shape.exact;
        let mut gathered = is_gathered.then(|| self.memory.gathered_mut().start_fold());
        for from in (0..levels).rev() {
            for _ in 0..self.level_len(from) {
                let source = at + read * words;
                read += 1;
                let start = Timestamp(self.word(source) as i64);
                let place = leave(shape, bounds, from, start);
                let tile = gathered.as_mut().map(Fold::take).unwrap_or_default();
                if shape.lifetime && from == 0 && place.is_none_or(|(level, _)| level > 0) {
                    self.keep(source + 1, tile.collections());
                }
                let Some(place) = place else { continue };
                match &mut gathered {
                    Some(gathered) if last == Some(place) => gathered.join(shape, tile),
                    Some(gathered) => gathered.keep(tile),
                    None => {}
                }
                if last == Some(place) {
                    let target = at + (written - 1) * words;
                    let (before, after) = self.memory.words_mut().split_at_mut(source);
                    shape.cells.merge(&mut before[target + 1..target + words], form, &after[1..words]);
                    continue;
                }
                let target = at + written * words;
                let all = self.memory.words_mut();
                if target != source {
                    all.copy_within(source..source + words, target);
                }
                all[target] = place.1.0 as u64;
                last = Some(place);
                lens[place.0] += 1;
                written += 1;
            }
        }
        debug_assert_eq!(read, total, "every tile belongs to a level");
        if let Some(gathered) = gathered {
            self.memory.gathered_mut().finish_fold(gathered);
        }
        self.set_tiles_end(at + written * words);
        for (level, len) in lens.iter().enumerate().take(levels) {
            self.set_level_len(level, *len);
        }
    }

    /// Adds the cells that stand at `cells_at`, and their collections, to lifetime: they leave level 0, once.
    fn keep(&mut self, cells_at: usize, collections: &[Collection]) {
        let (shape, form, words) = (self.shape, self.form(), self.tile_words() - 1);
        let lifetime = self.tiles_at() - words;
        let (before, after) = self.memory.words_mut().split_at_mut(cells_at);
        shape.cells.merge(&mut before[lifetime..lifetime + words], form, &after[..words]);
        if !collections.is_empty() {
            self.memory.gathered_mut().add_to_lifetime(|lifetime| merge(lifetime, collections));
        }
    }
}

/// The level and start a tile of level `from` has at these bounds; `None` where it is pruned.
fn leave(shape: &Shape, bounds: &Bounds, from: usize, start: Timestamp) -> Option<(usize, Timestamp)> {
    let (mut level, mut start) = (from, start);
    while start < bounds.levels[level] {
        level += 1;
        let hop = shape.levels.get(level)?.hop;
        let hop = if plants::on(Plant::FoldWrongHop) { Span(hop.0.saturating_mul(2)) } else { hop };
        start = start.floor(hop);
    }
    Some((level, start))
}
