//! Every operator over every kind of window: the reference page, and the proof that each works from a definition to a
//! client. Knows no command line.
//!
//! ```text
//! catalogue   the operators, the kinds of windows, and which go together
//! page        all of it in Markdown, for protocol/OPERATORS.md
//! verify      a node serves all of it over gRPC, with late events and a restart; every value is compared
//! ```

mod catalogue;
mod page;
mod verify;

pub use catalogue::{KINDS, Kind, cells};
pub use page::markdown;
pub use verify::{Verified, verify};
