//! Records that were not taken, with the reason: late ones, and dead ones. Knows no policy and no place: a file keeps
//! them, or a topic.

pub mod file;
pub mod topic;
pub mod writer;

use std::borrow::Cow;

use featuregrid_protocol::ids::{Offset, PartitionId};
use featuregrid_protocol::time::Timestamp;
use thiserror::Error;

use crate::ingest::{Header, LogError};

/// Letters cannot be written or read. The records are still in the log; their partitions must not move past them.
#[derive(Debug, Error)]
pub enum DeadLetterError {
    /// The file.
    #[error("dead letters in {path}: {error}; free the disk or its permissions, then restart")]
    File {
        /// Which file.
        path: String,
        /// What the store said.
        error: redb::Error,
    },
    /// The topic.
    #[error("dead letters: {0}; check the topic's settings and rights, then restart")]
    Topic(#[from] LogError),
}

/// One record that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it stands in the log.
    pub partition: PartitionId,
    /// Where it stands in the partition.
    pub offset: Offset,
    /// `late`, or the name of the reason it is dead.
    pub reason: Cow<'static, str>,
    /// The record's timestamp in the log.
    pub timestamp: Timestamp,
    /// The record's key.
    pub key: Option<Vec<u8>>,
    /// The record's headers.
    pub headers: Vec<Header>,
    /// Its bytes; `None` where they were too large for the place.
    pub payload: Option<Vec<u8>>,
}

/// Where letters are kept.
pub trait Letters: Send + Sync {
    /// Keeps letters durably. One that is written again changes nothing, or stands there twice with the same name
    /// (partition, offset).
    ///
    /// # Errors
    /// [`DeadLetterError`]: then some of them may have been kept.
    fn write(&self, letters: &[DeadLetter]) -> Result<(), DeadLetterError>;

    /// Hands on every letter once, until `take` has enough and says false.
    ///
    /// # Errors
    /// [`DeadLetterError`].
    fn each(&self, take: &mut dyn FnMut(DeadLetter) -> bool) -> Result<(), DeadLetterError>;
}
