//! One range: an index for each ladder, the event ids it knows, and how much was applied. Knows neither frame nor clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_protocol::ids::{PartitionId, ViewId};
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::plan::{Plan, SourcePlan};
use featuregrid_protocol::position::Positions;
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::snapshot::{KnownId, RowCounts};
use featuregrid_protocol::time::{Span, Timestamp};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as TableEntry;

use super::layout::Layout;
use super::slab::{Slab, Slot};
use super::walk::{FIRST, Mark, Marks, Walk};
use crate::dedup::{Horizon, KnownIds};
use crate::entity::{Arrival, Page, has_key, initial_words};
use crate::window::{Bounds, Shape};

/// Where the page of a key is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) hash: u64,
    pub(crate) slot: Slot,
    /// When it changed, as far as snapshots care.
    pub(crate) mark: Mark,
}

/// The index of one ladder of one range: of its own, so that growing it never stalls the others.
pub(crate) type Table = HashTable<Entry>;

/// State of one range.
#[derive(Debug)]
pub(crate) struct RangeState {
    pub(crate) range: RangeId,
    pub(crate) layout: Arc<Layout>,
    /// Index into the shard's frontiers.
    pub(crate) frontier: usize,
    /// As [`Layout::shapes`].
    pub(crate) tables: Vec<Table>,
    /// Event ids that are known, those of views that the plan has no more included.
    pub(crate) ids: KnownIds,
    /// Rows by view of the layout.
    pub(crate) rows: Vec<RowCounts>,
    /// Rows of views that the plan has no more.
    pub(crate) retired: BTreeMap<ViewId, RowCounts>,
    /// Counts walks; see [`super::walk`].
    pub(crate) generation: u32,
    /// In which of them a row came last.
    pub(crate) changed: u32,
    pub(crate) marks: Marks,
    pub(crate) walk: Option<Box<Walk>>,
}

/// All keys of a range share their leading bits, which is where the table looks first: mixes lower ones in.
#[inline]
pub(crate) fn spread(hash: u64) -> u64 {
    hash ^ hash << 24
}

impl RangeState {
    /// A range without pages whose state is durable at `marks`, or begins there.
    pub(crate) fn new(range: RangeId, layout: Arc<Layout>, frontier: usize, marks: Marks) -> Self {
        let tables = layout.shapes.iter().map(|_| Table::new()).collect();
        let rows = vec![RowCounts::default(); layout.views.len()];
        Self {
            range,
            layout,
            frontier,
            tables,
            ids: KnownIds::default(),
            rows,
            retired: BTreeMap::new(),
            generation: FIRST,
            changed: 0,
            marks,
            walk: None,
        }
    }

    pub(crate) fn rows_of(&self, view: ViewId) -> RowCounts {
        let present = self.layout.view(view).map(|at| self.rows[at]);
        present.unwrap_or_else(|| self.retired.get(&view).copied().unwrap_or_default())
    }

    /// Rows by view, views without any left out.
    pub(crate) fn rows_by_view(&self) -> BTreeMap<ViewId, RowCounts> {
        let present = self.layout.views.iter().map(|view| view.id).zip(self.rows.iter().copied());
        let all = self.retired.iter().map(|(view, rows)| (*view, *rows)).chain(present);
        all.filter(|(_, rows)| *rows != RowCounts::default()).collect()
    }

    /// Takes over rows by view.
    pub(crate) fn set_rows(&mut self, mut rows: BTreeMap<ViewId, RowCounts>) {
        for (view, counts) in self.layout.views.iter().zip(&mut self.rows) {
            *counts = rows.remove(&view.id).unwrap_or_default();
        }
        self.retired = rows;
    }

    /// The event ids that are known at `positions`, where the range stands.
    pub(crate) fn known_ids(&self, positions: &Positions) -> impl Iterator<Item = (PartitionId, ViewId, KnownId)> {
        self.ids.known(|partition| horizon_of(&self.layout.plan, partition, positions))
    }

    pub(crate) fn free_pages(&mut self, slab: &mut Slab) {
        for entry in self.tables.iter_mut().flat_map(Table::drain) {
            slab.free(entry.slot);
        }
    }

    pub(crate) fn index_bytes(&self) -> usize {
        self.tables.iter().map(Table::allocation_size).sum::<usize>() + self.ids.bytes()
    }

