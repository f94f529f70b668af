//! The log as a Kafka topic, through librdkafka: partitions assigned by hand, committed records only, and no reset of
//! offsets. Knows no consumer groups and commits nothing.

mod advice;
mod append_time;
mod batch;
mod bounds;
mod cluster;
mod described;
mod identity;
mod native;
mod producer;
mod reader;
pub mod settings;
mod topic;

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use featuregrid_protocol::ids::{Offset, PartitionId, SourceId, TopicId};
use featuregrid_protocol::partitioner;
use featuregrid_protocol::plan::{Plan, SourcePlan};
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

pub use self::append_time::AppendTimeError;
pub use self::cluster::Cluster;
pub use self::described::check_topics;
use self::producer::{HeaderRef, Outgoing, Producer};
use self::reader::KafkaReader;
pub(crate) use self::settings::HIDDEN;
pub use self::settings::{KafkaSettings, SettingsError};
pub use self::topic::{create_topic, missing_topics};
use super::{Bounds, Header, Identity, Log, LogError, LogReader, NewRecord, OpenLog};

/// How long a question to the brokers may take: a broker that restarts answers within it.
const ASK: Duration = Duration::from_secs(15);

/// So long after the brokers were asked an append asks them again: what a new partition may wait for its first record,
/// and far less than the five minutes that Kafka's own producers allow themselves.
const PARTITIONS_AGE_MAX: Duration = Duration::from_secs(2);

/// A header that lets a replayed dead letter pass the lateness check.
pub const ADMIT_HEADER: &str = "featuregrid-admit";
const ADMIT_HEADER_C: &CStr = c"featuregrid-admit";

/// The headers of an admitted record.
const ADMITTED: [HeaderRef<'static>; 1] = [(ADMIT_HEADER, Some(b"1"))];

/// The topics of a project's sources.
pub struct KafkaLog {
    cluster: Cluster,
    topics: Topics,
    client: BaseConsumer,
    /// As the brokers told them first.
    identities: Mutex<BTreeMap<SourceId, TopicId>>,
    /// As the brokers told them last.
    partitions: Mutex<BTreeMap<SourceId, (Instant, Vec<PartitionId>)>>,
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

    fn source(&self, topic: &str) -> Option<SourceId> {
        self.0.iter().find(|(_, name)| name == topic).map(|(source, _)| *source)
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
    pub fn new(cluster: impl Into<Cluster>, topics: Topics) -> Result<Self, LogError> {
        let cluster = cluster.into();
        let client = cluster.consumer().create();
        let client = client.map_err(unavailable(|| format!("Kafka client for {}", cluster.brokers())))?;
        Ok(Self {
            cluster,
            topics,
            client,
            identities: Mutex::default(),
            partitions: Mutex::default(),
            producer: OnceLock::new(),
        })
    }

    fn partitions_of(&self, source: SourceId, name: &str) -> Result<Vec<PartitionId>, LogError> {
        let what = || format!("partitions of topic `{name}` at {}", self.cluster.brokers());
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
        let mut known = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(source, (Instant::now(), partitions.clone()));
        Ok(partitions)
    }

    /// The same for an append, which need not ask each time: what was told a moment ago is true enough to place a record.
    fn recent_partitions_of(&self, source: SourceId, name: &str) -> Result<Vec<PartitionId>, LogError> {
        let known = self.partitions.lock().unwrap_or_else(PoisonError::into_inner).get(&source).cloned();
        match known.filter(|(asked, _)| asked.elapsed() < PARTITIONS_AGE_MAX) {
            Some((_, partitions)) => Ok(partitions),
            None => self.partitions_of(source, name),
        }
    }

    /// Appends dead letters to the one topic of this log.
    ///
    /// # Errors
    /// [`LogError::TooLarge`], [`LogError::Unavailable`].
    pub(crate) fn append_letters(&self, letters: &[Letter<'_>]) -> Result<(), LogError> {
        let Some((source, name)) = self.topics.0.first() else { return Ok(()) };
        let partitions = self.recent_partitions_of(*source, name)?.len() as u32;
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
        let made = Producer::new(&self.cluster.producer());
        let made = made.map_err(unavailable(|| format!("Kafka producer for {}", self.cluster.brokers())))?;
        Ok(self.producer.get_or_init(|| made))
    }

    /// Opens the topics of any plan.
    #[must_use]
    pub fn for_plans(cluster: impl Into<Cluster>) -> Box<OpenLog> {
        let cluster = cluster.into();
        Box::new(move |plan| Ok(Arc::new(Self::new(&cluster, Topics::of(plan))?)))
    }
}

impl Log for KafkaLog {
    fn name(&self, partition: PartitionId) -> &str {
        self.topics.name(partition)
    }

    fn topic(&self, partition: PartitionId) -> TopicId {
        let identities = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        identities.get(&partition.source()).copied().unwrap_or_default()
    }

    fn identities(&self) -> Result<Vec<Identity>, LogError> {
        let names: Vec<&str> = self.topics.0.iter().map(|(_, name)| name.as_str()).collect();
        let what = || format!("identities of {} at {}", self.topics.names(), self.cluster.brokers());
        let found = native::topic_ids(self.client.client(), &names, ASK).map_err(unavailable(what))?;
        let mut known = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        let mut identities = Vec::new();
        for (source, name) in self.topics.0.iter() {
            // A topic that is gone is missed by whoever reads it; brokers before 2.8 tell no identity.
            let told = found.get(name).copied().flatten().filter(|id| *id != TopicId::default());
            if let Some(id) = told {
                known.entry(*source).or_insert(id);
                identities.push(Identity { source: *source, name: name.clone(), id });
            }
        }
        Ok(identities)
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
        bounds::bounds(&self.client, self.topics.name(partition), partition)
    }

    fn open(&self, from: &[(PartitionId, Offset)]) -> Result<Box<dyn LogReader>, LogError> {
        let identities = self.identities.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Box::new(KafkaReader::open(&self.cluster, &self.topics, identities, from)?))
    }

    fn append(&self, records: &[NewRecord]) -> Result<Vec<Position>, LogError> {
        let mut places = vec![Position::default(); records.len()];
        for (source, name) in self.topics.0.iter() {
            let own: Vec<usize> = (0..records.len()).filter(|at| records[*at].source == *source).collect();
            if own.is_empty() {
                continue;
            }
            let all = self.recent_partitions_of(*source, name)?;
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
