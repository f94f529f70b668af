//! The canonical bytes of a page: equal for equal (control index, v), whatever the route. Knows neither key nor T: the
//! page was folded to T(v), and stands beside its key.
//!
//! ```text
//! version          1
//! newest tiled     0, or 1 and the event time (signed)
//! positions        count, then partition, last offset, newest event time (signed)
//! reserved         0
//! lifetime         only if the ladder keeps it: cells
//! levels           coarsest first: count, then tiles: start / hop (signed; later ones as distance), cells, and rows where
//!                  windows are cut inside of tiles: as many as the tile has, none where they are more than are kept
//! raw rows         count, then rows
//! rows             ts (signed; later ones as distance), partition, offset, present, bad, numbers (signed), texts
//! cells            per column n; with a value also bad; then what the column keeps ([`super::cell`]); then what is collected
//! ```
//!
//! Integers are written by value ([`featuregrid_protocol::varint`]), so that narrow and wide pages are equal.

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::limits::{EXACT_ROWS_MAX, RAW_ROWS_MAX};
use featuregrid_protocol::row::{Position, text_word};
use featuregrid_protocol::time::Timestamp;

use super::cell;
use super::gathered::RowTexts;
use super::page::{LoosePage, Memory, POSITION_WORDS, Page, initial_words};
use super::raw::{Order, RawHead, RawRow};
use super::rows::TileRows;
use crate::aggregate::{Collection, Collections, Form, put_text, take_text};
use crate::window::{Gather, Input, Shape};
use featuregrid_protocol::varint::{Bytes, Damaged, put, put_signed};

const VERSION: u8 = 1;

/// Appends the canonical bytes of a folded page.
pub(crate) fn encode<M: Memory>(page: &Page<'_, M>, out: &mut Vec<u8>) {
    let shape = page.shape;
    out.push(VERSION);
    match page.newest_tiled() {
        Timestamp::MIN => out.push(0),
        newest => {
            out.push(1);
            put_signed(out, newest.0.into());
        }
    }
    let words = page.memory.words();
    put(out, page.positions_len() as u128);
    for entry in words[page.positions_at()..].chunks_exact(POSITION_WORDS).take(page.positions_len()) {
        put(out, entry[0].into());
        put(out, entry[1].into());
        put_signed(out, (entry[2] as i64).into());
    }
    put(out, 0);
    let gathered = page.memory.gathered();
    if shape.lifetime {
        put_cells(shape, page.form(), page.lifetime(), gathered.lifetime(), out);
    }
    let mut index = 0;
    for level in (0..shape.levels.len()).rev() {
        let (hop, mut last) = (shape.levels[level].hop.0, None);
        put(out, page.level_len(level) as u128);
        for _ in 0..page.level_len(level) {
            let (start, cells) = page.tile(index);
            let start = start.0.div_euclid(hop);
            match last {
                None => put_signed(out, start.into()),
                Some(last) => put(out, start.wrapping_sub(last) as u128),
            }
            let collections = if shape.gathers.is_empty() { &[] } else { gathered.tile(index) };
            put_cells(shape, page.form(), cells, collections, out);
            if let Some(rows) = shape.exact.then(|| gathered.rows(index).kept(shape)).flatten() {
                put_rows(shape, rows, out);
            }
            last = Some(start);
            index += 1;
        }
    }
    put(out, page.raw_len() as u128);
    put_rows(shape, (0..page.raw_len()).map(|index| (page.raw(index), gathered.texts(index))), out);
}

/// Appends rows in the total order, each with its texts.
fn put_rows<'a>(shape: &Shape, rows: impl Iterator<Item = (RawRow<'a>, &'a [Option<Box<str>>])>, out: &mut Vec<u8>) {
    let mut last = None;
    for (row, texts) in rows {
        let (ts, position) = row.order();
        match last {
            None => put_signed(out, ts.0.into()),
            Some(last) => put(out, ts.0.wrapping_sub(last) as u64 as u128),
        }
        last = Some(ts.0);
        put(out, position.partition.0.into());
        put(out, position.offset.into());
        put(out, row.present().into());
        put(out, row.bad().into());
        for (value, bit) in values(shape) {
            if row.present() & !row.bad() & bit != 0 {
                put_signed(out, row.number(value).into());
            }
        }
        texts.iter().flatten().for_each(|text| put_text(text, out));
    }
}

/// Columns whose numbers follow from nothing else, as that of a text does: which number of a raw row, which bit.
fn values(shape: &Shape) -> impl Iterator<Item = (usize, u64)> + '_ {
    let told = shape.inputs.iter().enumerate().filter(|(_, input)| input.text.is_none() || input.is_ranked);
    told.filter_map(|(column, input)| Some((input.value?, 1 << column)))
}

fn put_cells(shape: &Shape, form: Form, cells: &[u64], collections: &[Collection], out: &mut Vec<u8>) {
    for column in 0..shape.cells.columns() {
        cell::put_cell(shape.cells.kept(column), &shape.cells.load(cells, form, column), out);
    }
    collections.iter().for_each(|collection| collection.put(out));
}

