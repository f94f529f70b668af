//! Puts generated records into a log, and says where they stand. Knows no generator.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use featuregrid_protocol::ids::{PartitionId, SourceId};
use featuregrid_protocol::position::OffsetVector;
use featuregrid_simulations::workload::Produced;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};

use crate::ingest::embedded::{Append, EmbeddedLog};

/// How long a flush may take: millions of records to a busy broker.
const FLUSH_MAX: Duration = Duration::from_secs(120);

/// A log that records can be put into.
pub enum Appender {
    /// The file.
    Embedded(EmbeddedLog),
    /// A topic.
    Kafka(KafkaAppender),
}

impl Appender {
    /// Hands records in; they are there once [`Self::flush`] returned.
    ///
    /// # Errors
    /// When the log refuses one.
    pub fn append(&self, records: Vec<Produced>) -> anyhow::Result<()> {
        match self {
            Self::Embedded(log) => {
                let append = |record: Produced| Append {
                    source: SourceId(0),
                    key: record.key,
                    timestamp: record.log_timestamp,
                    payload: record.payload,
                };
                log.append(&records.into_iter().map(append).collect::<Vec<_>>())?;
                Ok(())
            }
            Self::Kafka(topic) => records.iter().try_for_each(|record| topic.send(record)),
        }
    }

    /// Waits until everything handed in is there; the next offsets after it.
    ///
    /// # Errors
    /// When a record was lost.
    pub fn flush(&self) -> anyhow::Result<OffsetVector> {
        match self {
            Self::Embedded(log) => Ok(log.ends()),
            Self::Kafka(topic) => topic.flush(),
        }
    }
}

/// A topic, through an idempotent producer.
pub struct KafkaAppender {
    topic: String,
    producer: ThreadedProducer<Deliveries>,
    delivered: Arc<Delivered>,
}

#[derive(Default)]
struct Delivered {
    next: Mutex<OffsetVector>,
    failed: AtomicU64,
    why: Mutex<Option<String>>,
}

#[derive(Clone)]
struct Deliveries(Arc<Delivered>);

impl rdkafka::ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(message) => {
                let mut next = self.0.next.lock().unwrap_or_else(PoisonError::into_inner);
                let at = next.0.entry(PartitionId(message.partition() as u32)).or_default();
                *at = (message.offset() as u64 + 1).max(*at);
            }
            Err((error, _)) => {
                self.0.failed.fetch_add(1, Ordering::Relaxed);
                *self.0.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            }
        }
    }
}

impl KafkaAppender {
    /// A producer for a topic.
    ///
    /// # Errors
    /// When the settings are refused.
    pub fn new(brokers: &str, topic: &str) -> anyhow::Result<Self> {
        let delivered = Arc::new(Delivered::default());
        let producer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("client.id", "featuregrid-demo")
            .set("enable.idempotence", "true")
            .set("linger.ms", "2")
            .set("queue.buffering.max.kbytes", "65536")
            .create_with_context(Deliveries(Arc::clone(&delivered)))
            .context("Kafka producer")?;
        Ok(Self { topic: topic.to_owned(), producer, delivered })
    }

    fn send(&self, record: &Produced) -> anyhow::Result<()> {
        let mut waiting = BaseRecord::to(&self.topic)
            .partition(record.partition.0 as i32)
            .key(&record.key)
            .timestamp(record.log_timestamp.0.div_euclid(1000));
        if let Some(payload) = &record.payload {
            waiting = waiting.payload(payload);
        }
        loop {
            match self.producer.send(waiting) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    waiting = back;
                    std::thread::park_timeout(Duration::from_millis(2));
                }
                Err((error, _)) => return Err(error).with_context(|| format!("producing to `{}`", self.topic)),
            }
        }
    }

    fn flush(&self) -> anyhow::Result<OffsetVector> {
        self.producer.flush(FLUSH_MAX).with_context(|| format!("flushing `{}`", self.topic))?;
        let failed = self.delivered.failed.load(Ordering::Relaxed);
        if failed > 0 {
            let why = self.delivered.why.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default();
            bail!("`{}`: {failed} records were not taken: {why}", self.topic);
        }
        Ok(self.delivered.next.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn is_known(admin: &AdminClient<DefaultClientContext>, topic: &str, partitions: u32) -> bool {
    let Ok(metadata) = admin.inner().fetch_metadata(Some(topic), Duration::from_secs(5)) else { return false };
    let led = |topic: &rdkafka::metadata::MetadataTopic| topic.partitions().iter().filter(|p| p.leader() >= 0).count();
    metadata.topics().iter().any(|topic| led(topic) >= partitions as usize)
}

/// Creates a topic with plain settings and waits until its partitions can be asked for; whether it was created now.
///
/// # Errors
/// When the brokers say no, or nobody answers.
pub async fn create_topic(brokers: &str, topic: &str, partitions: u32) -> anyhow::Result<bool> {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create().context("Kafka admin client")?;
    let new = NewTopic::new(topic, partitions as i32, TopicReplication::Fixed(1)).set("retention.ms", "-1");
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
    let results =
        admin.create_topics([&new], &options).await.with_context(|| format!("creating `{topic}` at {brokers}"))?;
    match results.into_iter().next() {
        Some(Ok(_)) => {
            // The controller has it; other parts of the cluster, and of a busy broker, hear of it a little later.
            let late = Instant::now() + FLUSH_MAX;
            while !is_known(&admin, topic, partitions) {
                if Instant::now() >= late {
                    bail!("`{topic}` was created at {brokers} and did not appear; look at the brokers' logs");
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(true)
        }
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
        Some(Err((_, code))) => bail!("creating `{topic}` at {brokers}: {code}"),
        None => bail!("creating `{topic}` at {brokers}: no answer"),
    }
}
