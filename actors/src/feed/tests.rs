//! What the feed promises, as a whole: the traces of protocol A, and any history at all in a lossy world.

mod history;
mod kit;
mod log;
mod traces;
mod world;

pub(super) use kit::{chunk, life, node_indexes, quarters, triple};
