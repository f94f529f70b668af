//! Where records come from: one trait over Kafka and the embedded log. Knows partitions, offsets and bytes; what a
//! record means is `actors::reader`'s to decide.
//!
//! Offsets are sparse (transaction markers, compaction), so a reader is told where its partition ends instead of
//! counting. Nothing resets silently: a start that the log no longer holds is a named error, and halts the partition.

pub mod embedded;
pub mod kafka;
pub mod partition;
pub mod progress;
pub mod reader;
mod replay;
pub mod worker;

use std::sync::Arc;
use std::time::Duration;

use featuregrid_actors::reader::Record;
use featuregrid_protocol::ids::{Offset, PartitionId, TopicId};
use featuregrid_protocol::plan::Plan;
use thiserror::Error;

/// Records handed on by one poll at most: the loop looks at its stop signal and budget this often.
pub const POLL_RECORDS_MAX: usize = 1024;

/// Which offsets a partition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The first that is still there.
    pub earliest: Offset,
    /// The next after the last that may be read.
    pub end: Offset,
}

/// Why a log does not deliver.
#[derive(Debug, Error)]
pub enum LogError {
    /// What stood at the position was deleted. The partition halts; its state is intact up to there.
    #[error(
        "{partition} of `{topic}` was cut by retention: offset {wanted} is needed, the earliest kept is {earliest}; \
         state cannot be rebuilt from this log, so start over with a new --data folder or restore the records"
    )]
    Retention {
        /// The log's name.
        topic: String,
        /// Which partition.
        partition: PartitionId,
        /// Next offset to read.
        wanted: Offset,
        /// First offset that is still there.
        earliest: Offset,
    },
    /// The log ends before the position: it lost records, or is another topic of the same name. The partition halts.
    #[error(
        "{partition} of `{topic}` was truncated: offset {wanted} was read before, the log now ends at {end}; \
         the topic was re-created or lost data, so start over with a new --data folder"
    )]
    Truncated {
        /// The log's name.
        topic: String,
        /// Which partition.
        partition: PartitionId,
        /// Next offset to read.
        wanted: Offset,
        /// Where the log ends.
        end: Offset,
    },
    /// Nobody answers, or says no. Nothing was changed; the caller may try again.
    #[error("{what}: {why}")]
    Unavailable {
        /// What was asked.
        what: String,
        /// What the client library said.
        why: String,
    },
}

impl LogError {
    /// The partition that cannot go on, if the error halts one.
    #[must_use]
    pub fn halted(&self) -> Option<PartitionId> {
        match self {
            Self::Retention { partition, .. } | Self::Truncated { partition, .. } => Some(*partition),
            Self::Unavailable { .. } => None,
        }
    }
}

/// What a poll found.
#[derive(Debug)]
pub enum LogEvent<'a> {
    /// The next record of a partition, borrowed from the client's memory.
    Record(PartitionId, Record<'a>),
    /// Everything before this offset was handed on.
    End(PartitionId, Offset),
}

/// The topics of a project's sources, or what stands in for them.
pub trait Log: Send + Sync {
    /// The name of a partition's topic, or of what stands in for it.
    fn name(&self, partition: PartitionId) -> &str;
    /// The identity of a partition's topic, where the client tells one; the default id where it does not.
    fn topic(&self, partition: PartitionId) -> TopicId;
    /// Every partition of every source, ascending.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    fn partitions(&self) -> Result<Vec<PartitionId>, LogError>;
    /// Which offsets a partition holds.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    fn bounds(&self, partition: PartitionId) -> Result<Bounds, LogError>;
    /// Reads these partitions from these offsets on, each in order of offset.
    ///
    /// # Errors
    /// Any [`LogError`].
    fn open(&self, from: &[(PartitionId, Offset)]) -> Result<Box<dyn LogReader>, LogError>;
}

/// Opens the log of a plan's sources.
pub type OpenLog = dyn Fn(&Plan) -> Result<Arc<dyn Log>, LogError> + Send + Sync;

/// A position in some partitions of a log; moves forwards only.
pub trait LogReader: Send {
    /// Hands on what is there, at most [`POLL_RECORDS_MAX`] records; waits at most `wait` for the first.
    ///
    /// # Errors
    /// An error that names a partition halts it: the reader has stopped it and goes on with the others.
    fn poll(&mut self, wait: Duration, sink: &mut dyn FnMut(LogEvent<'_>)) -> Result<(), LogError>;
    /// Stops or resumes fetching, without losing what was fetched.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    fn pause(&mut self, paused: bool) -> Result<(), LogError>;
}
