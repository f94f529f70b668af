//! One page: everything an entity holds for one ladder, as flat words in memory that belongs to someone else, and beside
//! them what is [`Gathered`], tile by tile. Knows its own layout, and neither index nor slab.
//!
//! ```text
//! word 0        newest tiled event time (i64::MIN: none)
//! word 1        raw rows u16 | key bytes u16 | positions u16 | flags u16
//! word 2        weight: rows that may be in a cell, an upper bound of any n
//! word 3        end of the tiles, in words, u32 | magnitude u32: bits of the largest number that may be in a cell
//! ...           tiles per level, u16 each, finest level first
//! ...           key bytes, zero padded
//! ...           positions: partition, last offset applied, newest event time, ascending by partition
//! ...           lifetime cells, only if the ladder keeps lifetime
//! ...           tiles, oldest first: start, cells; the coarsest level is the oldest
//! ...           free
//! ... end       raw rows, newest first, so that the newest is written where the free words end
//! ```
//!
//! Weight and magnitude are of [`super::weight`].

use featuregrid_protocol::time::Timestamp;

use super::gathered::Gathered;
use super::raw::{RawRow, RawRows};
use super::tiles::Tiles;
use crate::aggregate::Form;
use crate::window::Shape;

/// Memory of one page.
pub(crate) trait Memory {
    /// All of it.
    fn words(&self) -> &[u64];
    /// All of it, to be changed.
    fn words_mut(&mut self) -> &mut [u64];
    /// Moves to at least `words` words. As many of the present words as fit keep their place from the front.
    fn resize(&mut self, words: usize);
    /// What the page holds beside them.
    fn gathered(&self) -> &Gathered;
    /// The same, to be changed.
    fn gathered_mut(&mut self) -> &mut Gathered;
}

/// Memory of a page of its own.
#[derive(Debug, Default)]
pub(crate) struct LoosePage {
    pub(crate) words: Vec<u64>,
    pub(crate) gathered: Gathered,
}

impl Memory for LoosePage {
    fn words(&self) -> &[u64] {
        &self.words
    }

    fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    fn resize(&mut self, words: usize) {
        self.words.resize(words, 0);
    }

    fn gathered(&self) -> &Gathered {
        &self.gathered
    }

    fn gathered_mut(&mut self) -> &mut Gathered {
        &mut self.gathered
    }
}

const NEWEST_TILED: usize = 0;
pub(super) const COUNTS: usize = 1;
pub(super) const WEIGHT: usize = 2;
pub(super) const END: usize = 3;
pub(super) const END_BITS: u64 = !(u32::MAX as u64);
const LEVELS: usize = 4;
/// Words of one position.
pub(super) const POSITION_WORDS: usize = 3;
pub(super) const WIDE: u64 = 1 << 48;

/// A page under work.
#[derive(Debug)]
pub(crate) struct Page<'a, M: Memory> {
    pub(super) shape: &'a Shape,
    pub(super) memory: &'a mut M,
}

/// Words of an empty page with this key.
pub(crate) fn initial_words(shape: &Shape, key: &[u8]) -> usize {
    let lifetime = if shape.lifetime { shape.cells.words(Form::Narrow) } else { 0 };
    // Room for one position and two rows: most keys of most sources are seen a few times.
    LEVELS + shape.level_words() + key.len().div_ceil(8) + POSITION_WORDS + lifetime + 2 * shape.row_words()
}

/// Whether the page in `words` has this key.
pub(crate) fn has_key(shape: &Shape, words: &[u64], key: &[u8]) -> bool {
    if usize::from((words[COUNTS] >> 16) as u16) != key.len() {
        return false;
    }
    let stored = &words[LEVELS + shape.level_words()..];
    let (chunks, rest) = key.as_chunks::<8>();
    chunks.iter().zip(stored).all(|(chunk, word)| u64::from_le_bytes(*chunk) == *word)
        && (rest.is_empty() || pack(rest) == stored[chunks.len()])
}

/// The key of the page in `words`.
pub(crate) fn key_in(shape: &Shape, words: &[u64]) -> Vec<u8> {
    let len = usize::from((words[COUNTS] >> 16) as u16);
    words[LEVELS + shape.level_words()..].iter().flat_map(|word| word.to_le_bytes()).take(len).collect()
}

