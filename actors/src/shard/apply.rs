//! Applying a frame: rows to pages, then the frontier. Knows no generation: the frame was admitted.

use std::sync::Arc;

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::range::RangeSet;
use featuregrid_protocol::row::Row;

use super::range::{RangeState, find_or_create};
use super::slab::Slab;
use super::translate::translations;
use super::{Scratch, Shard};
use crate::entity::Page;

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
        let mut rows = 0;
        // Boundaries are computed once for all ranges of the same plan that stand at the same T.
        let mut bounds_of: Option<(usize, *const super::layout::Layout)> = None;
        for row in &frame.rows {
            let Some(at) = self.find(row.head.hash).filter(|at| self.scratch.moving[*at]) else { continue };
            let state = &mut self.ranges[at];
            let wanted = (state.frontier, Arc::as_ptr(&state.layout));
            if bounds_of != Some(wanted) {
                state.layout.bounds(self.frontiers.t_max(state.frontier), &mut self.scratch.bounds);
                bounds_of = Some(wanted);
            }
            if frame.index == state.layout.plan.index {
                rows += usize::from(apply_row(state, &mut self.slab, &mut self.scratch, frame, &row));
            } else if let Some(plan) = self.plans.get(&frame.index) {
                rows += usize::from(apply_older(plan, state, &mut self.slab, &mut self.scratch, frame, &row));
            } else {
                debug_assert!(false, "rows of {}, whose plan this shard was never told", frame.index);
            }
        }
        rows
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

fn apply_row(state: &mut RangeState, slab: &mut Slab, scratch: &mut Scratch, frame: &Frame, row: &Row<'_>) -> bool {
    let view = usize::from(row.head.view);
    let Some(layout) = state.layout.views.get(view) else { return false };
    for ladder in layout.ladders.clone() {
        let shape = &state.layout.shapes[ladder];
        let entry = find_or_create(&mut state.tables[ladder], shape, slab, row.head.hash, row.key);
        let mut memory = slab.lend(&mut entry.slot);
        Page::open(shape, &mut memory).turn(&mut scratch.turn, &scratch.bounds[ladder], frame.partition, row);
    }
    state.applied[view] += 1;
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
    let Some((view, ladders)) = &scratch.translations[usize::from(row.head.view)] else {
        *state.retired.entry(old.id).or_default() += 1;
        return true;
    };
    for (ladder, translation) in state.layout.views[*view].ladders.clone().zip(ladders) {
        let Some(translation) = translation else { continue };
        let head = translation.row(old, row, &mut scratch.numbers);
        let row = Row { head: &head, key: row.key, numbers: &scratch.numbers };
        let shape = &state.layout.shapes[ladder];
        let entry = find_or_create(&mut state.tables[ladder], shape, slab, head.hash, row.key);
        let mut memory = slab.lend(&mut entry.slot);
        Page::open(shape, &mut memory).turn(&mut scratch.turn, &scratch.bounds[ladder], frame.partition, &row);
    }
    state.applied[*view] += 1;
    true
}
