//! The value of every metric, in one struct that is handed to the parts. Knows no HTTP and asks nobody: what has to be
//! looked up at a scrape is brought by [`super::sample`].

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use featuregrid_protocol::ids::{Offset, PartitionId};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::PartitionCounters;
use featuregrid_protocol::time::Span;
use featuregrid_protocol::value::Status;
use prometheus_client::encoding::EncodeMetric;
use prometheus_client::encoding::text;
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use super::histogram::{FRESHNESS_EDGES, Histogram, READ_EDGES, STAGE_EDGES};
use super::ingested::{PartitionMeter, SourceMeter};
use super::names::{self, Name};
use crate::clock;
use crate::store::meter::ANSWERS;

/// Label names with their values.
pub(super) type Labels = Vec<(&'static str, String)>;
/// A count.
pub(super) type Count = Counter<u64, AtomicU64>;
/// A number of seconds that only rises.
pub(super) type Seconds = Counter<f64, AtomicU64>;
/// A whole number.
pub(super) type Level = Gauge<u64, AtomicU64>;
/// A number of seconds.
pub(super) type Age = Gauge<f64, AtomicU64>;

/// A part of the way of an event or a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From the record's log timestamp to its poll.
    Queue,
    /// From the first record of a poll to the end of its batch.
    Decode,
    /// From a chunk to its frames at every shard, permits included.
    Route,
    /// One frame in one shard.
    Fold,
    /// From the hand-over to folded by every shard.
    Visible,
    /// Until the shards have answered.
    Read,
    /// One slice of a snapshot in one shard.
    Snapshot,
}

/// Why reading stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A shard's mailbox is full.
    Shards,
    /// Dead letters are not on disk yet.
    DeadLetters,
    /// Entity state is at its budget.
    Memory,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With an answer.
    Ok,
    /// The client asked for something that does not exist or cannot be.
    Invalid,
    /// The state was not there before the deadline.
    Deadline,
    /// Not now; the client may repeat it.
    Unavailable,
    /// Anything else: our fault.
    Error,
}

const STAGES: [&str; 7] = ["queue", "decode", "route", "fold", "visible", "read", "snapshot"];
const CAUSES: [&str; 3] = ["shards", "dead_letters", "memory"];
const ENDED: [&str; 5] = ["ok", "invalid", "deadline", "unavailable", "error"];
pub(super) const ROW_OUTCOMES: [&str; 3] = ["applied", "duplicate", "rejected"];

/// Every metric of a node.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    sources: Vec<Arc<SourceMeter>>,
    partitions: Mutex<BTreeMap<PartitionId, Arc<PartitionMeter>>>,
    /// From event time to visible, once the history was read.
    pub event_to_feature: Histogram,
    stages: [Histogram; STAGES.len()],
    reads: Family<Labels, Histogram, fn() -> Histogram>,
    pushes: [Histogram; ENDED.len()],
    backpressure: [Seconds; CAUSES.len()],
    statuses: Vec<[Count; Status::ALL.len()]>,
    /// What a scrape looks up.
    pub(super) sampled: Sampled,
}

/// Set by [`super::sample`].
#[derive(Debug)]
pub(super) struct Sampled {
    pub(super) rows: Vec<[Count; ROW_OUTCOMES.len()]>,
    pub(super) freshness: Family<Labels, Age>,
    pub(super) lag: Family<Labels, Level>,
    pub(super) halted: Level,
    pub(super) paused: Level,
    pub(super) state: Level,
    pub(super) budget: Level,
    pub(super) actors: Level,
    pub(super) ranges: Level,
    pub(super) epoch: Level,
    pub(super) lease: Level,
    pub(super) control_index: Level,
    pub(super) store: [Count; ANSWERS.len()],
    pub(super) store_bytes: [Count; 2],
    pub(super) store_billed: [Count; 2],
    pub(super) snapshot_age: Age,
    pub(super) snapshots: [Count; 4],
    pub(super) snapshot_bytes: Count,
    pub(super) snapshot_debt: Level,
    pub(super) accounting: Level,
}