    pub(crate) fn entities(&self) -> usize {
        let pages = |view: &super::layout::ViewLayout| self.tables[view.ladders.clone()].iter().map(Table::len).max();
        self.layout.views.iter().filter_map(pages).sum()
    }

    /// One turn: a row to the page of its key in `ladder`. The hint is of [`guess`].
    #[inline]
    pub(crate) fn turn(
        &mut self,
        ladder: usize,
        slab: &mut Slab,
        (bounds, leaving): (&Bounds, &mut Vec<u64>),
        arrival: Arrival<'_>,
        hint: Option<usize>,
    ) {
        let (table, shape) = (&mut self.tables[ladder], &self.layout.shapes[ladder]);
        let row = arrival.row;
        let now = Mark::changed(self.generation);
        let bucket = find_or_create(table, shape, slab, (row.head.hash, row.key), (hint, now));
        if let Some(entry) = table.get_bucket_mut(bucket) {
            if let Some(walk) = &mut self.walk {
                walk.before_turn(ladder, &self.layout, entry, slab);
            }
            entry.mark = now;
            let mut memory = slab.lend(&mut entry.slot);
            Page::open(shape, &mut memory).turn(bounds, leaving, arrival);
        }
    }

    /// Folds every page of a ladder to `bounds` and forgets the empty ones.
    pub(crate) fn sweep(&mut self, ladder: usize, bounds: &Bounds, slab: &mut Slab, leaving: &mut Vec<u64>) {
        let shape = &self.layout.shapes[ladder];
        self.tables[ladder].retain(|entry| {
            let empty = {
                let mut memory = slab.lend(&mut entry.slot);
                let mut page = Page::open(shape, &mut memory);
                page.fold(bounds, leaving);
                page.is_empty()
            };
            if empty {
                slab.free(entry.slot);
            }
            !empty
        });
    }
}

/// How far behind its partition's prefix max an event of it may be, and its id is known.
pub(crate) fn ids_known_for(plan: &Plan, partition: PartitionId) -> Span {
    // A partition is of a source of the plan it was read under, and sources stay.
    plan.source(partition.source()).map_or(Span(0), SourcePlan::ids_known_for)
}

/// How far back ids of a partition are known at `positions`.
pub(crate) fn horizon_of(plan: &Plan, partition: PartitionId, positions: &Positions) -> Horizon {
    let (max, next) = positions.get(&partition).map_or((Timestamp::MIN, 0), |position| (position.max, position.next));
    Horizon::of(max, next, ids_known_for(plan, partition))
}

/// The bucket of a key's page.
#[inline]
pub(crate) fn find(table: &Table, shape: &Shape, slab: &Slab, hash: KeyHash, key: &[u8]) -> Option<usize> {
    table.find_bucket_index(spread(hash.0), |entry| entry.hash == hash.0 && has_key(shape, slab.words(entry.slot), key))
}

/// The bucket of a page with this hash, whichever key it has: a hint for [`find_or_create`].
#[inline]
pub(crate) fn guess(table: &Table, hash: KeyHash) -> Option<usize> {
    table.find_bucket_index(spread(hash.0), |entry| entry.hash == hash.0)
}

/// The bucket of a key's page, which is made if it is new. A hint that no longer holds does no harm.
#[inline]
fn find_or_create(
    table: &mut Table,
    shape: &Shape,
    slab: &mut Slab,
    (hash, key): (KeyHash, &[u8]),
    (hint, now): (Option<usize>, Mark),
) -> usize {
    let is_it = |entry: &Entry| entry.hash == hash.0 && has_key(shape, slab.words(entry.slot), key);
    if let Some(bucket) = hint.filter(|bucket| table.get_bucket(*bucket).is_some_and(is_it)) {
        return bucket;
    }
    match table.entry(spread(hash.0), is_it, |entry| spread(entry.hash)) {
        TableEntry::Occupied(found) => found.bucket_index(),
        TableEntry::Vacant(place) => {
            let mut slot = slab.allocate(initial_words(shape, key));
            Page::create(shape, &mut slab.lend(&mut slot), key);
            place.insert(Entry { hash: hash.0, slot, mark: now }).bucket_index()
        }
    }
}
