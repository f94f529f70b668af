//! A whole node over a file: crashes, restarts, changed definitions and a full memory change no value.
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use featuregrid_actors::shard::Selection;
use featuregrid_actors::window::AsOf;
use featuregrid_protocol::ids::{ControlIndex, SourceId};
use featuregrid_protocol::key;
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::value::{Status, Value};
use featuregrid_simulations::workload::w1::{DEFINITIONS, Parameters, W1};

use super::*;
use crate::demo::verify;
use crate::digest::{NodeDigest, digest};
use crate::grid::{Asked, GridRead, ReadError};
use crate::ingest::NewRecord;
use crate::ingest::embedded::EmbeddedLog;
use crate::status::status;

const PATIENCE: Duration = Duration::from_secs(60);

fn always(log: impl Log + 'static) -> Box<OpenLog> {
    let log: Arc<dyn Log> = Arc::new(log);
    Box::new(move |_| Ok(Arc::clone(&log)))
}

mod durable;

struct World {
    data: Arc<DataDir>,
    log: EmbeddedLog,
    records: W1,
}

impl World {
    fn new(folder: &tempfile::TempDir) -> Self {
        let data = Arc::new(DataDir::open(folder.path()).unwrap());
        let log = EmbeddedLog::open(&data.log(), 1).unwrap();
        let records = W1::new(Parameters { users: 500, ..Parameters::new(11, 30_000) });
        Self { data, log, records }
    }

    fn append(&mut self, count: usize) {
        let records = self.records.by_ref().take(count);
        let append = |record: featuregrid_simulations::workload::Produced| NewRecord {
            admit: false,
            source: SourceId(0),
            key: Some(record.key),
            timestamp: record.log_timestamp,
            payload: record.payload,
        };
        self.log.append(&records.map(append).collect::<Vec<_>>()).unwrap();
    }

    fn settings(&self, definitions: &str) -> Settings {
        Settings {
            definitions: definitions.to_owned(),
            file: "fraud.yaml".to_owned(),
            log: self.log.clone().for_plans(),
            data: Arc::clone(&self.data),
            ranges: 64,
            memory_budget: usize::MAX,
            one_after_the_other: false,
            objects: None,
            dead_letters: None,
            snapshot_interval: SNAPSHOT_INTERVAL,
        }
    }

    async fn start(&self, definitions: &str) -> Node {
        Node::start(self.settings(definitions)).await.unwrap()
    }

    /// Everything appended is applied: the digest there.
    async fn digest(&self, node: &Node) -> NodeDigest {
        assert!(node.reaches(&self.log.ends(), Instant::now() + PATIENCE).await, "{:?}", node.progress.any_halted());
        digest(node, Instant::now() + PATIENCE).await.unwrap()
    }

    async fn differing(&self, node: &Node) -> u64 {
        let v = self.log.ends();
        let mut oracle = verify::read_oracle(node, &v).unwrap();
        let comparison = verify::compare(node, &mut oracle, &v).await.unwrap();
        assert!(comparison.compared > 0);
        verify::accounting(&status(node).await, &mut oracle, node, &v, None).unwrap().unwrap();
        comparison.differing
    }
}

