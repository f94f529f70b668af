//! What every command that runs a node is told: flags over the configuration. Knows no command.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use featuregrid_protocol::plan::Plan;

use crate::assemble::{LetterTopicName, Node, Settings};
use crate::config::{CONFIG_BYTES_MAX, Config, Effective, Given};
use crate::files;
use crate::ingest::OpenLog;
use crate::ingest::embedded::EmbeddedLog;
use crate::ingest::kafka::{Cluster, KafkaLog, check_topics, create_topic, missing_topics};
use crate::store::open::open;
use crate::store::{DataDir, selftest};

/// Missing topics are asked for again after this long.
const TOPICS_AGAIN: Duration = Duration::from_millis(500);

/// Definitions, log and shape. What is not given comes from the environment, the configuration file or the reference.
#[derive(Debug, clap::Args)]
pub(super) struct NodeArguments {
    /// The configuration file, or FEATUREGRID_CONFIG; `featuregrid config show` prints one with every setting.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The definitions (YAML).
    #[arg(long)]
    pub(super) definitions: Option<PathBuf>,
    /// Kafka's bootstrap servers; without it the log is a file in --data.
    #[arg(long)]
    pub(super) brokers: Option<String>,
    /// A setting of librdkafka under its own name, for consumers and producers alike; may be repeated. Each one
    /// counts before the one of its name in the environment and the file.
    #[arg(long = "kafka-setting", value_name = "NAME=VALUE")]
    kafka_settings: Vec<String>,
    /// Number of ranges of a new grid, a power of two; pinned from then on [default: 256].
    #[arg(long)]
    ranges: Option<String>,
    /// Bytes of entity state at which reading pauses, for example 8GiB [default: half of the memory].
    #[arg(long)]
    memory_budget: Option<String>,
    /// The topic that takes dead letters, created where it is not there; without one a file in --data does.
    #[arg(long)]
    dead_letters: Option<String>,
    /// Read each partition to its end before the next is begun.
    #[arg(long)]
    one_partition_after_the_other: bool,
}

impl NodeArguments {
    /// What is in force, with `more` flags of the command.
    pub(super) fn effective(&self, more: &[Given]) -> anyhow::Result<Effective> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let settings = &self.kafka_settings;
        let given = [
            ("node.definitions", "--definitions", path(&self.definitions)),
            ("node.ranges", "--ranges", self.ranges.clone()),
            ("node.memory_budget", "--memory-budget", self.memory_budget.clone()),
            (
                "node.one_partition_after_the_other",
                "--one-partition-after-the-other",
                self.one_partition_after_the_other.then(|| "true".to_owned()),
            ),
            ("kafka.brokers", "--brokers", self.brokers.clone()),
            ("kafka.settings", "--kafka-setting", (!settings.is_empty()).then(|| settings.join("\n"))),
            ("kafka.dead_letters", "--dead-letters", self.dead_letters.clone()),
        ];
        let given = given.into_iter().filter_map(|(name, flag, value)| Some(Given { name, flag, value: value? }));
        let flags: Vec<Given> = given.chain(more.iter().cloned()).collect();
        effective(self.config.as_deref(), &flags)
    }

    /// The same, typed.
    pub(super) fn resolve(&self, more: &[Given]) -> anyhow::Result<Config> {
        Ok(Config::of(&self.effective(more)?)?)
    }
}

/// What is in force: these flags over the environment, over the configuration file, over the reference.
pub(super) fn effective(config: Option<&Path>, flags: &[Given]) -> anyhow::Result<Effective> {
    let named = std::env::var_os("FEATUREGRID_CONFIG").filter(|name| !name.is_empty()).map(PathBuf::from);
    let file = config.map(Path::to_owned).or(named).as_deref().map(read).transpose()?;
    let file = file.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    // A variable that is no text can be none of ours.
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(Effective::resolve(file, environment, flags)?)
}

fn read(path: &Path) -> anyhow::Result<(String, String)> {
    let name = path.display().to_string();
    let length = std::fs::metadata(path).with_context(|| format!("configuration {name}"))?.len();
    if length > CONFIG_BYTES_MAX as u64 {
        bail!("configuration {name}: {length} bytes; a configuration has at most {CONFIG_BYTES_MAX}");
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("configuration {name}"))?;
    Ok((name, text))
}

/// A node that may be started: its definitions are right and Kafka's settings go together. No folder was touched, so a
/// mistake leaves nothing behind.
pub(super) struct Prepared<'c> {
    config: &'c Config,
    /// How the definitions are named, their text, and what they mean.
    file: String,
    text: String,
    plan: Plan,
    /// Kafka, if that is where the log is.
    cluster: Option<Cluster>,
}

impl<'c> Prepared<'c> {
    pub(super) fn new(config: &'c Config) -> anyhow::Result<Self> {
        let Some(definitions) = &config.definitions else {
            bail!("no definitions: name them with --definitions FILE, or as node.definitions in a --config file");
        };
        let (text, plan) = files::text_and_plan(definitions)?;
        let connect = |brokers: &String| Cluster::new(brokers, config.kafka_settings.clone());
        let cluster = config.brokers.as_ref().map(connect).transpose()?;
        Ok(Self { config, file: definitions.display().to_string(), text, plan, cluster })
    }

    /// Waits until every topic of the definitions is there: producers may create them later than we start.
    pub(super) async fn wait_for_topics(&self) -> anyhow::Result<()> {
        let Some(cluster) = &self.cluster else { return Ok(()) };
        let topics: Vec<String> = self.plan.sources.iter().map(|source| source.topic.clone()).collect();
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

    /// Starts it in a folder.
    pub(super) async fn start(self, data: &Path) -> anyhow::Result<Node> {
        let Self { config, file, text, plan, cluster } = self;
        let (data, store) = (Arc::new(DataDir::open(data)?), config.store(data));
        if let Some(cluster) = &cluster {
            check_topics(cluster, &plan).await?;
        }
        let objects = open(&store).await?;
        selftest::check(&objects).await?;
        tracing::info!(store = objects.place(), "the object store keeps its conditions");
        let log: Box<OpenLog> = match &cluster {
            Some(cluster) => KafkaLog::for_plans(cluster),
            None => EmbeddedLog::open(&data.log(), plan.sources.len())?.for_plans(),
        };
        let settings = Settings {
            definitions: text,
            file,
            log,
            data,
            objects: Some(objects),
            ranges: config.ranges,
            memory_budget: super::memory_budget(config.memory_budget),
            one_after_the_other: config.one_after_the_other,
            dead_letters: letter_topic(config, cluster).await?,
            snapshot_interval: config.snapshot_interval,
        };
        Ok(Node::start(settings).await?)
    }
}

async fn letter_topic(config: &Config, cluster: Option<Cluster>) -> anyhow::Result<Option<LetterTopicName>> {
    let (Some(cluster), Some(name)) = (cluster, config.dead_letters.clone()) else {
        return Ok(None);
    };
    if create_topic(&cluster, &name, 1).await? {
        tracing::info!(topic = name, "created the topic for dead letters");
    }
    Ok(Some(LetterTopicName { cluster, name }))
}
