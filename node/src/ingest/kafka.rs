//! The log as a Kafka topic, through librdkafka: partitions assigned by hand, committed records only, and no reset of
//! offsets. Knows no consumer groups and commits nothing.
//!
//! librdkafka does not tell a topic's id through its safe binding, so a topic that was deleted and created again with
//! more records than were read is not recognised here; the truncation check finds the one with fewer.

mod batch;
mod producer;
mod topic;

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use featuregrid_actors::reader::Record;
use featuregrid_protocol::ids::{Offset, PartitionId, SourceId, TopicId};
use featuregrid_protocol::partitioner;
use featuregrid_protocol::plan::{Plan, SourcePlan};
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;

use self::batch::{Absent, BatchQueue, Message};
use self::producer::{HeaderRef, Outgoing, Producer};
pub use self::topic::create_topic;
use super::{Bounds, Header, Log, LogError, LogEvent, LogReader, NewRecord, OpenLog, Origin};

/// How long a question to the brokers may take: a broker that restarts answers within it.
const ASK: Duration = Duration::from_secs(15);

/// A header that lets a replayed dead letter pass the lateness check.
pub const ADMIT_HEADER: &str = "featuregrid-admit";
const ADMIT_HEADER_C: &CStr = c"featuregrid-admit";

/// The headers of an admitted record.
const ADMITTED: [HeaderRef<'static>; 1] = [(ADMIT_HEADER, Some(b"1"))];

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

/// The topics of a project's sources.
pub struct KafkaLog {
    brokers: String,
    topics: Topics,
    client: BaseConsumer,
    /// Made by the first append.
    producer: OnceLock<Producer>,
}

/// A dead letter as a record.
pub(crate) struct Letter<'a> {
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) timestamp: Timestamp,
    pub(crate) payload: Option<&'a [u8]>,
    pub(crate) headers: Vec<Header>,
}

/// Which source a topic is; no two sources read one.
#[derive(Clone, Debug)]
pub struct Topics(Arc<[(SourceId, String)]>);

