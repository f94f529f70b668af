//! Behaviour of featuregrid, pure and synchronous: time and input are arguments, effects are results.
//! Knows no clock, socket, disk, thread or random number.
//!
//! Reading order is the way of an event: [`reader`] makes rows of records with what [`expression`] compiles, [`feed`] carries them in frames,
//! [`shard`] applies each event id once ([`dedup`]) and finds the [`entity`], whose [`window`] ladders hold [`aggregate`]
//! cells. Beside it stand the two protocols that move meaning and responsibility: [`control`] and [`ownership`], which
//! [`steward`] runs for one node. [`training`] answers of the past what [`shard`] answers now. [`ports`] are the words they have for the store.

pub mod ports;
pub mod expression;
pub mod reader;
pub mod feed;
pub mod shard;
pub mod snapshot;
pub mod dedup;
pub mod entity;
pub mod window;
pub mod aggregate;
pub mod training;
pub mod control;
pub mod ownership;
pub mod steward;
#[cfg(feature = "host")]
pub mod host;

pub use featuregrid_protocol::varint::Damaged;
