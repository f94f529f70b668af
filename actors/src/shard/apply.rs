//! Applying a frame: rows to pages, then the frontier. Knows no generation: the frame was admitted.

use std::sync::Arc;

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::range::RangeSet;
use featuregrid_protocol::row::Row;

use super::range::{RangeState, guess, horizon_of, ids_known_for};
use super::router::Router;
use super::slab::Slab;
use super::translate::{Values, translations};
use super::{Scratch, Shard};
use crate::entity::{Arrival, newest_raw_word};

/// Rows whose pages are fetched from memory together.
const BATCH: usize = 32;

/// What a frame did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rows that lay in the ranges, each counted once.
    pub rows: usize,
}

impl Shard {
    /// Applies the rows of `frame` that lie in `ranges`, then moves the position of its partition to the frame's end
    /// for every range of them that is here. `feed::Receiver` has admitted the frame for exactly these ranges. A frame of
    /// an older index than a range's covers an interval before its activation: the plan of that index must be known.
    pub fn apply(&mut self, frame: &Frame, ranges: &RangeSet) -> Applied {
        self.mark(ranges);
        // T after the frame may be used for its rows: what it tiles now, the page at the new v has tiled too.
        self.frontiers.advance(frame);
        let mut last = None;
        for (state, _) in self.ranges.iter_mut().zip(&self.scratch.moving).filter(|(_, moving)| **moving) {
            state.frontier = self.frontiers.moved(state.frontier);
            last = Some(state.frontier);
        }
        let rows = self.apply_rows(frame);
        for (state, _) in self.ranges.iter_mut().zip(&self.scratch.moving).filter(|(_, moving)| **moving) {
            if state.ids.is_empty() {
                continue;
            }
            let positions = self.frontiers.positions(state.frontier);
            state.ids.forget(frame.partition, horizon_of(&state.layout.plan, frame.partition, positions));
        }
        self.reunite(last);
        Applied { rows }
    }

    fn mark(&mut self, ranges: &RangeSet) {
        let moving = &mut self.scratch.moving;
        moving.clear();
        moving.resize(self.ranges.len(), false);
        // Both are in ascending order, so one walk finds every range of the set.
        let mut at = 0;
        for range in ranges.iter() {
            while at < self.ranges.len() && self.ranges[at].range < range {
                at += 1;
            }
            if at < self.ranges.len() && self.ranges[at].range == range {
                moving[at] = true;
                self.frontiers.mark(self.ranges[at].frontier);
            }
        }
    }

    fn apply_rows(&mut self, frame: &Frame) -> usize {
        self.router.get_or_insert_with(|| Router::new(self.ranges.iter().map(|state| state.range)));
        let mut rows = 0;
        // Boundaries are computed once for all ranges of the same plan that stand at the same T.
        let mut bounds_of: Option<(usize, *const super::layout::Layout)> = None;
        let mut ahead = frame.rows.iter();
        let mut homes = [const { None }; BATCH];
        for (index, row) in frame.rows.iter().enumerate() {
            if index % BATCH == 0 {
                self.fetch(ahead.by_ref(), &mut homes);
            }
            let Some(Home { range, hint }) = homes[index % BATCH] else { continue };
            let state = &mut self.ranges[range];
            state.changed = state.generation;
            let wanted = (state.frontier, Arc::as_ptr(&state.layout));
            if bounds_of != Some(wanted) {
                state.layout.bounds(self.frontiers.clocks(state.frontier), &mut self.scratch.bounds);
                bounds_of = Some(wanted);
            }
            if frame.index == state.layout.plan.index {
                rows += usize::from(apply_row(state, &mut self.slab, &mut self.scratch, frame, &row, hint));
            } else if let Some(plan) = self.plans.get(&frame.index) {
                rows += usize::from(apply_older(plan, state, &mut self.slab, &mut self.scratch, frame, &row));
            } else {
                // Going on would lose these rows for ever; a shard that ends is built again from the log.
                unreachable!("rows of {}, whose plan this shard was never told", frame.index);
            }
        }
        rows
    }

