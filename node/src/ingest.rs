//! Where records come from: one trait over Kafka and the embedded log. Knows partitions, offsets and bytes; what a
//! record means is `actors::reader`'s to decide.
//!
//! Offsets are sparse (transaction markers, compaction), so a reader is told where its partition ends instead of
//! counting. Nothing resets silently: a start that the log no longer holds is a named error, and halts the partition.

pub mod embedded;
pub mod kafka;
mod letter;
pub mod partition;
pub mod progress;
pub mod reader;
mod replay;
mod stall;
pub mod surroundings;
pub mod watch;
pub mod worker;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use featuregrid_actors::reader::Record;
use featuregrid_protocol::ids::{Offset, PartitionId, SourceId, TopicId};
use featuregrid_protocol::partitioner;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;
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
    /// The topic was deleted and created again: its offsets mean other records now. The partition halts.
    #[error(
        "{partition} of `{topic}` is of another topic now: `{topic}` was deleted and created again (its id was {was}, and \
         is {is}), so its offsets do not mean the records that were read before; start over with a new --data folder, or \
         give the new topic another name and the old one back"
    )]
    Recreated {
        /// The log's name.
        topic: String,
        /// Which partition.
        partition: PartitionId,
        /// The identity that was read.
        was: String,
        /// The identity that is there.
        is: String,
    },
    /// A record is larger than its topic takes. None of the records after it was appended, some before it may have been.
    #[error("a record is larger than `{topic}` takes; raise its max.message.bytes")]
    TooLarge {
        /// The topic's name.
        topic: String,
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
    /// [`Self::Recreated`], identities as Kafka's own tools print them.
    #[must_use]
    pub fn recreated(topic: &str, partition: PartitionId, was: TopicId, is: TopicId) -> Self {
        let show = |id: TopicId| BASE64_URL_SAFE_NO_PAD.encode(id.0);
        Self::Recreated { topic: topic.to_owned(), partition, was: show(was), is: show(is) }
    }

    /// The partition that cannot go on, if the error halts one.
    #[must_use]
    pub fn halted(&self) -> Option<PartitionId> {
        match self {
            Self::Retention { partition, .. }
            | Self::Truncated { partition, .. }
            | Self::Recreated { partition, .. } => Some(*partition),
            Self::TooLarge { .. } | Self::Unavailable { .. } => None,
        }
    }
}

/// What a record has beside what readers look at; asked for only where it is kept as a dead letter.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    key: Option<&'a [u8]>,
    headers: Option<&'a dyn Headers>,
}

/// A header of a record: its name, and its value if it has one.
pub type Header = (String, Option<Vec<u8>>);

/// Headers that the client has not decoded yet.
pub trait Headers {
    /// All of them, in order.
    fn list(&self) -> Vec<Header>;
}

impl<'a> Origin<'a> {
    /// Of a record with this key and these headers.
    #[must_use]
    pub fn new(key: Option<&'a [u8]>, headers: Option<&'a dyn Headers>) -> Self {
        Self { key, headers }
    }

    /// The record's key.
    #[must_use]
    pub fn key(&self) -> Option<&'a [u8]> {
        self.key
    }

    /// The record's headers.
    #[must_use]
    pub fn headers(&self) -> Vec<Header> {
        self.headers.map(Headers::list).unwrap_or_default()
    }
}

impl std::fmt::Debug for Origin<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Origin").field("key", &self.key).field("headers", &self.headers()).finish()
    }
}

/// What a poll found.
#[derive(Debug)]
pub enum LogEvent<'a> {
    /// The next record of a partition, borrowed from the client's memory.
    Record(PartitionId, Record<'a>, Origin<'a>),
    /// Everything before this offset was handed on.
    End(PartitionId, Offset),
}

/// A record to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    /// Whose record it is.
    pub source: SourceId,
    /// Decides the partition, as Kafka's own producers do (murmur2); without a key, the payload does.
    pub key: Option<Vec<u8>>,
    /// CreateTime.
    pub timestamp: Timestamp,
    /// Whether it bypasses lateness: a dead letter that somebody replays.
    pub admit: bool,
    /// `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
}

impl NewRecord {
    /// The number of its partition among `partitions`.
    #[must_use]
    pub fn partition(&self, partitions: u32) -> u32 {
        let decides = self.key.as_deref().or(self.payload.as_deref());
        partitioner::partition(decides.unwrap_or_default(), partitions)
    }
}

/// Which topic a source's log is, beyond its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whose log.
    pub source: SourceId,
    /// The topic's name.
    pub name: String,
    /// What a re-created topic of that name does not share.
    pub id: TopicId,
}

/// The topics of a project's sources, or what stands in for them.
pub trait Log: Send + Sync {
    /// The name of a partition's topic, or of what stands in for it.
    fn name(&self, partition: PartitionId) -> &str;
    /// The identity of a partition's topic, where the client tells one; the default id where it does not.
    fn topic(&self, partition: PartitionId) -> TopicId;
    /// The identities of all topics that are there now, where the client can ask for them.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    fn identities(&self) -> Result<Vec<Identity>, LogError> {
        Ok(Vec::new())
    }
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
    /// Appends records and waits until all of them are durable: where each stands, in their order.
    ///
    /// # Errors
    /// [`LogError::Unavailable`]: some of them may have been appended.
    fn append(&self, records: &[NewRecord]) -> Result<Vec<Position>, LogError>;
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
