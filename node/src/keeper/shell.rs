//! The thread: one steward, what it asks for, and who waits for its answers. Decides nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use featuregrid_actors::control::History;
use featuregrid_actors::ownership::{CommitError, Lapse, Progress};
use featuregrid_actors::ports::{Key, Monotonic, StoreReply, StoreRequest};
use featuregrid_actors::steward::{Conclusion, Effect, Steward};
use featuregrid_protocol::control::{ControlChange, ControlEntry};
use featuregrid_protocol::definition;
use featuregrid_protocol::ids::{ControlIndex, Incarnation, NodeId};
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::range::{RangeId, RangeSet};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

use super::{BEGIN_MAX, Beginning, Begun, DurableError, Input, KeeperError, Owned, Stored, Vital};
use crate::store::object::{ObjectStore, unknown};
use crate::{clock, entropy};

/// The one node of a grid without neighbours.
const NODE: NodeId = NodeId(0);
/// The steward wants to be called this often at least.
const TICK: Duration = Duration::from_millis(20);
/// Giving the lease up is a courtesy to the next life: it saves 3 s.
const LEAVE_MAX: Duration = Duration::from_secs(2);
/// Small objects that are asked for at once: all ranges of a large node are claimed within a second, and no server is
/// overrun.
const SMALL_MAX: usize = 64;
/// Data objects that move at once: enough to fill a network, few enough for memory. They never keep a lease waiting.
const LARGE_MAX: usize = 8;

/// A steward and the store it asks.
pub(super) struct Shell {
    steward: Steward,
    store: Arc<dyn ObjectStore>,
    runtime: Handle,
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
    inputs: SyncSender<Input>,
    received: Receiver<Input>,
    effects: VecDeque<Effect>,
    file: String,
    me: Option<Incarnation>,
    history: Option<History>,
    /// The text in force.
    definitions: String,
    v0: OffsetVector,
    owned: Owned,
    claimed: usize,
    commits: BTreeMap<RangeId, oneshot::Sender<Result<(), DurableError>>>,
    restores: BTreeMap<RangeId, Vec<oneshot::Sender<Stored>>>,
    ended: Option<Lapse>,
    stopped: bool,
}

impl Shell {
    /// Begins a life: what is in force, and the shell to go on with.
    pub(super) fn begin(
        store: Arc<dyn ObjectStore>,
        runtime: Handle,
        (inputs, received): (SyncSender<Input>, Receiver<Input>),
        owned: Owned,
        beginning: &Beginning,
    ) -> Result<(Self, Begun), KeeperError> {
        // Wanted definitions are judged before anything is written.
        let plan = definition::compile(&beginning.definitions, &beginning.file, None, ControlIndex(0))?;
        let genesis = ControlChange::Genesis {
            ranges: beginning.ranges,
            v0: (beginning.earliest)(&plan)?,
            definitions: beginning.definitions.clone(),
        };
        let mut shell = Self {
            steward: Steward::new(NODE, entropy::number(), Some(genesis)),
            store,
            runtime,
            small: Arc::new(Semaphore::new(SMALL_MAX)),
            large: Arc::new(Semaphore::new(LARGE_MAX)),
            inputs,
            received,
            effects: VecDeque::new(),
            file: beginning.file.clone(),
            me: None,
            history: None,
            definitions: String::new(),
            v0: OffsetVector::default(),
            owned,
            claimed: 0,
            commits: BTreeMap::new(),
            restores: BTreeMap::new(),
            ended: None,
            stopped: false,
        };
        let late = Instant::now() + BEGIN_MAX;
        shell.turn_until(late, "reading the control log", |shell| shell.steward.is_running())?;
        if shell.definitions != beginning.definitions {
            shell.activate(late, beginning)?;
        }
        shell.claim(late)?;
        let (Some(me), Some(history)) = (shell.me, shell.history.clone()) else {
            return Err(KeeperError::Late("no lease, or no genesis".to_owned()));
        };
        let (v0, owned) = (shell.v0.clone(), shell.owned.clone());
        Ok((shell, Begun { me, history: Arc::new(history), v0, owned }))
    }

