//! Answering one view of one entity. Knows neither clock nor client.

use std::borrow::Cow;
use std::sync::Arc;

use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::plan::{Plan, Shift};
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::request::SentRow;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Edge, Reading, Status, Value};
use smallvec::SmallVec;

use super::frontier::t_of;
use super::layout::{FeatureLayout, Layout, Look, ViewLayout};
use super::range::{find, guess};
use super::{Scratch, Shard};
use crate::aggregate::{Accumulator, Collection, Form, answer, compared, last_n};
use crate::entity::{Page, newest_raw_word};
use crate::window::{AsOf, Instant, Pass, Seen, Shape, Snapshots, meant, resolve};

/// Which results of a view are read, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Index into the plan's views.
    pub view: usize,
    /// Indices among the view's results.
    pub results: Arc<[usize]>,
}

impl Selection {
    /// Every result of a view of `plan`.
    ///
    /// # Panics
    /// If the plan has no such view.
    #[must_use]
    pub fn whole(plan: &Plan, view: usize) -> Self {
        Self { view, results: (0..plan.views[view].results().count()).collect() }
    }

    /// Where `result` stands among the readings.
    #[must_use]
    pub fn place(&self, result: usize) -> Option<usize> {
        self.results.iter().position(|selected| *selected == result)
    }
}

/// A view of one entity at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewReading {
    /// The effective instant; the one asked for where it is out of range.
    pub instant: Timestamp,
    /// Whether it had to be rounded.
    pub edge: Edge,
    /// In the order of the selection.
    pub readings: Vec<Reading>,
    /// The control index in force.
    pub index: ControlIndex,
    /// The newest visible event that an answerable read can still see.
    pub newest_event: Option<Timestamp>,
    /// The range the entity lies in: its positions are the token.
    pub range: RangeId,
}

impl Shard {
    /// Reads every result of view `view` (an index into the plan of the key's range) of the entity with these canonical
    /// key bytes, with nothing sent; `None` where the range is not here or has no such view.
    pub fn read(&mut self, view: usize, key: &[u8], as_of: AsOf) -> Option<ViewReading> {
        self.read_with(view, key, as_of, SentRow::default())
    }

    /// The same with values that were sent for the entity.
    pub fn read_with(&mut self, view: usize, key: &[u8], as_of: AsOf, sent: SentRow<'_>) -> Option<ViewReading> {
        let at = self.find(KeyHash::of(key))?;
        let all = Arc::clone(&self.ranges[at].layout.views.get(view)?.all);
        self.read_results(view, &all, key, as_of, sent)
    }

    /// The same for some of the view's results, by their indices. No other is computed, unless one of these is derived
    /// from it.
    pub fn read_results(
        &mut self,
        view: usize,
        results: &[usize],
        key: &[u8],
        as_of: AsOf,
        sent: SentRow<'_>,
    ) -> Option<ViewReading> {
        let hash = KeyHash::of(key);
        let at = self.find(hash)?;
        let layout = Arc::clone(&self.ranges[at].layout);
        let plan = layout.views.get(view)?;
        let t_max = match as_of {
            AsOf::Now { clock } if plants::on(Plant::TFromWallClock) => clock,
            _ => t_of(self.frontiers.clocks(self.ranges[at].frontier), plan.source),
        };
        layout.bounds_of(plan, t_max, &mut self.scratch.bounds);
        let seen = self.fold_entity(at, &layout, plan, hash, key);
        let source = layout.plan.source_of(&layout.plan.views[view]);
        let asked_for = meant(as_of, seen, source.max_skew);
        let resolve = |asked_for| resolve(asked_for, seen, t_max, source.slack);
        let instant = resolve(asked_for);
        // Without the event that triggers the read, a feature answers as one tick before.
        let before = resolve(asked_for - Span::TICK);
        self.want(&layout, plan, results);
        let found = instant.filter(|instant| self.evaluate(at, &layout, plan, instant.at, before));
        let absent = if instant.is_none() { Status::OutOfRange } else { Status::NotFound };
        let is_outside = found.is_some_and(|instant| self.is_outside_max_age(at, &layout, plan, instant));
        let of_feature = |shard: &Self, feature: &FeatureLayout| match found {
            None => feature.answer.nothing(absent),
            Some(_) => shard.reading(&layout, plan, feature, before),
        };
        let mut readings = Vec::with_capacity(results.len());
        for result in results {
            readings.push(match plan.features.get(*result) {
                Some(feature) => of_feature(self, feature),
                None => self.derive(plan, *result, sent, of_feature)?,
            });
            if is_outside && !plan.is_of_request_alone[*result] {
                readings.last_mut().into_iter().for_each(age);
            }
        }
        let shown = match instant {
            Some(instant) => Instant { edge: plan.edge(instant, before), ..instant },
            None => Instant { at: asked(as_of), edge: Edge::Exact },
        };
        Some(ViewReading {
            instant: shown.at,
            edge: shown.edge,
            readings,
            index: layout.plan.index,
            newest_event: seen.newest,
            range: self.ranges[at].range,
        })
    }

