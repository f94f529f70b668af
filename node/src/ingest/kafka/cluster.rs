//! A Kafka cluster and how its clients are set up: what featuregrid prefers, what the user set, what must be so. Knows
//! no topic.

use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::producer::BaseProducer;

use super::settings::{KafkaSettings, SettingsError, refused};

/// The brokers, and the settings of every client that talks to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    brokers: String,
    settings: KafkaSettings,
}

impl Cluster {
    /// A cluster behind these bootstrap servers; makes one client of each kind to see that the settings go together.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn new(brokers: &str, settings: KafkaSettings) -> Result<Self, SettingsError> {
        settings.check()?;
        let cluster = Self { brokers: brokers.to_owned(), settings };
        let _: BaseConsumer = cluster.consumer().create().map_err(|error| refused(&error))?;
        let _: BaseProducer = cluster.producer().create().map_err(|error| refused(&error))?;
        Ok(cluster)
    }

    /// Bootstrap servers, as they were given.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// How every client is set up.
    #[must_use]
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("client.id", "featuregrid");
        self.settings.apply(&mut config);
        config.set("bootstrap.servers", &self.brokers);
        config
    }

    /// How every consumer is set up, benchmarks included.
    #[must_use]
    pub fn consumer(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("client.id", "featuregrid")
            // The library insists on a group name; with manual assignment nobody joins it.
            .set("group.id", "featuregrid")
            // A full prefetch queue otherwise puts the fetcher to sleep for a second: a third of the throughput.
            .set("fetch.queue.backoff.ms", "5");
        self.settings.apply(&mut config);
        config
            .set("bootstrap.servers", &self.brokers)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("allow.auto.create.topics", "false")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "true");
        config
    }

    /// How every producer is set up.
    #[must_use]
    pub fn producer(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("client.id", "featuregrid")
            .set("linger.ms", "1")
            .set("queue.buffering.max.kbytes", "65536")
            .set("message.max.bytes", "16000000");
        self.settings.apply(&mut config);
        config.set("bootstrap.servers", &self.brokers).set("enable.idempotence", "true");
        config
    }
}

/// A cluster without settings of the user's.
impl From<&str> for Cluster {
    fn from(brokers: &str) -> Self {
        Self { brokers: brokers.to_owned(), settings: KafkaSettings::default() }
    }
}

impl From<&String> for Cluster {
    fn from(brokers: &String) -> Self {
        Self::from(brokers.as_str())
    }
}

impl From<&Cluster> for Cluster {
    fn from(cluster: &Cluster) -> Self {
        cluster.clone()
    }
}
