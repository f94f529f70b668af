//! A snapshot of a range at one v while folding goes on: pages are encoded in slices, and one that is about to change
//! before its slice came is encoded first. Knows no clock, no store and no part: the host says how long a slice is.
//!
//! Each walk begins a *generation*. A page carries the generation of its last change, so a delta holds what changed in or
//! after the generation that began where the last committed manifest stands: marks remember where each one began. A
//! commit that never landed therefore costs nothing but a larger next delta, and what a standby folded before its promotion is in
//! the first delta after it (trace C3).

use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::position::{OffsetVector, Positions, offsets};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::snapshot::{IdList, RangeHead, SnapshotPage};

use super::Shard;
use super::layout::Layout;
use super::range::{Entry, RangeState, Table};
use super::slab::Slab;
use super::snapshot::RangeSnapshot;
use crate::entity::{Page, encode, key_in};
use crate::window::Bounds;

/// Marks kept beside the oldest that may still be needed: commits that failed in a row and are told apart. With more,
/// the next delta is larger.
const MARKS_MAX: usize = 16;

/// In which generation a page changed last, and whether the present generation's walk has been at it: one bit, which
/// every walk turns over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(u32);

impl Mark {
    /// Of a page that was restored: older than every generation.
    pub(crate) fn restored(generation: u32) -> Self {
        Self(generation & 1)
    }

    /// Of a page that changes now and need not be visited (again).
    #[inline]
    pub(crate) fn changed(generation: u32) -> Self {
        Self(generation << 1 | generation & 1)
    }

    fn generation(self) -> u32 {
        self.0 >> 1
    }

    #[inline]
    fn is_visited(self, generation: u32) -> bool {
        (self.0 ^ generation) & 1 == 0
    }

    fn visited(self, generation: u32) -> Self {
        Self(self.0 & !1 | generation & 1)
    }
}

/// Where a range stood when its generations began, oldest first; never empty.
#[derive(Clone, Debug)]
pub(crate) struct Marks(Vec<(u32, OffsetVector)>);

impl Marks {
    /// Of a range whose state stands at `positions` and is durable there, or empty.
    pub(crate) fn at(positions: &Positions) -> Self {
        Self(vec![(FIRST, offsets(positions))])
    }

    /// The newest generation that began at or before `v`, and where. The ones before it are needed no more: what is
    /// committed never falls.
    fn settle(&mut self, v: &OffsetVector) -> Option<(u32, OffsetVector)> {
        let found = self.0.iter().rposition(|(_, at)| v.covers(at))?;
        self.0.drain(..found);
        self.0.first().cloned()
    }

    fn begin(&mut self, generation: u32, at: OffsetVector) {
        if self.0.len() > MARKS_MAX {
            self.0.remove(1);
        }
        self.0.push((generation, at));
    }
}

/// The generation that begins with a range.
pub(crate) const FIRST: u32 = 1;

/// A walk under way.
#[derive(Debug)]
pub(crate) struct Walk {
    head: RangeHead,
    generation: u32,
    /// Pages that changed in or after this generation belong to it.
    from: u32,
    /// By ladder, at the walk's T(v).
    bounds: Vec<Bounds>,
    /// By ladder: pages it has not been at.
    left: Vec<usize>,
    ladder: usize,
    bucket: usize,
    pages: Vec<(KeyHash, SnapshotPage)>,
    bytes: usize,
    leaving: Vec<u64>,
}

/// How far a walk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more.
    More,
    /// Everything was encoded: take it.
    Done,
}

/// What a walk brought.
#[derive(Debug)]
pub struct Walked {
    head: RangeHead,
    pages: Vec<(KeyHash, SnapshotPage)>,
}

