//! Appends to topics, idempotently, and says where each record stands. Knows no batching rule of its own: librdkafka
//! fills its batches while callers wait for theirs.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use featuregrid_protocol::ids::Offset;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, ProducerContext, ThreadedProducer};

/// How long an append may take: millions of records to a busy broker.
const APPEND_MAX: Duration = Duration::from_secs(120);

/// A header, borrowed.
pub(super) type HeaderRef<'a> = (&'a str, Option<&'a [u8]>);

/// A record for one partition of a topic.
pub(super) struct Outgoing<'a> {
    pub(super) partition: i32,
    pub(super) key: Option<&'a [u8]>,
    /// Milliseconds since 1970.
    pub(super) timestamp: i64,
    pub(super) payload: Option<&'a [u8]>,
    pub(super) headers: &'a [HeaderRef<'a>],
}

/// What became of the records of one call.
#[derive(Default)]
struct Waiting {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    offsets: Vec<Offset>,
    open: usize,
    failed: Option<KafkaError>,
}

/// Which record of which call was delivered.
struct Delivery {
    at: usize,
    call: Arc<Waiting>,
}

#[derive(Clone)]
struct Deliveries;

impl rdkafka::ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Box<Delivery>) {
        let mut state = delivery.call.state.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(message) => state.offsets[delivery.at] = message.offset().max(0) as Offset,
            Err((error, _)) => state.failed = Some(error.clone()),
        }
        state.open -= 1;
        if state.open == 0 {
            delivery.call.changed.notify_all();
        }
    }
}

/// One idempotent producer.
pub(super) struct Producer(ThreadedProducer<Deliveries>);

impl Producer {
    pub(super) fn new(config: &ClientConfig) -> Result<Self, KafkaError> {
        Ok(Self(config.create_with_context(Deliveries)?))
    }

    /// Offsets in the order of the records, once every one of them is acknowledged by all in-sync replicas.
    pub(super) fn append(&self, topic: &str, records: &[Outgoing<'_>]) -> Result<Vec<Offset>, KafkaError> {
        let call = Arc::new(Waiting::default());
        if let Ok(mut state) = call.state.lock() {
            (state.offsets, state.open) = (vec![0; records.len()], records.len());
        }
        for (at, record) in records.iter().enumerate() {
            if let Err(error) = self.send(topic, record, Box::new(Delivery { at, call: Arc::clone(&call) })) {
                // What was not handed in is delivered to nobody.
                let mut state = call.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.open -= records.len() - at;
                state.failed = Some(error);
                break;
            }
        }
        let late = Instant::now() + APPEND_MAX;
        let mut state = call.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.open > 0 {
            let left = late.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut));
            }
            state = call.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        match state.failed.take() {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut state.offsets)),
        }
    }

    fn send(&self, topic: &str, record: &Outgoing<'_>, delivery: Box<Delivery>) -> Result<(), KafkaError> {
        let mut headers = OwnedHeaders::new();
        for (key, value) in record.headers {
            headers = headers.insert(Header { key, value: *value });
        }
        let mut waiting = BaseRecord::with_opaque_to(topic, delivery)
            .partition(record.partition)
            .timestamp(record.timestamp)
            .headers(headers);
        if let Some(key) = record.key {
            waiting = waiting.key(key);
        }
        if let Some(payload) = record.payload {
            waiting = waiting.payload(payload);
        }
        loop {
            match self.0.send(waiting) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    waiting = back;
                    std::thread::park_timeout(Duration::from_millis(2));
                }
                Err((error, _)) => return Err(error),
            }
        }
    }
}
