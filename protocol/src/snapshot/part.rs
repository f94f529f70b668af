//! A part as bytes: written block by block, read as a whole or by range. Knows neither base nor delta.

use std::io::{self, Read as _};
use std::ops::Range;

use thiserror::Error;
use zstd::bulk;
use zstd::stream::read::Decoder;

use super::head::RangeHead;
use super::page::SnapshotPage;
use crate::key::KeyHash;
use crate::limits::{BLOCK_BYTES, HEAD_BYTES_MAX, PAGE_RECORD_BYTES_MAX};
use crate::range::RangeId;
use crate::varint::{Bytes, Damaged, put};

const MAGIC: [u8; 4] = *b"FGRP";
const VERSION: u32 = 1;
const HEADER_BYTES: u64 = 4;
/// Bytes of a footer.
pub const FOOTER_BYTES: u64 = 28;
/// Level 1 of zstd: pages are dense integers, from which higher levels win little for much more time.
const LEVEL: i32 = 1;

/// Why bytes are no part. Nothing was changed; `snapshot verify` names every such part, and the page on disaster recovery
/// says what to restore from.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PartError {
    /// Not one of ours, or cut short.
    #[error("it is no part of a snapshot, or was cut short")]
    Foreign,
    /// Written by a newer release.
    #[error("it is of version {0}, which is newer than this release reads; upgrade first")]
    Version(u32),
    /// Damaged at rest or on the way.
    #[error("the checksum of {0} does not match")]
    Checksum(Place),
    /// The checksum matches, and yet no release writes such bytes.
    #[error("{0}: {1}")]
    Body(Place, Damaged),
}

/// Where in a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// What it says of its range.
    Head,
    /// Where its blocks are.
    Index,
    /// One block, by number.
    Block(usize),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Head => write!(f, "its head"),
            Self::Index => write!(f, "its index"),
            Self::Block(number) => write!(f, "its block {number}"),
        }
    }
}

/// One block of pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Hash of its first key.
    pub first: KeyHash,
    /// Where it stands in the part.
    pub stored: Range<u64>,
    /// Its length before compression.
    pub raw: u64,
    /// How many pages it holds.
    pub pages: u64,
    crc32c: u32,
}

/// Writes a part.
#[derive(Debug)]
pub struct PartWriter {
    out: Vec<u8>,
    blocks: Vec<Block>,
    /// Pages of the block under way, and the hashes of the first and the last.
    raw: Vec<u8>,
    first: KeyHash,
    last: KeyHash,
    pages: u64,
}

impl Default for PartWriter {
    fn default() -> Self {
        Self { out: MAGIC.to_vec(), blocks: Vec::new(), raw: Vec::new(), first: KeyHash(0), last: KeyHash(0), pages: 0 }
    }
}

impl PartWriter {
    /// Adds a page; pages come in [`SnapshotPage::order`].
    ///
    /// # Errors
    /// When memory for compression runs out.
    pub fn push(&mut self, page: &SnapshotPage) -> io::Result<()> {
        let hash = KeyHash::of(&page.key);
        // The pages of one key share a block, so that one read brings them all.
        if self.raw.len() >= BLOCK_BYTES && hash != self.last {
            self.cut()?;
        }
        if self.pages == 0 {
            self.first = hash;
        }
        page.put(&mut self.raw);
        self.last = hash;
        self.pages += 1;
        Ok(())
    }

    /// The whole part.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn finish(mut self, head: &RangeHead) -> io::Result<Vec<u8>> {
        if self.pages > 0 {
            self.cut()?;
        }
        let mut raw = Vec::new();
        head.put(&mut raw);
        let head = bulk::compress(&raw, LEVEL)?;
        let mut index = Vec::new();
        put(&mut index, self.blocks.len() as u128);
        for block in &self.blocks {
            index.extend_from_slice(&block.first.0.to_le_bytes());
            put(&mut index, (block.stored.end - block.stored.start).into());
            put(&mut index, block.raw.into());
            put(&mut index, block.pages.into());
            index.extend_from_slice(&block.crc32c.to_le_bytes());
        }
        let footer = [
            head.len() as u32,
            raw.len() as u32,
            crc32c::crc32c(&head),
            index.len() as u32,
            crc32c::crc32c(&index),
            VERSION,
            u32::from_le_bytes(MAGIC),
        ];
        self.out.extend_from_slice(&head);
        self.out.extend_from_slice(&index);
        footer.iter().for_each(|field| self.out.extend_from_slice(&field.to_le_bytes()));
        Ok(self.out)
    }

    fn cut(&mut self) -> io::Result<()> {
        let stored = bulk::compress(&self.raw, LEVEL)?;
        let at = self.out.len() as u64;
        self.blocks.push(Block {
            first: self.first,
            stored: at..at + stored.len() as u64,
            raw: self.raw.len() as u64,
            pages: std::mem::take(&mut self.pages),
            crc32c: crc32c::crc32c(&stored),
        });
        self.out.extend_from_slice(&stored);
        self.raw.clear();
        Ok(())
    }
}