    /// Keeps the lease until it is told to stop, or the lease is lost.
    pub(super) fn keep(&mut self, vital: &OnceLock<Vital>, leased: &AtomicBool) {
        while !self.stopped && self.ended.is_none() {
            // Before anything is read, standing still is progress.
            let (reads, folds) = vital.get().map_or((true, true), |vital| vital());
            if reads {
                self.steward.progressed(Progress::Reader);
            }
            if folds {
                self.steward.progressed(Progress::Fold);
            }
            if let Err(error) = self.turn(TICK) {
                tracing::error!(%error, "the lease's thread goes on without this");
            }
            leased.store(self.steward.is_leased(clock::monotonic()), Ordering::Relaxed);
        }
    }

    /// Gives the lease up.
    pub(super) fn leave(&mut self) {
        let late = Instant::now() + LEAVE_MAX;
        self.push(|shell, now| shell.steward.leave(now));
        while self.ended.is_none() && Instant::now() < late {
            if let Err(error) = self.turn(Duration::from_millis(1)) {
                tracing::warn!(%error, "the lease was not given up: the next start waits for it");
                return;
            }
        }
    }

    fn push(&mut self, input: impl FnOnce(&mut Self, Monotonic) -> Vec<Effect>) {
        let effects = input(self, clock::monotonic());
        self.effects.extend(effects);
    }