impl Metrics {
    /// Nothing counted yet, of these sources and views.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let mut registry = Registry::default();
        let to = &mut registry;
        let sources = SourceMeter::all(to, plan);
        let rows = family(to, &names::VIEW_ROWS, Count::default as fn() -> Count);
        let event_to_feature = Histogram::new(&FRESHNESS_EDGES);
        register(to, &names::EVENT_TO_FEATURE, event_to_feature.clone());
        let stages = family(to, &names::STAGE, stage as fn() -> Histogram);
        let reads = family(to, &names::READ, read as fn() -> Histogram);
        let pushes = family(to, &names::PUSH, read as fn() -> Histogram);
        let statuses = family(to, &names::FEATURE_STATUS, Count::default as fn() -> Count);
        let freshness = Family::default();
        register(to, &names::FEATURE_FRESHNESS, freshness.clone());
        let lag = Family::default();
        register(to, &names::CONSUMER_LAG, lag.clone());
        let halted = level(to, &names::PARTITIONS_HALTED, &[]);
        let backpressure = family(to, &names::BACKPRESSURE, Seconds::default as fn() -> Seconds);
        let (snapshot_age, snapshot_bytes) = (Age::default(), Count::default());
        register(to, &names::SNAPSHOT_AGE, snapshot_age.clone());
        register(to, &names::SNAPSHOT_BYTES, snapshot_bytes.clone());
        let views = || plan.views.iter().map(|view| view.name.as_str());
        let sampled = Sampled {
            rows: views()
                .map(|view| ROW_OUTCOMES.map(|outcome| of(&rows, &names::VIEW_ROWS, &[view, outcome])))
                .collect(),
            freshness,
            lag,
            halted,
            paused: level(to, &names::CONSUMPTION_PAUSED, &[]),
            state: level(to, &names::STATE_BYTES, &["memory"]),
            budget: level(to, &names::MEMORY_BUDGET, &[]),
            actors: level(to, &names::ACTORS, &["resident"]),
            ranges: level(to, &names::RANGES, &["owned"]),
            epoch: level(to, &names::RANGE_EPOCH, &[]),
            lease: level(to, &names::LEASE_VALID, &[]),
            control_index: level(to, &names::CONTROL_INDEX, &[]),
            store: {
                let requests = family(to, &names::STORE_REQUESTS, Count::default as fn() -> Count);
                ANSWERS.map(|(request, outcome)| of(&requests, &names::STORE_REQUESTS, &[request, outcome]))
            },
            store_bytes: counts(to, &names::STORE_BYTES, ["read", "written"]),
            store_billed: counts(to, &names::STORE_BILLED, ["write", "read"]),
            snapshot_age,
            snapshots: counts(to, &names::SNAPSHOTS, ["base", "delta", "quiet", "failed"]),
            snapshot_bytes,
            snapshot_debt: level(to, &names::SNAPSHOT_DEBT, &[]),
            accounting: level(to, &names::ACCOUNTING_HOLDS, &[]),
        };
        let started = Age::default();
        started.set(seconds(Span(clock::wall().0)));
        register(to, &names::START_TIME, started);
        register(to, &names::BUILD_INFO, Info::new(labels(&names::BUILD_INFO, &[env!("CARGO_PKG_VERSION")])));
        let status = |view, status: Status| of(&statuses, &names::FEATURE_STATUS, &[view, status.name()]);
        Self {
            sources,
            partitions: Mutex::default(),
            event_to_feature,
            stages: STAGES.map(|stage| of(&stages, &names::STAGE, &[stage])),
            reads,
            pushes: ENDED.map(|ended| of(&pushes, &names::PUSH, &[ended])),
            backpressure: CAUSES.map(|cause| of(&backpressure, &names::BACKPRESSURE, &[cause])),
            statuses: views().map(|view| Status::ALL.map(|value| status(view, value))).collect(),
            sampled,
            registry,
        }
    }

    /// What is read of a partition, counted from here on; every life of its reader gets the same meter.
    #[must_use]
    pub fn partition(
        &self,
        partition: PartitionId,
        next: Offset,
        counters: &PartitionCounters,
    ) -> Option<Arc<PartitionMeter>> {
        let source = self.source(partition)?;
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = || Arc::new(PartitionMeter::new(source, next, counters.clone()));
        Some(Arc::clone(partitions.entry(partition).or_insert_with(begin)))
    }

    pub(super) fn source(&self, partition: PartitionId) -> Option<Arc<SourceMeter>> {
        self.sources.get(usize::from(partition.source().0)).map(Arc::clone)
    }

    /// A batch spent so long in a stage.
    pub fn spent(&self, stage: Stage, span: Span) {
        self.stages[stage as usize].observe(span);
    }

    /// Reading stood still for so long.
    pub fn waited(&self, cause: Cause, span: Span) {
        self.backpressure[cause as usize].inc_by(seconds(span));
    }

    /// A read request ended.
    pub fn read(&self, api: &str, ended: Ended, took: Span) {
        let labels = labels(&names::READ, &[api, ENDED[ended as usize]]);
        self.reads.get_or_create(&labels).observe(took);
    }

    /// A push ended.
    pub fn pushed(&self, ended: Ended, took: Span) {
        self.pushes[ended as usize].observe(took);
    }

    /// So many values of a view were answered, by status.
    pub fn answered(&self, view: usize, counts: [u64; Status::ALL.len()]) {
        let Some(counters) = self.statuses.get(view) else { return };
        for (counter, count) in counters.iter().zip(counts).filter(|(_, count)| *count > 0) {
            counter.inc_by(count);
        }
    }

    /// All of it as OpenMetrics text.
    ///
    /// # Errors
    /// Never on a `String`; the library's signature says so.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn read() -> Histogram {
    Histogram::new(&READ_EDGES)
}

