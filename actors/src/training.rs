//! Training sets: what a read of an entity answers at any instant of the past, from the events as the log kept them.
//! Knows no file, and no rule of values: the shard that serves answers here, too.
//!
//! ```text
//! Questions (spine) -> History (records of every partition, in order of offset) -> one ViewReading for each question
//! ```
//!
//! One shard holds one entity at a time. *As known* it is handed, for each question, the frames that lie below the
//! question's offset vector, so that T, what is tiled, what is rounded and what is refused are those of the node that
//! was asked. *As happened* it is handed every event before the instant, whenever it came, and T stands just before the
//! instant: nothing is out of range, and nothing is rounded.

mod history;
mod questions;
mod rows;
mod visibility;
mod walk;

pub use history::{History, HistoryError};
pub use questions::{Asker, Knowledge, Known, Questions};
