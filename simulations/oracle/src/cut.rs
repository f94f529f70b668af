//! The state of the grid at one control index and one token, and what reads answer there. Knows no later record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use featuregrid_protocol::ids::{ControlIndex, PartitionId, SourceId};
use featuregrid_protocol::limits;
use featuregrid_protocol::plan::{Feature, LadderPlan, Plan, Shift, ViewPlan, Window};
use featuregrid_protocol::position::{OffsetVector, PartitionCounters};
use featuregrid_protocol::request::Sent;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Edge, Reading, Status, Value};

use crate::OracleError;
use crate::derived;
use crate::feature;
use crate::fold::Fold;
use crate::judge::Row;
use crate::window;

/// What a window holds, seen from some instant.
#[derive(Clone, Copy)]
struct Reach {
    start: Timestamp,
    /// Not in it.
    end: Timestamp,
    /// More rows than are kept one by one lie about the start, which was rounded.
    rounded: bool,
    /// It may have begun earlier.
    is_cut: bool,
}

impl From<(Timestamp, Timestamp)> for Reach {
    fn from((start, end): (Timestamp, Timestamp)) -> Self {
        Self { start, end, rounded: false, is_cut: false }
    }
}

impl Reach {
    /// Of a window seen from `at`, among rows of these times.
    fn of(window: Window, at: Timestamp, times: impl Iterator<Item = Timestamp>) -> Self {
        if let Window::Exact { span, hop } = window {
            let (start, rounded) = window::begin_exact((span, hop), at, times);
            return Self { rounded, ..Self::from((start, at)) };
        }
        let edges = window::edges(window, at, times);
        Self { is_cut: window::is_cut(window, at, edges), ..Self::from(edges) }
    }
}

/// The instant a read asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// This one.
    At(Timestamp),
    /// The clock of the node that received the request; an event slightly ahead of it is still seen.
    Now(Timestamp),
}

/// What a read of one view must answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The effective instant.
    pub instant: Timestamp,
    /// Whether it was rounded.
    pub edge: Edge,
    /// One per feature of the view, in order of definition, then one per derived feature.
    pub readings: Vec<Reading>,
}

/// F(control log cut at an index, a token).
#[derive(Clone, Debug)]
pub struct Cut<'a> {
    plan: &'a Arc<Plan>,
    fold: &'a Fold,
    v: OffsetVector,
}

impl<'a> Cut<'a> {
    pub(crate) fn new(plan: &'a Arc<Plan>, fold: &'a Fold, v: OffsetVector) -> Self {
        Self { plan, fold, v }
    }