/// The last [`FOOTER_BYTES`] of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    head: Range<u64>,
    head_raw: u64,
    head_crc32c: u32,
    index: Range<u64>,
    index_crc32c: u32,
}

impl Footer {
    /// Reads the footer of a part of so many bytes.
    ///
    /// # Errors
    /// [`PartError::Foreign`] and [`PartError::Version`].
    pub fn read(bytes: &[u8], part_bytes: u64) -> Result<Self, PartError> {
        let (fields, []) = bytes.as_chunks::<4>() else { return Err(PartError::Foreign) };
        let [head, head_raw, head_crc32c, index, index_crc32c, version, magic] = *fields else {
            return Err(PartError::Foreign);
        };
        let field = |bytes| u64::from(u32::from_le_bytes(bytes));
        let version = u32::from_le_bytes(version);
        if magic != MAGIC || version == 0 || field(head_raw) > HEAD_BYTES_MAX {
            return Err(PartError::Foreign);
        }
        if version > VERSION {
            return Err(PartError::Version(version));
        }
        let end = part_bytes.checked_sub(FOOTER_BYTES).ok_or(PartError::Foreign)?;
        let index_at = end.checked_sub(field(index)).ok_or(PartError::Foreign)?;
        let head_at = index_at.checked_sub(field(head)).filter(|at| *at >= HEADER_BYTES).ok_or(PartError::Foreign)?;
        Ok(Self {
            head: head_at..index_at,
            head_raw: field(head_raw),
            head_crc32c: u32::from_le_bytes(head_crc32c),
            index: index_at..end,
            index_crc32c: u32::from_le_bytes(index_crc32c),
        })
    }

    /// Where head and index stand together.
    #[must_use]
    pub fn index(&self) -> Range<u64> {
        self.head.start..self.index.end
    }
}

/// What a part holds, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartIndex {
    /// What it says of its range.
    pub head: RangeHead,
    /// In order of hash.
    pub blocks: Vec<Block>,
}

impl PartIndex {
    /// Reads the bytes at [`Footer::index`].
    ///
    /// # Errors
    /// See [`PartError`].
    pub fn read(footer: &Footer, bytes: &[u8]) -> Result<Self, PartError> {
        let cut = usize::try_from(footer.head.end - footer.head.start).ok();
        let (head, index) = cut.and_then(|cut| bytes.split_at_checked(cut)).ok_or(PartError::Foreign)?;
        if crc32c::crc32c(index) != footer.index_crc32c {
            return Err(PartError::Checksum(Place::Index));
        }
        if crc32c::crc32c(head) != footer.head_crc32c {
            return Err(PartError::Checksum(Place::Head));
        }
        let blocks = take_blocks(index, footer.head.start).map_err(|damaged| PartError::Body(Place::Index, damaged))?;
        let raw = decompress(head, footer.head_raw).map_err(|damaged| PartError::Body(Place::Head, damaged))?;
        let mut input = Bytes(&raw);
        let head = RangeHead::take(&mut input).and_then(|head| ended(&input).map(|()| head));
        Ok(Self { head: head.map_err(|damaged| PartError::Body(Place::Head, damaged))?, blocks })
    }

    /// The block that holds the pages of a key, if one does.
    #[must_use]
    pub fn find(&self, hash: KeyHash) -> Option<usize> {
        self.blocks.partition_point(|block| block.first <= hash).checked_sub(1)
    }