    /// Looks at the words of pages that reads of these keys begin with. The looks do not depend on each other, so the
    /// processor waits for all of them at once, where reads would wait for one after the other.
    pub fn fetch_for_read<'k>(&self, keys: impl Iterator<Item = (usize, &'k [u8])>) {
        let page = |(view, key): (usize, &[u8])| {
            let hash = KeyHash::of(key);
            let state = &self.ranges[self.find(hash)?];
            let ladder = state.layout.views.get(view)?.ladders.start;
            let bucket = guess(&state.tables[ladder], hash)?;
            let entry = state.tables[ladder].get_bucket(bucket)?;
            Some((&state.layout.shapes[ladder], self.slab.words(entry.slot)))
        };
        let pages: SmallVec<[_; 16]> = keys.filter_map(page).collect();
        let looks = pages.iter().fold(0, |sum, (shape, words)| sum ^ words[0] ^ newest_raw_word(shape, words));
        std::hint::black_box(looks);
    }

    /// Folds the entity's pages to T, remembers where they are and says what they have seen.
    pub(super) fn fold_entity(
        &mut self,
        at: usize,
        layout: &Layout,
        view: &ViewLayout,
        hash: KeyHash,
        key: &[u8],
    ) -> Seen {
        let mut seen = Seen::default();
        self.scratch.buckets.clear();
        for ladder in view.ladders.clone() {
            let shape = &layout.shapes[ladder];
            let table = &mut self.ranges[at].tables[ladder];
            let bucket = find(table, shape, &self.slab, hash, key);
            self.scratch.buckets.push(bucket);
            let Some(entry) = bucket.and_then(|bucket| table.get_bucket_mut(bucket)) else { continue };
            let mut memory = self.slab.lend(&mut entry.slot);
            let mut page = Page::open(shape, &mut memory);
            page.fold(&self.scratch.bounds[ladder - view.ladders.start], &mut self.scratch.leaving);
            let event = |ts: Timestamp| Some(ts).filter(|ts| *ts > Timestamp::MIN);
            seen.newest = seen.newest.max(event(page.newest()));
            seen.newest_tiled = seen.newest_tiled.max(event(page.newest_tiled()));
        }
        seen
    }

    /// Marks the groups that these results look at.
    fn want(&mut self, layout: &Layout, view: &ViewLayout, results: &[usize]) {
        let groups = layout.shapes[view.ladders.clone()].iter().map(|shape| shape.groups.len()).sum::<usize>();
        let Scratch { wanted, snapshots, .. } = &mut self.scratch;
        wanted.clear();
        wanted.resize(groups, false);
        snapshots.resize_with(snapshots.len().max(groups), Snapshots::default);
        let needed = results.iter().filter_map(|result| view.needs.get(*result)).flatten();
        for feature in needed.filter_map(|needed| view.features.get(*needed)) {
            wanted[feature.own.group] = true;
            if let Some(baseline) = &feature.baseline {
                wanted[baseline.group] = true;
            }
        }
    }

    /// Evaluates the wanted groups of the entity folded last at one instant, those without the current event at what is
    /// `before` it; whether some ladder has a row in its longest window.
    fn evaluate(
        &mut self,
        at: usize,
        layout: &Layout,
        view: &ViewLayout,
        instant: Timestamp,
        before: Option<Instant>,
    ) -> bool {
        let shapes = &layout.shapes[view.ladders.clone()];
        let mut groups = self.scratch.snapshots.iter_mut().zip(&self.scratch.wanted);
        let mut found = false;
        for ((ladder, shape), bucket) in view.ladders.clone().zip(shapes).zip(&self.scratch.buckets) {
            let entry = bucket.and_then(|bucket| self.ranges[at].tables[ladder].get_bucket_mut(bucket));
            let mut memory = entry.map(|entry| self.slab.lend(&mut entry.slot));
            for (nth, (group, (out, is_wanted))) in shape.groups.iter().zip(groups.by_ref()).enumerate() {
                // The first group tells whether the entity is found, whatever is wanted.
                let tells = nth == 0 && !found;
                if !is_wanted && !tells {
                    continue;
                }
                let instant = match (group.sight.is_before, before) {
                    (false, _) => instant,
                    _ if plants::on(Plant::CurrentIncluded) => instant,
                    (true, Some(before)) => before.at,
                    (true, None) => continue,
                };
                match &mut memory {
                    Some(memory) => Page::open(shape, memory).read(group, instant, out),
                    None => Pass::start(out, shape, group, Form::Narrow, instant, |_| false).finish(),
                }
                if tells {
                    found |= shape.longest.is_some_and(|window| out.rows(shape, Some(window)) > 0);
                    found |= shape.lifetime && out.rows(shape, None) > 0;
                }
            }
        }
        found
    }

    /// Whether the newest row that the view can be found by is older than its `max_age`. Behind a rounded instant only
    /// tiles are known, so no age is judged there.
    fn is_outside_max_age(&mut self, at: usize, layout: &Layout, view: &ViewLayout, instant: Instant) -> bool {
        let (Some(max_age), Edge::Exact) = (view.max_age, instant.edge) else { return false };
        let newest = view.ladders.clone().zip(&self.scratch.buckets).filter_map(|(ladder, bucket)| {
            let shape = &layout.shapes[ladder];
            let entry = self.ranges[at].tables[ladder].get_bucket_mut((*bucket)?)?;
            let mut memory = self.slab.lend(&mut entry.slot);
            let page = Page::open(shape, &mut memory);
            let newest = page.newest_before(instant.at);
            // What has left the longest window may be forgotten at any time: it says nothing.
            (newest > Timestamp::MIN && page.finds(newest, instant.at)).then_some(newest)
        });
        newest.max().is_some_and(|newest| instant.at - newest > max_age)
    }

    /// A derived result, after all that it is derived from.
    fn derive(
        &mut self,
        view: &ViewLayout,
        result: usize,
        sent: SentRow<'_>,
        of_feature: impl Fn(&Self, &FeatureLayout) -> Reading,
    ) -> Option<Reading> {
        let mut known = std::mem::take(&mut self.scratch.readings);
        known.resize_with(view.needs.len(), not_computed);
        for needed in view.needs.get(result)? {
            known[*needed] = match view.features.get(*needed) {
                Some(feature) => of_feature(self, feature),
                None => view.derivations.answer(*needed - view.features.len(), &known, sent),
            };
        }
        let derived = known[result].clone();
        self.scratch.readings = known;
        Some(derived)
    }

    #[inline]
    fn reading(&self, layout: &Layout, view: &ViewLayout, feature: &FeatureLayout, before: Option<Instant>) -> Reading {
        if feature.shift == Shift::Current && before.is_none() {
            return feature.answer.nothing(Status::OutOfRange);
        }
        let shape = &layout.shapes[view.ladders.start + feature.ladder];
        let seen = |look: &Look| &self.scratch.snapshots[look.group];
        let (own, window) = (&feature.own, feature.own.target.window);
        let (mut is_cut, mut rounded) = (seen(own).is_cut(), seen(own).is_rounded(window));
        let (rows, collected) = held(shape, feature.column, own, seen(own));
        let mut reading = match (&feature.baseline, &collected) {
            (Some(baseline), Some(collected)) => {
                is_cut |= seen(baseline).is_cut();
                rounded |= seen(baseline).is_rounded(baseline.target.window);
                let (beside, _) = held(shape, feature.column, baseline, seen(baseline));
                compared(&feature.answer, &rows, collected, &beside)
            }
            _ => {
                let head = seen(own).head(&shape.groups[own.target.group], window);
                answer(&feature.answer, &rows, collected.as_deref(), head)
            }
        };
        reading.partial_coverage |= is_cut;
        reading.rounded = rounded;
        reading
    }
}

