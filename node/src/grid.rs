//! From keys to shards and back: which shard holds a key, and one answer of many. Knows no wire and no log.
//!
//! Every read names the least offsets it accepts; the grid adds its own: what the log held when the node started, and
//! after a shard's restart what that shard had shown before. So nobody sees a state older than one that was shown. A
//! partition that has halted is the exception: nobody waits for what it will never hold, and the reads of all other
//! partitions go on.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use featuregrid_actors::host::{Item, Outcome, Read, ShardHandle, ShardStatus};
use featuregrid_actors::shard::{ActorFacts, Selection, ViewReading};
use featuregrid_actors::window::AsOf;
use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::request::SentColumns;
use thiserror::Error;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::ingest::progress::Progress;

/// A shard that is being restarted is asked again this often.
const ASK_AGAIN: Duration = Duration::from_millis(10);
/// A read that waits looks this often whether what it waits for has halted.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Why a read has no answer. It may be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The offsets demanded were not reached in time.
    #[error("the state did not reach the offsets asked for within the deadline; ask later, or with a smaller at_least")]
    Behind,
    /// The node still reads what the log held when it started, or restarts a shard.
    #[error("the node is still rebuilding its state from the log; ask again")]
    Rebuilding,
    /// No shard here holds the key.
    #[error("no range of this node holds the key; ask another node")]
    Elsewhere,
}

/// An entity at an instant.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Canonical key bytes.
    pub key: Arc<[u8]>,
    /// The instant.
    pub as_of: AsOf,
}

/// Views of entities. One entity at several instants is read in one turn, so its answers are of one state.
#[derive(Clone, Debug)]
pub struct GridRead {
    /// Which results of which views.
    pub selections: Arc<[Selection]>,
    /// What was sent, for each of the selections: a row for each entity. Nothing, where the list ends before.
    pub sent: Arc<[SentColumns]>,
    /// Whom, and when.
    pub entities: Vec<Asked>,
    /// Only from state at or after this.
    pub at_least: OffsetVector,
    /// Until when to wait for it.
    pub deadline: Instant,
}

/// One view of one entity, and the offsets it is a function of.
pub type Answer = (ViewReading, Arc<OffsetVector>);

/// The shards of a node.
pub struct Grid {
    plan: Arc<Plan>,
    bits: u8,
    shards: Vec<Slot>,
    /// Which partitions have halted.
    progress: Arc<Progress>,
    /// A frame became visible.
    pub visible: Notify,
}

struct Slot {
    handle: RwLock<ShardHandle>,
    /// The least offsets a read of this shard accepts.
    floor: RwLock<Arc<OffsetVector>>,
}

impl Grid {
    /// Shards that hold an equal share of `1 << bits` ranges each, in order.
    #[must_use]
    pub fn new(plan: Arc<Plan>, bits: u8, shards: Vec<ShardHandle>, progress: Arc<Progress>) -> Self {
        let slot = |handle| Slot { handle: RwLock::new(handle), floor: RwLock::default() };
        Self { plan, bits, shards: shards.into_iter().map(slot).collect(), progress, visible: Notify::new() }
    }

    /// The ranges of each of `shards` shards.
    #[must_use]
    pub fn split(ranges: u32, shards: usize) -> Vec<Vec<RangeId>> {
        let all = RangeId::split_evenly(ranges);
        let mut split = vec![Vec::new(); shards];
        for range in all {
            split[shard_of(range, ranges as usize, shards)].push(range);
        }
        split
    }

    /// The definitions that answer.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// How many ranges there are.
    #[must_use]
    pub fn ranges(&self) -> u32 {
        1 << self.bits
    }

