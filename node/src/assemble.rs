//! The one place where everything meets, readable as the way of an event: log, reader, shards, grid. Knows no wire.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use featuregrid_actors::control::History;
use featuregrid_actors::host::message::Rows;
use featuregrid_actors::host::shard::Folding;
use featuregrid_actors::host::{Child, ShardActor, ShardArguments, ShardHandle, Supervisor};
use featuregrid_protocol::ids::{Epoch, Incarnation, PartitionId};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{OffsetVector, Positions};
use featuregrid_protocol::range::{RangeId, RangeSet};
use ractor::ActorRef;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::clock;
use crate::freshness::Freshness;
use crate::grid::Grid;
use crate::ingest::kafka::Cluster;
use crate::ingest::progress::Progress;
use crate::ingest::reader::{Listeners, Reader, ReaderArguments};
use crate::ingest::surroundings::Surroundings;
use crate::ingest::watch::{self, Watch, Watched};
use crate::ingest::{Log, LogError, OpenLog};
use crate::keeper::{self, Beginning, Keeper, KeeperError};
use crate::store::begins::{Begins, BeginsError};
use crate::store::dead_letters::file::LetterFile;
use crate::store::dead_letters::topic::LetterTopic;
use crate::store::dead_letters::writer::LetterWriter;
use crate::store::dead_letters::{DeadLetterError, Letters};
use crate::store::local::LocalStore;
use crate::store::meter::Metered;
use crate::store::object::ObjectStore;
use crate::store::topics::{KnownTopics, TopicsError};
use crate::store::{DataDir, DataDirError};
use crate::telemetry::{CountedLetters, Metrics, Stage};

