//! The demonstration and its proof: generated payments into a log, features out of a node, every value compared with
//! the oracle. Knows no command line.

pub mod appender;
pub mod live;
pub mod verify;

/// Records appended at once: a commit of the embedded log, a round of the producer.
pub const APPEND_RECORDS: usize = 4096;