/// The word that a turn will look at first among the raw rows, or one beside it.
#[inline]
pub(crate) fn newest_raw_word(shape: &Shape, words: &[u64]) -> u64 {
    words[words.len().saturating_sub(tail_words(shape, words) + 1)]
}

/// How many words at the end of `words` are raw rows: they stay at the end where the page moves.
pub(crate) fn tail_words(shape: &Shape, words: &[u64]) -> usize {
    usize::from(words[COUNTS] as u16) * shape.row_words()
}

/// Up to eight key bytes as a word, zero padded.
#[inline]
fn pack(chunk: &[u8]) -> u64 {
    chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

impl<'a, M: Memory> Page<'a, M> {
    /// The page that stands in `memory`.
    pub(crate) fn open(shape: &'a Shape, memory: &'a mut M) -> Self {
        Self { shape, memory }
    }

    /// An empty page of `key` in `memory`, which has at least [`initial_words`].
    pub(crate) fn create(shape: &'a Shape, memory: &'a mut M, key: &[u8]) -> Self {
        let words = memory.words_mut();
        words[..LEVELS + shape.level_words()].fill(0);
        words[NEWEST_TILED] = Timestamp::MIN.0 as u64;
        words[COUNTS] = (key.len() as u64) << 16;
        let at = LEVELS + shape.level_words();
        for (chunk, word) in key.chunks(8).zip(&mut words[at..]) {
            *word = pack(chunk);
        }
        let lifetime = at + key.len().div_ceil(8);
        let end = lifetime + if shape.lifetime { shape.cells.words(Form::Narrow) } else { 0 };
        words[lifetime..end].fill(0);
        words[END] = (end as u64) << 32;
        if shape.lifetime && !shape.gathers.is_empty() {
            memory.gathered_mut().set_lifetime(shape.nothing());
        }
        Self { shape, memory }
    }

    /// Its key bytes.
    pub(crate) fn key(&self) -> Vec<u8> {
        key_in(self.shape, self.memory.words())
    }

    /// The newest event time that is no raw row; [`Timestamp::MIN`] if none.
    pub(crate) fn newest_tiled(&self) -> Timestamp {
        Timestamp(self.word(NEWEST_TILED) as i64)
    }

    /// The newest event time.
    pub(crate) fn newest(&self) -> Timestamp {
        let raw = self.raw_len().checked_sub(1).map(|newest| self.raw(newest).ts());
        raw.map_or(self.newest_tiled(), |raw| raw.max(self.newest_tiled()))
    }

    /// The newest event time before an instant that no tiled event is at or after; [`Timestamp::MIN`] if none.
    pub(crate) fn newest_before(&self, instant: Timestamp) -> Timestamp {
        debug_assert!(self.newest_tiled() < instant, "tiles do not say when their events were");
        let raw = (0..self.raw_len()).rev().map(|index| self.raw(index).ts()).find(|ts| *ts < instant);
        raw.map_or(self.newest_tiled(), |raw| raw.max(self.newest_tiled()))
    }

    /// Nothing that any later read could see.
    pub(crate) fn is_empty(&self) -> bool {
        let kept = self.shape.lifetime && self.shape.cells.n(self.lifetime(), self.form(), 0) > 0;
        self.raw_len() == 0 && self.tiles_len() == 0 && !kept
    }

    /// How many raw rows.
    #[inline]
    pub(super) fn raw_len(&self) -> usize {
        usize::from(self.word(COUNTS) as u16)
    }

    /// Raw row `index`, 0 the oldest.
    #[inline]
    pub(super) fn raw(&self, index: usize) -> RawRow<'_> {
        let words = self.memory.words();
        let row = self.shape.row_words();
        RawRow::new(self.shape, &words[words.len() - (index + 1) * row..][..row])
    }

    /// All raw rows, the newest first.
    #[inline]
    pub(super) fn raw_rows(&self) -> RawRows<'_> {
        RawRows::new(self.shape, &self.memory.words()[self.raw_at()..])
    }

    #[inline]
    pub(super) fn form(&self) -> Form {
        if self.word(COUNTS) & WIDE == 0 { Form::Narrow } else { Form::Wide }
    }

    #[inline]
    pub(super) fn word(&self, at: usize) -> u64 {
        self.memory.words()[at]
    }

    #[inline]
    pub(super) fn set_word(&mut self, at: usize, word: u64) {
        self.memory.words_mut()[at] = word;
    }

    pub(super) fn set_newest_tiled(&mut self, ts: Timestamp) {
        self.set_word(NEWEST_TILED, ts.0 as u64);
    }

    pub(super) fn set_raw_len(&mut self, len: usize) {
        let counts = self.word(COUNTS);
        self.set_word(COUNTS, counts & !0xffff | len as u64);
    }

    fn key_len(&self) -> usize {
        usize::from((self.word(COUNTS) >> 16) as u16)
    }

    pub(super) fn positions_len(&self) -> usize {
        usize::from((self.word(COUNTS) >> 32) as u16)
    }

    fn set_positions_len(&mut self, len: usize) {
        let counts = self.word(COUNTS);
        self.set_word(COUNTS, counts & !(0xffff << 32) | (len as u64) << 32);
    }

    pub(super) fn positions_at(&self) -> usize {
        LEVELS + self.shape.level_words() + self.key_len().div_ceil(8)
    }

    pub(super) fn lifetime_at(&self) -> usize {
        self.positions_at() + self.positions_len() * POSITION_WORDS
    }

    fn lifetime_words(&self) -> usize {
        if self.shape.lifetime { self.shape.cells.words(self.form()) } else { 0 }
    }

    /// The lifetime cells; empty unless the ladder keeps them.
    pub(super) fn lifetime(&self) -> &[u64] {
        &self.memory.words()[self.lifetime_at()..][..self.lifetime_words()]
    }

    /// The lifetime cells, to be changed.
    pub(super) fn lifetime_mut(&mut self) -> &mut [u64] {
        let (at, words) = (self.lifetime_at(), self.lifetime_words());
        &mut self.memory.words_mut()[at..][..words]
    }

    /// Tiles of one level.
    #[inline]
    pub(super) fn level_len(&self, level: usize) -> usize {
        usize::from((self.word(LEVELS + level / 4) >> (level % 4 * 16)) as u16)
    }

    pub(super) fn set_level_len(&mut self, level: usize, len: usize) {
        debug_assert!(len <= usize::from(u16::MAX), "a plan has at most TILES_MAX tiles");
        let (at, shift) = (LEVELS + level / 4, level % 4 * 16);
        let word = self.word(at);
        self.set_word(at, word & !(0xffff << shift) | (len as u64) << shift);
    }

    /// Index of the oldest tile of `level`.
    pub(super) fn level_start(&self, level: usize) -> usize {
        (level + 1..self.shape.levels.len()).map(|coarser| self.level_len(coarser)).sum()
    }

    /// All tiles.
    #[inline]
    pub(super) fn tiles_len(&self) -> usize {
        // Sums four counts at once; a page has fewer tiles than fit sixteen bits.
        let words = &self.memory.words()[LEVELS..][..self.shape.level_words()];
        words.iter().map(|word| (word.wrapping_mul(0x0001_0001_0001_0001) >> 48) as usize).sum()
    }

    /// How many tiles begin before an instant.
    pub(super) fn tiles_before(&self, ts: Timestamp) -> usize {
        self.tiles().first_from(ts, 0..self.tiles_len())
    }

    /// Words of a tile.
    #[inline]
    pub(super) fn tile_words(&self) -> usize {
        1 + self.shape.cells.words(self.form())
    }

    pub(super) fn tiles_at(&self) -> usize {
        self.lifetime_at() + self.lifetime_words()
    }

    /// All tiles, 0 the oldest.
    #[inline]
    pub(super) fn tiles(&self) -> Tiles<'_> {
        Tiles::new(&self.memory.words()[self.tiles_at()..self.tiles_end()], self.tile_words())
    }

    /// Start and cells of tile `index`, 0 the oldest.
    pub(super) fn tile(&self, index: usize) -> (Timestamp, &[u64]) {
        let tiles = self.tiles();
        (tiles.start(index), tiles.cells(index))
    }

    /// Cells of tile `index`, to be changed.
    pub(super) fn tile_mut(&mut self, index: usize) -> &mut [u64] {
        let (at, words) = (self.tiles_at(), self.tile_words());
        &mut self.memory.words_mut()[at + index * words + 1..][..words - 1]
    }

    /// Makes room for a tile at `index` of `level`, and leaves it empty.
    pub(super) fn insert_tile(&mut self, level: usize, index: usize, start: Timestamp) {
        let words = self.tile_words();
        self.reserve(words);
        let (at, end) = (self.tiles_at() + index * words, self.tiles_end());
        let all = self.memory.words_mut();
        all.copy_within(at..end, at + words);
        all[at] = start.0 as u64;
        all[at + 1..at + words].fill(0);
        self.set_tiles_end(end + words);
        self.set_level_len(level, self.level_len(level) + 1);
        if !self.shape.gathers.is_empty() {
            self.memory.gathered_mut().insert_tile(index, self.shape.nothing());
        }
        if self.shape.exact {
            self.memory.gathered_mut().insert_rows(index);
        }
    }

    #[inline]
    pub(super) fn tiles_end(&self) -> usize {
        (self.word(END) >> 32) as usize
    }

    #[inline]
    pub(super) fn set_tiles_end(&mut self, end: usize) {
        let word = self.word(END);
        self.set_word(END, word & u64::from(u32::MAX) | (end as u64) << 32);
    }

    fn raw_words(&self) -> usize {
        self.raw_len() * self.shape.row_words()
    }

    /// Index of the first word of the newest raw row.
    pub(super) fn raw_at(&self) -> usize {
        self.memory.words().len() - self.raw_words()
    }

    /// Words in use.
    pub(crate) fn used(&self) -> usize {
        self.tiles_end() + self.raw_words()
    }

    /// Makes sure that `words` are free between tiles and raw rows.
    #[inline]
    pub(super) fn reserve(&mut self, words: usize) {
        let capacity = self.memory.words().len();
        let needed = self.used() + words;
        if needed > capacity {
            self.relocate(needed);
        }
    }

    /// Gives memory back where half of it is unused.
    pub(super) fn shrink(&mut self) {
        if self.used() * 2 <= self.memory.words().len() {
            self.relocate(self.used() + 2 * self.shape.row_words());
        }
    }

    fn relocate(&mut self, needed: usize) {
        let raw = self.raw_words();
        let old = self.memory.words().len();
        if needed < old {
            // The raw rows stand at the end: they come forward before the end goes away.
            self.memory.words_mut().copy_within(old - raw..old, needed - raw);
            self.memory.resize(needed);
            let new = self.memory.words().len();
            self.memory.words_mut().copy_within(needed - raw..needed, new - raw);
        } else {
            self.memory.resize(needed);
            let new = self.memory.words().len();
            self.memory.words_mut().copy_within(old - raw..old, new - raw);
        }
    }

    /// Remembers that `offset` of `partition` was applied, an event of `ts`.
    #[inline]
    pub(super) fn note(&mut self, partition: u32, offset: u64, ts: Timestamp) {
        let at = self.positions_at();
        let len = self.positions_len();
        let list = &mut self.memory.words_mut()[at..at + len * POSITION_WORDS];
        let mut before = 0;
        for entry in list.chunks_exact_mut(POSITION_WORDS) {
            if entry[0] == u64::from(partition) {
                entry[1] = entry[1].max(offset);
                entry[2] = (entry[2] as i64).max(ts.0) as u64;
                return;
            }
            before += usize::from(entry[0] < u64::from(partition));
        }
        self.reserve(POSITION_WORDS);
        let (at, end) = (at + before * POSITION_WORDS, self.tiles_end());
        let words = self.memory.words_mut();
        words.copy_within(at..end, at + POSITION_WORDS);
        words[at..at + POSITION_WORDS].copy_from_slice(&[u64::from(partition), offset, ts.0 as u64]);
        self.set_tiles_end(end + POSITION_WORDS);
        self.set_positions_len(len + 1);
    }

    /// Forgets positions whose newest event nobody can see any more.
    pub(super) fn forget_before(&mut self, boundary: Timestamp) {
        for index in (0..self.positions_len()).rev() {
            let at = self.positions_at() + index * POSITION_WORDS;
            if (self.word(at + 2) as i64) < boundary.0 {
                let end = self.tiles_end();
                self.memory.words_mut().copy_within(at + POSITION_WORDS..end, at);
                self.set_tiles_end(end - POSITION_WORDS);
                self.set_positions_len(self.positions_len() - 1);
            }
        }
    }
}
