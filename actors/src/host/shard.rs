//! A shard as an actor: one message, one call of the core. Knows neither log nor client.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use featuregrid_protocol::limits::SLICE_WORDS;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{OffsetVector, offsets};
use featuregrid_protocol::range::RangeId;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use tokio::sync::oneshot;

use super::handle::ShardHandle;
use super::message::{Changed, Installed, Outcome, OwnedPage, RangePages, Read, Rows, ShardMessage, ShardStatus};
use crate::shard::{Progress, Selection, Shard, Walked};
use crate::snapshot::{RebuildError, rebuild};

/// Pages looked at before they are read: as many misses as a processor waits for at once.
const FETCHED: usize = 16;

/// Called around the fold of each frame, to observe it: must call the fold once, which says whether every shard has the
/// frame now. Must be quick and must not block.
pub type Folding = Arc<dyn Fn(&Rows, &mut dyn FnMut() -> bool) + Send + Sync>;

/// Called around each slice of a snapshot, to observe it: must call the slice once. Must be quick and must not block.
pub type Slicing = Arc<dyn Fn(&mut dyn FnMut()) + Send + Sync>;

/// What a shard begins with; its ranges are installed afterwards.
#[derive(Clone)]
pub struct ShardArguments {
    /// The plan in force.
    pub plan: Arc<Plan>,
    /// See [`Folding`].
    pub folding: Folding,
    /// See [`Slicing`].
    pub slicing: Slicing,
}

/// See the module.
pub struct ShardActor;

/// The core and what surrounds it.
pub struct ShardState {
    shard: Shard,
    folding: Folding,
    slicing: Slicing,
    walks: BTreeMap<RangeId, oneshot::Sender<Option<Walked>>>,
    bytes: Arc<AtomicUsize>,
}

impl ShardActor {
    /// Starts a shard under a supervisor.
    ///
    /// # Errors
    /// When the runtime ends.
    pub async fn start(arguments: ShardArguments, supervisor: ActorCell) -> Result<ShardHandle, SpawnErr> {
        let bytes = Arc::new(AtomicUsize::new(0));
        let (actor, _) = Self::spawn_linked(None, Self, (arguments, Arc::clone(&bytes)), supervisor).await?;
        Ok(ShardHandle::new(actor, bytes))
    }
}

impl ShardHandle {
    /// The actor, for its supervisor.
    #[must_use]
    pub fn cell(&self) -> ActorCell {
        self.actor().get_cell()
    }
}

impl Actor for ShardActor {
    type Msg = ShardMessage;
    type State = ShardState;
    type Arguments = (ShardArguments, Arc<AtomicUsize>);

    async fn pre_start(
        &self,
        _: ActorRef<ShardMessage>,
        (arguments, bytes): Self::Arguments,
    ) -> Result<ShardState, ActorProcessingErr> {
        let ShardArguments { plan, folding, slicing } = arguments;
        Ok(ShardState { shard: Shard::new(plan), folding, slicing, walks: BTreeMap::new(), bytes })
    }

    async fn handle(
        &self,
        myself: ActorRef<ShardMessage>,
        message: ShardMessage,
        state: &mut ShardState,
    ) -> Result<(), ActorProcessingErr> {
        // An asker that went away does not want the answer: send errors are nobody's loss.
        match message {
            ShardMessage::Rows(rows, permit) => {
                state.apply(&rows);
                drop(permit);
            }
            ShardMessage::Read(read, permit, reply) => {
                let outcomes = state.read(&read);
                drop(permit);
                let _ = reply.send(outcomes);
            }
            ShardMessage::Switch(plan, at) => {
                let past = state.shard.switch(plan, &at);
                if let Some(range) = past.first() {
                    // Built again from the log, the shard meets the activation where it is.
                    return Err(format!("range {range} was folded past an activation it did not know").into());
                }
            }
            ShardMessage::Pages(view, range, permit, reply) => {
                let pages = state.pages(view, range);
                drop(permit);
                let _ = reply.send(pages);
            }
            ShardMessage::Inspect(view, key, permit, reply) => {
                let facts = state.shard.inspect(view, &key);
                drop(permit);
                let _ = reply.send(facts);
            }
            ShardMessage::Install(installed, reply) => {
                let _ = reply.send(state.install(&installed));
            }
            ShardMessage::Walk(range, since, reply) => {
                if state.shard.begin_walk(range, since.as_ref()).is_some() {
                    state.walks.insert(range, reply);
                    myself.cast(ShardMessage::Slice(range))?;
                } else {
                    let _ = reply.send(None);
                }
            }
            ShardMessage::Slice(range) => {
                if state.slice(range) {
                    // Behind everything that came meanwhile.
                    myself.cast(ShardMessage::Slice(range))?;
                }
            }
            ShardMessage::Changed(range, since, reply) => {
                let has_rows = state.shard.has_changed_since(range, &since);
                let stands = state.shard.positions(range).cloned().zip(state.shard.index(range));
                let changed = has_rows.zip(stands);
                let _ =
                    reply.send(changed.map(|(has_rows, (positions, index))| Changed { has_rows, positions, index }));
            }
            ShardMessage::Status(permit, reply) => {
                let status = state.status();
                drop(permit);
                let _ = reply.send(status);
            }
        }
        Ok(())
    }
}