    /// The present handles.
    #[must_use]
    pub fn handles(&self) -> Vec<ShardHandle> {
        self.shards.iter().map(|slot| slot.handle.read().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }

    /// A shard has a new life, and must not be read before it is where the old one was.
    pub fn restarted(&self, at: usize, handle: ShardHandle, shown: OffsetVector) {
        self.raise_floor(at, &shown);
        *self.shards[at].handle.write().unwrap_or_else(PoisonError::into_inner) = handle;
    }

    /// The shard that holds a range, in its present life.
    #[must_use]
    pub fn shard_of(&self, range: RangeId) -> ShardHandle {
        let slot = &self.shards[shard_of(range, 1 << self.bits, self.shards.len())];
        slot.handle.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// No read accepts less from now on.
    pub fn raise_floors(&self, least: &OffsetVector) {
        for at in 0..self.shards.len() {
            self.raise_floor(at, least);
        }
    }

    fn raise_floor(&self, at: usize, least: &OffsetVector) {
        let mut floor = self.shards[at].floor.write().unwrap_or_else(PoisonError::into_inner);
        let mut raised = (**floor).clone();
        raised.raise(least);
        *floor = Arc::new(raised);
    }

    /// The least offsets a read of a shard accepts, of partitions that go on.
    fn floor(&self, at: usize) -> Arc<OffsetVector> {
        let floor = Arc::clone(&self.shards[at].floor.read().unwrap_or_else(PoisonError::into_inner));
        if self.progress.any_halted().is_none() {
            return floor;
        }
        let goes_on = |partition: &PartitionId| self.progress.halted(*partition).is_none();
        let of_others = floor.0.iter().filter(|(partition, _)| goes_on(partition));
        Arc::new(OffsetVector(of_others.map(|(partition, offset)| (*partition, *offset)).collect()))
    }

    /// Reads; the answers are in the order of entities, then of views.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read(&self, read: GridRead) -> Result<Vec<Vec<Answer>>, ReadError> {
        let views = read.selections.len();
        let mut answers: Vec<Option<Answer>> = vec![None; read.entities.len() * views];
        let mut waiting = self.items(&read);
        loop {
            let shown = self.visible.notified();
            tokio::pin!(shown);
            shown.as_mut().enable();
            let (behind, rebuilding) = self.ask(&read, std::mem::take(&mut waiting), &mut answers).await?;
            if behind.is_empty() {
                break;
            }
            waiting = behind;
            let again = Instant::now() + if rebuilding { ASK_AGAIN } else { LOOK_AGAIN };
            let until = again.min(read.deadline);
            let late = tokio::time::timeout_at(until.into(), shown).await.is_err();
            if late && Instant::now() >= read.deadline {
                let own = |at| read.at_least.covers(&self.floor(at));
                return Err(if (0..self.shards.len()).all(own) { ReadError::Behind } else { ReadError::Rebuilding });
            }
        }
        let mut rows = Vec::with_capacity(read.entities.len());
        let mut answers = answers.into_iter();
        for _ in &read.entities {
            rows.push(answers.by_ref().take(views).collect::<Option<Vec<Answer>>>().ok_or(ReadError::Elsewhere)?);
        }
        Ok(rows)
    }

    /// What to ask of which shard, in order of range.
    fn items(&self, read: &GridRead) -> BTreeMap<usize, Vec<Item>> {
        let views = read.selections.len();
        let mut items: BTreeMap<usize, Vec<Item>> = BTreeMap::new();
        let mut order: Vec<(KeyHash, usize)> =
            read.entities.iter().enumerate().map(|(at, entity)| (KeyHash::of(&entity.key), at)).collect();
        order.sort_unstable();
        for (hash, entity) in order {
            let at = shard_of(RangeId::of(hash, self.bits), 1 << self.bits, self.shards.len());
            let of_shard = items.entry(at).or_default();
            for selection in 0..views {
                let Asked { key, as_of } = read.entities[entity].clone();
                of_shard.push(Item { slot: entity * views + selection, selection, key, as_of, row: entity });
            }
        }
        items
    }

    /// Asks all shards at once; returns what has to be asked again, and whether some shard was gone.
    async fn ask(
        &self,
        read: &GridRead,
        items: BTreeMap<usize, Vec<Item>>,
        answers: &mut [Option<Answer>],
    ) -> Result<(BTreeMap<usize, Vec<Item>>, bool), ReadError> {
        let mut asked = JoinSet::new();
        for (at, items) in items {
            let mut at_least = read.at_least.clone();
            at_least.raise(&self.floor(at));
            let handle = self.shards[at].handle.read().unwrap_or_else(PoisonError::into_inner).clone();
            let items: Arc<[Item]> = items.into();
            let (selections, at_least) = (Arc::clone(&read.selections), Arc::new(at_least));
            let request = Read { selections, sent: Arc::clone(&read.sent), items: Arc::clone(&items), at_least };
            asked.spawn(async move { (at, items, handle.read(request).await) });
        }
        let (mut again, mut gone) = (BTreeMap::new(), false);
        while let Some(done) = asked.join_next().await {
            let Ok((at, items, outcomes)) = done else { return Err(ReadError::Rebuilding) };
            let Ok(outcomes) = outcomes else {
                gone = true;
                again.insert(at, items.to_vec());
                continue;
            };
            for ((slot, outcome), item) in outcomes.into_iter().zip(&*items) {
                match outcome {
                    Outcome::Reading(reading, token) => answers[slot] = Some((reading, token)),
                    Outcome::Behind => again.entry(at).or_insert_with(Vec::new).push(item.clone()),
                    Outcome::Elsewhere => return Err(ReadError::Elsewhere),
                }
            }
        }
        Ok((again, gone))
    }

    /// What is kept of one view of one entity, now.
    ///
    /// # Errors
    /// [`ReadError::Elsewhere`], and [`ReadError::Rebuilding`] while its shard is restarted.
    pub async fn inspect(&self, view: usize, key: Arc<[u8]>) -> Result<ActorFacts, ReadError> {
        let range = RangeId::of(KeyHash::of(&key), self.bits);
        let slot = &self.shards[shard_of(range, 1 << self.bits, self.shards.len())];
        let handle = slot.handle.read().unwrap_or_else(PoisonError::into_inner).clone();
        handle.inspect(view, key).await.map_err(|_| ReadError::Rebuilding)?.ok_or(ReadError::Elsewhere)
    }

    /// What every shard holds; waits for shards that are being restarted.
    pub async fn statuses(&self) -> Vec<ShardStatus> {
        let mut statuses = Vec::with_capacity(self.shards.len());
        for slot in &self.shards {
            loop {
                let handle = slot.handle.read().unwrap_or_else(PoisonError::into_inner).clone();
                match handle.status().await {
                    Ok(status) => break statuses.push(status),
                    Err(_) => tokio::time::sleep(ASK_AGAIN).await,
                }
            }
        }
        statuses
    }

    /// Bytes of entity state.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.handles().iter().map(ShardHandle::bytes).sum()
    }
}

fn shard_of(range: RangeId, ranges: usize, shards: usize) -> usize {
    range.index() * shards / ranges
}
