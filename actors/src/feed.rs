//! Protocol A: subscriptions, generations, frames. Knows no transport and no placement.
//!
//! ```text
//!   reader's node                                     receiver's node
//!   log -> Chunk -> [Sender: ring, subscriptions] --- Frame, Included --> [Receiver: groups] -> Apply -> shards
//!                            <-- Subscribe, Unsubscribe, Nack, Ack ---
//! ```
//!
//! The invariant: the state of a range at next offset `v` holds exactly the rows of `[start, v)` of the log. What a
//! frame covers is decided by its receiver: a range moves only by a frame of the generation that names its set, that
//! begins at its `v`, after the same prefix max, under the index in force. Loss, duplicates, reordering, restarts and
//! zombies on either side cost time, never a row.
//!
//! Both machines are pure: `now` is the node's own monotonic clock (only differences count), effects are pushed into
//! `out` and must be performed in order. The [`Sender`] never learns who owns a range.
//!
//! Reading order: [`messages`], [`halt`], the receiver's [`receiver`], the reader's [`sender`].

mod coverage;
mod generation;
pub mod halt;
mod interest;
pub mod messages;
pub mod receiver;
mod ring;
pub mod sender;
mod start;
mod throttle;

pub use coverage::Coverage;
pub use halt::HaltReason;
pub use messages::{Ack, Included, Nack, NackReason, Refusal, Refused, Subscribe, ToReader, ToReceiver, Unsubscribe};
pub use receiver::{Dropped, InForce, Opinion, Receiver, Verdict};
pub use sender::{ReplayId, Sender};
pub use start::start_of;

#[cfg(test)]
mod tests;
