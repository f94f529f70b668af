//! The one place where everything meets, readable as the way of an event: log, reader, shards, grid. Knows no wire.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use featuregrid_actors::control::History;
use featuregrid_actors::host::supervisor::Nothing;
use featuregrid_protocol::ids::{Epoch, Incarnation, PartitionId};
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{OffsetVector, PartitionPosition, Positions};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Span;
use ractor::ActorRef;
use thiserror::Error;
use tokio::sync::oneshot;

use self::actors::{Needs, Started};
use self::observed::{Observed, vital};
use crate::freshness::Freshness;
use crate::grid::Grid;
use crate::ingest::kafka::Cluster;
use crate::ingest::progress::Progress;
use crate::ingest::reader::Listeners;
use crate::ingest::surroundings::Surroundings;
use crate::ingest::watch::{self, Watch, Watched};
use crate::ingest::{Log, LogError, OpenLog};
use crate::keeper::{self, Beginning, Keeper, KeeperError};
use crate::snapshots::Snapshots;
use crate::snapshots::restore::{Recovery, RestoreError};
use crate::store::begins::Begins;
use crate::store::dead_letters::file::LetterFile;
use crate::store::dead_letters::topic::LetterTopic;
use crate::store::dead_letters::writer::LetterWriter;
use crate::store::dead_letters::{DeadLetterError, Letters};
use crate::store::local::LocalStore;
use crate::store::meter::Metered;
use crate::store::object::ObjectStore;
use crate::store::once::OnceError;
use crate::store::topics::KnownTopics;
use crate::store::{DataDir, DataDirError};
use crate::telemetry::{CountedLetters, Metrics};

/// How often each range is made durable, unless another interval is set.
pub const SNAPSHOT_INTERVAL: Span = Span::seconds(60);

/// What a node is started with.
pub struct Settings {
    /// Text of the definitions.
    pub definitions: String,
    /// How messages name them.
    pub file: String,
    /// What is read, once it is known which sources there are.
    pub log: Box<OpenLog>,
    /// Where everything is kept that is this node's alone.
    pub data: Arc<DataDir>,
    /// Where nodes of one grid meet; a folder in `data` where there is no other.
    pub objects: Option<Arc<dyn ObjectStore>>,
    /// Number of ranges of a new grid, a power of two.
    pub ranges: u32,
    /// Bytes of entity state at which reading pauses.
    pub memory_budget: usize,
    /// Read one partition to its end before the next is begun.
    pub one_after_the_other: bool,
    /// The topic that takes dead letters; without one a file does.
    pub dead_letters: Option<LetterTopicName>,
    /// How often each range is made durable.
    pub snapshot_interval: Span,
}

/// An existing topic for dead letters.
#[derive(Clone, Debug)]
pub struct LetterTopicName {
    /// Where it is.
    pub cluster: Cluster,
    /// Its name.
    pub name: String,
}

