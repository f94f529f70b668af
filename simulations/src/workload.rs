//! Records for demos, tests and benches, as pure functions of a seed, with their own account of where each must go.
//! Knows no log client, no rule of the reader and no definition but the text it belongs to.

pub mod clicks;
mod even;
pub mod sensors;
mod text;
pub mod w1;
pub mod zipf;

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::time::Timestamp;

pub use self::even::Even;

/// A record to append to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Produced {
    /// The partition its key lands in.
    pub partition: PartitionId,
    /// The record's key.
    pub key: Vec<u8>,
    /// CreateTime.
    pub log_timestamp: Timestamp,
    /// `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
}

/// Where the records produced so far must go: counted by what was put into each, never by judging it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// All of them.
    pub records: u64,
    /// Shifted back behind what their partition had already seen.
    pub late: u64,
    /// Malformed in one way or another.
    pub dead_lettered: u64,
    /// Null payloads.
    pub tombstones: u64,
    /// Without a view that takes them.
    pub unmatched: u64,
    /// The rest.
    pub routed: u64,
    /// Malformed in a way that only a view can tell: among the dead, and rejected by the view.
    pub rejected: u64,
}

/// Records in the order they are appended.
pub trait Records: Iterator<Item = Produced> + Send {
    /// Where those produced so far must go.
    fn expected(&self) -> Expected;
}
