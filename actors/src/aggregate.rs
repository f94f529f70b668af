//! Accumulators: what a cell keeps of the rows of one tile, and what is computed from it. Knows no time.
//!
//! Law: an accumulator is a function of the multiset of its inputs. Everything is an integer; the one rounding of a
//! mean or a variance happens when it is answered ([`ratio`], `moments`).

mod accumulator;
mod anomaly;
mod answer;
mod cells;
mod collected;
mod collection;
mod last_n;
pub(crate) mod decay;
pub(crate) mod moments;
pub mod ratio;
mod squares;
mod wide;

pub use accumulator::{Accumulator, Placed};
pub use answer::{Answer, default};
pub(crate) use answer::{answer, compared};
pub use cells::narrow_bytes;
pub(crate) use cells::{CellShape, Form, Kept, One};
pub(crate) use collection::{Collection, Collections, Collects, Item, merge, put_text, take_text};
pub(crate) use last_n::last_n;
pub use squares::Squares;