    /// Reads the bytes of block `number`.
    ///
    /// # Errors
    /// See [`PartError`].
    pub fn read_block(&self, number: usize, bytes: &[u8]) -> Result<Vec<SnapshotPage>, PartError> {
        let place = Place::Block(number);
        let block = self.blocks.get(number).ok_or(PartError::Foreign)?;
        if crc32c::crc32c(bytes) != block.crc32c {
            return Err(PartError::Checksum(place));
        }
        take_pages(self.head.range, block, bytes).map_err(|damaged| PartError::Body(place, damaged))
    }
}

/// Reads a whole part.
///
/// # Errors
/// See [`PartError`].
pub fn read_part(bytes: &[u8]) -> Result<(RangeHead, Vec<SnapshotPage>), PartError> {
    if !bytes.starts_with(&MAGIC) {
        return Err(PartError::Foreign);
    }
    let (front, footer) = bytes.split_last_chunk::<{ FOOTER_BYTES as usize }>().ok_or(PartError::Foreign)?;
    let footer = Footer::read(footer, bytes.len() as u64)?;
    let within = |range: &Range<u64>| front.get(range.start as usize..range.end as usize).ok_or(PartError::Foreign);
    let index = PartIndex::read(&footer, within(&footer.index())?)?;
    let mut pages: Vec<SnapshotPage> = Vec::new();
    for (number, block) in index.blocks.iter().enumerate() {
        let read = index.read_block(number, within(&block.stored)?)?;
        if let (Some(last), Some(next)) = (pages.last(), read.first())
            && last.order() >= next.order()
        {
            return Err(PartError::Body(Place::Block(number), OUT_OF_ORDER));
        }
        pages.extend(read);
    }
    Ok((index.head, pages))
}

const OUT_OF_ORDER: Damaged = Damaged("pages are out of order");

fn take_blocks(index: &[u8], end: u64) -> Result<Vec<Block>, Damaged> {
    let mut input = Bytes(index);
    let (mut at, mut blocks) = (HEADER_BYTES, Vec::<Block>::new());
    for _ in 0..input.count()? {
        let first = KeyHash(u64::from_le_bytes(input.array()?));
        let (length, raw, pages): (u64, u64, u64) = (input.small()?, input.small()?, input.small()?);
        let next = at.checked_add(length).ok_or(Damaged("a block ends outside the part"))?;
        let is_ordered = blocks.last().is_none_or(|last| last.first < first);
        if !is_ordered || raw > PAGE_RECORD_BYTES_MAX || pages == 0 {
            return Err(Damaged("its blocks are out of order, empty or too large"));
        }
        let crc32c = u32::from_le_bytes(input.array()?);
        blocks.push(Block { first, stored: std::mem::replace(&mut at, next)..next, raw, pages, crc32c });
    }
    ended(&input)?;
    if at == end { Ok(blocks) } else { Err(Damaged("its blocks do not fill it")) }
}

fn take_pages(range: RangeId, block: &Block, stored: &[u8]) -> Result<Vec<SnapshotPage>, Damaged> {
    let raw = decompress(stored, block.raw)?;
    let mut input = Bytes(&raw);
    let mut pages: Vec<SnapshotPage> = Vec::new();
    for _ in 0..block.pages {
        let page = SnapshotPage::take(&mut input)?;
        let hash = KeyHash::of(&page.key);
        if !range.contains(hash) || pages.is_empty() && hash != block.first {
            return Err(Damaged("a page is of another place"));
        }
        if pages.last().is_some_and(|last| last.order() >= page.order()) {
            return Err(OUT_OF_ORDER);
        }
        pages.push(page);
    }
    ended(&input).map(|()| pages)
}

fn ended(input: &Bytes<'_>) -> Result<(), Damaged> {
    if input.0.is_empty() { Ok(()) } else { Err(Damaged("it is followed by something else")) }
}

/// Decompresses to exactly so many bytes; allocates no more than a little beyond what it finds.
fn decompress(stored: &[u8], raw: u64) -> Result<Vec<u8>, Damaged> {
    const REFUSED: Damaged = Damaged("it does not decompress to the length it has");
    let mut out = Vec::new();
    let decoder = Decoder::with_buffer(stored).map_err(|_| REFUSED)?;
    decoder.take(raw + 1).read_to_end(&mut out).map_err(|_| REFUSED)?;
    if out.len() as u64 == raw { Ok(out) } else { Err(REFUSED) }
}