    /// Finds the ranges of the next rows, and reads the words of their pages that a turn begins with. The reads do not
    /// depend on each other, so the processor waits for all of them at once, where turns would wait for one after the
    /// other; each loop waits for one step of the way to the page.
    fn fetch<'a>(&self, rows: impl Iterator<Item = Row<'a>>, homes: &mut [Option<Home>; BATCH]) {
        let mut pages = [const { None }; BATCH];
        for ((home, page), row) in homes.iter_mut().zip(&mut pages).zip(rows) {
            let range = self.find(row.head.hash).filter(|range| self.scratch.moving[*range]);
            *home = range.map(|range| Home { range, hint: None });
            let Some(Home { range, hint }) = home else { continue };
            let state = &self.ranges[*range];
            let Some(view) = state.layout.views.get(usize::from(row.head.view)) else { continue };
            let ladder = view.ladders.start;
            *hint = guess(&state.tables[ladder], row.head.hash);
            let entry = hint.and_then(|bucket| state.tables[ladder].get_bucket(bucket));
            *page = entry.map(|entry| (&state.layout.shapes[ladder], self.slab.words(entry.slot)));
        }
        let heads = pages.iter().flatten().fold(0, |sum, (_, words)| sum ^ words[0]);
        let tails = pages.iter().flatten().fold(0, |sum, (shape, words)| sum ^ newest_raw_word(shape, words));
        std::hint::black_box(heads ^ tails);
    }

    fn reunite(&mut self, moved: Option<usize>) {
        let Some((from, to)) = moved.and_then(|moved| self.frontiers.reunite(moved)) else { return };
        for state in &mut self.ranges {
            if state.frontier == from {
                state.frontier = to;
            }
        }
    }
}

/// Where a row belongs.
#[derive(Clone, Copy, Debug)]
struct Home {
    range: usize,
    /// Where its page probably is in the view's first table.
    hint: Option<usize>,
}

fn apply_row(
    state: &mut RangeState,
    slab: &mut Slab,
    scratch: &mut Scratch,
    frame: &Frame,
    row: &Row<'_>,
    mut hint: Option<usize>,
) -> bool {
    let view = usize::from(row.head.view);
    let Some(layout) = state.layout.views.get(view) else { return false };
    if row.id.is_some()
        && !state.ids.admit(frame.partition, layout.id, row, ids_known_for(&state.layout.plan, frame.partition))
    {
        state.rows[view].duplicate += 1;
        return true;
    }
    for ladder in layout.ladders.clone() {
        let bounds = &scratch.bounds[ladder];
        let arrival = Arrival { partition: frame.partition, row, columns: u64::MAX };
        state.turn(ladder, slab, (bounds, &mut scratch.leaving), arrival, hint.take());
    }
    state.rows[view].applied += 1;
    true
}

/// Applies a row that was decoded under an older plan than its range's: the interval before an activation.
fn apply_older(
    plan: &Plan,
    state: &mut RangeState,
    slab: &mut Slab,
    scratch: &mut Scratch,
    frame: &Frame,
    row: &Row<'_>,
) -> bool {
    let Some(old) = plan.views.get(usize::from(row.head.view)) else { return false };
    let key = (plan.index, state.layout.plan.index);
    if scratch.translated != Some(key) {
        scratch.translations = translations(plan, &state.layout.plan);
        scratch.translated = Some(key);
    }
    let is_new = state.ids.admit(frame.partition, old.id, row, ids_known_for(plan, frame.partition));
    let Some((view, ladders)) = &scratch.translations[usize::from(row.head.view)] else {
        let rows = state.retired.entry(old.id).or_default();
        *if is_new { &mut rows.applied } else { &mut rows.duplicate } += 1;
        return true;
    };
    if !is_new {
        state.rows[*view].duplicate += 1;
        return true;
    }
    for (ladder, translation) in state.layout.views[*view].ladders.clone().zip(ladders) {
        let Some(translation) = translation else { continue };
        let head = translation.row(old, row, &mut scratch.values);
        let Values { numbers, texts } = &scratch.values;
        let row = Row { head: &head, key: row.key, numbers, texts: texts.texts(), id: row.id };
        let bounds = &scratch.bounds[ladder];
        let arrival = Arrival { partition: frame.partition, row: &row, columns: translation.columns };
        state.turn(ladder, slab, (bounds, &mut scratch.leaving), arrival, None);
    }
    state.rows[*view].applied += 1;
    true
}