    /// The definitions in force.
    #[must_use]
    pub fn plan(&self) -> &'a Arc<Plan> {
        self.plan
    }

    /// T(v) of a source: its largest accepted event time; [`Timestamp::MIN`] if none.
    #[must_use]
    pub fn t_max(&self, source: SourceId) -> Timestamp {
        self.fold.t_max(&self.v, source)
    }

    /// Where every record below the token went, per partition.
    #[must_use]
    pub fn accounting(&self) -> BTreeMap<PartitionId, PartitionCounters> {
        self.fold.accounting(&self.v)
    }

    /// The accounting of all partitions together.
    #[must_use]
    pub fn totals(&self) -> PartitionCounters {
        let mut totals = PartitionCounters::default();
        for counters in self.accounting().values() {
            totals += counters;
        }
        totals
    }

    /// How many rows the view holds or has held: its records less those it rejected and those that repeat another.
    ///
    /// # Errors
    /// [`OracleError::UnknownView`] when the plan has no such view.
    pub fn applied(&self, view: &str) -> Result<u64, OracleError> {
        let id = self.view(view)?.id;
        let taken = self.totals().views.get(&id).map_or(0, |counters| counters.rows - counters.rejected);
        Ok(taken - self.fold.duplicates(&self.v, id))
    }

    /// How many records the view took and did not apply, because they repeat the event id of another.
    ///
    /// # Errors
    /// [`OracleError::UnknownView`] when the plan has no such view.
    pub fn duplicates(&self, view: &str) -> Result<u64, OracleError> {
        Ok(self.fold.duplicates(&self.v, self.view(view)?.id))
    }

    /// [`Cut::applied`] for the keys that `holds` (their canonical bytes) is true of: one range, say.
    ///
    /// # Errors
    /// [`OracleError::UnknownView`] when the plan has no such view.
    pub fn rows(&self, view: &str, holds: impl Fn(&[u8]) -> bool) -> Result<u64, OracleError> {
        let keys = self.fold.keys(self.view(view)?.id);
        let visible = |rows: &[Row]| rows.iter().filter(|row| row.at.offset < self.v.get(row.at.partition)).count();
        Ok(keys.into_iter().flatten().filter(|(key, _)| holds(key)).map(|(_, rows)| visible(rows) as u64).sum())
    }

    /// The canonical key bytes of every key with a row in the view, in ascending order.
    ///
    /// # Errors
    /// [`OracleError::UnknownView`] when the plan has no such view.
    pub fn keys(&self, view: &str) -> Result<impl Iterator<Item = &'a [u8]> + '_, OracleError> {
        let keys = self.fold.keys(self.view(view)?.id);
        let visible = |rows: &[Row]| rows.iter().any(|row| row.at.offset < self.v.get(row.at.partition));
        Ok(keys.into_iter().flatten().filter(move |(_, rows)| visible(rows)).map(|(key, _)| key.as_slice()))
    }

    /// What a read of the view's features for a key (canonical bytes, see [`featuregrid_protocol::key::encode`]) must
    /// answer that sends no request value.
    ///
    /// # Errors
    /// [`OracleError::UnknownView`] when the plan has no such view.
    pub fn read(&self, view: &str, key: &[u8], as_of: AsOf) -> Result<Answer, OracleError> {
        self.read_with(view, key, as_of, &[])
    }

    /// The same of a read that sends these values, in the order in which the view declares them; those that are missing
    /// are null.
    ///
    /// # Errors
    /// [`OracleError::UnknownView`] when the plan has no such view.
    pub fn read_with(&self, view: &str, key: &[u8], as_of: AsOf, sent: &[Sent]) -> Result<Answer, OracleError> {
        self.answer(view, key, as_of, sent, false)
    }

    /// What a training set must answer for `as_of` as it happened: every row counts whenever it came, and the instant is
    /// exact however far back it lies.
    ///
    /// # Errors
    /// [`OracleError::UnknownView`] when the plan has no such view.
    pub fn happened(&self, view: &str, key: &[u8], as_of: Timestamp) -> Result<Answer, OracleError> {
        self.answer(view, key, AsOf::At(as_of), &[], true)
    }

    fn answer(
        &self,
        view: &str,
        key: &[u8],
        as_of: AsOf,
        sent: &[Sent],
        is_exact: bool,
    ) -> Result<Answer, OracleError> {
        let view = self.view(view)?;
        let rows = self.fold.keys(view.id).and_then(|keys| keys.get(key)).map_or(&[][..], Vec::as_slice);
        let visible: Vec<&Row> = rows.iter().filter(|row| row.at.offset < self.v.get(row.at.partition)).collect();
        let ladders: Vec<Vec<&Row>> = view.ladders.iter().map(|ladder| self.rows_of(ladder, &visible)).collect();

        let source = &self.plan.sources[usize::from(view.source.0)];
        // With nothing folded away no instant is out of range, and none is blurred.
        let t_max = if is_exact { Timestamp::MIN } else { self.t_max(view.source) };
        let nothing = |status| {
            let partial = view.features.iter().map(|feature| is_partial(view, feature));
            with_derived(view, partial.map(|partial| nothing(status, partial)).collect(), sent)
        };
        let asked = asked(&ladders, as_of, source.max_skew);
        if asked < t_max - source.slack {
            // The instant is the one of the request: what the key has seen is of no use to anybody there.
            let (AsOf::At(instant) | AsOf::Now(instant)) = as_of;
            return Ok(Answer { instant, edge: Edge::Exact, readings: nothing(Status::OutOfRange) });
        }
        let raw_for = limits::SLACK_EXACT.min(source.slack);
        let settled = |asked: Timestamp| {
            let is_blurred = !is_exact && ladders.iter().any(|rows| newest_tiled(rows, t_max - raw_for) >= Some(asked));
            if is_blurred { (window::floor(asked, limits::INSTANT_STEP), Edge::Rounded) } else { (asked, Edge::Exact) }
        };
        let (instant, edge) = settled(asked);
        // Without the event that triggers the read, a feature answers as one tick before.
        let before = Some(asked - Span::TICK).filter(|before| *before >= t_max - source.slack).map(settled);
        let is_used = view.features.iter().any(|feature| feature.shift == Shift::Current);
        let is_edge_rounded = edge == Edge::Rounded || is_used && before.is_some_and(|(_, edge)| edge == Edge::Rounded);
        let shown_edge = if is_edge_rounded { Edge::Rounded } else { Edge::Exact };

        let found = view.ladders.iter().zip(&ladders).flat_map(|(ladder, rows)| {
            let tail = longest_tail(ladder, rows, instant);
            rows.iter().filter(move |row| tail <= row.ts && row.ts < instant)
        });
        let Some(newest) = found.map(|row| row.ts).max() else {
            return Ok(Answer { instant, edge: shown_edge, readings: nothing(Status::NotFound) });
        };
        // Behind a rounded instant only tiles are known, so no age is judged there.
        let is_outside = edge == Edge::Exact && view.max_age.is_some_and(|max_age| instant - newest > max_age);
        // Features ask of the same windows, and it takes long to find where a month or a session began.
        let mut known: Vec<((usize, Window, Timestamp), Reach)> = Vec::new();
        let mut reach = |feature: &Feature, window: Window| {
            let at = match feature.shift {
                Shift::Nothing => instant,
                Shift::Current => before?.0,
                Shift::Back(back) => return Some(Reach::from(window::edges_back(window, back, instant))),
            };
            let asked = (feature.ladder, window, at);
            let found = known.iter().find(|(other, _)| *other == asked).map(|(_, reach)| *reach);
            let times = ladders.get(feature.ladder).into_iter().flatten().map(|row| row.ts);
            let reach = found.unwrap_or_else(|| Reach::of(window, at, times));
            known.extend(found.is_none().then_some((asked, reach)));
            Some(reach)
        };
        let readings = view.features.iter().map(|feature| {
            let rows = ladders.get(feature.ladder).map_or(&[][..], Vec::as_slice);
            let baseline = feature.operator.baseline().and_then(|baseline| reach(feature, baseline.window));
            let reading = match reach(feature, feature.window) {
                None => self::nothing(Status::OutOfRange, is_partial(view, feature)),
                Some(own) => self.feature(view, feature, rows, own, baseline),
            };
            defaulted(reading, feature)
        });
        let readings = with_derived(view, readings.collect(), sent);
        // What was sent with the read is as old as the read, whatever the entity's newest event is.
        let readings = readings.into_iter().enumerate().map(|(result, reading)| {
            if derived::is_of_the_entity(view, result) { aged(reading, is_outside) } else { reading }
        });
        Ok(Answer { instant, edge: shown_edge, readings: readings.collect() })
    }

    fn view(&self, name: &str) -> Result<&'a ViewPlan, OracleError> {
        self.plan
            .views
            .iter()
            .find(|view| view.name == name)
            .ok_or_else(|| OracleError::UnknownView { index: self.plan.index, view: name.to_owned() })
    }

    /// Whether a row lies at or after the activation of an entry.
    fn follows(&self, row: &Row, index: ControlIndex) -> bool {
        row.at.offset >= self.fold.begins(index, row.at.partition)
    }

    /// The rows a ladder holds: those since its first column, the rows themselves, is kept.
    fn rows_of<'r>(&self, ladder: &LadderPlan, visible: &[&'r Row]) -> Vec<&'r Row> {
        let since = ladder.columns.first().map_or(self.plan.index, |column| column.since);
        visible.iter().filter(|row| self.follows(row, since)).copied().collect()
    }

    fn feature(
        &self,
        view: &ViewPlan,
        feature: &Feature,
        rows: &[&Row],
        own: Reach,
        baseline: Option<Reach>,
    ) -> Reading {
        let column = view.ladders[feature.ladder].columns[feature.column];
        let measure = &view.measures[column.measure];
        let inputs = |Reach { start, end, .. }: Reach| -> Vec<feature::Placed> {
            rows.iter()
                .filter(|row| self.follows(row, column.since) && start <= row.ts && row.ts < end)
                .filter_map(|row| Some((row.ts, row.at, row.input(measure.id)?.clone())))
                .collect()
        };
        let reaches = || [own].into_iter().chain(baseline);
        let question = feature::Question {
            operator: feature.operator,
            items: measure.items(),
            window: feature.window,
            end: own.end,
            baseline: baseline.map_or((own.end, Vec::new()), |baseline| (baseline.end, inputs(baseline))),
            partial_coverage: is_partial(view, feature) || reaches().any(|reach| reach.is_cut),
            rounded: reaches().any(|reach| reach.rounded),
        };
        feature::answer(&question, inputs(own))
    }
}

