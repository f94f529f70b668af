//! A run as data: cluster, workload and every fault with its time and target. A seed expands to one; saved as JSON it
//! outlives the code that expanded it. Knows no world.

use serde::{Deserialize, Serialize};

use crate::world::net::{NetRule, NetWeather};
use crate::world::store::{StoreRule, StoreWeather};

/// Everything that decides a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPlan {
    /// The scenario it was expanded from.
    pub scenario: String,
    /// The seed it was expanded from; the streams of the run begin with it.
    pub seed: u64,
    /// Shape of the grid.
    pub cluster: Cluster,
    /// Who writes and reads what.
    pub workload: Workload,
    /// Length of the phase with faults, milliseconds.
    pub safety_ms: u32,
    /// Everything must be well again so many milliseconds after it.
    pub liveness_ms: u32,
    /// In order of time.
    pub faults: Vec<Fault>,
}

/// Shape of the grid and the knobs of its nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Nodes that start with the run.
    pub nodes: u32,
    /// Nodes that exist only once a fault starts them.
    pub spare_nodes: u32,
    /// Source partitions at genesis.
    pub partitions: u32,
    /// Ranges of the key space, a power of two.
    pub ranges: u32,
    /// Copies of each range beside the owner's.
    pub standbys: u32,
    /// Rates of the nodes' clocks against the world's, parts per million.
    pub clock_ppm: Vec<i32>,
    /// A node takes its turn this often, milliseconds.
    pub turn_ms: u32,
    /// A reader fetches at most so many records at once.
    pub fetch_records: u32,
    /// An owner makes a range durable this often, milliseconds.
    pub snapshot_ms: u32,
    /// Silence after which a node is suspected, milliseconds.
    pub suspect_ms: u32,
}

/// Who writes and reads what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// Records appended per second, all partitions.
    pub events_per_s: u32,
    /// Reads per second, all nodes.
    pub reads_per_s: u32,
    /// Distinct users.
    pub keys: u32,
    /// Events are up to so many milliseconds older than their record.
    pub disorder_ms: u32,
    /// Per mille of records that are late, malformed, in the future or tombstones, each.
    pub odd: u32,
    /// Per mille of records that follow a hole in the offsets.
    pub holes: u32,
    /// Per mille of records that a producer sends again, or whose event id it uses again.
    #[serde(default)]
    pub repeats: u32,
    /// Per mille of records that follow a hole about as long as ids are known for.
    #[serde(default)]
    pub leaps: u32,
}

/// One thing that happens to the grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// When it begins, milliseconds.
    pub at_ms: u32,
    /// What it is.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum FaultKind {
    /// The node dies, loses its memory, and starts again later.
    Crash {
        /// Which.
        node: u32,
        /// For how long.
        for_ms: u32,
    },
    /// The node stands still and loses what is sent to it; its memory stays.
    Suspend {
        /// Which.
        node: u32,
        /// For how long.
        for_ms: u32,
    },
    /// The node stands still; everything sent to it waits and arrives at once when it wakes as a zombie.
    Freeze {
        /// Which.
        node: u32,
        /// For how long.
        for_ms: u32,
    },
    /// The node's clocks run at another rate from now on.
    ClockRate {
        /// Which.
        node: u32,
        /// Against the world's, parts per million.
        ppm: i32,
    },
    /// The network misbehaves.
    Net {
        /// How.
        weather: NetWeather,
        /// For how long.
        for_ms: u32,
    },
    /// Nothing passes from one node to another.
    Cut {
        /// From.
        from: u32,
        /// To.
        to: u32,
        /// For how long.
        for_ms: u32,
    },
    /// Single messages are treated by a rule.
    Message {
        /// Which and how.
        rule: NetRule,
        /// For how long the rule stands.
        for_ms: u32,
    },
    /// A node cannot reach the store; the others can.
    StoreCut {
        /// Which.
        node: u32,
        /// For how long.
        for_ms: u32,
    },
    /// The store misbehaves.
    Store {
        /// How.
        weather: StoreWeather,
        /// For how long.
        for_ms: u32,
    },
    /// Single writes are treated by a rule.
    Write {
        /// Which and how.
        rule: StoreRule,
        /// For how long the rule stands.
        for_ms: u32,
    },
    /// Somebody applies the next definitions at a node.
    Apply {
        /// Where.
        node: u32,
    },
    /// Somebody moves a range to a node.
    Move {
        /// Which range, by index.
        range: u32,
        /// Where to.
        to: u32,
    },
    /// A spare node starts.
    Join {
        /// Which.
        node: u32,
    },
    /// The topic gets one more partition.
    AddPartition,
    /// Another broker leads the partition.
    LeaderChange {
        /// Which.
        partition: u32,
    },
    /// The log forgets what every manifest has made durable.
    Retention,
    /// A node's view of a partition's log stops.
    FetchStall {
        /// Which node.
        node: u32,
        /// Which partition.
        partition: u32,
        /// For how long.
        for_ms: u32,
    },
    /// The reader of a partition is to run on this node from now on.
    ReaderTo {
        /// Which partition.
        partition: u32,
        /// Where.
        node: u32,
    },
    /// Nobody writes events.
    Quiet {
        /// For how long.
        for_ms: u32,
    },
}

impl FaultKind {
    /// The name in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Crash { .. } => "crash",
            Self::Suspend { .. } => "suspend",
            Self::Freeze { .. } => "freeze",
            Self::ClockRate { .. } => "clock_rate",
            Self::Net { .. } => "net",
            Self::Cut { .. } => "cut",
            Self::Message { .. } => "message",
            Self::Store { .. } => "store",
            Self::StoreCut { .. } => "store_cut",
            Self::Write { .. } => "write",
            Self::Apply { .. } => "apply",
            Self::Move { .. } => "move",
            Self::Join { .. } => "join",
            Self::AddPartition => "add_partition",
            Self::LeaderChange { .. } => "leader_change",
            Self::Retention => "retention",
            Self::FetchStall { .. } => "fetch_stall",
            Self::ReaderTo { .. } => "reader_to",
            Self::Quiet { .. } => "quiet",
        }
    }
}