/// Shards of a node: four for each core, so that batches fill and cores do not wait for one another.
const SHARDS_PER_CORE: usize = 4;

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
    /// Where partitions begin.
    #[error(transparent)]
    Begins(#[from] BeginsError),
    /// What is remembered of the topics.
    #[error(transparent)]
    Topics(#[from] TopicsError),
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
    supervisor: ActorRef<featuregrid_actors::host::supervisor::Nothing>,
    _watch: Watch,
    /// Dropped last: the lease outlives what it allows.
    keeper: Option<Keeper>,
    _data: Arc<DataDir>,
}

/// What shards report to.
struct Observed {
    freshness: Arc<Freshness>,
    metrics: Arc<Metrics>,
    frames: AtomicU64,
    /// Offsets that some read may have seen.
    shown: Mutex<OffsetVector>,
}

impl Observed {
    /// Folds, and notes how long it took; frames without rows come ten times a second and are no news.
    fn fold(&self, rows: &Rows, fold: &mut dyn FnMut() -> bool) -> bool {
        let frame = &rows.frame;
        if frame.rows.is_empty() {
            return fold();
        }
        let (from, to, count) = (frame.from, frame.to, frame.rows.len());
        let _span = tracing::debug_span!("apply", partition = %frame.partition, from, to, rows = count).entered();
        let begin = clock::monotonic();
        let everywhere = fold();
        let now = clock::monotonic();
        self.metrics.spent(Stage::Fold, now - begin);
        if everywhere {
            self.metrics.spent(Stage::Visible, now - rows.handed);
        }
        everywhere
    }
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
        let (begun, beginner) = begin(Arc::clone(&objects), beginning).await?;
        let log = open(&begun.history.latest().plan)?;
        let partitions = log.partitions()?;
        let (earliest, ends) = bounds(&*log, &partitions)?;
        let progress = Arc::new(Progress::new(beginnings(&begins, &begun.v0, &earliest).await?.0));
        watch::halt_lost(&*log, &progress, &earliest);
        let mut known = KnownTopics::open(&data.topics())?;
        watch::identify(&mut known, log.identities()?, &progress)?;

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
        let observed = Arc::new(Observed {
            freshness: Arc::clone(&freshness),
            metrics: Arc::clone(&metrics),
            frames: AtomicU64::new(0),
            shown: Mutex::default(),
        });
        let begin: Positions = partitions.iter().map(|partition| (*partition, progress.start(*partition))).collect();
        let (ranges, listeners) = (begun.epochs.keys().copied().collect(), Listeners::default());
        let (readers, (grid, supervisor, gave_up)) =
            start_actors(around, begun.epochs.len() as u32, begin, &observed, &listeners).await?;
        let (watched_log, watched_progress) = (Arc::clone(&log), Arc::clone(&progress));
        let watched =
            Watched { log: watched_log, known, begins, progress: watched_progress, listeners, readers, ranges };
        let watch = watched.start().map_err(|error| StartError::System("topics", error))?;
        #[cfg(feature = "plants")]
        plant::stall_a_shard(&grid, &observed);
        // What the log held at the start was shown by an earlier life, or might have been.
        grid.raise_floors(&ends);
        let keeper = beginner.keep(vital(&grid, &progress, &observed))?;
        Ok(Self {
            grid,
            log,
            progress,
            history: begun.history,
            freshness,
            me: begun.me,
            metrics,
            epochs: begun.epochs,
            memory_budget,
            objects,
            letters,
            letter_file,
            gave_up: Mutex::new(Some(gave_up)),
            stop,
            reading,
            supervisor,
            _watch: watch,
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
async fn beginnings(begins: &Begins, v0: &OffsetVector, earliest: &OffsetVector) -> Result<OffsetVector, BeginsError> {
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

/// The folder in `data`.
fn own_objects(data: &DataDir) -> Result<LocalStore, StartError> {
    LocalStore::open(&data.objects()).map_err(|error| StartError::System("object store", error))
}

async fn begin(
    store: Arc<dyn ObjectStore>,
    beginning: Beginning,
) -> Result<(keeper::Begun, keeper::Beginner), StartError> {
    let begun = tokio::task::spawn_blocking(move || keeper::begin(store, &beginning)).await;
    match begun {
        Ok(begun) => Ok(begun?),
        Err(error) => Err(StartError::System("object store", std::io::Error::other(error))),
    }
}

type Started = (Arc<Grid>, ActorRef<featuregrid_actors::host::supervisor::Nothing>, oneshot::Receiver<String>);

/// Shards first, then the readers that feed them, all under one supervisor; how many readers there are.
async fn start_actors(
    around: Surroundings,
    ranges: u32,
    begin: Positions,
    observed: &Arc<Observed>,
    listeners: &Listeners,
) -> Result<(usize, Started), StartError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let shards = (SHARDS_PER_CORE * cores).min(ranges as usize);
    // The grid is made of the shards' first handles, which only their supervisor can start.
    let firsts: Arc<Mutex<Vec<ShardHandle>>> = Arc::default();
    let grid: Arc<std::sync::OnceLock<Arc<Grid>>> = Arc::default();
    let mut children = Vec::new();
    for (at, set) in Grid::split(ranges, shards).into_iter().enumerate() {
        let arguments = ShardArguments {
            plan: Arc::clone(&around.history.latest().plan),
            ranges: set.clone(),
            positions: begin.clone(),
            folding: folding(observed, &grid),
        };
        let (set, begin): (RangeSet, _) = (set.into_iter().collect(), begin.clone());
        let (listeners, firsts, grid, observed) =
            (listeners.clone(), Arc::clone(&firsts), Arc::clone(&grid), Arc::clone(observed));
        let start = move |supervisor| {
            let arguments = arguments.clone();
            let (set, begin, listeners, firsts, grid, observed) = (
                set.clone(),
                begin.clone(),
                listeners.clone(),
                Arc::clone(&firsts),
                Arc::clone(&grid),
                Arc::clone(&observed),
            );
            Box::pin(async move {
                let handle = ShardActor::start(arguments, supervisor).await?;
                let cell = handle.cell();
                match grid.get() {
                    None => firsts.lock().unwrap_or_else(PoisonError::into_inner).push(handle),
                    Some(grid) => {
                        let shown = observed.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
                        grid.restarted(at, handle.clone(), shown);
                        listeners.restarted(at, &handle, &set, &begin);
                    }
                }
                Ok(cell)
            }) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
        };
        children.push(Child { name: format!("shard {at}"), start: Box::new(start) });
    }
    let plan = Arc::clone(&around.history.latest().plan);
    let readers = if around.one_after_the_other { 1 } else { cores.min(around.progress.partitions().len()) };
    for reader in 0..readers {
        let (around, listeners, firsts, grid) =
            (around.clone(), listeners.clone(), Arc::clone(&firsts), Arc::clone(&grid));
        let plan = Arc::clone(&plan);
        let bits = ranges.trailing_zeros() as u8;
        let start = move |supervisor| {
            // The first reader starts after the last shard.
            let grid = Arc::clone(grid.get_or_init(|| {
                let handles = firsts.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Arc::new(Grid::new(Arc::clone(&plan), bits, handles, Arc::clone(&around.progress)))
            }));
            let (around, listeners) = (around.clone(), listeners.clone());
            let arguments = ReaderArguments { reader, readers, around, grid, listeners };
            Box::pin(Reader::start(arguments, supervisor)) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
        };
        children.push(Child { name: format!("reader {reader}"), start: Box::new(start) });
    }
    let (supervisor, gave_up) = Supervisor::start(children).await?;
    let grid =
        grid.get().map(Arc::clone).ok_or(StartError::System("readers", std::io::Error::other("no partition")))?;
    Ok((readers, (grid, supervisor, gave_up)))
}

/// What happens around the fold of a frame in a shard.
fn folding(observed: &Arc<Observed>, grid: &Arc<std::sync::OnceLock<Arc<Grid>>>) -> Folding {
    let (observed, grid) = (Arc::clone(observed), Arc::clone(grid));
    Arc::new(move |rows: &Rows, fold: &mut dyn FnMut() -> bool| {
        let everywhere = observed.fold(rows, fold);
        if everywhere {
            observed.frames.fetch_add(1, Ordering::Relaxed);
            observed.freshness.visible(&rows.frame.rows);
            let mut shown = observed.shown.lock().unwrap_or_else(PoisonError::into_inner);
            let next = shown.0.entry(rows.frame.partition).or_default();
            *next = rows.frame.to.max(*next);
        }
        if let Some(grid) = grid.get() {
            grid.visible.notify_waiters();
        }
    })
}

/// Whether readers and shards make progress.
fn vital(grid: &Arc<Grid>, progress: &Arc<Progress>, observed: &Arc<Observed>) -> keeper::Vital {
    let (grid, progress, observed) = (Arc::clone(grid), Arc::clone(progress), Arc::clone(observed));
    let seen = AtomicU64::new(0);
    Box::new(move || {
        let frames = observed.frames.load(Ordering::Relaxed);
        let moved = seen.swap(frames, Ordering::Relaxed) != frames;
        (progress.take_turned(), moved || grid.handles().iter().all(ShardHandle::is_idle))
    })
}

#[cfg(feature = "plants")]
mod plant;
#[cfg(test)]
mod tests;