/// The instant before any rounding.
fn asked(ladders: &[Vec<&Row>], as_of: AsOf, max_skew: Span) -> Timestamp {
    match as_of {
        AsOf::At(t) => t,
        AsOf::Now(clock) => match ladders.iter().flatten().map(|row| row.ts).max() {
            Some(newest) if newest - clock <= max_skew => clock.max(newest + Span::TICK),
            _ => clock,
        },
    }
}

/// Whether a feature's column began at an activation, so that earlier rows are not in it.
fn is_partial(view: &ViewPlan, feature: &Feature) -> bool {
    view.ladders[feature.ladder].columns[feature.column].since > ControlIndex(0)
}

/// The features of a view and, behind them, what is derived from them.
fn with_derived(view: &ViewPlan, mut readings: Vec<Reading>, sent: &[Sent]) -> Vec<Reading> {
    for derived in &view.derived {
        readings.push(derived::answer(view, derived, &readings, sent));
    }
    readings
}

/// What stands in where there is no value.
fn defaulted(reading: Reading, feature: &Feature) -> Reading {
    match &feature.default {
        Some(default) if reading.status == Status::NullValue => {
            Reading { value: feature::default(feature.operator, default), status: Status::Defaulted, ..reading }
        }
        _ => reading,
    }
}

