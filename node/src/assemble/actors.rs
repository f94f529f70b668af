//! Shards first, each with what is durable of its ranges, then the readers that feed them, all under one supervisor. Knows
//! no wire.

use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use featuregrid_actors::host::supervisor::Nothing;
use featuregrid_actors::host::{Child, ShardActor, ShardArguments, ShardHandle, Supervisor};
use featuregrid_protocol::range::RangeId;
use ractor::{ActorCell, ActorRef, SpawnErr};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::StartError;
use super::observed::{Observed, folding, slicing};
use crate::grid::Grid;
use crate::ingest::reader::{Listeners, Reader, ReaderArguments};
use crate::ingest::surroundings::{Stand, Surroundings};
use crate::keeper::Ledger;
use crate::snapshots::restore::{Recovery, RestoreError, restore};

/// Shards of a node: four for each core, so that batches fill and cores do not wait for one another.
const SHARDS_PER_CORE: usize = 4;

/// What runs.
pub(super) struct Started {
    pub(super) grid: Arc<Grid>,
    /// How many readers there are.
    pub(super) readers: usize,
    pub(super) supervisor: ActorRef<Nothing>,
    /// Hears why, when the node cannot go on.
    pub(super) gave_up: oneshot::Receiver<String>,
}

/// What every life of every actor needs.
#[derive(Clone)]
pub(super) struct Needs {
    pub(super) around: Surroundings,
    pub(super) ledger: Ledger,
    pub(super) ranges: u32,
    pub(super) observed: Arc<Observed>,
    pub(super) listeners: Listeners,
    pub(super) recovery: Arc<Recovery>,
}

/// Shards that are being started for the first time, and the grid that is made of them.
#[derive(Clone, Default)]
struct Firsts {
    handles: Arc<Mutex<Vec<ShardHandle>>>,
    /// All shards restore at once; readers wait for them.
    restoring: Arc<Mutex<Vec<Restoring>>>,
    grid: Arc<OnceLock<Arc<Grid>>>,
    failed: Arc<Mutex<Option<RestoreError>>>,
}

type Restoring = JoinHandle<Result<(), RestoreError>>;
type Spawning = Pin<Box<dyn Future<Output = Result<ActorCell, SpawnErr>> + Send>>;

impl Needs {
    /// Starts everything.
    ///
    /// # Errors
    /// When a range does not stand up, or an actor does not start.
    pub(super) async fn start(self) -> Result<Started, StartError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = (SHARDS_PER_CORE * cores).min(self.ranges as usize);
        let firsts = Firsts::default();
        let mut children = Vec::new();
        for (at, set) in Grid::split(self.ranges, shards).into_iter().enumerate() {
            let (needs, firsts) = (self.clone(), firsts.clone());
            let start = move |supervisor| {
                let (needs, firsts, set) = (needs.clone(), firsts.clone(), set.clone());
                Box::pin(async move { needs.shard(at, set, supervisor, &firsts).await }) as Spawning
            };
            children.push(Child { name: format!("shard {at}"), start: Box::new(start) });
        }
        let around = &self.around;
        let readers = if around.one_after_the_other { 1 } else { cores.min(around.progress.partitions().len()) };
        for reader in 0..readers {
            let (needs, firsts) = (self.clone(), firsts.clone());
            let start = move |supervisor| {
                let (needs, firsts) = (needs.clone(), firsts.clone());
                Box::pin(async move { needs.reader(reader, readers, supervisor, &firsts).await }) as Spawning
            };
            children.push(Child { name: format!("reader {reader}"), start: Box::new(start) });
        }
        let started = Supervisor::start(children).await;
        if let Some(error) = firsts.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error.into());
        }
        let (supervisor, gave_up) = started?;
        let no_partition = || StartError::System("readers", std::io::Error::other("no partition"));
        let grid = firsts.grid.get().map(Arc::clone).ok_or_else(no_partition)?;
        Ok(Started { grid, readers, supervisor, gave_up })
    }

    /// One life of a shard.
    async fn shard(
        &self,
        at: usize,
        set: Vec<RangeId>,
        supervisor: ActorCell,
        firsts: &Firsts,
    ) -> Result<ActorCell, SpawnErr> {
        let arguments = ShardArguments {
            plan: Arc::clone(&self.around.history.latest().plan),
            folding: folding(&self.observed, &firsts.grid),
            slicing: slicing(&self.observed),
        };
        let handle = ShardActor::start(arguments, supervisor).await?;
        let cell = handle.cell();
        let Some(grid) = firsts.grid.get() else {
            firsts.handles.lock().unwrap_or_else(PoisonError::into_inner).push(handle.clone());
            let needs = self.clone();
            let restoring = tokio::spawn(async move { needs.restore(&handle, &set).await.map(drop) });
            firsts.restoring.lock().unwrap_or_else(PoisonError::into_inner).push(restoring);
            return Ok(cell);
        };
        let stands = match self.restore(&handle, &set).await {
            Ok(stands) => stands,
            Err(error) => {
                cell.stop(None);
                return Err(SpawnErr::StartupFailed(error.into()));
            }
        };
        grid.restarted(at, handle.clone(), self.observed.shown());
        self.listeners.restarted(at, &handle, &stands);
        Ok(cell)
    }

    /// Puts a shard's ranges in place: where each stands.
    async fn restore(&self, handle: &ShardHandle, set: &[RangeId]) -> Result<Vec<Stand>, RestoreError> {
        let progress = &self.around.progress;
        let begins =
            progress.partitions().into_iter().map(|partition| (partition, progress.start(partition))).collect();
        restore(handle, &self.ledger, &self.around.history, &begins, set, &self.recovery).await
    }

    /// One life of a reader. The first reader starts after the last shard.
    async fn reader(
        &self,
        reader: usize,
        readers: usize,
        supervisor: ActorCell,
        firsts: &Firsts,
    ) -> Result<ActorCell, SpawnErr> {
        let restoring = std::mem::take(&mut *firsts.restoring.lock().unwrap_or_else(PoisonError::into_inner));
        for shard in restoring {
            let restored = shard.await.unwrap_or(Err(RestoreError::Gone));
            if let Err(error) = restored {
                let told = error.to_string();
                *firsts.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                return Err(SpawnErr::StartupFailed(told.into()));
            }
        }
        let grid = Arc::clone(firsts.grid.get_or_init(|| {
            let handles = firsts.handles.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let plan = Arc::clone(&self.around.history.latest().plan);
            let bits = self.ranges.trailing_zeros() as u8;
            Arc::new(Grid::new(plan, bits, handles, Arc::clone(&self.around.progress)))
        }));
        let (around, listeners) = (self.around.clone(), self.listeners.clone());
        Reader::start(ReaderArguments { reader, readers, around, grid, listeners }, supervisor).await
    }
}
