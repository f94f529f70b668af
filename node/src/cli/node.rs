//! What every command that runs a node is told. Knows no command.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::TypedValueParser as _;

use crate::assemble::{LetterTopicName, Node, Settings};
use crate::files;
use crate::ingest::OpenLog;
use crate::ingest::embedded::EmbeddedLog;
use crate::ingest::kafka::{KafkaLog, create_topic};
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

fn power_of_two(count: u32) -> Result<u32, String> {
    if count.is_power_of_two() && count <= RANGES_MAX {
        Ok(count)
    } else {
        Err(format!("{count} is no power of two up to {RANGES_MAX}"))
    }
}

async fn letter_topic(arguments: &NodeArguments) -> anyhow::Result<Option<LetterTopicName>> {
    let (Some(brokers), Some(name)) = (arguments.brokers.clone(), arguments.dead_letters.clone()) else {
        return Ok(None);
    };
    if create_topic(&brokers, &name, 1).await? {
        tracing::info!(topic = name, "created the topic for dead letters");
    }
    Ok(Some(LetterTopicName { brokers, name }))
}

pub(super) async fn start(arguments: &NodeArguments, data: &Path) -> anyhow::Result<Node> {
    // Read and compiled before the folder is touched: a mistake must not leave anything behind.
    let plan = files::plan(&arguments.definitions)?;
    let definitions = files::definitions(&arguments.definitions)?;
    let data = Arc::new(DataDir::open(data)?);
    let log: Box<OpenLog> = match &arguments.brokers {
        Some(brokers) => KafkaLog::for_plans(brokers),
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
        dead_letters: letter_topic(arguments).await?,
    };
    Ok(Node::start(settings).await?)
}
