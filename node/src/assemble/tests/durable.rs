//! What is durable is enough: a node, and a shard, go on from there, whatever the log has forgotten; damage is named.
use std::path::PathBuf;

use super::*;
use crate::ingest::{Bounds, LogReader};

/// A log that forgot everything before some offsets.
struct Forgetful {
    log: EmbeddedLog,
    kept: OffsetVector,
}

impl Log for Forgetful {
    fn name(&self, partition: PartitionId) -> &str {
        self.log.name(partition)
    }
    fn topic(&self, partition: PartitionId) -> featuregrid_protocol::ids::TopicId {
        self.log.topic(partition)
    }
    fn partitions(&self) -> Result<Vec<PartitionId>, LogError> {
        self.log.partitions()
    }
    fn bounds(&self, partition: PartitionId) -> Result<Bounds, LogError> {
        let earliest = self.kept.get(partition);
        self.log.bounds(partition).map(|bounds| Bounds { earliest, ..bounds })
    }
    fn open(&self, from: &[(PartitionId, u64)]) -> Result<Box<dyn LogReader>, LogError> {
        for (partition, offset) in from {
            assert!(*offset >= self.kept.get(*partition), "{partition} is read from {offset}");
        }
        self.log.open(from)
    }
    fn append(&self, records: &[NewRecord]) -> Result<Vec<featuregrid_protocol::row::Position>, LogError> {
        self.log.append(records)
    }
}

impl World {
    /// As [`World::start`], with a log that begins where it ends now.
    fn forgetting(&self, definitions: &str) -> Settings {
        let forgetful = Forgetful { log: self.log.clone(), kept: self.log.ends() };
        Settings { log: always(forgetful), ..self.settings(definitions) }
    }

    /// Everything appended is durable.
    async fn durable(&self, node: &Node) {
        let ends = self.log.ends();
        assert!(node.reaches(&ends, Instant::now() + PATIENCE).await);
        tokio::time::timeout(PATIENCE, node.snapshots.reach(&ends)).await.expect("everything becomes durable");
    }

    fn parts(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.data.objects().join("part")];
        let mut parts = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() { folders.push(entry.path()) } else { parts.push(entry.path()) }
            }
        }
        parts.sort();
        parts
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_needs_no_record_that_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(9_000);
    let node = world.start(DEFINITIONS).await;
    world.durable(&node).await;
    for _ in 0..3 {
        // Some ranges get rows, some do not: deltas, and manifests that move on alone.
        world.append(120);
        world.durable(&node).await;
    }
    let facts = node.snapshots.durability();
    assert!(facts.bases > 0 && facts.deltas > 0 && facts.quiet > 0 && !facts.alarm, "{facts:?}");
    let before = world.digest(&node).await;
    node.stop().await;

    let again = Node::start(world.forgetting(DEFINITIONS)).await.unwrap();
    assert_eq!(world.digest(&again).await, before);
    assert!(again.recovery.ranges() > 0);
    assert!(again.progress.any_halted().is_none());
    again.stop().await;

    world.append(3_000);
    let third = world.start(DEFINITIONS).await;
    world.digest(&third).await;
    assert_eq!(world.differing(&third).await, 0);
    third.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_shard_goes_on_from_what_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(6_000);
    let first = world.start(DEFINITIONS).await;
    world.durable(&first).await;
    first.stop().await;
    let node = Node::start(world.forgetting(DEFINITIONS)).await.unwrap();
    world.append(2_000);
    let before = world.digest(&node).await;
    for at in [1, 2] {
        node.grid.handles()[at].cell().kill();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(world.digest(&node).await, before);
    // What a restarted shard makes durable is whole, too.
    world.durable(&node).await;
    node.stop().await;
    let again = Node::start(world.forgetting(DEFINITIONS)).await.unwrap();
    assert_eq!(world.digest(&again).await, before);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_part_is_named_and_serves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(3_000);
    let node = world.start(DEFINITIONS).await;
    world.durable(&node).await;
    let before = world.digest(&node).await;
    node.stop().await;
    let part = world.parts().swap_remove(7);
    let whole = std::fs::read(&part).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    std::fs::write(&part, &damaged).unwrap();
    let Err(error) = Node::start(world.settings(DEFINITIONS)).await else { panic!("it was taken") };
    let (error, name) = (error.to_string(), part.file_name().unwrap().to_str().unwrap());
    assert!(error.contains(name) && error.contains("checksum"), "{error}");
    std::fs::write(&part, whole).unwrap();
    let again = world.start(DEFINITIONS).await;
    assert_eq!(world.digest(&again).await, before);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_change_over_what_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(4_000);
    let node = world.start(DEFINITIONS).await;
    world.durable(&node).await;
    world.append(500);
    world.digest(&node).await;
    node.stop().await;
    let more = DEFINITIONS.replace("windows: [5m, 1h, 24h]", "windows: [5m, 30m, 1h, 24h]");
    assert_ne!(more, DEFINITIONS);
    let node = world.start(&more).await;
    world.append(1_000);
    world.digest(&node).await;
    assert_eq!(world.differing(&node).await, 0);
    world.durable(&node).await;
    let before = world.digest(&node).await;
    node.stop().await;
    let again = Node::start(world.forgetting(&more)).await.unwrap();
    assert_eq!(world.digest(&again).await, before);
    again.stop().await;
}
