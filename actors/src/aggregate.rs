//! Accumulators: what a cell keeps of the rows of one tile, and what is computed from it. Knows no time.
//!
//! Law: an accumulator is a function of the multiset of its inputs. Everything is an integer; the one rounding of a
//! mean or a variance happens when it is answered ([`ratio`], `moments`).

mod accumulator;
mod answer;
mod cells;
pub(crate) mod moments;
pub mod ratio;
mod squares;

pub use accumulator::{Accumulator, Placed};
pub use answer::{Answer, answer, default};
pub use cells::narrow_bytes;
pub(crate) use cells::{CellShape, Form, Kept, One};
pub use squares::Squares;
