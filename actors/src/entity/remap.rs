//! A page under a new plan: kept columns move to their new places with what they collect, and so do rows; dropped ones
//! vanish, new ones begin empty.

use super::gathered::RowTexts;
use super::page::{LoosePage, Memory, POSITION_WORDS, Page, initial_words};
use super::raw::{RawHead, RawRow};
use super::rows::TileRows;
use crate::aggregate::Collection;
use crate::window::{Gather, Input, Shape};

/// How the columns of one ladder come about: the old column of each new one, `None` where it begins now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remap(pub(crate) Vec<Option<usize>>);

impl Remap {
    /// Whether no page needs to change.
    pub(crate) fn is_identity(&self, old: &Shape, new: &Shape) -> bool {
        old.inputs.len() == new.inputs.len()
            && self.0.iter().enumerate().all(|(column, from)| *from == Some(column))
            && old.cells == new.cells
            && old.gathers == new.gathers
    }
}

/// The page of `old` as `new` lays it out, in memory of its own. Both ladders have the same levels.
pub(crate) fn remap<M: Memory>(old: &Page<'_, M>, new: &Shape, map: &Remap) -> LoosePage {
    let key = old.key();
    let mut memory = LoosePage { words: vec![0; initial_words(new, &key)], ..LoosePage::default() };
    let mut page = Page::create(new, &mut memory, &key);
    page.set_newest_tiled(old.newest_tiled());
    for entry in old.memory.words()[old.positions_at()..].chunks_exact(POSITION_WORDS).take(old.positions_len()) {
        page.note(entry[0] as u32, entry[1], featuregrid_protocol::time::Timestamp(entry[2] as i64));
    }
    page.copy_weight(old);
    let form = old.form();
    if form != page.form() {
        page.widen();
    }
    let columns = |cells: &[u64], out: &mut [u64]| {
        for (column, from) in map.0.iter().enumerate() {
            if let Some(from) = from {
                new.cells.store(out, form, column, &old.shape.cells.load(cells, form, *from));
            }
        }
    };
    let gathered = old.memory.gathered();
    let collections = |old_collections: &[Collection]| {
        let mut collections = new.nothing();
        for (Gather { column, collects }, collection) in new.gathers.iter().zip(&mut *collections) {
            let from = map.0[*column].and_then(|from| old.shape.gather(from, *collects));
            if let Some(from) = from {
                collection.clone_from(&old_collections[from]);
                collection.keep(*collects);
            }
        }
        collections
    };
    let gathers = !new.gathers.is_empty();
    if new.lifetime {
        columns(old.lifetime(), page.lifetime_mut());
        if gathers {
            page.memory.gathered_mut().set_lifetime(collections(gathered.lifetime()));
        }
    }
    let mut index = 0;
    for level in (0..new.levels.len()).rev() {
        for _ in 0..old.level_len(level) {
            let (start, cells) = old.tile(index);
            page.insert_tile(level, index, start);
            columns(cells, page.tile_mut(index));
            if gathers {
                let before = if old.shape.gathers.is_empty() { &[] } else { gathered.tile(index) };
                page.memory.gathered_mut().set_tile(index, collections(before));
            }
            if new.exact {
                page.memory.gathered_mut().set_rows(index, move_rows((old.shape, new), map, gathered.rows(index)));
            }
            index += 1;
        }
    }
    let mut words = vec![0; new.row_words()];
    for index in 0..old.raw_len() {
        let row = old.raw(index);
        let texts = move_row((old.shape, new), map, (row, gathered.texts(index)), &mut words);
        let (place, at) = page.insert_raw(row.order());
        place.copy_from_slice(&words);
        if new.text_columns > 0 {
            page.memory.gathered_mut().insert_texts(at, texts);
        }
    }
    memory
}

/// The rows of a tile, each as `new` lays it out; what were too many stay too many.
fn move_rows((old, new): (&Shape, &Shape), map: &Remap, rows: &TileRows) -> TileRows {
    let Some(kept) = rows.kept(old) else { return TileRows::Many };
    let (mut moved, mut words) = (TileRows::default(), vec![0; new.row_words()]);
    for row in kept {
        let texts = move_row((old, new), map, row, &mut words);
        moved.add(new, RawRow::new(new, &words), &texts);
    }
    moved
}

/// Writes a row of `old` as `new` lays it out; its texts.
fn move_row(
    (old, new): (&Shape, &Shape),
    map: &Remap,
    (row, texts): (RawRow<'_>, &[Option<Box<str>>]),
    words: &mut [u64],
) -> RowTexts {
    let bits = |bits: u64| {
        map.0.iter().enumerate().fold(0, |out, (column, from)| out | from.map_or(0, |from| bits >> from & 1) << column)
    };
    RawHead { order: row.order(), present: bits(row.present()), bad: bits(row.bad()) }.write(new, words);
    for (column, input) in new.inputs.iter().enumerate() {
        let Some(value) = input.value else { continue };
        let number = map.0[column].and_then(|from| old.inputs[from].value).map_or(0, |from| row.number(from));
        words[new.row_head_words() + value] = number as u64;
    }
    let with_texts = new.inputs.iter().enumerate().filter(|(_, input)| input.text.is_some());
    let before = |(column, _): (usize, &Input)| {
        let from = map.0[column].and_then(|from| old.inputs[from].text)?;
        texts.get(from).cloned().flatten()
    };
    with_texts.map(before).collect()
}
