//! Reads partitions of topics, each from an offset of its own, with one consumer. Knows which offset comes next; asks
//! nobody, the client least of all.
//!
//! A fetch names the identity of its topic, as the client learnt it last (since Kafka 3.1). So a record of a re-created
//! topic can only come after the client has learnt the new identity, which it says in its log and nowhere else.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::CStr;
use std::sync::Arc;
use std::time::Duration;

use featuregrid_actors::reader::Record;
use featuregrid_protocol::ids::{Offset, PartitionId, SourceId, TopicId};
use featuregrid_protocol::time::Timestamp;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::batch::{self, Absent, BatchQueue, Message, Poll};
use super::bounds::bounds;
use super::identity::{self, Learnt};
use super::{Cluster, Topics, unavailable};
use crate::ingest::{Bounds, LogError, LogEvent, LogReader, Origin};

/// See the module.
pub(super) struct KafkaReader {
    topics: Topics,
    queue: BatchQueue,
    consumer: Arc<BaseConsumer>,
    /// Next offset per partition that goes on.
    next: BTreeMap<PartitionId, Offset>,
    paused: bool,
    /// The topics that are to be read.
    identities: BTreeMap<SourceId, TopicId>,
    /// Partitions that have halted, and have not been told.
    halted: VecDeque<LogError>,
}

/// What a poll is handed on to.
struct Handed<'h, 's> {
    topics: &'h Topics,
    identities: &'h BTreeMap<SourceId, TopicId>,
    next: &'h mut BTreeMap<PartitionId, Offset>,
    halted: &'h mut VecDeque<LogError>,
    failed: Option<RDKafkaErrorCode>,
    sink: &'h mut (dyn FnMut(LogEvent<'_>) + 's),
}

impl KafkaReader {
    pub(super) fn open(
        cluster: &Cluster,
        topics: &Topics,
        identities: BTreeMap<SourceId, TopicId>,
        from: &[(PartitionId, Offset)],
    ) -> Result<Self, LogError> {
        let what = || format!("consumer of {}", topics.names());
        let mut config = cluster.consumer();
        identity::let_tell(&mut config);
        config.set_log_level(RDKafkaLogLevel::Debug);
        let consumer: BaseConsumer = config.create().map_err(unavailable(what))?;
        let consumer = Arc::new(consumer);
        let no_queue = || LogError::Unavailable { what: what(), why: "the consumer has no queue".to_owned() };
        let queue = BatchQueue::new(Arc::clone(&consumer)).ok_or_else(no_queue)?;
        let next = from.iter().copied().collect();
        let (topics, halted) = (topics.clone(), VecDeque::new());
        let reader = Self { topics, queue, consumer, next, paused: false, identities, halted };
        reader.consumer.assign(&reader.assignment()).map_err(unavailable(what))?;
        Ok(reader)
    }

    fn assignment(&self) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, next) in &self.next {
            let offset = rdkafka::Offset::Offset(*next as i64);
            if let Err(error) =
                list.add_partition_offset(self.topics.name(*partition), partition.number() as i32, offset)
            {
                tracing::error!(%partition, %error, "an offset is out of Kafka's range");
            }
        }
        list
    }

    /// Begins anew where every partition stands; nowhere while it is paused.
    ///
    /// librdkafka's own pause would resume where it believes the reader to stand, which after a batch that met the end of
    /// a partition is one too far (2.12): the next record would be lost.
    fn assign(&self) -> Result<(), KafkaError> {
        if self.paused { self.consumer.unassign() } else { self.consumer.assign(&self.assignment()) }
    }

    /// The library does not say whose offset is gone: the one that its partition no longer holds.
    fn find_reset(&mut self) -> LogError {
        for (partition, wanted) in self.next.clone() {
            let topic = self.topics.name(partition).to_owned();
            let Bounds { earliest, end } = match bounds(&self.consumer, &topic, partition) {
                Ok(bounds) => bounds,
                Err(error) => return error,
            };
            let halt = if wanted < earliest {
                LogError::Retention { topic, partition, wanted, earliest }
            } else if wanted > end {
                LogError::Truncated { topic, partition, wanted, end }
            } else {
                continue;
            };
            self.next.remove(&partition);
            if let Err(error) = self.assign() {
                return unavailable(|| format!("assignment without {partition}"))(error);
            }
            return halt;
        }
        // The log moved between the refusal and the question; asking again settles it.
        match self.assign() {
            Ok(()) => LogError::Unavailable { what: self.topics.names(), why: "an offset was out of range".to_owned() },
            Err(error) => unavailable(|| format!("assignment of {}", self.topics.names()))(error),
        }
    }
}

