//! The shell around the steward: performs what protocols B and C ask for, on a thread of its own. Decides nothing.
//!
//! A life begins before anything is read: lease, control log, activation of changed definitions, claims. From then on the thread
//! keeps the lease for as long as readers, shards and disk make progress, makes states durable and reads them back, and
//! gives the lease up at the end. The store is asked on the runtime, so that a slow answer delays no other.

mod shell;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use featuregrid_actors::control::History;
use featuregrid_actors::ownership::{CommitError, Lapse, Snapshot};
use featuregrid_actors::ports::StoreReply;
use featuregrid_actors::steward::ProposeError;
use featuregrid_protocol::definition::Mistakes;
use featuregrid_protocol::ids::{ControlIndex, Incarnation};
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{OffsetVector, Positions};
use featuregrid_protocol::range::RangeId;
use thiserror::Error;
use tokio::sync::oneshot;

use self::shell::Shell;
use crate::ingest::LogError;
use crate::store::object::ObjectStore;

/// Inputs that wait for the thread: as many replies as ranges can have asked for at once. With more, askers wait.
const INPUTS_MAX: usize = 1 << 14;
/// A life that has not begun after this long never will: waiting out a predecessor takes 3 s, claims well below 10.
const BEGIN_MAX: Duration = Duration::from_secs(60);

/// Why a life did not begin. The store is as it was, or one entry of the control log further.
#[derive(Debug, Error)]
pub enum KeeperError {
    /// The definitions do not compile under those in force.
    #[error(transparent)]
    Definitions(#[from] Mistakes),
    /// The log does not say where it begins.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Something stored does not decode.
    #[error("stored object {0}: {1}; restore it from a copy of the store, or start over with a new one")]
    Damaged(String, String),
    /// The life ended before it began.
    #[error("another process took this node's lease ({0:?}); stop it, then start again")]
    Ended(Lapse),
    /// The steward did not take the proposal.
    #[error("changed definitions: {0}")]
    Propose(#[from] ProposeError),
    /// Too slow, or stuck.
    #[error(
        "the node did not begin within a minute; it stood at: {0}; look at the object store, or for a slow or full disk"
    )]
    Late(String),
    /// No thread left.
    #[error("the lease's thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Where the log begins, in the partitions of a plan's sources.
pub type Earliest = dyn Fn(&Plan) -> Result<OffsetVector, LogError> + Send + Sync;

/// What a life is to begin with.
#[derive(Clone)]
pub struct Beginning {
    /// Where the log begins, in the partitions of a plan's sources.
    pub earliest: Arc<Earliest>,
    /// Number of ranges, should the grid be new.
    pub ranges: u32,
    /// The definitions wanted.
    pub definitions: String,
    /// How messages name them.
    pub file: String,
}

/// A life that has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Which.
    pub me: Incarnation,
    /// Every plan and from where it holds; the newest is that of the wanted definitions.
    pub history: Arc<History>,
    /// Where the log began when each partition joined the grid.
    pub v0: OffsetVector,
    /// Every range that is owned here, as it is durable.
    pub owned: Owned,
}

/// Whether readers and shards make progress: asked before the lease is renewed.
pub type Vital = Box<dyn Fn() -> (bool, bool) + Send + Sync>;

/// The manifests of ranges that are owned here, as they were committed last.
#[derive(Clone, Debug, Default)]
pub struct Owned(Arc<RwLock<BTreeMap<RangeId, Arc<Manifest>>>>);

impl Owned {
    /// Of one range.
    #[must_use]
    pub fn of(&self, range: RangeId) -> Option<Arc<Manifest>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&range).map(Arc::clone)
    }

    /// Of all of them.
    #[must_use]
    pub fn all(&self) -> BTreeMap<RangeId, Arc<Manifest>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, manifest: Arc<Manifest>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(manifest.range, manifest);
    }

    fn remove(&self, range: RangeId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&range);
    }
}

/// Why a state is not durable.
#[derive(Debug, Error)]
pub enum DurableError {
    /// Nothing was written.
    #[error(transparent)]
    Refused(#[from] CommitError),
    /// Somebody else's manifest stands: the range is not owned here any more.
    #[error("range {0} is owned by another node now")]
    Lost(RangeId),
    /// The keeper has ended, and with it the lease.
    #[error("the node's lease has ended")]
    Ended,
}

/// The newest durable state of a range.
#[derive(Debug)]
pub struct Stored {
    /// `None`: nobody ever had the range.
    pub manifest: Option<Arc<Manifest>>,
    /// The parts it names, in its order.
    pub parts: Vec<Arc<[u8]>>,
}

/// What the keeper's thread is told.
enum Input {
    Reply(StoreReply),
    Commit { range: RangeId, snapshot: Box<Snapshot>, done: oneshot::Sender<Result<(), DurableError>> },
    Stand { range: RangeId, at: (Positions, ControlIndex), done: oneshot::Sender<Result<(), DurableError>> },
    Restore { range: RangeId, done: oneshot::Sender<Stored> },
    Stop,
}

/// Asks the keeper's thread for something.
#[derive(Clone)]
pub struct Ledger {
    inputs: SyncSender<Input>,
    owned: Owned,
    leased: Arc<AtomicBool>,
}

impl Ledger {
    /// Whether the lease allowed writes at the last tick: while it does not, there is no use in trying.
    #[must_use]
    pub fn is_leased(&self) -> bool {
        self.leased.load(Ordering::Relaxed)
    }