impl Walked {
    /// Bytes of its pages, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.pages.iter().map(|(_, page)| page.key.len() + page.bytes.len()).sum()
    }

    /// What it says of its range.
    #[must_use]
    pub fn head(&self) -> &RangeHead {
        &self.head
    }

    /// Its pages in order. Sorting takes long where there are many: not for the shard's own thread.
    #[must_use]
    pub fn into_snapshot(mut self) -> RangeSnapshot {
        self.pages.sort_unstable_by(|(a, left), (b, right)| {
            (a, left.view, &left.key, left.ladder).cmp(&(b, right.view, &right.key, right.ladder))
        });
        RangeSnapshot { head: self.head, pages: self.pages.into_iter().map(|(_, page)| page).collect() }
    }
}

impl Shard {
    /// Begins a walk over a range at the v where it stands now: over everything, or over what changed after `since`, the v
    /// of the committed manifest. Where it is not known any more what changed since then, it is everything. `None` if the range is not here, or is
    /// walked already.
    pub fn begin_walk(&mut self, range: RangeId, since: Option<&OffsetVector>) -> Option<&RangeHead> {
        let at = self.find_range(range)?;
        let state = &mut self.ranges[at];
        if state.walk.is_some() {
            return None;
        }
        let positions = self.frontiers.positions(state.frontier).clone();
        let mut bounds = Vec::new();
        state.layout.bounds(self.frontiers.clocks(state.frontier), &mut bounds);
        let walk = Walk::begin(state, positions, bounds, since);
        Some(&state.walk.insert(Box::new(walk)).head)
    }

    /// Goes on with the walk over a range, for about so many words of its pages.
    pub fn walk(&mut self, range: RangeId, words: usize) -> Option<Progress> {
        let at = self.find_range(range)?;
        let state = &mut self.ranges[at];
        let mut walk = state.walk.take()?;
        let progress = walk.slice(&state.layout, &mut state.tables, &mut self.slab, words);
        state.walk = Some(walk);
        Some(progress)
    }

    /// What the walk over a range brought, once it is done.
    pub fn take_walk(&mut self, range: RangeId) -> Option<Walked> {
        let at = self.find_range(range)?;
        let walk = self.ranges[at].walk.take_if(|walk| walk.is_done())?;
        Some(Walked { head: walk.head, pages: walk.pages })
    }

    /// Ends the walk over a range, if there is one; what it found is forgotten.
    pub fn give_up_walk(&mut self, range: RangeId) {
        let Some(at) = self.find_range(range) else { return };
        // Every page is to be visited once by each walk.
        self.hurry_walk(at);
        self.ranges[at].walk = None;
    }

    /// Whether any row came to a range after `v`; `None` where that is not known any more, or the range is not here.
    #[must_use]
    pub fn has_changed_since(&self, range: RangeId, v: &OffsetVector) -> Option<bool> {
        let state = &self.ranges[self.find_range(range)?];
        let newest = state.marks.0.iter().rev().find(|(_, at)| v.covers(at))?;
        Some(state.changed >= newest.0)
    }

    /// Bytes that walks hold of pages they have encoded.
    #[must_use]
    pub fn walk_bytes(&self) -> usize {
        self.ranges.iter().filter_map(|state| state.walk.as_ref()).map(|walk| walk.bytes).sum()
    }

    /// Encodes at once what a walk over the range at `at` has not been at: its pages are about to change in other ways than
    /// by turns.
    pub(super) fn hurry_walk(&mut self, at: usize) {
        let state = &mut self.ranges[at];
        if let Some(walk) = &mut state.walk {
            walk.slice(&state.layout, &mut state.tables, &mut self.slab, usize::MAX);
        }
    }
}

impl Walk {
    fn begin(state: &mut RangeState, positions: Positions, bounds: Vec<Bounds>, since: Option<&OffsetVector>) -> Self {
        let settled = since.and_then(|since| state.marks.settle(since));
        state.generation += 1;
        state.marks.begin(state.generation, offsets(&positions));
        let (from, since) = settled.map_or((0, None), |(from, since)| (from, Some(since)));
        let is_first_delta = state.generation == FIRST + 1 && since.is_some();
        let from = if plants::on(Plant::C3DirtySincePromotion) && is_first_delta { state.generation } else { from };
        let ids = ids(state, &positions, since.as_ref());
        let mut head = RangeHead {
            range: state.range,
            index: state.layout.plan.index,
            positions,
            since,
            rows: state.rows_by_view(),
            ids,
        };
        if plants::on(Plant::TornSnapshot)
            && let Some(position) = head.positions.values_mut().find(|position| position.next > 0)
        {
            position.next += 1;
        }
        let left = state.tables.iter().map(Table::len).collect();
        let generation = state.generation;
        let (pages, leaving) = (Vec::new(), Vec::new());
        Self { head, generation, from, bounds, left, ladder: 0, bucket: 0, pages, bytes: 0, leaving }
    }

