//! The log as a Kafka topic, through librdkafka: partitions assigned by hand, committed records only, and no reset of
//! offsets. Knows no consumer groups and commits nothing.
//!
//! librdkafka does not tell a topic's id through its safe binding, so a topic that was deleted and created again with
//! more records than were read is not recognised here; the truncation check finds the one with fewer.

use std::collections::BTreeMap;
use std::time::Duration;

use featuregrid_actors::reader::Record;
use featuregrid_protocol::ids::{Offset, PartitionId, TopicId};
use featuregrid_protocol::time::Timestamp;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::{Bounds, Log, LogError, LogEvent, LogReader, POLL_RECORDS_MAX};

/// How long a question to the brokers may take: a broker that restarts answers within it.
const ASK: Duration = Duration::from_secs(15);

/// A header that lets a replayed dead letter pass the lateness check.
pub const ADMIT_HEADER: &str = "featuregrid-admit";

/// The client settings that every consumer of ours shares, benchmarks included.
#[must_use]
pub fn consumer_config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", "featuregrid")
        // The library insists on a group name; with manual assignment nobody joins it.
        .set("group.id", "featuregrid")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("allow.auto.create.topics", "false")
        .set("isolation.level", "read_committed")
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "true")
        // A full prefetch queue otherwise puts the fetcher to sleep for a second: a third of the throughput.
        .set("fetch.queue.backoff.ms", "5");
    config
}

/// A topic.
pub struct KafkaLog {
    brokers: String,
    name: String,
    client: BaseConsumer,
}

impl KafkaLog {
    /// Connects; the first question finds out whether anybody answers.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] if the settings are refused.
    pub fn new(brokers: &str, topic: &str) -> Result<Self, LogError> {
        let client =
            consumer_config(brokers).create().map_err(unavailable(|| format!("Kafka client for {brokers}")))?;
        Ok(Self { brokers: brokers.to_owned(), name: topic.to_owned(), client })
    }
}

impl Log for KafkaLog {
    fn name(&self) -> &str {
        &self.name
    }

    fn topic(&self) -> TopicId {
        TopicId::default()
    }

    fn partitions(&self) -> Result<Vec<PartitionId>, LogError> {
        let what = || format!("partitions of topic `{}` at {}", self.name, self.brokers);
        let metadata = self.client.fetch_metadata(Some(&self.name), ASK).map_err(unavailable(what))?;
        let mut partitions: Vec<PartitionId> = metadata
            .topics()
            .iter()
            .flat_map(|topic| topic.partitions())
            .map(|partition| PartitionId(partition.id() as u32))
            .collect();
        partitions.sort_unstable();
        if partitions.is_empty() {
            let why = "there is no such topic; create it, or correct `kafka: { topic: ... }`".to_owned();
            return Err(LogError::Unavailable { what: what(), why });
        }
        Ok(partitions)
    }

    fn bounds(&self, partition: PartitionId) -> Result<Bounds, LogError> {
        let (low, high) = self
            .client
            .fetch_watermarks(&self.name, partition.0 as i32, ASK)
            .map_err(unavailable(|| format!("offsets of {partition} of `{}`", self.name)))?;
        Ok(Bounds { earliest: low.max(0) as Offset, end: high.max(0) as Offset })
    }

    fn open(&self, from: &[(PartitionId, Offset)]) -> Result<Box<dyn LogReader>, LogError> {
        let what = || format!("consumer of `{}`", self.name);
        let consumer: BaseConsumer = consumer_config(&self.brokers).create().map_err(unavailable(what))?;
        let reader =
            KafkaReader { name: self.name.clone(), consumer, next: from.iter().copied().collect(), paused: false };
        reader.consumer.assign(&reader.assignment()).map_err(unavailable(what))?;
        Ok(Box::new(reader))
    }
}

struct KafkaReader {
    name: String,
    consumer: BaseConsumer,
    /// Next offset per partition that goes on.
    next: BTreeMap<PartitionId, Offset>,
    paused: bool,
}

