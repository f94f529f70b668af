//! What a node holds and has read, and whether its books balance. Knows no wire.

use featuregrid_protocol::ids::{ControlIndex, PartitionId};
use featuregrid_protocol::position::{PartitionCounters, PartitionPosition};

use crate::assemble::Node;
use crate::snapshots::DurabilityFacts;
use crate::store::meter::Used;

/// One view's books: rows = applied + duplicate + rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewStatus {
    /// Its name.
    pub name: String,
    /// Records its filter took.
    pub rows: u64,
    /// Rows in the state.
    pub applied: u64,
    /// Rows that repeat the event id of another.
    pub duplicate: u64,
    /// Records it could not use.
    pub rejected: u64,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionStatus {
    /// Which.
    pub partition: PartitionId,
    /// Where the range that is furthest behind stands.
    pub position: PartitionPosition,
    /// Where the log ended when a reader last reached it.
    pub log_end: u64,
    /// Why it stands still, if it does.
    pub halted: Option<String>,
}

/// The object store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreStatus {
    /// Where it is.
    pub place: String,
    /// What it was asked for.
    pub used: Used,
}

/// The whole node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whose definitions.
    pub project: String,
    /// The control entry in force.
    pub index: ControlIndex,
    /// Ascending.
    pub partitions: Vec<PartitionStatus>,
    /// All partitions together.
    pub totals: PartitionCounters,
    /// In the plan's order.
    pub views: Vec<ViewStatus>,
    /// How many ranges.
    pub ranges: u32,
    /// Keys that have a page, counted once for each view.
    pub keys: u64,
    /// Bytes of entity state.
    pub bytes: u64,
    /// Bytes at which reading pauses.
    pub memory_budget: u64,
    /// Whether it does.
    pub paused: bool,
    /// Control log, leases, manifests.
    pub store: StoreStatus,
    /// What of the state is durable.
    pub durability: DurabilityFacts,
    /// Ranges and bytes that were restored.
    pub restored: (u64, u64),
    /// Whether every equation holds. Only certain while all ranges stand together, as they do once everything was read.
    pub accounting_holds: bool,
}

/// Asks every shard.
pub async fn status(node: &Node) -> Status {
    let shards = node.grid.statuses().await;
    let mut partitions = Vec::new();
    let mut totals = PartitionCounters::default();
    let mut together = true;
    for partition in node.partitions() {
        // Where no frame has come yet, a partition found while the node runs stands at its beginning.
        let start = node.progress.start(partition);
        let ranges = || shards.iter().flat_map(|shard| shard.ranges.values());
        let positions = || ranges().map(|at| at.get(&partition).unwrap_or(&start));
        let position = positions().min_by_key(|position| position.next).unwrap_or(&start).clone();
        together &= positions().all(|other| *other == position);
        totals += &position.counters;
        partitions.push(PartitionStatus {
            partition,
            position,
            log_end: node.progress.log_end(partition),
            halted: node.progress.halted(partition),
        });
    }
    let plan = node.grid.plan();
    let views: Vec<ViewStatus> = plan
        .views
        .iter()
        .map(|view| {
            let counters = totals.views.get(&view.id).copied().unwrap_or_default();
            let of_shards = || shards.iter().filter_map(|shard| shard.rows.get(&view.id));
            ViewStatus {
                name: view.name.clone(),
                rows: counters.rows,
                applied: of_shards().map(|rows| rows.applied).sum(),
                duplicate: of_shards().map(|rows| rows.duplicate).sum(),
                rejected: counters.rejected,
            }
        })
        .collect();
    let balanced = partitions.iter().all(|partition| partition.position.counters.balanced());
    let applied = views.iter().all(|view| view.rows == view.applied + view.duplicate + view.rejected);
    Status {
        project: plan.project.clone(),
        index: plan.index,
        partitions,
        totals,
        views,
        ranges: node.grid.ranges(),
        keys: shards.iter().map(|shard| shard.entities as u64).sum(),
        bytes: shards.iter().map(|shard| shard.bytes as u64).sum(),
        memory_budget: node.memory_budget as u64,
        paused: node.progress.is_paused(),
        store: StoreStatus { place: node.objects.place(), used: node.objects.used() },
        durability: node.snapshots.durability(),
        restored: (node.recovery.ranges(), node.recovery.bytes()),
        accounting_holds: balanced && (applied || !together),
    }
}
