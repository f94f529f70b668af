//! Answering one view of one entity. Knows neither clock nor client.

use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::value::{Edge, Reading, Status};

use super::Shard;
use super::frontier::t_of;
use super::layout::{FeatureLayout, Layout, ViewLayout};
use super::range::find;
use crate::aggregate::{Form, answer, derive};
use crate::entity::Page;
use crate::window::{AsOf, Instant, Pass, Seen, Snapshots, Target, resolve};

/// A view of one entity at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewReading {
    /// The effective instant; the one asked for where it is out of range.
    pub instant: Timestamp,
    /// Whether it had to be rounded.
    pub edge: Edge,
    /// In the order of the view's results.
    pub readings: Vec<Reading>,
    /// The control index in force.
    pub index: ControlIndex,
    /// The newest visible event that an answerable read can still see.
    pub newest_event: Option<Timestamp>,
    /// The range the entity lies in: its positions are the token.
    pub range: RangeId,
}

impl Shard {
    /// Reads view `view` (an index into the plan of the key's range) of the entity with these canonical key bytes;
    /// `None` where the range is not here or has no such view.
    pub fn read(&mut self, view: usize, key: &[u8], as_of: AsOf) -> Option<ViewReading> {
        let hash = KeyHash::of(key);
        let at = self.find(hash)?;
        let layout = std::sync::Arc::clone(&self.ranges[at].layout);
        let plan = layout.views.get(view)?;
        let t_max = match as_of {
            AsOf::Now { clock } if plants::on(Plant::TFromWallClock) => clock,
            _ => t_of(self.frontiers.clocks(self.ranges[at].frontier), plan.source),
        };
        layout.bounds_of(plan, t_max, &mut self.scratch.bounds);
        let seen = self.fold_entity(at, &layout, plan, hash, key);
        let source = layout.plan.source_of(&layout.plan.views[view]);
        let instant = resolve(as_of, seen, t_max, source.slack, source.max_skew);
        let (shown, mut readings, is_outside) = match instant {
            None => (Instant { at: asked(as_of), edge: Edge::Exact }, nothing(plan, Status::OutOfRange), false),
            Some(instant) if self.evaluate(at, &layout, plan, hash, key, instant.at) => {
                let readings = plan.features.iter().map(|feature| self.reading(&layout, plan, feature)).collect();
                (instant, readings, self.is_outside_max_age(at, &layout, plan, hash, key, instant))
            }
            Some(instant) => (instant, nothing(plan, Status::NotFound), false),
        };
        for derived in &layout.plan.views[view].derived {
            readings.push(derive(&derived.formula, &readings));
        }
        readings.iter_mut().for_each(|reading| *reading = aged(*reading, is_outside));
        Some(ViewReading {
            instant: shown.at,
            edge: shown.edge,
            readings,
            index: layout.plan.index,
            newest_event: seen.newest,
            range: self.ranges[at].range,
        })
    }

    /// Folds the entity's pages to T and says what they have seen.
    pub(super) fn fold_entity(
        &mut self,
        at: usize,
        layout: &Layout,
        view: &ViewLayout,
        hash: KeyHash,
        key: &[u8],
    ) -> Seen {
        let mut seen = Seen::default();
        for ladder in view.ladders.clone() {
            let shape = &layout.shapes[ladder];
            let table = &mut self.ranges[at].tables[ladder];
            let Some(entry) = find(table, shape, &self.slab, hash, key) else { continue };
            let mut memory = self.slab.lend(&mut entry.slot);
            let mut page = Page::open(shape, &mut memory);
            page.fold(&self.scratch.bounds[ladder - view.ladders.start], &mut self.scratch.leaving);
            let event = |ts: Timestamp| Some(ts).filter(|ts| *ts > Timestamp::MIN);
            seen.newest = seen.newest.max(event(page.newest()));
            seen.newest_tiled = seen.newest_tiled.max(event(page.newest_tiled()));
        }
        seen
    }

    /// Evaluates every ladder at one instant; whether some ladder has a row in its longest window.
    fn evaluate(
        &mut self,
        at: usize,
        layout: &Layout,
        view: &ViewLayout,
        hash: KeyHash,
        key: &[u8],
        instant: Timestamp,
    ) -> bool {
        let mut found = false;
        self.scratch.snapshots.resize_with(self.scratch.snapshots.len().max(view.ladders.len()), Snapshots::default);
        for (ladder, out) in view.ladders.clone().zip(&mut self.scratch.snapshots) {
            let shape = &layout.shapes[ladder];
            match find(&mut self.ranges[at].tables[ladder], shape, &self.slab, hash, key) {
                Some(entry) => Page::open(shape, &mut self.slab.lend(&mut entry.slot)).read(instant, out),
                None => Pass::start(out, shape, Form::Narrow, instant).finish(),
            }
            found |= shape.longest.is_some_and(|window| out.cell(shape, Some(window), 0).n > 0);
            found |= shape.lifetime && out.cell(shape, None, 0).n > 0;
        }
        found
    }

    /// Whether the newest row that the view can be found by is older than its `max_age`. Behind a rounded instant only
    /// tiles are known, so no age is judged there.
    fn is_outside_max_age(
        &mut self,
        at: usize,
        layout: &Layout,
        view: &ViewLayout,
        hash: KeyHash,
        key: &[u8],
        instant: Instant,
    ) -> bool {
        let (Some(max_age), Edge::Exact) = (view.max_age, instant.edge) else { return false };
        let newest = view.ladders.clone().filter_map(|ladder| {
            let shape = &layout.shapes[ladder];
            let entry = find(&mut self.ranges[at].tables[ladder], shape, &self.slab, hash, key)?;
            let newest = Page::open(shape, &mut self.slab.lend(&mut entry.slot)).newest_before(instant.at);
            // What has left the longest window may be forgotten at any time: it says nothing.
            (newest > Timestamp::MIN && shape.finds(newest, instant.at)).then_some(newest)
        });
        newest.max().is_some_and(|newest| instant.at - newest > max_age)
    }

    fn reading(&self, layout: &Layout, view: &ViewLayout, feature: &FeatureLayout) -> Reading {
        let window = match feature.target {
            Target::Rolling(window) => Some(window),
            Target::Lifetime => None,
        };
        let shape = &layout.shapes[view.ladders.start + feature.ladder];
        answer(feature.answer, &self.scratch.snapshots[feature.ladder].cell(shape, window, feature.column))
    }
}

/// An old value is still the value; that a default stands in is not to be hidden.
fn aged(reading: Reading, is_outside: bool) -> Reading {
    match reading.status {
        Status::Present | Status::NullValue if is_outside => Reading { status: Status::OutsideMaxAge, ..reading },
        _ => reading,
    }
}

fn asked(as_of: AsOf) -> Timestamp {
    match as_of {
        AsOf::At(at) => at,
        AsOf::Now { clock } => clock,
    }
}

fn nothing(view: &ViewLayout, status: Status) -> Vec<Reading> {
    view.features.iter().map(|feature| feature.answer.nothing(status)).collect()
}