impl Topics {
    /// Of every source of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let source = |(at, source): (usize, &SourcePlan)| (SourceId(at as u16), source.topic.clone());
        Self(plan.sources.iter().enumerate().map(source).collect())
    }

    /// The one topic of the first source.
    #[must_use]
    pub fn one(topic: &str) -> Self {
        Self(Arc::new([(SourceId(0), topic.to_owned())]))
    }

    fn name(&self, partition: PartitionId) -> &str {
        let found = self.0.iter().find(|(source, _)| *source == partition.source());
        found.map_or("(no topic)", |(_, name)| name)
    }

    fn partition(&self, topic: &CStr, number: i32) -> Option<PartitionId> {
        let mut sources = self.0.iter();
        let (source, _) = sources.find(|(_, name)| name.as_bytes() == topic.to_bytes())?;
        PartitionId::of(*source, u32::try_from(number).ok()?)
    }

    fn names(&self) -> String {
        self.0.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl KafkaLog {
    /// Connects; the first question finds out whether anybody answers.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] if the settings are refused.
    pub fn new(brokers: &str, topics: Topics) -> Result<Self, LogError> {
        let client =
            consumer_config(brokers).create().map_err(unavailable(|| format!("Kafka client for {brokers}")))?;
        Ok(Self { brokers: brokers.to_owned(), topics, client, producer: OnceLock::new() })
    }

    fn partitions_of(&self, source: SourceId, name: &str) -> Result<Vec<PartitionId>, LogError> {
        let what = || format!("partitions of topic `{name}` at {}", self.brokers);
        let metadata = self.client.fetch_metadata(Some(name), ASK).map_err(unavailable(what))?;
        let found = metadata.topics().iter().flat_map(|topic| topic.partitions());
        let number = |found: &rdkafka::metadata::MetadataPartition| u32::try_from(found.id()).ok();
        let mut partitions: Vec<PartitionId> =
            found.filter_map(|found| PartitionId::of(source, number(found)?)).collect();
        partitions.sort_unstable();
        if partitions.is_empty() {
            let why = "there is no such topic; create it, or correct `kafka: { topic: ... }`".to_owned();
            return Err(LogError::Unavailable { what: what(), why });
        }
        Ok(partitions)
    }

    /// Appends dead letters to the one topic of this log.
    ///
    /// # Errors
    /// [`LogError::TooLarge`], [`LogError::Unavailable`].
    pub(crate) fn append_letters(&self, letters: &[Letter<'_>]) -> Result<(), LogError> {
        let Some((source, name)) = self.topics.0.first() else { return Ok(()) };
        let partitions = self.partitions_of(*source, name)?.len() as u32;
        let mut headers: Vec<Vec<HeaderRef<'_>>> = Vec::with_capacity(letters.len());
        for letter in letters {
            headers.push(letter.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect());
        }
        let outgoing: Vec<Outgoing<'_>> = letters
            .iter()
            .zip(&headers)
            .map(|(letter, headers)| Outgoing {
                partition: partitioner::partition(letter.key.unwrap_or_default(), partitions) as i32,
                key: letter.key,
                timestamp: letter.timestamp.0.div_euclid(1000),
                payload: letter.payload,
                headers,
            })
            .collect();
        self.producer()?.append(name, &outgoing).map(drop).map_err(refused(name))
    }

    fn producer(&self) -> Result<&Producer, LogError> {
        if let Some(producer) = self.producer.get() {
            return Ok(producer);
        }
        let made =
            Producer::new(ClientConfig::new().set("bootstrap.servers", &self.brokers).set("client.id", "featuregrid"));
        let made = made.map_err(unavailable(|| format!("Kafka producer for {}", self.brokers)))?;
        Ok(self.producer.get_or_init(|| made))
    }

    /// Opens the topics of any plan.
    #[must_use]
    pub fn for_plans(brokers: &str) -> Box<OpenLog> {
        let brokers = brokers.to_owned();
        Box::new(move |plan| Ok(Arc::new(Self::new(&brokers, Topics::of(plan))?)))
    }
}

impl Log for KafkaLog {
    fn name(&self, partition: PartitionId) -> &str {
        self.topics.name(partition)
    }

    fn topic(&self, _: PartitionId) -> TopicId {
        TopicId::default()
    }

    fn partitions(&self) -> Result<Vec<PartitionId>, LogError> {
        let mut partitions = Vec::new();
        for (source, name) in self.topics.0.iter() {
            partitions.extend(self.partitions_of(*source, name)?);
        }
        partitions.sort_unstable();
        Ok(partitions)
    }

    fn bounds(&self, partition: PartitionId) -> Result<Bounds, LogError> {
        let name = self.topics.name(partition);
        let (low, high) = self
            .client
            .fetch_watermarks(name, partition.number() as i32, ASK)
            .map_err(unavailable(|| format!("offsets of {partition} of `{name}`")))?;
        Ok(Bounds { earliest: low.max(0) as Offset, end: high.max(0) as Offset })
    }

    fn open(&self, from: &[(PartitionId, Offset)]) -> Result<Box<dyn LogReader>, LogError> {
        let what = || format!("consumer of {}", self.topics.names());
        let consumer: BaseConsumer = consumer_config(&self.brokers).create().map_err(unavailable(what))?;
        let consumer = Arc::new(consumer);
        let no_queue = || LogError::Unavailable { what: what(), why: "the consumer has no queue".to_owned() };
        let queue = BatchQueue::new(Arc::clone(&consumer)).ok_or_else(no_queue)?;
        let next = from.iter().copied().collect();
        let reader = KafkaReader { topics: self.topics.clone(), queue, consumer, next, paused: false };
        reader.consumer.assign(&reader.assignment()).map_err(unavailable(what))?;
        Ok(Box::new(reader))
    }

    fn append(&self, records: &[NewRecord]) -> Result<Vec<Position>, LogError> {
        let mut places = vec![Position::default(); records.len()];
        for (source, name) in self.topics.0.iter() {
            let own: Vec<usize> = (0..records.len()).filter(|at| records[*at].source == *source).collect();
            if own.is_empty() {
                continue;
            }
            let all = self.partitions_of(*source, name)?;
            let partitions: Vec<PartitionId> =
                own.iter().map(|at| all[records[*at].partition(all.len() as u32) as usize]).collect();
            let outgoing: Vec<Outgoing<'_>> = own
                .iter()
                .zip(&partitions)
                .map(|(at, partition)| {
                    let NewRecord { key, timestamp, admit, payload, .. } = &records[*at];
                    Outgoing {
                        partition: partition.number() as i32,
                        key: key.as_deref(),
                        timestamp: timestamp.0.div_euclid(1000),
                        payload: payload.as_deref(),
                        headers: if *admit { &ADMITTED } else { &[] },
                    }
                })
                .collect();
            let offsets = self.producer()?.append(name, &outgoing).map_err(refused(name))?;
            for ((at, partition), offset) in own.into_iter().zip(partitions).zip(offsets) {
                places[at] = Position { partition, offset };
            }
        }
        Ok(places)
    }
}

struct KafkaReader {
    topics: Topics,
    queue: BatchQueue,
    consumer: Arc<BaseConsumer>,
    /// Next offset per partition that goes on.
    next: BTreeMap<PartitionId, Offset>,
    paused: bool,
}

impl KafkaReader {
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

    /// The library does not say whose offset is gone: the one that its partition no longer holds.
    fn find_reset(&mut self) -> LogError {
        self.paused = false; // a new assignment is not paused
        for (partition, wanted) in self.next.clone() {
            let topic = self.topics.name(partition).to_owned();
            let (low, high) = match self.consumer.fetch_watermarks(&topic, partition.number() as i32, ASK) {
                Ok((low, high)) => (low.max(0) as Offset, high.max(0) as Offset),
                Err(error) => return unavailable(|| format!("offsets of {partition} of `{topic}`"))(error),
            };
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
            Ok(()) => LogError::Unavailable { what: self.topics.names(), why: "an offset was out of range".to_owned() },
            Err(error) => unavailable(|| format!("assignment of {}", self.topics.names()))(error),
        }
    }
}

impl LogReader for KafkaReader {
    fn poll(&mut self, wait: Duration, sink: &mut dyn FnMut(LogEvent<'_>)) -> Result<(), LogError> {
        let (topics, next, mut failed) = (&self.topics, &mut self.next, None);
        self.queue.poll(wait, &mut |topic, number, found| {
            let partition = topics.partition(topic, number);
            match (found, partition.and_then(|partition| Some((partition, next.get_mut(&partition)?)))) {
                (Ok(message), Some((partition, next))) => {
                    let record = record(message);
                    *next = record.offset + 1;
                    sink(LogEvent::Record(partition, record, Origin::new(message.key, Some(&message.headers))));
                }
                (Err(Absent::End(end)), Some((partition, next))) => {
                    *next = (*next).max(end.max(0) as Offset);
                    sink(LogEvent::End(partition, *next));
                }
                // Of a partition that halted; fetched before it did.
                (Ok(_) | Err(Absent::End(_)), None) => {}
                (Err(Absent::Error(code)), _) => failed = Some(code),
            }
        });
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
        let list = self.assignment();
        let done = if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        done.map_err(unavailable(|| format!("pausing {}", self.topics.names())))?;
        self.paused = paused;
        Ok(())
    }
}

/// A message as a record; payload bytes stay where librdkafka has them.
fn record(message: Message<'_>) -> Record<'_> {
    // Only brokers of ten years ago leave the timestamp out; such a record is never in the future.
    let log_timestamp = message.timestamp.map_or(Timestamp::MAX, |ms| Timestamp(ms.saturating_mul(1000)));
    let Message { offset, payload, admit, .. } = message;
    Record { offset: offset as Offset, log_timestamp, admit, payload }
}

fn refused(topic: &str) -> impl FnOnce(KafkaError) -> LogError + use<'_> {
    move |error| match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize) => {
            LogError::TooLarge { topic: topic.to_owned() }
        }
        _ => unavailable(|| format!("append to `{topic}`"))(error),
    }
}

fn unavailable(what: impl FnOnce() -> String) -> impl FnOnce(KafkaError) -> LogError {
    |error| LogError::Unavailable { what: what(), why: error.to_string() }
}