    /// Takes what came in, waiting so long for a first input; then one tick, and everything that follows at once.
    fn turn(&mut self, wait: Duration) -> Result<(), KeeperError> {
        let mut input = self.received.recv_timeout(wait).ok();
        while let Some(next) = input {
            self.take(next);
            input = self.received.try_recv().ok();
        }
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
            self.turn(Duration::from_millis(1))?;
            if let Some(lapse) = self.ended {
                return Err(KeeperError::Ended(lapse));
            }
            if self.stopped || Instant::now() >= late {
                return Err(KeeperError::Late(what.to_owned()));
            }
        }
        Ok(())
    }

    fn claim(&mut self, late: Instant) -> Result<(), KeeperError> {
        let wanted: RangeSet = self.steward.ranges().into_iter().collect();
        self.push(|shell, now| shell.steward.wish(now, &wanted));
        self.turn_until(late, "claiming ranges", |shell| shell.claimed == wanted.len())
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
        self.claim(late)?;
        let change = ControlChange::Definitions { definitions: beginning.definitions.clone(), begins };
        let effects = self.steward.propose(clock::monotonic(), change, false)?;
        self.effects.extend(effects);
        self.turn_until(late, "activating definitions", |shell| shell.definitions == beginning.definitions)
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Reply(reply) => {
                self.steward.progressed(Progress::Disk);
                self.push(|shell, now| shell.steward.reply(now, &reply));
            }
            Input::Commit { range, snapshot, done } => {
                let begun = self.steward.commit(clock::monotonic(), range, *snapshot);
                self.begun(range, begun, done);
            }
            Input::Stand { range, at, done } => {
                let begun = self.steward.stand(clock::monotonic(), range, at);
                self.begun(range, begun, done);
            }
            Input::Restore { range, done } => {
                self.restores.entry(range).or_default().push(done);
                self.push(|shell, now| shell.steward.restore(now, range));
            }
            Input::Stop => self.stopped = true,
        }
    }

    fn begun(
        &mut self,
        range: RangeId,
        begun: Result<Vec<Effect>, CommitError>,
        done: oneshot::Sender<Result<(), DurableError>>,
    ) {
        match begun {
            Ok(effects) => {
                self.effects.extend(effects);
                self.commits.insert(range, done);
            }
            // Who asked and went away does not want the answer, here and below.
            Err(error) => drop(done.send(Err(error.into()))),
        }
    }

    fn perform(&mut self, effect: Effect) -> Result<(), KeeperError> {
        match effect {
            Effect::Store(request) => self.ask(request),
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
                // Entries are proposed before anything is read: what stands further is in the manifests.
                let frontier = self.v0.clone();
                self.push(|shell, now| shell.steward.held(now, index, frontier));
            }
            Effect::Activate { entry, at } => self.activated(entry, at)?,
            Effect::Proposed { index, conclusion } => match conclusion {
                Conclusion::Decided(decision) => tracing::info!(%index, ?decision, "definitions decided"),
                other => tracing::info!(%index, conclusion = ?other, "the proposal is tried again"),
            },
            Effect::Promote { manifest, .. } => {
                self.claimed += 1;
                self.owned.set(manifest);
            }
            Effect::Committed { range, .. } => {
                if let Some(manifest) = self.steward.manifest(range) {
                    self.owned.set(Arc::new(manifest.clone()));
                }
                if let Some(done) = self.commits.remove(&range) {
                    let _ = done.send(Ok(()));
                }
            }
            Effect::Restored { range, manifest, parts } => {
                for done in self.restores.remove(&range).unwrap_or_default() {
                    let _ = done.send(Stored { manifest: manifest.clone(), parts: parts.clone() });
                }
            }
            Effect::End(lapse) => {
                if lapse != Lapse::Left {
                    tracing::error!(?lapse, "the lease is lost: restart this node to take part again");
                }
                self.ended = Some(lapse);
            }
            Effect::Demote { range, .. } => {
                tracing::error!(%range, "a range of the only node was taken by another");
                self.owned.remove(range);
                if let Some(done) = self.commits.remove(&range) {
                    let _ = done.send(Err(DurableError::Lost(range)));
                }
            }
            Effect::Run
            | Effect::Abort { .. }
            | Effect::StandBy { .. }
            | Effect::LeaveStandby { .. }
            | Effect::StopEffects { .. }
            | Effect::ResumeEffects { .. }
            | Effect::Forget { .. } => {}
        }
        Ok(())
    }

    /// Asks the store on the runtime; the reply comes in like everything else.
    fn ask(&self, request: StoreRequest) {
        let is_large = matches!(
            &request,
            StoreRequest::Get { key: Key::Part(..), .. } | StoreRequest::Put { key: Key::Part(..), .. }
        );
        let permits = Arc::clone(if is_large { &self.large } else { &self.small });
        let (store, inputs) = (Arc::clone(&self.store), self.inputs.clone());
        self.runtime.spawn(async move {
            let deadline = Duration::from_micros(request.deadline().0.unsigned_abs());
            let nothing = unknown(&request);
            let performed = async {
                // A semaphore that is never closed always has a permit in the end.
                let _permit = permits.acquire().await;
                crashing(&*store, request).await
            };
            let reply = tokio::time::timeout(deadline, performed).await.unwrap_or(nothing);
            // A keeper that has ended awaits no reply.
            let _ = inputs.send(Input::Reply(reply));
        });
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
}

/// Performs a request; builds with plants may be asked to die at it.
async fn crashing(store: &dyn ObjectStore, request: StoreRequest) -> StoreReply {
    #[cfg(feature = "plants")]
    {
        use featuregrid_actors::ports::PutOutcome;

        use crate::crash::{Point, at};

        let key = match &request {
            StoreRequest::Put { key: key @ (Key::Part(..) | Key::Manifest(_)), .. } => Some(key.clone()),
            _ => None,
        };
        let asked = store.perform(request);
        let reply = match &key {
            // Dies while the body is on its way: what the server has of it by then is chance.
            Some(Key::Part(..)) => {
                let dies = tokio::time::sleep(Duration::from_micros(300));
                tokio::pin!(asked);
                tokio::select! {
                    reply = &mut asked => reply,
                    () = dies => {
                        at(Point::InUpload);
                        asked.await
                    }
                }
            }
            _ => asked.await,
        };
        if matches!(reply, StoreReply::Put { outcome: PutOutcome::Done(_), .. }) {
            match key {
                Some(Key::Part(..)) => at(Point::UploadToCas),
                Some(_) => at(Point::CasToCommit),
                None => {}
            }
        }
        reply
    }
    #[cfg(not(feature = "plants"))]
    store.perform(request).await
}