    /// The manifests as they were committed last.
    #[must_use]
    pub fn owned(&self) -> &Owned {
        &self.owned
    }

    /// Makes a state of an owned range durable; returns once that is certain, however long the store does not answer.
    ///
    /// # Errors
    /// See [`DurableError`].
    pub async fn commit(&self, range: RangeId, snapshot: Snapshot) -> Result<(), DurableError> {
        let (done, certain) = oneshot::channel();
        let input = Input::Commit { range, snapshot: Box::new(snapshot), done };
        self.inputs.send(input).map_err(|_| DurableError::Ended)?;
        certain.await.unwrap_or(Err(DurableError::Ended))
    }

    /// Moves the manifest of an owned range to where it stands, up to which no row came to it.
    ///
    /// # Errors
    /// See [`DurableError`].
    pub async fn stand(&self, range: RangeId, at: (Positions, ControlIndex)) -> Result<(), DurableError> {
        let (done, certain) = oneshot::channel();
        self.inputs.send(Input::Stand { range, at, done }).map_err(|_| DurableError::Ended)?;
        certain.await.unwrap_or(Err(DurableError::Ended))
    }

    /// Reads the newest durable state of a range; `None` where the keeper has ended.
    pub async fn restore(&self, range: RangeId) -> Option<Stored> {
        let (done, stored) = oneshot::channel();
        self.inputs.send(Input::Restore { range, done }).ok()?;
        stored.await.ok()
    }
}

/// Keeps the lease until it is dropped.
pub struct Keeper {
    ledger: Ledger,
    vital: Arc<OnceLock<Vital>>,
    thread: Option<JoinHandle<()>>,
}

/// Begins a life, and keeps it on a thread of its own: returns what is in force once every range is claimed. To be called
/// within a tokio runtime.
///
/// # Errors
/// See [`KeeperError`].
pub async fn begin(store: Arc<dyn ObjectStore>, beginning: Beginning) -> Result<(Begun, Keeper), KeeperError> {
    let runtime = tokio::runtime::Handle::current();
    let (vital, leased) = (Arc::new(OnceLock::new()), Arc::new(AtomicBool::new(true)));
    let (asked, shown) = (Arc::clone(&vital), Arc::clone(&leased));
    let (told, begun) = oneshot::channel();
    let (inputs, received) = sync_channel(INPUTS_MAX);
    let ledger = Ledger { inputs: inputs.clone(), owned: Owned::default(), leased: Arc::clone(&leased) };
    let owned = ledger.owned.clone();
    let thread = std::thread::Builder::new().name("lease".to_owned()).spawn(move || {
        let began = Shell::begin(store, runtime, (inputs, received), owned, &beginning);
        let mut shell = match began {
            Ok((shell, begun)) => {
                // Who does not want the life any more has dropped the keeper, which says so, too.
                let _ = told.send(Ok(begun));
                shell
            }
            Err(error) => {
                let _ = told.send(Err(error));
                return;
            }
        };
        shell.keep(&asked, &shown);
        shown.store(false, Ordering::Relaxed);
        shell.leave();
    })?;
    let keeper = Keeper { ledger, vital, thread: Some(thread) };
    match begun.await {
        Ok(begun) => Ok((begun?, keeper)),
        Err(_) => Err(KeeperError::Late("its own thread ended".to_owned())),
    }
}

impl Keeper {
    /// From now on the lease is renewed only while this says that there is progress.
    pub fn attend(&self, vital: Vital) {
        if self.vital.set(vital).is_err() {
            tracing::error!("the lease is attended already");
        }
    }

    /// Makes states durable and reads them back.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether the lease allows the node to act, as of the last tick.
    #[must_use]
    pub fn is_leased(&self) -> bool {
        self.ledger.is_leased()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // A thread that has ended hears nothing, and need not.
        let _ = self.ledger.inputs.send(Input::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the lease's thread ended by a panic");
        }
    }
}