    fn is_done(&self) -> bool {
        self.ladder >= self.left.len()
    }

    /// A turn is about to change a page.
    #[inline]
    pub(crate) fn before_turn(&mut self, ladder: usize, layout: &Layout, entry: &mut Entry, slab: &mut Slab) {
        // With none left, ladders may be of a later plan and marks of a later walk.
        let is_left = self.left.get(ladder).is_some_and(|left| *left > 0);
        if is_left && !entry.mark.is_visited(self.generation) {
            self.visit(ladder, layout, entry, slab);
            self.left[ladder] -= 1;
        }
    }

    fn slice(&mut self, layout: &Layout, tables: &mut [Table], slab: &mut Slab, words: usize) -> Progress {
        let before = self.bytes;
        let mut looked = 0;
        // A walk that is done may meet the tables of a later plan.
        while let (Some(left), Some(table)) = (self.left.get(self.ladder), tables.get_mut(self.ladder)) {
            if *left == 0 {
                (self.ladder, self.bucket) = (self.ladder + 1, 0);
                continue;
            }
            if self.bucket >= table.num_buckets() {
                // The table grew under the walk, and its pages have other places.
                self.bucket = 0;
            }
            if let Ok(mut occupied) = table.get_bucket_entry(self.bucket)
                && !occupied.get().mark.is_visited(self.generation)
            {
                self.left[self.ladder] -= 1;
                if self.visit(self.ladder, layout, occupied.get_mut(), slab) {
                    slab.free(occupied.remove().0.slot);
                }
            }
            self.bucket += 1;
            // A place that is only looked at counts as a word of a page.
            looked += 1;
            if looked + (self.bytes - before) / size_of::<u64>() >= words {
                break;
            }
        }
        if self.is_done() { Progress::Done } else { Progress::More }
    }

    /// Encodes a page as it is at the walk's v, if it belongs to the walk; whether nothing is left in it.
    fn visit(&mut self, ladder: usize, layout: &Layout, entry: &mut Entry, slab: &mut Slab) -> bool {
        let is_asked = entry.mark.generation() >= self.from;
        entry.mark = entry.mark.visited(self.generation);
        if !is_asked {
            return false;
        }
        let shape = &layout.shapes[ladder];
        let mut memory = slab.lend(&mut entry.slot);
        let mut page = Page::open(shape, &mut memory);
        page.fold(&self.bounds[ladder], &mut self.leaving);
        if page.is_empty() {
            return true;
        }
        let mut bytes = Vec::new();
        encode(&page, &mut bytes);
        drop(memory);
        let key = key_in(shape, slab.words(entry.slot));
        let (view, number) = layout.places[ladder];
        self.bytes += key.len() + bytes.len();
        self.pages.push((KeyHash(entry.hash), SnapshotPage { view, ladder: number, key, bytes }));
        false
    }
}

/// The event ids that are known at `positions`, of records at or after `since`.
fn ids(state: &RangeState, positions: &Positions, since: Option<&OffsetVector>) -> Vec<IdList> {
    let mut ids: Vec<IdList> = Vec::new();
    for (partition, view, known) in state.known_ids(positions) {
        if since.is_some_and(|since| known.offset < since.get(partition)) {
            continue;
        }
        match ids.last_mut().filter(|last| (last.partition, last.view) == (partition, view)) {
            Some(last) => last.known.push(known),
            None => ids.push(IdList { partition, view, known: vec![known] }),
        }
    }
    ids
}