impl KafkaReader {
    fn assignment(&self) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, next) in &self.next {
            let offset = rdkafka::Offset::Offset(*next as i64);
            if let Err(error) = list.add_partition_offset(&self.name, partition.0 as i32, offset) {
                tracing::error!(%partition, %error, "an offset is out of Kafka's range");
            }
        }
        list
    }

    /// The library does not say whose offset is gone: the one that its partition no longer holds.
    fn find_reset(&mut self) -> LogError {
        self.paused = false; // a new assignment is not paused
        for (partition, wanted) in self.next.clone() {
            let (low, high) = match self.consumer.fetch_watermarks(&self.name, partition.0 as i32, ASK) {
                Ok((low, high)) => (low.max(0) as Offset, high.max(0) as Offset),
                Err(error) => return unavailable(|| format!("offsets of {partition} of `{}`", self.name))(error),
            };
            let topic = self.name.clone();
            let halt = if wanted < low {
                LogError::Retention { topic, partition, wanted, earliest: low }
            } else if wanted > high {
                LogError::Truncated { topic, partition, wanted, end: high }
            } else {
                continue;
            };
            self.next.remove(&partition);
            if let Err(error) = self.consumer.assign(&self.assignment()) {
                return unavailable(|| format!("assignment without {partition}"))(error);
            }
            return halt;
        }
        // The log moved between the refusal and the question; asking again settles it.
        match self.consumer.assign(&self.assignment()) {
            Ok(()) => LogError::Unavailable { what: self.name.clone(), why: "an offset was out of range".to_owned() },
            Err(error) => unavailable(|| format!("assignment of `{}`", self.name))(error),
        }
    }

    fn end_of(&self, partition: PartitionId) -> Option<Offset> {
        let positions = self.consumer.position().ok()?;
        match positions.find_partition(&self.name, partition.0 as i32)?.offset() {
            rdkafka::Offset::Offset(offset) if offset >= 0 => Some(offset as Offset),
            _ => None,
        }
    }
}

impl LogReader for KafkaReader {
    fn poll(&mut self, wait: Duration, sink: &mut dyn FnMut(LogEvent<'_>)) -> Result<(), LogError> {
        let mut wait = wait;
        for _ in 0..POLL_RECORDS_MAX {
            match self.consumer.poll(wait) {
                None => break,
                Some(Ok(message)) => {
                    let (partition, record) = record(&message);
                    if let Some(next) = self.next.get_mut(&partition) {
                        *next = record.offset + 1;
                        sink(LogEvent::Record(partition, record));
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    let partition = PartitionId(partition as u32);
                    if let (Some(end), Some(next)) = (self.end_of(partition), self.next.get(&partition).copied()) {
                        self.next.insert(partition, next.max(end));
                        sink(LogEvent::End(partition, next.max(end)));
                    }
                }
                Some(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset))) => {
                    return Err(self.find_reset());
                }
                Some(Err(error)) => return Err(unavailable(|| format!("reading `{}`", self.name))(error)),
            }
            wait = Duration::ZERO;
        }
        Ok(())
    }

    fn pause(&mut self, paused: bool) -> Result<(), LogError> {
        if paused == self.paused {
            return Ok(());
        }
        let list = self.assignment();
        let done = if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        done.map_err(unavailable(|| format!("pausing `{}`", self.name)))?;
        self.paused = paused;
        Ok(())
    }
}

/// A message as a record; payload bytes stay where librdkafka has them.
fn record<'a>(message: &'a BorrowedMessage<'_>) -> (PartitionId, Record<'a>) {
    // Only brokers of ten years ago leave the timestamp out; such a record is never in the future.
    let log_timestamp = message.timestamp().to_millis().map_or(Timestamp::MAX, |ms| Timestamp(ms.saturating_mul(1000)));
    let admit = message.headers().is_some_and(|headers| headers.iter().any(|header| header.key == ADMIT_HEADER));
    let record = Record { offset: message.offset() as Offset, log_timestamp, admit, payload: message.payload() };
    (PartitionId(message.partition() as u32), record)
}

fn unavailable(what: impl FnOnce() -> String) -> impl FnOnce(KafkaError) -> LogError {
    |error| LogError::Unavailable { what: what(), why: error.to_string() }
}
