//! Moving a range while both sides live (PROTOCOLS C7): no moment without a copy that serves, and none with two owners.
//! Knows no store and no state: [`Tenure`](super::Tenure) writes, the shell folds.
//!
//! ```text
//! owner A:     prepare ->            stop effects, cut, release by CAS -> released ->        hint 10 s -> forget
//! successor B:         stand by, catch up ->                                        claim by CAS ->
//! ```
//! Each phase has a deadline, and giving up at any point leaves an owner: before the release A still is, after it B claims,
//! or A claims back. Messages only save time: both sides repeat them, and the manifest decides.

mod giver;
mod taker;

pub use giver::{Giver, GiverPhase};
pub use taker::Taker;
