//! Stored format of a range's state: parts, of which the first is a base and the others are deltas. Knows no store and no
//! plan; `actors::shard` says what a page means.
//!
//! ```text
//! header   magic FGRP
//! block*   zstd frame of pages, in order of (key hash, view, key, ladder); about 64 KiB before compression
//! head     zstd frame: range, control index, positions, since, rows, event ids                       [`RangeHead`]
//! index    of each block: first key hash, stored and raw length, pages, crc32c of what is stored      [`Block`]
//! footer   stored and raw length and crc32c of the head | length and crc32c of the index | version | magic   28 bytes
//! ```
//! Integers of the footer are little-endian, all others by value ([`crate::varint`]). A base holds every page of its range
//! at `positions`. A delta holds, whole, each page that changed after `since`, and the event ids from there on: laid over the
//! parts before it, it gives the state at its own `positions`. A page that expired leaves no trace in a delta: the page of
//! the part before folds to nothing at T(v), by itself.
//!
//! Everything can be read by range: the footer says where head and index are, the index where the page of a key is. Nothing
//! read is trusted: lengths are bounded, checksums are compared before a block is decompressed, and what decompresses to
//! more than it said is refused.

mod head;
mod ids;
mod page;
mod part;

pub use head::{RangeHead, RowCounts};
pub use ids::{IdList, KnownId};
pub use page::SnapshotPage;
pub use part::{Block, FOOTER_BYTES, Footer, PartError, PartIndex, PartWriter, read_part};

#[cfg(test)]
mod tests;
