//! A topic of the shared broker, made, filled and maltreated as its operators would. Knows nothing of featuregrid.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use super::brokers;

/// A broker on a busy machine answers within it.
const WAIT: Duration = Duration::from_secs(60);

/// A topic by name; it stays when this goes, as topics do.
pub(crate) struct Topic(pub(crate) &'static str);

/// A record: its partition, its timestamp in ms, its key and its value.
pub(crate) type Line<'a> = (i32, i64, Option<&'a str>, Option<&'a [u8]>);

fn client(settings: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers());
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config
}

fn admin() -> AdminClient<DefaultClientContext> {
    client(&[]).create().expect("an admin client needs no broker")
}

/// Waits for an answer of the broker.
fn answer<T>(asked: impl Future<Output = Result<T, KafkaError>>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(asked).expect("the broker answers")
}

impl Topic {
    /// Makes it, and waits until every partition has a leader.
    pub(crate) fn create(name: &'static str, partitions: i32, settings: &[(&str, &str)]) -> Self {
        let mut new = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (name, value) in settings {
            new = new.set(name, value);
        }
        let results = answer(admin().create_topics([&new], &AdminOptions::new()));
        results.into_iter().for_each(|result| drop(result.expect("the topic is new")));
        let topic = Self(name);
        topic.wait_until(|led| led == partitions as usize);
        topic
    }

    /// Deletes it, and waits until it is gone.
    pub(crate) fn delete(self) {
        let results = answer(admin().delete_topics(&[self.0], &AdminOptions::new()));
        results.into_iter().for_each(|result| drop(result.expect("the topic is there")));
        self.wait_until(|led| led == 0);
    }

    /// Gives it more partitions.
    pub(crate) fn grow(&self, partitions: usize) {
        let results =
            answer(admin().create_partitions(&[NewPartitions::new(self.0, partitions)], &AdminOptions::new()));
        results.into_iter().for_each(|result| drop(result.expect("there are fewer")));
        self.wait_until(|led| led == partitions);
    }

    /// Deletes the records of a partition before an offset, as retention does.
    pub(crate) fn cut(&self, partition: i32, before: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(self.0, partition, Offset::Offset(before)).expect("an offset in range");
        drop(answer(admin().delete_records(&list, &AdminOptions::new())));
    }

    #[expect(clippy::disallowed_methods, reason = "real brokers run in real time")]
    fn wait_until(&self, done: impl Fn(usize) -> bool) {
        let (admin, late) = (admin(), Instant::now() + WAIT);
        loop {
            let metadata = admin.inner().fetch_metadata(Some(self.0), WAIT).expect("the broker answers");
            let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
            if done(partitions.filter(|partition| partition.leader() >= 0).count()) {
                return;
            }
            assert!(Instant::now() < late, "the partitions of {} stay as they are", self.0);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Appends, and waits until everything is acknowledged.
    pub(crate) fn produce(&self, lines: &[Line<'_>], settings: &[(&str, &str)]) {
        let producer: BaseProducer = self.producer(settings);
        self.send(&producer, lines);
    }

    /// A producer that takes large records.
    pub(crate) fn producer(&self, settings: &[(&str, &str)]) -> BaseProducer {
        let config = [&[("message.max.bytes", "16000000"), ("linger.ms", "5")], settings].concat();
        client(&config).create().expect("settings of librdkafka")
    }

    /// Appends with a producer, and waits until everything is acknowledged.
    pub(crate) fn send(&self, producer: &BaseProducer, lines: &[Line<'_>]) {
        for (partition, timestamp, key, value) in lines {
            let mut record: BaseRecord<'_, str, [u8]> =
                BaseRecord::to(self.0).partition(*partition).timestamp(*timestamp);
            (record.key, record.payload) = (*key, *value);
            while let Err((error, back)) = producer.send(record) {
                let full = error.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::QueueFull);
                assert!(full, "{error}");
                producer.poll(Duration::from_millis(10));
                record = back;
            }
        }
        producer.flush(WAIT).expect("the broker acknowledges");
    }
}