/// An old value is still the value; that a default stands in, or that there was too much to tell, is not to be hidden.
fn aged(reading: Reading, is_outside: bool) -> Reading {
    match reading.status {
        Status::Present | Status::NullValue if is_outside => Reading { status: Status::OutsideMaxAge, ..reading },
        _ => reading,
    }
}

/// A feature without a value, for a reason that all features of the view share.
fn nothing(status: Status, partial_coverage: bool) -> Reading {
    Reading { value: Value::Null, status, inexact_input: false, partial_coverage, rounded: false }
}

/// Where the longest window of a ladder begins, seen from `t`: a row in none shorter is still found there.
fn longest_tail(ladder: &LadderPlan, rows: &[&Row], t: Timestamp) -> Timestamp {
    match ladder.levels.last() {
        Some(level) if ladder.exact => window::begin_exact((level.span, level.hop), t, rows.iter().map(|row| row.ts)).0,
        Some(level) if !ladder.lifetime => window::floor(t - level.span, level.hop),
        _ => Timestamp::MIN,
    }
}

/// The newest event time that is no longer raw: raw are the newest rows in total order that are not older than
/// `raw_since`, at most so many.
fn newest_tiled(rows: &[&Row], raw_since: Timestamp) -> Option<Timestamp> {
    let mut newest_first: Vec<&&Row> = rows.iter().collect();
    newest_first.sort_by_key(|row| std::cmp::Reverse((row.ts, row.at)));
    let raw: BTreeSet<_> =
        newest_first.iter().take(limits::RAW_ROWS_MAX).filter(|row| row.ts >= raw_since).map(|row| row.at).collect();
    newest_first.iter().filter(|row| !raw.contains(&row.at)).map(|row| row.ts).max()
}
