//! The reader's decisions: from payload bytes to rows. Knows no log client, no placement and no receiver.
//!
//! ```text
//! Record --decode--> fields --prefix--> late? dead? --project--> rows of every view --cut--> Chunk
//! ```
//!
//! An [`Interpreter`] walks one partition in order of offset, live or in a replay; both give the same chunks' worth
//! of rows, because all it knows is the plan and the [`PartitionPosition`](featuregrid_protocol::position) it began at.

mod chunk;
mod decode;
mod interpreter;
mod project;
mod typed;

pub use chunk::Chunk;
pub use decode::{Field, JsonDecoder};
pub use interpreter::{DeadReason, Fields, Interpreter, Outcome, Record};
