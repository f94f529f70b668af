//! What every command that runs a node is told. Knows no command.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::builder::TypedValueParser as _;

use crate::assemble::{LetterTopicName, Node, Settings};
use crate::files;
use crate::ingest::OpenLog;
use crate::ingest::embedded::EmbeddedLog;
use crate::ingest::kafka::{
    Cluster, KafkaLog, KafkaSettings, SettingsError, create_topic, missing_topics, warn_of_settings,
};
use crate::store::DataDir;

/// Definitions, log and shape.
#[derive(Debug, clap::Args)]
pub(super) struct NodeArguments {
    /// The definitions (YAML).
    #[arg(long)]
    pub(super) definitions: PathBuf,
    /// Kafka's bootstrap servers; without it the log is a file in --data.
    #[arg(long)]
    pub(super) brokers: Option<String>,
    /// A setting of librdkafka under its own name, for consumers and producers alike; may be repeated.
    #[arg(long = "kafka-setting", value_name = "NAME=VALUE", requires = "brokers")]
    pub(super) kafka_settings: Vec<String>,
    /// Number of ranges of a new grid, a power of two; pinned from then on.
    #[arg(long, default_value_t = super::RANGES, value_parser = clap::value_parser!(u32).try_map(power_of_two))]
    pub(super) ranges: u32,
    /// Bytes of entity state at which reading pauses, for example 8GiB [default: half of the memory].
    #[arg(long, value_parser = super::bytes)]
    pub(super) memory_budget: Option<usize>,
    /// The topic that takes dead letters, created where it is not there; without one a file in --data does.
    #[arg(long, requires = "brokers")]
    pub(super) dead_letters: Option<String>,
    /// Read each partition to its end before the next is begun.
    #[arg(long)]
    pub(super) one_partition_after_the_other: bool,
}

/// The largest number of ranges: each has a manifest that every start claims.
const RANGES_MAX: u32 = 1 << 14;

/// Missing topics are asked for again after this long.
const TOPICS_AGAIN: Duration = Duration::from_millis(500);

fn power_of_two(count: u32) -> Result<u32, String> {
    if count.is_power_of_two() && count <= RANGES_MAX {
        Ok(count)
    } else {
        Err(format!("{count} is no power of two up to {RANGES_MAX}"))
    }
}

impl NodeArguments {
    /// Kafka, if that is where the log is.
    pub(super) fn cluster(&self) -> Result<Option<Cluster>, SettingsError> {
        let Some(brokers) = &self.brokers else { return Ok(None) };
        let settings = KafkaSettings::parse(self.kafka_settings.iter().map(String::as_str))?;
        Cluster::new(brokers, settings).map(Some)
    }
}

async fn letter_topic(arguments: &NodeArguments, cluster: Option<Cluster>) -> anyhow::Result<Option<LetterTopicName>> {
    let (Some(cluster), Some(name)) = (cluster, arguments.dead_letters.clone()) else {
        return Ok(None);
    };
    if create_topic(&cluster, &name, 1).await? {
        tracing::info!(topic = name, "created the topic for dead letters");
    }
    Ok(Some(LetterTopicName { cluster, name }))
}

/// Waits until every topic of the definitions is there: producers may create them later than we start.
pub(super) async fn wait_for_topics(arguments: &NodeArguments) -> anyhow::Result<()> {
    let Some(cluster) = arguments.cluster()? else { return Ok(()) };
    let plan = files::plan(&arguments.definitions)?;
    let topics: Vec<String> = plan.sources.iter().map(|source| source.topic.clone()).collect();
    let mut said = None;
    loop {
        let (cluster, topics) = (cluster.clone(), topics.clone());
        let missing = tokio::task::spawn_blocking(move || missing_topics(&cluster, &topics)).await??;
        if missing.is_empty() {
            return Ok(());
        }
        if said.as_ref() != Some(&missing) {
            let topics = missing.join(", ");
            tracing::warn!(
                topics,
                "waiting for topics that are not there; create them, or correct `kafka: {{ topic: ... }}`"
            );
            said = Some(missing);
        }
        tokio::time::sleep(TOPICS_AGAIN).await;
    }
}

pub(super) async fn start(arguments: &NodeArguments, data: &Path) -> anyhow::Result<Node> {
    // Read and compiled before the folder is touched: a mistake must not leave anything behind.
    let plan = files::plan(&arguments.definitions)?;
    let definitions = files::definitions(&arguments.definitions)?;
    let cluster = arguments.cluster()?;
    let data = Arc::new(DataDir::open(data)?);
    if let Some(cluster) = &cluster {
        warn_of_settings(cluster, &plan).await;
    }
    let log: Box<OpenLog> = match &cluster {
        Some(cluster) => KafkaLog::for_plans(cluster),
        None => EmbeddedLog::open(&data.log(), plan.sources.len())?.for_plans(),
    };
    let settings = Settings {
        definitions,
        file: arguments.definitions.display().to_string(),
        log,
        data,
        ranges: arguments.ranges,
        memory_budget: super::memory_budget(arguments.memory_budget),
        one_after_the_other: arguments.one_partition_after_the_other,
        dead_letters: letter_topic(arguments, cluster).await?,
    };
    Ok(Node::start(settings).await?)
}