/// Builds the page of canonical bytes, in memory of its own.
///
/// # Errors
/// [`Damaged`] where the bytes are not what [`encode`] writes.
pub(crate) fn decode(shape: &Shape, key: &[u8], bytes: &[u8]) -> Result<LoosePage, Damaged> {
    let mut input = Bytes(bytes);
    if input.take(1)? != [VERSION] {
        return Err(Damaged("a page has an unknown version"));
    }
    let mut memory = LoosePage { words: vec![0; initial_words(shape, key)], ..LoosePage::default() };
    let mut page = Page::create(shape, &mut memory, key);
    let newest = match input.take(1)? {
        [0] => Timestamp::MIN,
        [1] => Timestamp(input.word()?),
        _ => return Err(Damaged("a flag is neither 0 nor 1")),
    };
    page.set_newest_tiled(newest);
    let mut before = None;
    for _ in 0..input.count()? {
        let partition: u32 = input.small()?;
        if before.is_some_and(|before| before >= partition) {
            return Err(Damaged("positions are out of order"));
        }
        before = Some(partition);
        page.note(partition, input.small()?, Timestamp(input.word()?));
    }
    if input.unsigned()? != 0 {
        return Err(Damaged("a page holds what only a newer release knows"));
    }
    let mut total = Total::default();
    if shape.lifetime {
        take_cells(&mut input, &mut page, &mut total, None)?;
    }
    take_levels(&mut input, &mut page, &mut total)?;
    take_raw(&mut input, &mut page, &mut total)?;
    if !input.0.is_empty() {
        return Err(Damaged("a page is followed by something else"));
    }
    if page.is_empty() {
        return Err(Damaged("a page is empty"));
    }
    total.settle(&mut page);
    Ok(memory)
}

/// What decides whether narrow cells are wide enough.
#[derive(Debug, Default)]
struct Total {
    weight: u64,
    magnitude: u64,
}

impl Total {
    fn settle<M: Memory>(&self, page: &mut Page<'_, M>) {
        page.set_weight(self.weight, self.magnitude);
        if page.form() == Form::Narrow && !page.is_ample() {
            page.widen();
        }
    }
}

fn take_levels(input: &mut Bytes<'_>, page: &mut Page<'_, LoosePage>, total: &mut Total) -> Result<(), Damaged> {
    let shape = page.shape;
    let mut newest: Option<i64> = None;
    for level in (0..shape.levels.len()).rev() {
        let hop = shape.levels[level].hop.0;
        let mut last: Option<i64> = None;
        let count = input.count()?;
        if count > usize::from(u16::MAX) {
            return Err(Damaged("a level has too many tiles"));
        }
        for _ in 0..count {
            let start = match last {
                None => Some(input.word()?),
                Some(last) => last.checked_add_unsigned(input.small()?),
            };
            last = start;
            let start = start.and_then(|start| start.checked_mul(hop));
            let start = start.ok_or(Damaged("a tile lies outside time"))?;
            if newest.is_some_and(|newest| newest >= start) {
                return Err(Damaged("tiles are out of order"));
            }
            newest = Some(start);
            let index = page.tiles_len();
            page.insert_tile(level, index, Timestamp(start));
            let count = take_cells(input, page, total, Some(index))?;
            if shape.exact {
                let rows = take_tile_rows(shape, input, (Timestamp(start), count), total)?;
                page.memory.gathered_mut().set_rows(index, rows);
            }
        }
    }
    Ok(())
}

/// Reads the cells of a tile, or of lifetime; how many rows it has.
fn take_cells(
    input: &mut Bytes<'_>,
    page: &mut Page<'_, LoosePage>,
    total: &mut Total,
    tile: Option<usize>,
) -> Result<u64, Damaged> {
    let shape = page.shape;
    let mut rows = 0;
    let mut counts = Vec::with_capacity(shape.cells.columns());
    for column in 0..shape.cells.columns() {
        let kept = shape.cells.kept(column);
        let cell = cell::take_cell(kept, input)?;
        counts.push(cell.n);
        if column == 0 {
            rows = cell.n;
        }
        if cell.n.checked_add(cell.bad).is_none_or(|n| n > rows) || (tile.is_some() && rows == 0) {
            return Err(Damaged("a cell counts more rows than there are"));
        }
        total.magnitude |= cell::magnitude(kept.keeps, &cell);
        total.weight = total.weight.saturating_add(if column == 0 { rows } else { 0 });
        let counts_fit = u32::try_from(cell.n.max(cell.bad)).is_ok();
        let fits = counts_fit && i64::try_from(cell.sum).is_ok() && cell.squares.high == 0;
        if !fits && page.form() == Form::Narrow {
            page.widen();
        }
        let form = page.form();
        let cells = match tile {
            Some(tile) => page.tile_mut(tile),
            None => page.lifetime_mut(),
        };
        shape.cells.store(cells, form, column, &cell);
    }
    if !shape.gathers.is_empty() {
        let collections = take_collections(shape, input, &counts)?;
        let gathered = page.memory.gathered_mut();
        match tile {
            Some(tile) => gathered.set_tile(tile, collections),
            None => gathered.set_lifetime(collections),
        }
    }
    Ok(rows)
}

