//! Settings: what may be set, where each value comes from, and what is wrong with it. Knows no command line and opens
//! nothing.
//!
//! The [`REFERENCE`] is the default and the documentation. `reference < file < environment < flags`: raw texts are laid
//! over one another by [`Effective::resolve`], checked once, and only then typed by [`Config::of`].

mod catalogue;
mod file;
mod layers;
mod values;

use std::path::{Path, PathBuf};

use featuregrid_protocol::time::Span;
use thiserror::Error;

pub use self::layers::{Effective, Given, Layer, Origin};
pub use self::values::size;
use crate::ingest::kafka::KafkaSettings;
use crate::store::OBJECTS;
use crate::store::prices::Prices;
use crate::store::settings::{Bucketed, Encryption, Place, StoreSettings};

/// The commented file that every default comes from.
pub const REFERENCE: &str = include_str!("config/reference.yaml");
/// Largest configuration file, bytes: a hundred times the reference.
pub const CONFIG_BYTES_MAX: usize = 1 << 20;

/// What is wrong with settings; nothing was started.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// `HOST:PORT`.
    pub address: String,
    /// Whether somebody named it: then it must be had. The usual one may be another node's.
    pub is_asked: bool,
}

/// Settings, typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `node.definitions`
    pub definitions: Option<PathBuf>,
    /// `node.data`
    pub data: Option<PathBuf>,
    /// `node.ranges`
    pub ranges: u32,
    /// `node.memory_budget`; `None` is half of the memory.
    pub memory_budget: Option<usize>,
    /// `node.one_partition_after_the_other`
    pub one_after_the_other: bool,
    /// `store.url`; `None` is the folder in `node.data`.
    pub store: Option<Place>,
    /// What else is under `store`.
    pub bucketed: Bucketed,
    /// `store.snapshot_interval`: how often each range is made durable.
    pub snapshot_interval: Span,
    /// `store.prices`: the list by which status says what requests cost.
    pub prices: Option<Prices>,
    /// `serve.listen`
    pub listen: String,
    /// `serve.feast`; `None` is off.
    pub feast: Option<Listen>,
    /// `serve.metrics`; `None` is off.
    pub metrics: Option<Listen>,
    /// `kafka.brokers`
    pub brokers: Option<String>,
    /// `kafka.settings`
    pub kafka_settings: KafkaSettings,
    /// `kafka.dead_letters`
    pub dead_letters: Option<String>,
}

impl Config {
    /// What was resolved, as types.
    ///
    /// # Errors
    /// What does not go together.
    pub fn of(effective: &Effective) -> Result<Self, ConfigError> {
        let text = |name: &str| effective.get(name).map(str::to_owned);
        let listen = |name: &str| {
            let address = text(name).filter(|address| address != "off")?;
            Some(Listen { address, is_asked: effective.origin(name) != Origin::Default })
        };
        let missing = |name: &str| ConfigError(vec![format!("{name} is not set: give it a value")]);
        let ranges = effective.get("node.ranges").and_then(|text| text.parse().ok());
        let interval = effective.get("store.snapshot_interval");
        let interval = interval.ok_or_else(|| missing("store.snapshot_interval"))?;
        let budget = effective.get("node.memory_budget").ok_or_else(|| missing("node.memory_budget"))?;
        let kafka = effective.kafka().filter_map(|(name, layer)| Some((name.to_owned(), layer.value.clone()?)));
        let config = Self {
            definitions: text("node.definitions").map(PathBuf::from),
            data: text("node.data").map(PathBuf::from),
            ranges: ranges.ok_or_else(|| missing("node.ranges"))?,
            memory_budget: size(budget).ok(),
            one_after_the_other: effective.get("node.one_partition_after_the_other") == Some("true"),
            store: text("store.url").and_then(|text| Place::parse(&text).ok()),
            bucketed: bucketed(effective)?,
            snapshot_interval: Span::parse(interval).map_err(|_| missing("store.snapshot_interval"))?,
            prices: (effective.get("store.prices") != Some("off")).then_some(Prices::UsEast1),
            listen: text("serve.listen").ok_or_else(|| missing("serve.listen"))?,
            feast: listen("serve.feast"),
            metrics: listen("serve.metrics"),
            brokers: text("kafka.brokers"),
            kafka_settings: KafkaSettings::of(kafka.collect()),
            dead_letters: text("kafka.dead_letters"),
        };
        let needs_brokers = effective.kafka().map(|(_, layer)| ("kafka.settings", layer.origin.clone())).next();
        let letters = || ("kafka.dead_letters", effective.origin("kafka.dead_letters"));
        let needs_brokers = needs_brokers.or_else(|| config.dead_letters.as_ref().map(|_| letters()));
        if let (None, Some((name, origin))) = (&config.brokers, needs_brokers) {
            let why = format!("{origin}: {name} is of Kafka, and no brokers are set: set kafka.brokers (--brokers)");
            return Err(ConfigError(vec![why]));
        }
        Ok(config)
    }

    /// The object store of a node that keeps everything else in `data`.
    #[must_use]
    pub fn store(&self, data: &Path) -> StoreSettings {
        let place = self.store.clone().unwrap_or_else(|| Place::Folder(data.join(OBJECTS)));
        StoreSettings { place, bucketed: self.bucketed.clone(), prices: self.prices }
    }
}

/// How a bucket is reached.
fn bucketed(effective: &Effective) -> Result<Bucketed, ConfigError> {
    let text = |name: &str| effective.get(name).map(str::to_owned);
    let key = text("store.kms_key");
    let encryption = match effective.get("store.sse") {
        Some("aws:kms") => Encryption::Kms(key),
        other if key.is_some() => {
            let (origin, other) = (effective.origin("store.kms_key"), other.unwrap_or_default());
            let why = format!(
                "{origin}: store.kms_key is for store.sse aws:kms, which is {other}; set it too, or leave the key out"
            );
            return Err(ConfigError(vec![why]));
        }
        Some("AES256") => Encryption::Aes256,
        _ => Encryption::Bucket,
    };
    Ok(Bucketed {
        endpoint: text("store.endpoint"),
        region: text("store.region"),
        path_style: effective.get("store.path_style").and_then(|text| text.parse().ok()),
        encryption,
    })
}

#[cfg(test)]
mod tests;
