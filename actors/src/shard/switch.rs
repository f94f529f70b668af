//! Activation: pages change from the columns of one plan to those of the next. Knows no control log.
//!
//! A ladder lives on where its levels, its lifetime, whether it keeps rows and the beginning of these are the same; its
//! columns live on where measure and beginning are. Everything else begins empty, which is what `since` says in replies. Event ids
//! live on whatever becomes of ladders: a duplicate is one for all of them. The plan
//! never raises the slack of a living ladder: what was folded away cannot come back.

use std::sync::Arc;

use featuregrid_protocol::plan::{LadderPlan, Plan, ViewPlan};
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::position::{OffsetVector, Positions};
use featuregrid_protocol::range::RangeId;

use super::Shard;
use super::layout::Layout;
use super::range::{Entry, RangeState, Table, spread};
use super::slab::Slab;
use crate::entity::{Page, Remap, remap, tail_words};

impl Shard {
    /// Activates `plan` at `at` for every range that stands at an older index, and for ranges added from now on.
    ///
    /// A range that already stands past `at` was folded there without a lease, and its columns lack rows that the plan
    /// counts: it is let go and returned, to be restored from what is durable (protocol B, rule 6).
    #[must_use = "a range that was let go is not to be fed any more"]
    pub fn switch(&mut self, plan: Arc<Plan>, at: &OffsetVector) -> Vec<RangeId> {
        self.remember(Arc::clone(&plan));
        self.layout = Arc::new(Layout::new(plan));
        let ranges: Vec<RangeId> = self.ranges().collect();
        let (past, ranges): (Vec<_>, Vec<_>) = ranges.into_iter().partition(|range| self.is_past(*range, at));
        for range in &past {
            self.remove_range(*range);
        }
        for range in ranges {
            self.switch_range_to(range, Arc::clone(&self.layout));
        }
        past
    }

    /// Whether a range of an older index has applied rows that belong to the newest one.
    fn is_past(&self, range: RangeId, at: &OffsetVector) -> bool {
        let is_older = self.index(range).is_some_and(|index| index < self.layout.plan.index);
        let ahead =
            |positions: &Positions| positions.iter().any(|(partition, stands)| stands.next > at.get(*partition));
        is_older && !plants::on(Plant::B7NoRestore) && self.positions(range).is_some_and(ahead)
    }

    /// Activates `plan` for one range that stands at an older index: it was replayed up to the activation.
    pub fn switch_range(&mut self, range: RangeId, plan: Arc<Plan>) {
        self.remember(Arc::clone(&plan));
        let layout = self.layout_of(plan);
        self.switch_range_to(range, layout);
    }

    /// A known layout of this plan, or a new one.
    pub(super) fn layout_of(&self, plan: Arc<Plan>) -> Arc<Layout> {
        let mut known = std::iter::once(&self.layout).chain(self.ranges.iter().map(|state| &state.layout));
        known.find(|layout| layout.plan == plan).map_or_else(|| Arc::new(Layout::new(plan)), Arc::clone)
    }

    fn switch_range_to(&mut self, range: RangeId, layout: Arc<Layout>) {
        let Some(at) = self.find_range(range) else { return };
        self.hurry_walk(at);
        let state = &mut self.ranges[at];
        if state.layout.plan.index < layout.plan.index {
            switch_state(state, &mut self.slab, layout);
        }
    }
}

fn switch_state(state: &mut RangeState, slab: &mut Slab, new: Arc<Layout>) {
    let old = Arc::clone(&state.layout);
    let mut next = RangeState::new(state.range, Arc::clone(&new), state.frontier, state.marks.clone());
    (next.generation, next.changed, next.walk) = (state.generation, state.changed, state.walk.take());
    next.ids = std::mem::take(&mut state.ids);
    next.set_rows(state.rows_by_view());
    for (view, layout) in new.plan.views.iter().zip(&new.views) {
        let Some(before) = old.view(layout.id) else { continue };
        for (index, ladder) in layout.ladders.clone().enumerate() {
            let Some((from, map)) = ancestor(&old.plan.views[before], view, index) else { continue };
            let from = old.views[before].ladders.start + from;
            let pages = std::mem::take(&mut state.tables[from]);
            next.tables[ladder] = move_pages(pages, slab, (&old, from), (&new, ladder), &map);
        }
    }
    state.free_pages(slab);
    *state = next;
}

/// The ladder of `old` that lives on as ladder `index` of `new`, and where its columns come from.
fn ancestor(old: &ViewPlan, new: &ViewPlan, index: usize) -> Option<(usize, Remap)> {
    let identity = |view: &ViewPlan, ladder: &LadderPlan| {
        let rows = ladder.columns.first().map(|column| (view.measures[column.measure].id, column.since));
        (ladder.levels.clone(), ladder.lifetime, ladder.exact, rows)
    };
    let wanted = identity(new, &new.ladders[index]);
    // Two ladders can be equal in all this only by mistake; then their order decides.
    let rank = new.ladders[..index].iter().filter(|ladder| identity(new, ladder) == wanted).count();
    let mut equal = (0..old.ladders.len()).filter(|ladder| identity(old, &old.ladders[*ladder]) == wanted);
    let from = equal.nth(rank)?;
    let column_of = |column: &featuregrid_protocol::plan::Column| {
        old.ladders[from].columns.iter().position(|other| {
            let is_same = old.measures[other.measure].id == new.measures[column.measure].id;
            is_same && other.since == column.since && other.keeps.has(column.keeps)
        })
    };
    Some((from, Remap(new.ladders[index].columns.iter().map(column_of).collect())))
}

fn move_pages(
    mut pages: Table,
    slab: &mut Slab,
    (old, from): (&Layout, usize),
    (new, to): (&Layout, usize),
    map: &Remap,
) -> Table {
    let (before, after) = (&old.shapes[from], &new.shapes[to]);
    if map.is_identity(before, after) {
        return pages;
    }
    let mut moved = Table::with_capacity(pages.len());
    for mut entry in pages.drain() {
        let page = remap(&Page::open(before, &mut slab.lend(&mut entry.slot)), after, map);
        slab.free(entry.slot);
        let tail = tail_words(after, &page.words);
        let slot = slab.store(page, tail);
        moved.insert_unique(spread(entry.hash), Entry { slot, ..entry }, |entry| spread(entry.hash));
    }
    moved
}