fn stage() -> Histogram {
    Histogram::new(&STAGE_EDGES)
}

/// As metrics count time.
pub(super) fn seconds(span: Span) -> f64 {
    span.0 as f64 / 1e6
}

/// Raises a counter to what somebody else has counted; it never falls, also where that one begins anew.
pub(super) fn raise(counter: &Count, to: u64) {
    counter.inner().fetch_max(to, Ordering::Relaxed);
}

/// The label names of a metric with these values.
pub(super) fn labels(name: &Name, values: &[&str]) -> Labels {
    debug_assert_eq!(name.labels.len(), values.len(), "{}", name.name);
    name.labels.iter().copied().zip(values.iter().map(|value| (*value).to_owned())).collect()
}

fn register(registry: &mut Registry, name: &Name, metric: impl Metric) {
    match name.unit {
        None => registry.register(name.stem(), name.help, metric),
        Some("seconds") => registry.register_with_unit(name.stem(), name.help, Unit::Seconds, metric),
        Some("bytes") => registry.register_with_unit(name.stem(), name.help, Unit::Bytes, metric),
        Some(unit) => registry.register_with_unit(name.stem(), name.help, Unit::Other(unit.to_owned()), metric),
    }
}

/// A metric with labels.
pub(super) fn family<M>(registry: &mut Registry, name: &Name, make: fn() -> M) -> Family<Labels, M, fn() -> M>
where
    M: EncodeMetric + TypedMetric + Debug + Send + Sync + 'static,
{
    let family = Family::new_with_constructor(make);
    register(registry, name, family.clone());
    family
}

/// One series of it, which is there from now on, at zero.
pub(super) fn of<M: Clone>(family: &Family<Labels, M, fn() -> M>, name: &Name, values: &[&str]) -> M {
    family.get_or_create_owned(&labels(name, values))
}

/// The series of a counter with one label.
fn counts<const N: usize>(registry: &mut Registry, name: &Name, values: [&str; N]) -> [Count; N] {
    let family = family(registry, name, Count::default as fn() -> Count);
    values.map(|value| of(&family, name, &[value]))
}

fn level(registry: &mut Registry, name: &Name, values: &[&str]) -> Level {
    if values.is_empty() {
        let level = Level::default();
        register(registry, name, level.clone());
        return level;
    }
    of(&family(registry, name, Level::default as fn() -> Level), name, values)
}
