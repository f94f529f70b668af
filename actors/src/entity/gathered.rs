//! What a page holds beside its words: the collections of its tiles and of lifetime, the rows of its tiles, the texts of
//! its raw rows. Knows their order in the page, and no slab.

use super::raw::RawRow;
use super::rows::TileRows;
use crate::aggregate::{Collection, Collections, merge};
use crate::window::Shape;

/// The texts of one raw row, by column that has some.
pub(crate) type RowTexts = Box<[Option<Box<str>>]>;

/// Beside the words of one page; empty where its ladder collects nothing.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// As in the header; only if the ladder keeps lifetime.
    lifetime: Collections,
    /// As the tiles of the page, oldest first.
    tiles: Vec<Collections>,
    /// As the tiles of the page, too; empty where the ladder keeps no rows.
    rows: Vec<TileRows>,
    /// As the raw rows of the page, oldest first; empty where no column has texts.
    texts: Vec<RowTexts>,
    bytes: usize,
}

/// Adds to collections and keeps count of their bytes.
fn change(collections: &mut Collections, bytes: &mut usize, add: impl FnOnce(&mut [Collection])) {
    *bytes -= collections.bytes();
    add(collections);
    *bytes += collections.bytes();
}

impl Gathered {
    /// Nothing, where there is nothing to gather.
    pub(crate) const NOTHING: &Self =
        &Self { lifetime: Collections::NONE, tiles: Vec::new(), rows: Vec::new(), texts: Vec::new(), bytes: 0 };

    /// Heap bytes in use.
    pub(crate) fn bytes(&self) -> usize {
        let lists = (self.tiles.capacity() + self.texts.capacity()) * size_of::<Collections>();
        self.bytes + lists + self.rows.capacity() * size_of::<TileRows>()
    }

    /// Collections of lifetime.
    pub(super) fn lifetime(&self) -> &[Collection] {
        &self.lifetime
    }

    /// Adds to lifetime.
    pub(super) fn add_to_lifetime(&mut self, add: impl FnOnce(&mut [Collection])) {
        change(&mut self.lifetime, &mut self.bytes, add);
    }

    /// Collections of lifetime that were built elsewhere, or are still empty.
    pub(super) fn set_lifetime(&mut self, collections: Collections) {
        self.bytes = self.bytes + collections.bytes() - self.lifetime.bytes();
        self.lifetime = collections;
    }

    /// Collections of tile `index`.
    pub(super) fn tile(&self, index: usize) -> &[Collection] {
        &self.tiles[index]
    }

    /// Collections of tile `index` that were built elsewhere.
    pub(super) fn set_tile(&mut self, index: usize, collections: Collections) {
        self.bytes = self.bytes + collections.bytes() - self.tiles[index].bytes();
        self.tiles[index] = collections;
    }

    /// Adds to tile `index`.
    pub(super) fn add_to_tile(&mut self, index: usize, add: impl FnOnce(&mut [Collection])) {
        change(&mut self.tiles[index], &mut self.bytes, add);
    }

    /// A tile has come before tile `index`.
    pub(super) fn insert_tile(&mut self, index: usize, collections: Collections) {
        self.bytes += collections.bytes();
        self.tiles.insert(index, collections);
    }

    /// Rows of tile `index`.
    pub(super) fn rows(&self, index: usize) -> &TileRows {
        &self.rows[index]
    }

    /// Rows of tile `index` that were gathered elsewhere.
    pub(super) fn set_rows(&mut self, index: usize, rows: TileRows) {
        self.bytes = self.bytes + rows.bytes() - self.rows[index].bytes();
        self.rows[index] = rows;
    }

    /// Adds a row to those of tile `index`.
    pub(super) fn add_row(&mut self, index: usize, shape: &Shape, row: RawRow<'_>, texts: &[Option<Box<str>>]) {
        let rows = &mut self.rows[index];
        let before = rows.bytes();
        rows.add(shape, row, texts);
        self.bytes = self.bytes + rows.bytes() - before;
    }

    /// A tile whose rows are kept has come before tile `index`.
    pub(super) fn insert_rows(&mut self, index: usize) {
        self.rows.insert(index, TileRows::default());
    }

    /// Texts of raw row `index`; none where no column has texts.
    pub(super) fn texts(&self, index: usize) -> &[Option<Box<str>>] {
        self.texts.get(index).map_or(&[], |texts| texts)
    }

    /// A raw row has come before raw row `index`.
    pub(super) fn insert_texts(&mut self, index: usize, texts: RowTexts) {
        self.bytes += bytes_of(&texts);
        self.texts.insert(index, texts);
    }

    /// The texts of the `count` oldest raw rows, which are raw no more.
    pub(super) fn take_texts(&mut self, count: usize) -> Vec<RowTexts> {
        let leaving: Vec<RowTexts> = self.texts.drain(..count.min(self.texts.len())).collect();
        self.bytes -= leaving.iter().map(bytes_of).sum::<usize>();
        leaving
    }

    /// The tiles are about to be folded: they are taken one after the other, the oldest first.
    pub(super) fn start_fold(&mut self) -> Fold {
        let collections = std::mem::take(&mut self.tiles).into_iter();
        let rows = std::mem::take(&mut self.rows).into_iter();
        Fold { left: (collections, rows), collections: Vec::new(), rows: Vec::new() }
    }

    /// The tiles that were left by a fold.
    pub(super) fn finish_fold(&mut self, fold: Fold) {
        (self.tiles, self.rows) = (fold.collections, fold.rows);
        let texts: usize = self.texts.iter().map(bytes_of).sum();
        let tiles: usize = self.tiles.iter().map(Collections::bytes).sum();
        let rows: usize = self.rows.iter().map(TileRows::bytes).sum();
        self.bytes = self.lifetime.bytes() + tiles + rows + texts;
    }
}

/// Heap bytes of the texts of a row.
pub(super) fn bytes_of(texts: &RowTexts) -> usize {
    size_of_val(&**texts) + texts.iter().flatten().map(|text| text.len()).sum::<usize>()
}

/// Tiles being folded, beside the words of theirs.
#[derive(Debug)]
pub(super) struct Fold {
    left: (std::vec::IntoIter<Collections>, std::vec::IntoIter<TileRows>),
    collections: Vec<Collections>,
    rows: Vec<TileRows>,
}

/// What one tile has gathered, as far as its ladder gathers it.
#[derive(Debug, Default)]
pub(super) struct Tile {
    collections: Option<Collections>,
    rows: Option<TileRows>,
}

impl Tile {
    /// Its collections.
    pub(super) fn collections(&self) -> &[Collection] {
        self.collections.as_deref().unwrap_or_default()
    }
}

impl Fold {
    /// The next tile.
    pub(super) fn take(&mut self) -> Tile {
        Tile { collections: self.left.0.next(), rows: self.left.1.next() }
    }

    /// The tile taken last has a place of its own.
    pub(super) fn keep(&mut self, tile: Tile) {
        self.collections.extend(tile.collections);
        self.rows.extend(tile.rows);
    }

    /// The tile taken last joins the one that was kept last.
    pub(super) fn join(&mut self, shape: &Shape, tile: Tile) {
        if let (Some(last), Some(later)) = (self.collections.last_mut(), tile.collections) {
            merge(last, &later);
        }
        if let (Some(last), Some(later)) = (self.rows.last_mut(), tile.rows) {
            last.join(shape, later);
        }
    }
}
