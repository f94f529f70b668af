//! Entities of several ranges: index, slabs, application of rows, digests. Knows no sender.
//!
//! A shard is told what to apply and never asks whether it may: `feed::Receiver` has admitted the frame. Each range
//! has its plan and its frontier, because one that is replayed may be behind the others.

mod apply;
mod digest;
mod frontier;
mod inspect;
mod install;
mod layout;
mod range;
mod read;
mod router;
mod slab;
mod snapshot;
mod switch;
mod translate;
mod walk;

pub use crate::entity::{LastApplied, LevelFacts, PageFacts};
pub use digest::{Digest, DigestBuilder, IDS, PageBytes};
pub use inspect::ActorFacts;
pub use install::InstallError;
pub use read::{Selection, ViewReading};
pub use snapshot::RangeSnapshot;
pub use walk::{Progress, Walked};

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_protocol::ids::{ControlIndex, ViewId};
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::Positions;
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::value::Reading;
use smallvec::SmallVec;

use self::frontier::Frontiers;
use self::layout::Layout;
use self::range::RangeState;
use self::router::{Route, Router};
use self::slab::Slab;
use self::translate::{Translation, Values};
use self::walk::Marks;
use crate::window::{Bounds, Snapshots};

pub use self::apply::Applied;
pub use featuregrid_protocol::snapshot::RowCounts;

/// The entities of a set of ranges that do not overlap.
#[derive(Debug)]
pub struct Shard {
    layout: Arc<Layout>,
    /// Every plan it was given: rows from before an activation arrive under the plan in force there.
    plans: BTreeMap<ControlIndex, Arc<Plan>>,
    /// In ascending order of prefix.
    ranges: Vec<RangeState>,
    /// Of [`Shard::ranges`], made anew before the first use after they changed.
    router: Option<Router>,
    frontiers: Frontiers,
    slab: Slab,
    scratch: Scratch,
}

/// Memory kept between calls, so that neither a turn nor a read allocates.
#[derive(Debug, Default)]
struct Scratch {
    leaving: Vec<u64>,
    /// By group of the view that is read; only those that are [`Scratch::wanted`] were computed.
    snapshots: Vec<Snapshots>,
    wanted: Vec<bool>,
    /// Where the pages of the entity that is read are, ladder by ladder.
    buckets: SmallVec<[Option<usize>; 4]>,
    /// By result of the view that is read; only what is needed was computed.
    readings: Vec<Reading>,
    bounds: Vec<Bounds>,
    /// Per range: whether the frame moves it.
    moving: Vec<bool>,
    /// How rows of one plan reach the pages of another, and which two these are.
    translations: Vec<Option<(usize, Vec<Option<Translation>>)>>,
    translated: Option<(ControlIndex, ControlIndex)>,
    values: Values,
}

impl Shard {
    /// A shard without ranges; ranges are added under `plan`.
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        Self {
            plans: BTreeMap::from([(plan.index, Arc::clone(&plan))]),
            layout: Arc::new(Layout::new(plan)),
            ranges: Vec::new(),
            router: None,
            frontiers: Frontiers::default(),
            slab: Slab::default(),
            scratch: Scratch::default(),
        }
    }

    /// Tells of the plan of an older entry, because frames from before an activation may come.
    pub fn remember(&mut self, plan: Arc<Plan>) {
        self.plans.insert(plan.index, plan);
    }

    /// Adds a range without state that stands at `positions`, under the newest plan. A range that was here is replaced.
    pub fn add_range(&mut self, range: RangeId, positions: Positions) {
        self.remove_range(range);
        let marks = Marks::at(&positions);
        let frontier = self.frontiers.join(positions);
        let state = RangeState::new(range, Arc::clone(&self.layout), frontier, marks);
        let at = self.ranges.partition_point(|other| other.range < range);
        self.ranges.insert(at, state);
        self.router = None;
    }

    /// Forgets a range; whether it was here.
    pub fn remove_range(&mut self, range: RangeId) -> bool {
        let Some(at) = self.find_range(range) else { return false };
        let mut state = self.ranges.remove(at);
        self.router = None;
        state.free_pages(&mut self.slab);
        self.frontiers.leave(state.frontier);
        true
    }

    /// The ranges that are here, in ascending order of prefix.
    pub fn ranges(&self) -> impl DoubleEndedIterator<Item = RangeId> + '_ {
        self.ranges.iter().map(|state| state.range)
    }

    /// The range that holds a key, if it is here.
    #[must_use]
    pub fn range_of(&self, hash: KeyHash) -> Option<RangeId> {
        self.find(hash).map(|at| self.ranges[at].range)
    }

    /// Where a range stands.
    #[must_use]
    pub fn positions(&self, range: RangeId) -> Option<&Positions> {
        let state = &self.ranges[self.find_range(range)?];
        Some(self.frontiers.positions(state.frontier))
    }

    /// The control index whose plan a range's pages follow.
    #[must_use]
    pub fn index(&self, range: RangeId) -> Option<ControlIndex> {
        self.find_range(range).map(|at| self.ranges[at].layout.plan.index)
    }

    /// The newest plan it was given.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.layout.plan
    }

    /// Rows of a view, over all ranges.
    #[must_use]
    pub fn rows(&self, view: ViewId) -> RowCounts {
        let all = self.ranges.iter().map(|state| state.rows_of(view));
        all.fold(RowCounts::default(), |sum, rows| RowCounts {
            applied: sum.applied + rows.applied,
            duplicate: sum.duplicate + rows.duplicate,
        })
    }

    /// Bytes of the slots in use, of the index and of event ids.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.slab.used_bytes() + self.ranges.iter().map(RangeState::index_bytes).sum::<usize>()
    }

    /// Of [`Shard::bytes`], those of event ids.
    #[must_use]
    pub fn id_bytes(&self) -> usize {
        self.ranges.iter().map(|state| state.ids.bytes()).sum()
    }

    /// Bytes taken from the allocator: slots that are free included.
    #[must_use]
    pub fn reserved_bytes(&self) -> usize {
        self.slab.reserved_bytes() + self.ranges.iter().map(RangeState::index_bytes).sum::<usize>()
    }

    /// Keys that have a page, counted once for each view.
    #[must_use]
    pub fn entities(&self) -> usize {
        self.ranges.iter().map(RangeState::entities).sum()
    }

    /// [`Shard::bytes`] for each of [`Shard::entities`].
    #[must_use]
    pub fn bytes_per_entity(&self) -> usize {
        self.bytes().div_ceil(self.entities().max(1))
    }

    fn find_range(&self, range: RangeId) -> Option<usize> {
        self.ranges.binary_search_by_key(&range, |state| state.range).ok()
    }

    /// The range that holds a hash.
    #[inline]
    fn find(&self, hash: KeyHash) -> Option<usize> {
        match self.router.as_ref().map_or(Route::Search, |router| router.route(hash)) {
            Route::Nowhere => None,
            Route::To(at) => Some(at),
            Route::Search => self.search(hash),
        }
    }

    /// The last range that starts at or before a hash, if it holds it: ranges do not overlap.
    fn search(&self, hash: KeyHash) -> Option<usize> {
        let after = self.ranges.partition_point(|state| state.range.prefix <= hash.0);
        after.checked_sub(1).filter(|at| self.ranges[*at].range.contains(hash))
    }
}

#[cfg(test)]
mod tests;