impl LogReader for KafkaReader {
    fn poll(&mut self, wait: Duration, sink: &mut dyn FnMut(LogEvent<'_>)) -> Result<(), LogError> {
        let Self { topics, identities, next, halted, queue, .. } = &mut *self;
        let mut handed = Handed { topics, identities, next, halted, failed: None, sink };
        queue.poll(wait, &mut handed);
        let failed = handed.failed;
        if let Some(error) = self.halted.pop_front() {
            self.assign().map_err(unavailable(|| format!("assignment of {}", self.topics.names())))?;
            return Err(error);
        }
        match failed {
            None => Ok(()),
            Some(RDKafkaErrorCode::AutoOffsetReset) => Err(self.find_reset()),
            Some(code) => {
                Err(LogError::Unavailable { what: format!("reading {}", self.topics.names()), why: code.to_string() })
            }
        }
    }

    fn pause(&mut self, paused: bool) -> Result<(), LogError> {
        if paused == self.paused {
            return Ok(());
        }
        self.paused = paused;
        self.assign().map_err(unavailable(|| format!("pausing {}", self.topics.names())))
    }
}

impl Poll for &mut Handed<'_, '_> {
    fn line(&mut self, level: i32, text: &str) {
        batch::tell(level, text);
        let Some(Learnt { topic, is }) = identity::learnt(text) else { return };
        let Some(source) = self.topics.source(topic) else { return };
        let Some(was) = self.identities.get(&source).filter(|was| **was != is) else { return };
        let of_topic: Vec<PartitionId> = self.next.keys().copied().filter(|own| own.source() == source).collect();
        for partition in of_topic {
            self.next.remove(&partition);
            self.halted.push_back(LogError::recreated(topic, partition, *was, is));
        }
    }

    fn found(&mut self, topic: &CStr, number: i32, found: Result<Message<'_>, Absent>) {
        let partition = self.topics.partition(topic, number);
        match (found, partition.and_then(|partition| Some((partition, self.next.get_mut(&partition)?)))) {
            (Ok(message), Some((partition, next))) => {
                let record = record(message);
                if record.offset < *next {
                    return; // fetched before a pause, and again after it
                }
                *next = record.offset + 1;
                (self.sink)(LogEvent::Record(partition, record, Origin::new(message.key, Some(&message.headers))));
            }
            (Err(Absent::End(end)), Some((partition, next))) => {
                *next = (*next).max(end.max(0) as Offset);
                (self.sink)(LogEvent::End(partition, *next));
            }
            // Of a partition that halted; fetched before it did.
            (Ok(_) | Err(Absent::End(_)), None) => {}
            (Err(Absent::Error(code)), _) => self.failed = Some(code),
        }
    }
}

/// A message as a record; payload bytes stay where librdkafka has them.
fn record(message: Message<'_>) -> Record<'_> {
    // Only brokers of ten years ago leave the timestamp out; such a record is never in the future.
    let log_timestamp = message.timestamp.map_or(Timestamp::MAX, |ms| Timestamp(ms.saturating_mul(1000)));
    let Message { offset, payload, admit, .. } = message;
    Record { offset: offset as Offset, log_timestamp, admit, payload }
}
