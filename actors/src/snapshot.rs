//! Decisions about durable state: when a range is made durable, whether by base or delta, what of the store is garbage, and
//! how a range stands up again. Knows no store client; [`crate::ownership`] writes the manifest, [`crate::shard`] the pages.

pub mod cadence;
pub mod compaction;
pub mod garbage;
pub mod rebuild;

pub use rebuild::{RebuildError, rebuild};
