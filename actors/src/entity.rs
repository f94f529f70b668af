//! The virtual actor: one page per view and ladder, turns, reads, the canonical encoding. Knows no other entity.
//!
//! An entity is named by its view and its canonical key bytes: location transparent, so neither node nor range is part
//! of the name.
//!
//! A turn ([`Page::turn`]) applies one row and looks up nothing: neither clock nor index nor another entity. What a
//! page physically looks like (rows not yet tiled, tiles not yet folded, narrow or wide cells) never shows: every read
//! and every encoding folds the page to T(v) first.

mod canonical;
mod cell;
mod fold;
mod gathered;
mod inspect;
mod page;
mod raw;
mod read;
mod remap;
mod rows;
mod tiles;
mod turn;
mod weight;

pub(crate) use canonical::{decode, encode};
pub(crate) use gathered::Gathered;
pub use inspect::{LastApplied, LevelFacts, PageFacts};
pub(crate) use page::{LoosePage, Memory, Page, has_key, initial_words, key_in, newest_raw_word, tail_words};
pub(crate) use raw::Arrival;
pub(crate) use remap::{Remap, remap};
#[cfg(test)]
pub(crate) use rows::TileRows;
