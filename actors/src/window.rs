//! The tile ladder: which rows a window sees at an instant, with bounded memory. Knows no key.
//!
//! Law: what stands where is a function of (rows, T). Of the rows of an entity the newest (not older than
//! T - slack_exact, at most 64 in total order) are raw; every other lies in the tile of the first level whose
//! boundary it has not passed. Boundaries and the raw edge only move forwards, so the order of arrival leaves no trace.

mod bounds;
mod group;
mod instant;
mod pass;
mod session;
mod shape;
mod units;

pub(crate) use bounds::Bounds;
pub(crate) use group::{Group, Tail};
pub use instant::{AsOf, Instant, Seen, meant, resolve};
pub(crate) use pass::{Pass, Reach, Snapshots};
pub(crate) use session::{Extent, Piece};
pub(crate) use shape::{Gather, Input, Shape, Target};
