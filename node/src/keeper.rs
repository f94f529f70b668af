//! The shell around the steward: performs what protocols B and C ask for, on a thread of its own. Decides nothing.
//!
//! A life begins before anything is read: lease, control log, activation of changed definitions, claims. Then the thread
//! keeps the lease for as long as readers, shards and disk make progress, and gives it up at the end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use featuregrid_actors::control::History;
use featuregrid_actors::ownership::{Lapse, Progress};
use featuregrid_actors::steward::{Conclusion, Effect, ProposeError, Steward};
use featuregrid_protocol::control::{ControlChange, ControlEntry};
use featuregrid_protocol::definition::{self, Mistakes};
use featuregrid_protocol::ids::{ControlIndex, Epoch, Incarnation, NodeId};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::range::{RangeId, RangeSet};
use thiserror::Error;

use crate::ingest::LogError;
use crate::store::object::ObjectStore;
use crate::{clock, entropy};

/// The one node of a grid without neighbours.
const NODE: NodeId = NodeId(0);
/// The steward wants to be called this often at least.
const TICK: Duration = Duration::from_millis(20);
/// A life that has not begun after this long never will: waiting out a predecessor takes 3 s, claims well below 10.
const BEGIN_MAX: Duration = Duration::from_secs(60);
/// Giving the lease up is a courtesy to the next life: it saves 3 s.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// Why a life did not begin. The folder is as it was, or one entry of the control log further.
#[derive(Debug, Error)]
pub enum KeeperError {
    /// The definitions do not compile under those in force.
    #[error(transparent)]
    Definitions(#[from] Mistakes),
    /// The log does not say where it begins.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Something stored does not decode.
    #[error("stored object {0}: {1}; restore it from a copy, or start over with another --store or --data")]
    Damaged(String, String),
    /// The life ended before it began.
    #[error("another process took this node's lease ({0:?}); stop it, then start again")]
    Ended(Lapse),
    /// The steward did not take the proposal.
    #[error("changed definitions: {0}")]
    Propose(#[from] ProposeError),
    /// Too slow, or stuck.
    #[error(
        "the node did not begin within a minute; it stood at: {0}; look at the object store, the network or the disk"
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
    /// Every range, and the epoch it is owned in.
    pub epochs: BTreeMap<RangeId, Epoch>,
}

/// Whether the data path makes progress: asked before the lease is renewed.
pub type Vital = Box<dyn Fn() -> (bool, bool) + Send>;

/// Keeps the lease until it is dropped.
pub struct Keeper {
    stop: Arc<AtomicBool>,
    leased: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A steward and the store it asks.
struct Shell {
    steward: Steward,
    store: Arc<dyn ObjectStore>,
    /// Where the store's requests are performed.
    runtime: tokio::runtime::Handle,
    effects: VecDeque<Effect>,
    file: String,
    me: Option<Incarnation>,
    history: Option<History>,
    /// The text in force.
    definitions: String,
    v0: OffsetVector,
    epochs: BTreeMap<RangeId, Epoch>,
    ended: Option<Lapse>,
}

/// A steward whose life has begun.
pub struct Beginner(Shell);

/// Begins a life: returns what is in force, and the steward to be kept by [`Beginner::keep`]. To be called where a tokio
/// runtime is at hand and may be waited for: on one of its blocking threads.
///
/// # Errors
/// See [`KeeperError`].
pub fn begin(store: Arc<dyn ObjectStore>, beginning: &Beginning) -> Result<(Begun, Beginner), KeeperError> {
    // Wanted definitions are judged before anything is written.
    let plan = definition::compile(&beginning.definitions, &beginning.file, None, ControlIndex(0))?;
    let genesis = ControlChange::Genesis {
        ranges: beginning.ranges,
        v0: (beginning.earliest)(&plan)?,
        definitions: beginning.definitions.clone(),
    };
    let mut shell = Shell {
        steward: Steward::new(NODE, entropy::number(), Some(genesis)),
        store,
        runtime: tokio::runtime::Handle::current(),
        effects: VecDeque::new(),
        file: beginning.file.clone(),
        me: None,
        history: None,
        definitions: String::new(),
        v0: OffsetVector::default(),
        epochs: BTreeMap::new(),
        ended: None,
    };
    let late = Instant::now() + BEGIN_MAX;
    shell.turn_until(late, "reading the control log", |shell| shell.steward.is_running())?;
    if shell.definitions != beginning.definitions {
        shell.activate(late, beginning)?;
    }
    let wanted: RangeSet = shell.steward.ranges().into_iter().collect();
    shell.push(|shell, now| shell.steward.wish(now, &wanted));
    shell.turn_until(late, "claiming ranges", |shell| shell.epochs.len() == wanted.len())?;
    let (Some(me), Some(history)) = (shell.me, shell.history.clone()) else {
        return Err(KeeperError::Late("no lease, or no genesis".to_owned()));
    };
    let begun = Begun { me, history: Arc::new(history), v0: shell.v0.clone(), epochs: shell.epochs.clone() };
    Ok((begun, Beginner(shell)))
}

impl Beginner {
    /// Keeps the lease on a thread of its own.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn keep(self, vital: Vital) -> Result<Keeper, KeeperError> {
        let stop = Arc::new(AtomicBool::new(false));
        let leased = Arc::new(AtomicBool::new(true));
        let (own, shown) = (Arc::clone(&stop), Arc::clone(&leased));
        let mut shell = self.0;
        let thread = std::thread::Builder::new().name("lease".to_owned()).spawn(move || {
            while !own.load(Ordering::Relaxed) && shell.ended.is_none() {
                let (reads, folds) = vital();
                if reads {
                    shell.steward.progressed(Progress::Reader);
                }
                if folds {
                    shell.steward.progressed(Progress::Fold);
                }
                if let Err(error) = shell.turn() {
                    tracing::error!(%error, "the lease's thread goes on without this");
                }
                shown.store(shell.steward.is_leased(clock::monotonic()), Ordering::Relaxed);
                std::thread::park_timeout(TICK);
            }
            shown.store(false, Ordering::Relaxed);
            shell.leave();
        })?;
        Ok(Keeper { stop, leased, thread: Some(thread) })
    }
}

impl Keeper {
    /// Whether the lease allows the node to act, as of the last tick.
    #[must_use]
    pub fn is_leased(&self) -> bool {
        self.leased.load(Ordering::Relaxed)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the lease's thread ended by a panic");
            }
        }
    }
}

