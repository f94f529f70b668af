//! How much memory one entity of a view can take: what its plan bounds before any event is there. Knows no event.
//!
//! Every tile of every level is there, every cell is as wide as it gets, and as many raw rows as are kept. What a page
//! is made of is decided where pages are; a test there holds this to it.

use super::{Keeps, LadderPlan, Level, Measure};
use crate::limits::{EXACT_ROWS_MAX, RAW_ROWS_MAX, TEXT_BYTES_MAX};
use crate::time::Span;

/// Bytes of a key that is assumed where none is known: a short text or a number.
const KEY_BYTES: u64 = 16;
const WORD_BYTES: u64 = 8;
/// Words that a page begins with.
const HEAD_WORDS: usize = 4;
/// Levels whose numbers of tiles share a word.
const LEVELS_PER_WORD: usize = 4;
/// Words of what is known of a partition: which it is, the last offset, the newest event time.
const POSITION_WORDS: u64 = 3;
/// Words of a raw row before its numbers, and those with more columns than share a word.
const ROW_WORDS: (usize, usize) = (3, 5);
const PACKED_COLUMNS_MAX: usize = 16;

/// A place for something of its own size, and for a list of them.
const BOX_BYTES: u64 = 16;
const LIST_BYTES: u64 = 24;
/// Of the rows of a tile, beside themselves.
const TILE_ROWS_BYTES: u64 = 56;

/// Words of what a column keeps beside its counts, at the widest.
const WORDS: [(Keeps, usize); 11] = [
    (Keeps::SUM, 2),
    (Keeps::SQUARES, 3),
    (Keeps::MIN, 1),
    (Keeps::MAX, 1),
    (Keeps::FIRST, 1),
    (Keeps::LAST, 1),
    (Keeps::FIRST_ROW, 4),
    (Keeps::LAST_ROW, 4),
    (Keeps::WEIGHTS, 4),
    (Keeps::WEIGHTED, 4),
    (Keeps::WEIGHTED_SQUARES, 4),
];

/// The largest entity of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargestEntity {
    /// One page of each ladder.
    pub pages: Vec<LargestPage>,
}

/// The largest page of a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargestPage {
    /// Its levels, each with the most tiles it can have.
    pub levels: Vec<(Level, u64)>,
    /// Of one tile, what is collected beside its cells and the rows that it keeps included.
    pub tile_bytes: u64,
    /// The most rows that a tile keeps; 0 where no window is cut inside of it.
    pub tile_rows: u64,
    /// What lifetime keeps of everything; 0 where nothing asks for it.
    pub lifetime_bytes: u64,
    /// The most raw rows.
    pub rows: u64,
    /// Of one raw row.
    pub row_bytes: u64,
    /// What a page begins with, and a short key.
    pub head_bytes: u64,
    /// What is known of each partition the entity has events in: one, unless producers spread a key.
    pub position_bytes: u64,
}

impl LargestEntity {
    /// Of a view with these ladders over these measures.
    #[must_use]
    pub fn new(ladders: &[LadderPlan], measures: &[Measure], slack: Span) -> Self {
        Self { pages: ladders.iter().map(|ladder| LargestPage::new(ladder, measures, slack)).collect() }
    }

    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.pages.iter().fold(0, |sum, page| sum.saturating_add(page.bytes()))
    }

    /// The most tiles of all levels.
    #[must_use]
    pub fn tiles(&self) -> u64 {
        self.pages.iter().fold(0, |sum, page| sum.saturating_add(page.tiles()))
    }
}

impl LargestPage {
    fn new(ladder: &LadderPlan, measures: &[Measure], slack: Span) -> Self {
        let has_value = |measure: usize| measures.get(measure).is_some_and(|measure| measure.value.is_some());
        let (mut cells, mut values, mut texts, mut collected) = (0, 0, 0, 0);
        for column in &ladder.columns {
            let value = has_value(column.measure);
            let keeps = if value { column.keeps } else { column.keeps.of_rows() };
            // How many rows, and how many of them were no number.
            cells += 1 + usize::from(value);
            cells += WORDS.iter().filter(|(what, _)| keeps.has(*what)).map(|(_, words)| words).sum::<usize>();
            values += usize::from(value);
            let has_text = measures.get(column.measure).is_some_and(Measure::has_text);
            texts += u64::from(has_text);
            collected += keeps.collected_bytes_max(has_text);
        }
        // Where they are kept one for one with rows and tiles.
        let text_bytes = if texts > 0 { BOX_BYTES + texts * (BOX_BYTES + TEXT_BYTES_MAX as u64) } else { 0 };
        let collected = if collected > 0 { LIST_BYTES + collected } else { 0 };
        let bytes = |words: usize| words as u64 * WORD_BYTES;
        let row_head = if ladder.columns.len() > PACKED_COLUMNS_MAX { ROW_WORDS.1 } else { ROW_WORDS.0 };
        let row_bytes = bytes(row_head + values) + text_bytes;
        let tile_rows = if ladder.exact { EXACT_ROWS_MAX as u64 } else { 0 };
        let rows = if ladder.exact { TILE_ROWS_BYTES + tile_rows * row_bytes } else { 0 };
        let tiles = ladder.tiles_max(slack).map(|tiles| u64::try_from(tiles).unwrap_or(0));
        Self {
            levels: ladder.levels.iter().copied().zip(tiles).collect(),
            // Where it begins, and its cells.
            tile_bytes: bytes(1 + cells) + collected + rows,
            tile_rows,
            lifetime_bytes: if ladder.lifetime { bytes(cells) + collected } else { 0 },
            rows: RAW_ROWS_MAX as u64,
            row_bytes,
            head_bytes: bytes(HEAD_WORDS + ladder.levels.len().div_ceil(LEVELS_PER_WORD)) + KEY_BYTES,
            position_bytes: POSITION_WORDS * WORD_BYTES,
        }
    }

    /// The most tiles of all levels.
    #[must_use]
    pub fn tiles(&self) -> u64 {
        self.levels.iter().fold(0, |sum, (_, tiles)| sum.saturating_add(*tiles))
    }

    /// All of it, for an entity with events in one partition.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let rest = self.lifetime_bytes + self.rows * self.row_bytes + self.head_bytes + self.position_bytes;
        self.tiles().saturating_mul(self.tile_bytes).saturating_add(rest)
    }
}
