//! What every reading thread of a node shares, and what it may be told. Knows no loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use featuregrid_actors::control::History;
use featuregrid_actors::host::ShardHandle;
use featuregrid_protocol::ids::{Incarnation, PartitionId};
use featuregrid_protocol::position::{PartitionPosition, Positions};
use featuregrid_protocol::range::RangeSet;
use tokio::runtime::Handle;

use super::Log;
use super::progress::Progress;
use crate::freshness::Freshness;
use crate::store::dead_letters::writer::LetterWriter;
use crate::telemetry::Metrics;

/// Ranges that stand together; at the beginning of partitions that are not named.
#[derive(Clone, Debug)]
pub struct Stand {
    /// Which.
    pub ranges: RangeSet,
    /// Where.
    pub positions: Positions,
}

/// What a thread is told.
pub enum Command {
    /// Shard `at` was restarted as `handle`; its ranges stand as what is durable of them.
    Restarted {
        /// Which shard.
        at: usize,
        /// Its new life.
        handle: ShardHandle,
        /// Its ranges, and where they stand.
        stands: Vec<Stand>,
    },
    /// A partition joined its topic. It is read from where it begins, for all of these ranges.
    Discovered {
        /// Which.
        partition: PartitionId,
        /// Every range of the node.
        ranges: RangeSet,
    },
    /// A partition has halted, for a reason its reader cannot see.
    Halted(PartitionId),
}

/// What all reading threads of a node share.
#[derive(Clone)]
pub struct Surroundings {
    /// The node's life.
    pub me: Incarnation,
    /// What is read.
    pub log: Arc<dyn Log>,
    /// Which plan is in force where.
    pub history: Arc<History>,
    /// Where dead letters go; `None` where nobody keeps them.
    pub letters: Option<Arc<LetterWriter>>,
    /// How far everybody is.
    pub progress: Arc<Progress>,
    /// Where everybody counts.
    pub metrics: Arc<Metrics>,
    /// Whether the history was read.
    pub freshness: Arc<Freshness>,
    /// Bytes of entity state at which reading pauses.
    pub memory_budget: usize,
    /// Runs the shards.
    pub runtime: Handle,
    /// Ends the loop.
    pub stop: Arc<AtomicBool>,
    /// How many threads run.
    pub reading: Arc<AtomicUsize>,
    /// Reads one partition to its end before the next is begun.
    pub one_after_the_other: bool,
}

/// Where the ranges of a partition stand.
pub type Groups = Vec<(PartitionPosition, RangeSet)>;