impl Shell {
    fn push(&mut self, input: impl FnOnce(&mut Self, featuregrid_actors::ports::Monotonic) -> Vec<Effect>) {
        let effects = input(self, clock::monotonic());
        self.effects.extend(effects);
    }

    /// One tick, and everything that follows from it at once.
    fn turn(&mut self) -> Result<(), KeeperError> {
        self.push(|shell, now| shell.steward.tick(now));
        while let Some(effect) = self.effects.pop_front() {
            self.perform(effect)?;
        }
        Ok(())
    }

    fn turn_until(&mut self, late: Instant, what: &str, done: impl Fn(&Self) -> bool) -> Result<(), KeeperError> {
        // While nothing is read or folded, standing still is progress.
        while !done(self) {
            self.steward.progressed(Progress::Reader);
            self.steward.progressed(Progress::Fold);
            self.turn()?;
            if let Some(lapse) = self.ended {
                return Err(KeeperError::Ended(lapse));
            }
            if Instant::now() >= late {
                return Err(KeeperError::Late(what.to_owned()));
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Brings changed definitions into force: the same barrier as under load, with nothing sent or applied yet.
    fn activate(&mut self, late: Instant, beginning: &Beginning) -> Result<(), KeeperError> {
        let latest = self.history.as_ref().map(History::latest);
        let (previous, next) = match latest {
            Some(latest) => (Some(Arc::clone(&latest.plan)), ControlIndex(latest.index.0 + 1)),
            None => (None, ControlIndex(0)),
        };
        let plan = definition::compile(&beginning.definitions, &beginning.file, previous.as_deref(), next)?;
        let mut begins = (beginning.earliest)(&plan)?;
        begins.0.retain(|partition, _| {
            previous.as_ref().is_none_or(|previous| previous.source(partition.source()).is_none())
        });
        let _span = tracing::info_span!("activation", index = %next, file = beginning.file).entered();
        tracing::info!("definitions changed: activating them");
        // A coordinator wants every range to have an owner that can report.
        let wanted: RangeSet = self.steward.ranges().into_iter().collect();
        self.push(|shell, now| shell.steward.wish(now, &wanted));
        self.turn_until(late, "claiming ranges", |shell| shell.epochs.len() == wanted.len())?;
        let change = ControlChange::Definitions { definitions: beginning.definitions.clone(), begins };
        let effects = self.steward.propose(clock::monotonic(), change, false)?;
        self.effects.extend(effects);
        self.turn_until(late, "activating definitions", |shell| shell.definitions == beginning.definitions)
    }

    fn perform(&mut self, effect: Effect) -> Result<(), KeeperError> {
        match effect {
            Effect::Store(request) => {
                let reply = self.runtime.block_on(self.store.perform(request));
                self.steward.progressed(Progress::Disk);
                self.push(|shell, now| shell.steward.reply(now, &reply));
            }
            // There is nobody else: messages to other lives are lost, as those to dead ones always are.
            Effect::Send { to, message } => {
                if let Some(me) = self.me.filter(|me| *me == to) {
                    self.push(|shell, now| shell.steward.receive(now, me, &message));
                }
            }
            Effect::Damaged { key, error } => {
                return Err(KeeperError::Damaged(key.to_string(), error.to_string()));
            }
            Effect::Leased(me) => self.me = Some(me),
            Effect::Restore => self.push(|shell, now| shell.steward.restored(now)),
            Effect::Hold { index } => {
                // Entries are proposed before anything is read, so everybody stands at the beginning.
                let frontier = self.v0.clone();
                self.push(|shell, now| shell.steward.held(now, index, frontier));
            }
            Effect::Activate { entry, at } => self.activated(entry, at)?,
            Effect::Proposed { index, conclusion } => match conclusion {
                Conclusion::Decided(decision) => tracing::info!(%index, ?decision, "definitions decided"),
                other => tracing::info!(%index, conclusion = ?other, "the proposal is tried again"),
            },
            Effect::Promote { range, manifest } => {
                self.epochs.insert(range, manifest.epoch);
            }
            Effect::End(lapse) => {
                if lapse != Lapse::Left {
                    tracing::error!(?lapse, "the lease is lost: restart this node to take part again");
                }
                self.ended = Some(lapse);
            }
            Effect::Demote { range, .. } => tracing::error!(%range, "a range of the only node was taken by another"),
            Effect::Run
            | Effect::Abort { .. }
            | Effect::StandBy { .. }
            | Effect::LeaveStandby { .. }
            | Effect::StopEffects { .. }
            | Effect::ResumeEffects { .. }
            | Effect::Committed { .. }
            | Effect::Forget { .. }
            | Effect::Restored { .. } => {}
        }
        Ok(())
    }

    fn activated(&mut self, entry: ControlEntry, at: OffsetVector) -> Result<(), KeeperError> {
        for (partition, begin) in &entry.change.begins().0 {
            self.v0.0.entry(*partition).or_insert(*begin);
        }
        let text = entry.change.definitions();
        let previous = self.history.as_ref().map(|history| Arc::clone(&history.latest().plan));
        let plan = definition::compile(text, &self.file, previous.as_deref(), entry.index)?;
        match &mut self.history {
            Some(history) => history.activate(entry.index, at, Arc::new(plan)),
            none => *none = Some(History::new(Arc::new(plan))),
        }
        text.clone_into(&mut self.definitions);
        Ok(())
    }

    fn leave(&mut self) {
        let late = Instant::now() + LEAVE_MAX;
        self.push(|shell, now| shell.steward.leave(now));
        while self.ended.is_none() && Instant::now() < late {
            if let Err(error) = self.turn() {
                tracing::warn!(%error, "the lease was not given up: the next start waits for it");
                return;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
}