/// Why a node does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The folder.
    #[error(transparent)]
    Data(#[from] DataDirError),
    /// Where partitions begin, or which topics were read.
    #[error(transparent)]
    Once(#[from] OnceError),
    /// What is durable cannot be used.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// Dead letters.
    #[error(transparent)]
    DeadLetters(#[from] DeadLetterError),
    /// Definitions, lease, claims.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// Threads and folders.
    #[error("{0}: {1}")]
    System(&'static str, std::io::Error),
    /// Actors.
    #[error("actors: {0}")]
    Actors(#[from] ractor::SpawnErr),
}

/// A running node.
pub struct Node {
    /// Whom to ask.
    pub grid: Arc<Grid>,
    /// What is read.
    pub log: Arc<dyn Log>,
    /// How far reading is.
    pub progress: Arc<Progress>,
    /// Which plans are in force.
    pub history: Arc<History>,
    /// How old events are when they become visible.
    pub freshness: Arc<Freshness>,
    /// This life of this node.
    pub me: Incarnation,
    /// What it has counted.
    pub metrics: Arc<Metrics>,
    /// In which epoch each range is owned.
    pub epochs: BTreeMap<RangeId, Epoch>,
    /// Bytes of entity state at which reading pauses.
    pub memory_budget: usize,
    /// Control log, leases, manifests.
    pub objects: Arc<dyn ObjectStore>,
    /// Records that were not taken.
    pub letters: Arc<dyn Letters>,
    /// Remembers which of them were replayed.
    pub letter_file: Arc<LetterFile>,
    gave_up: Mutex<Option<oneshot::Receiver<String>>>,
    stop: Arc<AtomicBool>,
    /// Reading threads that run.
    reading: Arc<AtomicUsize>,
    supervisor: ActorRef<Nothing>,
    _watch: Watch,
    /// What was restored.
    pub recovery: Arc<Recovery>,
    /// Makes state durable.
    pub snapshots: Snapshots,
    /// Dropped last: the lease outlives what it allows.
    keeper: Option<Keeper>,
    _data: Arc<DataDir>,
}

impl Node {
    /// Begins a life and reads from the log's beginning; [`Self::reaches`] tells when it is done.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let Settings {
            definitions,
            file,
            log,
            data,
            objects,
            ranges,
            memory_budget,
            one_after_the_other,
            dead_letters,
            snapshot_interval,
        } = settings;
        let open: Arc<OpenLog> = Arc::from(log);
        let of = Arc::clone(&open);
        let earliest = Arc::new(move |plan: &Plan| {
            let log = of(plan)?;
            bounds(&*log, &log.partitions()?).map(|(earliest, _)| earliest)
        });
        let objects: Arc<dyn ObjectStore> = match objects {
            Some(objects) => objects,
            None => Arc::new(Metered::new(Arc::new(own_objects(&data)?), Arc::default())),
        };
        let begins = Begins::of(Arc::clone(&objects));
        let beginning = Beginning { earliest, ranges, definitions, file };
        let (begun, keeper) = keeper::begin(Arc::clone(&objects), beginning).await?;
        let log = open(&begun.history.latest().plan)?;
        let partitions = log.partitions()?;
        let (earliest, ends) = bounds(&*log, &partitions)?;
        let progress = Arc::new(Progress::new(beginnings(&begins, &begun.v0, &earliest).await?.0));
        let owned = begun.owned.all();
        watch::halt_lost(&*log, &progress, &needed(&owned, &progress), &earliest);
        let mut known = KnownTopics::of(Arc::clone(&objects));
        watch::identify(&mut known, log.identities()?, &progress).await?;

        let metrics = Arc::new(Metrics::new(&begun.history.latest().plan));
        let freshness = Arc::new(Freshness::new(metrics.event_to_feature.clone()));
        let letter_file = Arc::new(LetterFile::open(&data.dead_letters())?);
        let letters: Arc<dyn Letters> = match &dead_letters {
            Some(topic) => Arc::new(LetterTopic::open(&topic.cluster, &topic.name, &begun.history.latest().plan)?),
            None => Arc::clone(&letter_file) as Arc<dyn Letters>,
        };
        let counted = Arc::new(CountedLetters::new(Arc::clone(&letters), Arc::clone(&metrics)));
        let writer = LetterWriter::start(counted).map_err(|error| StartError::System("dead letters", error))?;
        let (stop, reading) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let around = Surroundings {
            me: begun.me,
            log: Arc::clone(&log),
            history: Arc::clone(&begun.history),
            letters: Some(Arc::new(writer)),
            progress: Arc::clone(&progress),
            metrics: Arc::clone(&metrics),
            freshness: Arc::clone(&freshness),
            memory_budget,
            runtime: tokio::runtime::Handle::current(),
            stop: Arc::clone(&stop),
            reading: Arc::clone(&reading),
            one_after_the_other,
        };
        let observed = Arc::new(Observed::new(Arc::clone(&freshness), Arc::clone(&metrics)));
        let (ranges, listeners) = (owned.keys().copied().collect(), Listeners::default());
        let recovery = Arc::new(Recovery::default());
        let needs = Needs {
            around,
            ledger: keeper.ledger().clone(),
            ranges: owned.len() as u32,
            observed: Arc::clone(&observed),
            listeners: listeners.clone(),
            recovery: Arc::clone(&recovery),
        };
        let Started { grid, readers, supervisor, gave_up } = needs.start().await?;
        let (watched_log, watched_progress) = (Arc::clone(&log), Arc::clone(&progress));
        let watched =
            Watched { log: watched_log, known, begins, progress: watched_progress, listeners, readers, ranges };
        let watch = watched.start().map_err(|error| StartError::System("topics", error))?;
        #[cfg(feature = "plants")]
        plant::stall_a_shard(&grid, &observed);
        // What the log held at the start was shown by an earlier life, or might have been.
        grid.raise_floors(&ends);
        keeper.attend(vital(&grid, &progress, &observed));
        let snapshots = Snapshots::start(Arc::clone(&grid), keeper.ledger().clone(), snapshot_interval);
        Ok(Self {
            grid,
            log,
            progress,
            history: begun.history,
            freshness,
            me: begun.me,
            metrics,
            epochs: owned.iter().map(|(range, manifest)| (*range, manifest.epoch)).collect(),
            memory_budget,
            objects,
            letters,
            letter_file,
            gave_up: Mutex::new(Some(gave_up)),
            stop,
            reading,
            supervisor,
            _watch: watch,
            recovery,
            snapshots,
            keeper: Some(keeper),
            _data: data,
        })
    }

    /// Whether the lease allows the node to act.
    #[must_use]
    pub fn is_leased(&self) -> bool {
        self.keeper.as_ref().is_some_and(Keeper::is_leased)
    }

    /// Where the log ends now.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub fn log_ends(&self) -> Result<OffsetVector, LogError> {
        bounds(&*self.log, &self.partitions()).map(|(_, ends)| ends)
    }

    /// Partitions of all sources found so far, ascending.
    #[must_use]
    pub fn partitions(&self) -> Vec<PartitionId> {
        self.progress.partitions()
    }

    /// Waits until every range stands at or after `v`; whether it does before the deadline. A halted partition ends the
    /// wait at once.
    pub async fn reaches(&self, v: &OffsetVector, deadline: Instant) -> bool {
        loop {
            if !self.is_behind(v).await {
                return true;
            }
            if Instant::now() >= deadline || self.progress.any_halted().is_some() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the state holds all of `v` that it ever will: a halted partition is not waited for.
    pub async fn rebuilt(&self, v: &OffsetVector) {
        let mut v = v.clone();
        loop {
            v.0.retain(|partition, _| self.progress.halted(*partition).is_none());
            if !self.is_behind(&v).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether some range stands before `v`.
    async fn is_behind(&self, v: &OffsetVector) -> bool {
        let statuses = self.grid.statuses().await;
        // Before its first frame a partition that was found later stands where it begins.
        let next = |positions: &Positions, partition: &PartitionId| {
            positions.get(partition).map_or_else(|| self.progress.begin(*partition), |position| position.next)
        };
        let mut ranges = statuses.iter().flat_map(|status| status.ranges.values());
        ranges.any(|positions| v.0.iter().any(|(partition, offset)| next(positions, partition) < *offset))
    }

    /// Ends, with the reason, when the node cannot go on; to be taken once.
    pub fn take_gave_up(&self) -> impl Future<Output = Option<String>> + use<> {
        let gave_up = self.gave_up.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move {
            match gave_up {
                Some(gave_up) => gave_up.await.ok(),
                None => std::future::pending().await,
            }
        }
    }

    /// Stops reading, then the shards, then gives the lease up.
    pub async fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let patience = Some(ractor::concurrency::Duration::from_secs(5));
        // Readers look at the signal within a poll. Stopping the supervisor stops what it supervises.
        let late = Instant::now() + Duration::from_secs(5);
        while self.reading.load(Ordering::Relaxed) > 0 && Instant::now() < late {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if self.supervisor.stop_and_wait(Some("shutdown".to_owned()), patience).await.is_err() {
            tracing::warn!("actors did not end in time");
        }
        let keeper = self.keeper.take();
        if tokio::task::spawn_blocking(move || drop(keeper)).await.is_err() {
            tracing::warn!("the lease was not given up");
        }
    }
}

/// Earliest and end offsets.
fn bounds(log: &dyn Log, partitions: &[PartitionId]) -> Result<(OffsetVector, OffsetVector), LogError> {
    let (mut earliest, mut ends) = (OffsetVector::default(), OffsetVector::default());
    for partition in partitions {
        let bounds = log.bounds(*partition)?;
        earliest.0.insert(*partition, bounds.earliest);
        ends.0.insert(*partition, bounds.end);
    }
    Ok((earliest, ends))
}

/// Where each partition begins: as the control log says, or at the earliest offset its log had when it was found; which is
/// now where it was not known yet.
async fn beginnings(begins: &Begins, v0: &OffsetVector, earliest: &OffsetVector) -> Result<OffsetVector, OnceError> {
    let mut all = OffsetVector::default();
    for (partition, earliest) in &earliest.0 {
        let begin = match v0.0.get(partition) {
            Some(begin) => *begin,
            None => begins.settle(*partition, *earliest).await?,
        };
        all.0.insert(*partition, begin);
    }
    Ok(all)
}

/// From where on the log is needed: what of it is not durable yet.
fn needed(owned: &BTreeMap<RangeId, Arc<Manifest>>, progress: &Progress) -> OffsetVector {
    let next = |partition: PartitionId| {
        let stands = owned.values().map(|manifest| manifest.positions.get(&partition));
        let next = |stands: Option<&PartitionPosition>| stands.map_or_else(|| progress.begin(partition), |at| at.next);
        stands.map(next).min().unwrap_or_else(|| progress.begin(partition))
    };
    OffsetVector(progress.partitions().into_iter().map(|partition| (partition, next(partition))).collect())
}

/// The folder in `data`.
fn own_objects(data: &DataDir) -> Result<LocalStore, StartError> {
    LocalStore::open(&data.objects()).map_err(|error| StartError::System("object store", error))
}

mod actors;
mod observed;
#[cfg(feature = "plants")]
mod plant;
#[cfg(test)]
mod tests;