/// Reads what was collected of columns that count so many rows.
fn take_collections(shape: &Shape, input: &mut Bytes<'_>, counts: &[u64]) -> Result<Collections, Damaged> {
    let take = |Gather { column, collects }: &Gather| {
        let collection = Collection::take(*collects, input)?;
        if collection.is_of(counts[*column]) { Ok(collection) } else { Err(Damaged("a collection is of other rows")) }
    };
    shape.gathers.iter().map(take).collect::<Result<_, _>>().map(Collections::of)
}

/// Reads the rows of a tile that begins at `start` and has `count` of them, as far as they are kept.
fn take_tile_rows(
    shape: &Shape,
    input: &mut Bytes<'_>,
    (start, count): (Timestamp, u64),
    total: &mut Total,
) -> Result<TileRows, Damaged> {
    if count > EXACT_ROWS_MAX as u64 {
        return Ok(TileRows::Many);
    }
    let (mut rows, mut last, mut words) = (TileRows::default(), None, vec![0; shape.row_words()]);
    for _ in 0..count {
        let texts = take_row(shape, input, &mut last, &mut words, total)?;
        let row = RawRow::new(shape, &words);
        if row.ts() < start {
            return Err(Damaged("a row lies before its tile"));
        }
        rows.add(shape, row, &texts);
    }
    Ok(rows)
}

fn take_raw(input: &mut Bytes<'_>, page: &mut Page<'_, LoosePage>, total: &mut Total) -> Result<(), Damaged> {
    let shape = page.shape;
    let count = input.count()?;
    if count > RAW_ROWS_MAX {
        return Err(Damaged("a page has too many raw rows"));
    }
    let (mut last, mut words) = (None, vec![0; shape.row_words()]);
    for _ in 0..count {
        let texts = take_row(shape, input, &mut last, &mut words, total)?;
        let (place, index) = page.insert_raw(RawRow::new(shape, &words).order());
        place.copy_from_slice(&words);
        if shape.text_columns > 0 {
            page.memory.gathered_mut().insert_texts(index, texts);
        }
        total.weight = total.weight.saturating_add(1);
    }
    Ok(())
}

/// Reads the row behind `last` into `words`, and its texts.
fn take_row(
    shape: &Shape,
    input: &mut Bytes<'_>,
    last: &mut Option<Order>,
    words: &mut [u64],
    total: &mut Total,
) -> Result<RowTexts, Damaged> {
    let ts = match *last {
        None => input.word()?,
        Some((Timestamp(last), _)) => {
            i64::checked_add_unsigned(last, input.small()?).ok_or(Damaged("a row lies outside time"))?
        }
    };
    let position = Position { partition: PartitionId(input.small()?), offset: input.small()? };
    let head = RawHead { order: (Timestamp(ts), position), present: input.small()?, bad: input.small()? };
    let columns = u64::MAX >> (64 - shape.inputs.len());
    let has_value = |(column, input): (usize, &Input)| u64::from(input.value.is_some()) << column;
    let with_value = shape.inputs.iter().enumerate().map(has_value).fold(0, |bits, bit| bits | bit);
    if last.is_some_and(|last| last >= head.order) {
        return Err(Damaged("rows are out of order"));
    }
    if head.present & !columns != 0 || head.bad & !(head.present & with_value) != 0 || head.present & 1 == 0 {
        return Err(Damaged("a row is in a column that does not take it"));
    }
    *last = Some(head.order);
    head.write(shape, words);
    for (value, bit) in values(shape) {
        let number = if head.present & !head.bad & bit == 0 { 0 } else { input.word()? };
        // Those of a tile are added up one by one where it is cut.
        total.magnitude |= number.unsigned_abs();
        words[shape.row_head_words() + value] = number as u64;
    }
    take_row_texts(shape, input, head.present & !head.bad, words)
}

/// Reads the texts of a raw row, and writes those words that follow from them.
fn take_row_texts(shape: &Shape, input: &mut Bytes<'_>, taken: u64, words: &mut [u64]) -> Result<RowTexts, Damaged> {
    let mut texts = Vec::with_capacity(shape.text_columns);
    for (column, of) in shape.inputs.iter().enumerate() {
        let (Some(_), Some(value)) = (of.text, of.value) else { continue };
        let text = if taken >> column & 1 == 1 { Some(take_text(input)?) } else { None };
        if !of.is_ranked {
            words[shape.row_head_words() + value] = text.map_or(0, text_word) as u64;
        }
        texts.push(text.map(Into::into));
    }
    Ok(texts.into())
}
