//! The ractor shell around the cores: one loop each that receives, calls the core and performs effects. The only part
//! of this floor that knows a runtime; nothing here decides what a value is.
//!
//! ```text
//!   reader thread --(permit, Rows)--> [shard actor: Shard] <--(permit, Read)-- a request
//!                                          |  supervised
//!                                     [supervisor] --restarted--> whoever feeds it subscribes again from its v
//! ```
//!
//! ractor mailboxes are unbounded, so nobody casts without a permit: [`SHARD_ROW_BATCHES_MAX`] row batches and
//! [`SHARD_READ_BATCHES_MAX`] read batches are in flight to one shard at most.
//!
//! [`SHARD_ROW_BATCHES_MAX`]: featuregrid_protocol::limits::SHARD_ROW_BATCHES_MAX
//! [`SHARD_READ_BATCHES_MAX`]: featuregrid_protocol::limits::SHARD_READ_BATCHES_MAX

pub mod message;
pub mod handle;
pub mod shard;
pub mod supervisor;

pub use handle::{Gone, ShardHandle};
pub use message::{Changed, Installed, Item, Outcome, OwnedPage, RangePages, Read, Rows, ShardStatus};
pub use shard::{ShardActor, ShardArguments, Slicing};
pub use supervisor::{Child, Supervisor};