impl ShardState {
    fn install(&mut self, installed: &Installed) -> Result<(), RebuildError> {
        let Installed { manifest, parts, history, begins } = installed;
        history.iter().for_each(|activation| self.shard.remember(Arc::clone(&activation.plan)));
        rebuild(&mut self.shard, manifest, parts, |index| history.plan(index).cloned())?;
        self.shard.switch_range(manifest.range, Arc::clone(&history.latest().plan));
        let mut positions = manifest.positions.clone();
        for (partition, begin) in begins {
            positions.entry(*partition).or_insert_with(|| begin.clone());
        }
        self.shard.stand_at(manifest.range, &positions);
        self.bytes.store(self.shard.bytes(), Ordering::Relaxed);
        Ok(())
    }

    /// One slice of a walk; whether there is more.
    fn slice(&mut self, range: RangeId) -> bool {
        let mut progress = None;
        (self.slicing)(&mut || progress = self.shard.walk(range, SLICE_WORDS));
        if progress == Some(Progress::More) {
            return true;
        }
        let walked = self.shard.take_walk(range);
        if let Some(reply) = self.walks.remove(&range) {
            let _ = reply.send(walked);
        }
        false
    }

    fn apply(&mut self, rows: &Rows) {
        let Self { shard, folding, bytes, .. } = self;
        folding(rows, &mut || {
            shard.apply(&rows.frame, &rows.ranges);
            bytes.store(shard.bytes(), Ordering::Relaxed);
            rows.applied()
        });
    }

    fn read(&mut self, read: &Read) -> Vec<(usize, Outcome)> {
        // Keys of one range share a token, and askers sort by range: computed once per run of them.
        let mut token: Option<(RangeId, Arc<OffsetVector>)> = None;
        let mut outcomes = Vec::with_capacity(read.items.len());
        for (at, item) in read.items.iter().enumerate() {
            if at % FETCHED == 0 {
                let next = read.items[at..].iter().take(FETCHED);
                self.shard.fetch_for_read(next.map(|item| (read.selections[item.selection].view, &*item.key)));
            }
            let Selection { view, results } = &read.selections[item.selection];
            let sent = read.sent.get(item.selection).map(|sent| sent.row(item.row)).unwrap_or_default();
            let Some(reading) = self.shard.read_results(*view, results, &item.key, item.as_of, sent) else {
                outcomes.push((item.slot, Outcome::Elsewhere));
                continue;
            };
            let known = token.take().filter(|(range, _)| *range == reading.range);
            let (range, v) = known.unwrap_or_else(|| {
                let positions = self.shard.positions(reading.range);
                (reading.range, Arc::new(positions.map(offsets).unwrap_or_default()))
            });
            let outcome =
                if v.covers(&read.at_least) { Outcome::Reading(reading, Arc::clone(&v)) } else { Outcome::Behind };
            token = Some((range, v));
            outcomes.push((item.slot, outcome));
        }
        outcomes
    }

    fn pages(&mut self, view: featuregrid_protocol::ids::ViewId, range: RangeId) -> Option<RangePages> {
        let positions = self.shard.positions(range)?.clone();
        let mut pages = Vec::new();
        self.shard.visit(view, range, &mut |page| {
            pages.push(OwnedPage {
                hash: page.hash,
                key: page.key.to_vec(),
                ladder: page.ladder,
                bytes: page.bytes.to_vec(),
            });
        });
        Some(RangePages { positions, pages })
    }

    fn status(&self) -> ShardStatus {
        let shard = &self.shard;
        let ranges = shard.ranges().filter_map(|range| Some((range, shard.positions(range)?.clone()))).collect();
        let rows = shard.plan().views.iter().map(|view| (view.id, shard.rows(view.id))).collect();
        ShardStatus { ranges, rows, entities: shard.entities(), bytes: shard.bytes() }
    }
}