fn read_u1(v: OffsetVector, deadline: Instant) -> GridRead {
    let mut bytes = Vec::new();
    key::encode(["u1"], &mut bytes);
    let as_of = AsOf::At(featuregrid_protocol::time::Timestamp(1_767_225_600_000_000));
    GridRead {
        selections: [Selection { view: 0, results: [0].into() }].into(),
        sent: Arc::default(),
        entities: vec![Asked { key: bytes.into(), as_of }],
        at_least: v,
        deadline,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_shard_comes_back_to_the_same_state() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(12_000);
    let node = world.start(DEFINITIONS).await;
    let before = world.digest(&node).await;
    for at in [0, 3, 3] {
        let killed = node.grid.handles().swap_remove(at);
        killed.cell().kill();
        // Readers meanwhile wait for what was shown, or hear that they must; they never see less.
        let answer = node.grid.read(read_u1(OffsetVector::default(), Instant::now() + PATIENCE)).await;
        let (_, token) = &answer.unwrap()[0][0];
        assert!(token.covers(&before.v));
        world.append(3000);
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert!(!node.grid.handles()[at].is_same_life(&killed));
    }
    world.append(3000);
    let after = world.digest(&node).await;
    assert_eq!(world.differing(&node).await, 0);
    node.stop().await;
    let again = world.start(DEFINITIONS).await;
    assert_eq!(world.digest(&again).await, after);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_definitions_are_activated_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(5000);
    let node = world.start(DEFINITIONS).await;
    assert_eq!(node.history.latest().index, ControlIndex(0));
    let first = world.digest(&node).await;
    node.stop().await;

    let more = format!("{DEFINITIONS}      views: {{ count: true, where: type == \"view\", windows: [1h, 7d] }}\n");
    for index in 1..4 {
        let definitions = if index % 2 == 1 { more.as_str() } else { DEFINITIONS };
        let node = world.start(definitions).await;
        assert_eq!(node.history.latest().index, ControlIndex(index));
        world.append(1000);
        let second = world.digest(&node).await;
        assert_ne!(first.sha256, second.sha256);
        assert_eq!(world.differing(&node).await, 0);
        node.stop().await;
    }
    let node = world.start(&more).await;
    assert_eq!(node.history.latest().index, ControlIndex(3), "equal definitions are no change");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_folder_has_one_epoch_after_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(10);
    let mut last = 0;
    for _ in 0..2 {
        let node = world.start(DEFINITIONS).await;
        assert_eq!(node.epochs.len(), 64);
        let epochs: Vec<u64> = node.epochs.values().map(|epoch| epoch.0).collect();
        assert!(epochs.iter().all(|epoch| *epoch > last), "{epochs:?}");
        last = epochs[0];
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_pauses_at_the_memory_budget() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(30_000);
    let settings = Settings { memory_budget: 100_000, ..world.settings(DEFINITIONS) };
    let node = Node::start(settings).await.unwrap();
    let late = Instant::now() + PATIENCE;
    while !node.progress.is_paused() && Instant::now() < late {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(node.progress.is_paused());
    // What was polled before the pause may still be applied, and no more.
    assert!(!node.reaches(&world.log.ends(), Instant::now() + Duration::from_millis(300)).await);
    assert!(node.grid.bytes() >= 100_000);
    let refused = node.grid.read(read_u1(OffsetVector::default(), Instant::now() + Duration::from_millis(50))).await;
    assert_eq!(refused.unwrap_err(), ReadError::Rebuilding);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_may_demand_its_own_writes() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(100);
    let node = world.start(DEFINITIONS).await;
    assert!(node.reaches(&world.log.ends(), Instant::now() + PATIENCE).await);
    let mut ahead = world.log.ends();
    *ahead.0.values_mut().next().unwrap() += 1;
    let refused = node.grid.read(read_u1(ahead, Instant::now() + Duration::from_millis(50))).await;
    assert_eq!(refused.unwrap_err(), ReadError::Behind);
    for _ in 0..20 {
        world.append(1);
        let v = world.log.ends();
        let answers = node.grid.read(read_u1(v.clone(), Instant::now() + PATIENCE)).await.unwrap();
        assert!(answers[0][0].1.covers(&v));
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_its_beginning_halts_its_partitions_by_name() {
    struct Cut(EmbeddedLog);
    impl Log for Cut {
        fn name(&self, partition: PartitionId) -> &str {
            self.0.name(partition)
        }
        fn topic(&self, partition: PartitionId) -> featuregrid_protocol::ids::TopicId {
            self.0.topic(partition)
        }
        fn partitions(&self) -> Result<Vec<PartitionId>, LogError> {
            self.0.partitions()
        }
        fn bounds(&self, partition: PartitionId) -> Result<crate::ingest::Bounds, LogError> {
            self.0.bounds(partition).map(|bounds| crate::ingest::Bounds { earliest: 5, ..bounds })
        }
        fn open(&self, from: &[(PartitionId, u64)]) -> Result<Box<dyn crate::ingest::LogReader>, LogError> {
            self.0.open(from)
        }
        fn append(&self, records: &[NewRecord]) -> Result<Vec<featuregrid_protocol::row::Position>, LogError> {
            self.0.append(records)
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(1000);
    world.start(DEFINITIONS).await.stop().await;
    let settings = Settings { log: always(Cut(world.log.clone())), ..world.settings(DEFINITIONS) };
    let node = Node::start(settings).await.unwrap();
    for partition in node.partitions() {
        let halted = node.progress.halted(partition).unwrap();
        assert!(halted.contains("offset 0 is needed, the earliest kept is 5"), "{halted}");
    }
    assert!(!node.reaches(&world.log.ends(), Instant::now() + PATIENCE).await);
    assert_eq!(status(&node).await.totals.records, 0, "nothing resets");
    // Nobody waits for what will never come; whoever asks for it by name hears that it is not there.
    let answers = node.grid.read(read_u1(OffsetVector::default(), Instant::now() + PATIENCE)).await.unwrap();
    assert!(answers[0][0].0.readings.iter().all(|reading| reading.status == Status::NotFound));
    let refused = node.grid.read(read_u1(world.log.ends(), Instant::now() + Duration::from_millis(50))).await;
    assert_eq!(refused.unwrap_err(), ReadError::Behind);
    tokio::time::timeout(PATIENCE, node.rebuilt(&world.log.ends())).await.unwrap();
    node.stop().await;
}

/// An embedded log that shows its partitions one after the other, as a topic does that is given more of them.
struct Growing {
    log: EmbeddedLog,
    shown: Arc<AtomicUsize>,
    /// What retention took of every partition but the first two.
    cut: Arc<AtomicU64>,
}

impl Log for Growing {
    fn name(&self, partition: PartitionId) -> &str {
        self.log.name(partition)
    }
    fn topic(&self, partition: PartitionId) -> featuregrid_protocol::ids::TopicId {
        self.log.topic(partition)
    }
    fn partitions(&self) -> Result<Vec<PartitionId>, LogError> {
        let mut partitions = self.log.partitions()?;
        partitions.truncate(self.shown.load(Ordering::Relaxed));
        Ok(partitions)
    }
    fn bounds(&self, partition: PartitionId) -> Result<crate::ingest::Bounds, LogError> {
        let earliest = if partition.number() < 2 { 0 } else { self.cut.load(Ordering::Relaxed) };
        self.log.bounds(partition).map(|bounds| crate::ingest::Bounds { earliest, ..bounds })
    }
    fn open(&self, from: &[(PartitionId, u64)]) -> Result<Box<dyn crate::ingest::LogReader>, LogError> {
        self.log.open(from)
    }
    fn append(&self, records: &[NewRecord]) -> Result<Vec<featuregrid_protocol::row::Position>, LogError> {
        self.log.append(records)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_begins_where_its_log_did_when_it_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(10_000);
    let (shown, cut) = (Arc::new(AtomicUsize::new(2)), Arc::new(AtomicU64::new(700)));
    let growing = || {
        let growing = Growing { log: world.log.clone(), shown: Arc::clone(&shown), cut: Arc::clone(&cut) };
        Settings { log: always(growing), ..world.settings(DEFINITIONS) }
    };
    let records = |status: crate::status::Status| {
        let of = |partition: crate::status::PartitionStatus| partition.position.counters.records;
        status.partitions.into_iter().map(of).collect::<Vec<_>>()
    };
    let ends: Vec<u64> = world.log.ends().0.into_values().collect();
    // One is found while the node runs, the other one while it does not.
    let node = Node::start(growing()).await.unwrap();
    shown.store(3, Ordering::Relaxed);
    let late = Instant::now() + PATIENCE;
    while node.partitions().len() < 3 && Instant::now() < late {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(node.reaches(&node.log_ends().unwrap(), Instant::now() + PATIENCE).await);
    assert_eq!(records(status(&node).await), [ends[0], ends[1], ends[2] - 700]);
    // A shard that begins anew begins there, too.
    node.grid.handles().swap_remove(0).cell().kill();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(node.reaches(&node.log_ends().unwrap(), Instant::now() + PATIENCE).await);
    assert_eq!(records(status(&node).await), [ends[0], ends[1], ends[2] - 700]);
    node.stop().await;

    shown.store(4, Ordering::Relaxed);
    cut.store(600, Ordering::Relaxed);
    let node = Node::start(growing()).await.unwrap();
    assert!(node.reaches(&node.log_ends().unwrap(), Instant::now() + PATIENCE).await);
    assert_eq!(records(status(&node).await), [ends[0], ends[1], ends[2] - 700, ends[3] - 600]);
    let first = digest(&node, Instant::now() + PATIENCE).await.unwrap();
    node.stop().await;

    // A replay begins where the first reading did, whatever the log holds by then.
    cut.store(500, Ordering::Relaxed);
    let node = Node::start(growing()).await.unwrap();
    assert!(node.reaches(&node.log_ends().unwrap(), Instant::now() + PATIENCE).await);
    assert_eq!(digest(&node, Instant::now() + PATIENCE).await.unwrap(), first);
    node.stop().await;

    cut.store(650, Ordering::Relaxed);
    let node = Node::start(growing()).await.unwrap();
    assert_eq!(node.progress.halted(PartitionId(2)), None);
    let halted = node.progress.halted(PartitionId(3)).unwrap();
    assert!(halted.contains("offset 600 is needed, the earliest kept is 650"), "{halted}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_joins_later_is_read_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(10_000);
    let shown = Arc::new(AtomicUsize::new(2));
    let growing = Growing { log: world.log.clone(), shown: Arc::clone(&shown), cut: Arc::default() };
    let node = Node::start(Settings { log: always(growing), ..world.settings(DEFINITIONS) }).await.unwrap();
    assert!(node.reaches(&node.log_ends().unwrap(), Instant::now() + PATIENCE).await);
    assert_eq!(node.partitions().len(), 2);
    shown.store(3, Ordering::Relaxed);
    let late = Instant::now() + PATIENCE;
    while node.partitions().len() < 3 && Instant::now() < late {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(node.reaches(&node.log_ends().unwrap(), Instant::now() + PATIENCE).await);
    shown.store(4, Ordering::Relaxed);
    world.append(1000);
    while node.partitions().len() < 4 && Instant::now() < late {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let grown = world.digest(&node).await;
    // A shard that begins anew is fed from the beginning of the new partitions, too.
    node.grid.handles().swap_remove(1).cell().kill();
    world.append(1000);
    assert_ne!(world.digest(&node).await, grown);
    assert_eq!(world.differing(&node).await, 0);
    let grown = world.digest(&node).await;
    node.stop().await;
    let again = world.start(DEFINITIONS).await;
    assert_eq!(world.digest(&again).await, grown);
    again.stop().await;
}

#[cfg(feature = "plants")]
#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_shard_pauses_consumption_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(2000);
    let node = world.start(DEFINITIONS).await;
    let before = world.digest(&node).await;
    let permits = node.grid.handles()[0].stall().await.unwrap();
    world.append(28_000);
    let late = Instant::now() + PATIENCE;
    while !node.progress.is_paused() && Instant::now() < late {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(node.progress.is_paused());
    assert!(!node.reaches(&world.log.ends(), Instant::now() + Duration::from_millis(300)).await);
    // Reads go on, of the stalled shard's keys, too.
    for user in 0..20 {
        let mut key = Vec::new();
        key::encode([format!("u{user}").as_str()], &mut key);
        let deadline = Instant::now() + PATIENCE;
        let read = GridRead {
            entities: vec![Asked { key: key.into(), as_of: AsOf::At(Timestamp(1_767_225_600_000_000)) }],
            ..read_u1(before.v.clone(), deadline)
        };
        node.grid.read(read).await.unwrap();
    }
    drop(permits);
    world.digest(&node).await;
    assert!(!node.progress.is_paused());
    assert!(node.progress.pauses() >= 1);
    assert_eq!(world.differing(&node).await, 0);
    node.stop().await;
}

/// A log whose readers panic now and then.
struct Fragile {
    log: EmbeddedLog,
    polls: Arc<AtomicU64>,
}

struct FragileReader(Box<dyn crate::ingest::LogReader>, Arc<AtomicU64>);

impl Log for Fragile {
    fn name(&self, partition: PartitionId) -> &str {
        self.log.name(partition)
    }
    fn topic(&self, partition: PartitionId) -> featuregrid_protocol::ids::TopicId {
        self.log.topic(partition)
    }
    fn partitions(&self) -> Result<Vec<PartitionId>, LogError> {
        self.log.partitions()
    }
    fn bounds(&self, partition: PartitionId) -> Result<crate::ingest::Bounds, LogError> {
        self.log.bounds(partition)
    }
    fn open(&self, from: &[(PartitionId, u64)]) -> Result<Box<dyn crate::ingest::LogReader>, LogError> {
        Ok(Box::new(FragileReader(self.log.open(from)?, Arc::clone(&self.polls))))
    }
    fn append(&self, records: &[NewRecord]) -> Result<Vec<featuregrid_protocol::row::Position>, LogError> {
        self.log.append(records)
    }
}

impl crate::ingest::LogReader for FragileReader {
    fn poll(&mut self, wait: Duration, sink: &mut dyn FnMut(crate::ingest::LogEvent<'_>)) -> Result<(), LogError> {
        let poll = self.1.fetch_add(1, Ordering::Relaxed);
        self.0.poll(wait, sink)?;
        assert!(![3, 7, 9].contains(&poll), "planned");
        Ok(())
    }
    fn pause(&mut self, paused: bool) -> Result<(), LogError> {
        self.0.pause(paused)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_thread_that_panics_goes_on_where_the_shards_stand() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(20_000);
    let polls = Arc::new(AtomicU64::new(0));
    let fragile = Fragile { log: world.log.clone(), polls: Arc::clone(&polls) };
    let node = Node::start(Settings { log: always(fragile), ..world.settings(DEFINITIONS) }).await.unwrap();
    world.digest(&node).await;
    assert!(polls.load(Ordering::Relaxed) > 9);
    assert_eq!(world.differing(&node).await, 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_answers_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(&folder);
    let node = world.start(DEFINITIONS).await;
    let answers = node.grid.read(read_u1(OffsetVector::default(), Instant::now() + PATIENCE)).await.unwrap();
    let readings = &answers[0][0].0.readings;
    assert!(readings.iter().all(|reading| reading.status == Status::NotFound && reading.value == Value::Null));
    node.stop().await;
}

/// A second source with its own clock, which runs a day behind.
const CLICKS: &str = "
  clicks:
    kafka: { topic: clicks }
    format: json
    fields: { user_id: user }
    event_timestamp: at
feature_views:
  clicking:
    entity: user
    source: clicks
    features:
      clicks: { count: true, windows: [5m, lifetime] }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_joins_later_begins_where_its_log_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder);
    world.append(5_000);
    world.start(DEFINITIONS).await.stop().await;
    // Its name comes before the other's, and its id after it all the same.
    let both = DEFINITIONS.replacen("feature_views:", CLICKS.trim_start_matches('\n'), 1);
    let log = world.log.with_sources(2).unwrap();
    let clicks = |minute: i64| NewRecord {
        admit: false,
        source: SourceId(1),
        key: Some(b"u1".to_vec()),
        timestamp: Timestamp(1_767_268_800_000_000 + minute * 60_000_000),
        payload: Some(format!("{{\"user\":\"u1\",\"at\":{}}}", 1_767_268_800_000 + minute * 60_000).into_bytes()),
    };
    log.append(&(0..10).map(clicks).collect::<Vec<_>>()).unwrap();
    let node = world.start(&both).await;
    let first = world.digest(&node).await;
    assert_eq!(world.differing(&node).await, 0);
    let plan = Arc::clone(&node.history.latest().plan);
    let names: Vec<&str> = plan.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["transactions", "clicks"]);
    node.stop().await;

    let again = world.start(&both).await;
    assert_eq!(world.digest(&again).await.sha256, first.sha256);
    again.stop().await;
}