impl ViewLayout {
    /// Whether the head of some feature is not the one meant.
    fn edge(&self, instant: Instant, before: Option<Instant>) -> Edge {
        let is_rounded = before.is_some_and(|before| before.edge == Edge::Rounded)
            && self.features.iter().any(|feature| feature.shift == Shift::Current);
        if is_rounded { Edge::Rounded } else { instant.edge }
    }
}

/// What a window holds of a column: of all its rows, or of the last few.
#[inline]
fn held<'s>(
    shape: &Shape,
    column: usize,
    look: &Look,
    seen: &'s Snapshots,
) -> (Accumulator, Option<Cow<'s, Collection>>) {
    let rows = match shape.groups[look.target.group].sight.is_decaying() {
        true => seen.decayed(shape, column),
        false => seen.cell(shape, look.target.window, column),
    };
    let collected = look.gather.and_then(|gather| seen.collection(look.target.window, gather));
    match look.last_n {
        None => (rows, collected.map(Cow::Borrowed)),
        Some((n, asked)) => {
            let (rows, collected) = last_n(n, collected, rows.bad, asked);
            (rows, collected.map(Cow::Owned))
        }
    }
}

/// Stands where nothing was computed; only what is needed is looked at.
fn not_computed() -> Reading {
    let (value, status) = (Value::Null, Status::NotFound);
    Reading { value, status, inexact_input: false, partial_coverage: false, rounded: false }
}

/// An old value is still the value; that a default stands in is not to be hidden.
fn age(reading: &mut Reading) {
    if let Status::Present | Status::NullValue = reading.status {
        reading.status = Status::OutsideMaxAge;
    }
}

fn asked(as_of: AsOf) -> Timestamp {
    match as_of {
        AsOf::At(at) => at,
        AsOf::Now { clock } => clock,
    }
}
