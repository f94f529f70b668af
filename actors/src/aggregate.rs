//! Accumulators: what a cell keeps of the rows of one tile, and what is computed from it. Knows no time.
//!
//! Law: an accumulator is a function of the multiset of its inputs. Everything is an integer; the one rounding of a
//! mean happens when it is answered ([`ratio`]).

mod accumulator;
mod answer;
mod cells;
mod derived;
pub mod ratio;

pub use accumulator::Accumulator;
pub use answer::{Answer, answer, default};
pub(crate) use cells::{CellShape, Form, One};
pub use derived::derive;
