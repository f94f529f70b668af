//! What was drawn and what was read, counted, so that agreement about nothing is not taken for agreement. Knows no
//! difference.

use std::collections::BTreeMap;

use featuregrid_oracle::Answer;
use featuregrid_protocol::limits::{BUCKETS_MAX, DISTINCT_EXACT_MAX};
use featuregrid_protocol::plan::{Items, Measure, Operator, Plan, Shift, ViewPlan, Window};
use featuregrid_protocol::position::PartitionCounters;
use featuregrid_protocol::time::Span;
use featuregrid_protocol::value::{Edge, Status, Value};
use serde::Serialize;

use super::log::Extent;
use super::training;

/// Counts by name.
pub type Histogram = BTreeMap<String, u64>;

/// All of them; the keys of `drawn` in a report.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    /// By operator and what it reads: values that a window answered.
    pub operators: Histogram,
    /// By kind: the same.
    pub windows: Histogram,
    /// How long windows are: the same.
    pub window_lengths: Histogram,
    /// From where windows are seen: the same.
    pub shifts: Histogram,
    /// Values by status, those that nothing was there for included.
    pub statuses: Histogram,
    /// Values that say more of themselves.
    pub flags: Histogram,
    /// Reads by how their instant was chosen.
    pub instants: Histogram,
    /// Cases by what their windows are counted in.
    pub scales: Histogram,
    /// Cases by their records.
    pub sizes: Histogram,
    /// Sources by how late an event may be.
    pub lateness: Histogram,
    /// Cases by how far behind the others a partition may be.
    pub lags: Histogram,
    /// Records by where they went.
    pub fates: Histogram,
    /// What else happened.
    pub events: Histogram,
}

/// The values of one case, counted by what is there before any name is written.
#[derive(Debug, Default)]
pub(super) struct Counted {
    by_operator: BTreeMap<(&'static str, &'static str), u64>,
    by_window: BTreeMap<&'static str, u64>,
    by_length: BTreeMap<&'static str, u64>,
    by_shift: BTreeMap<&'static str, u64>,
    by_status: BTreeMap<&'static str, u64>,
    by_flag: BTreeMap<&'static str, u64>,
    by_instant: BTreeMap<&'static str, u64>,
    /// Values that a window answered, and those that nothing was there for.
    pub(super) compared: u64,
    pub(super) absent: u64,
}

/// Whether there were rows to tell of at an instant that can be told of.
fn is_there(status: Status) -> bool {
    !matches!(status, Status::NotFound | Status::OutOfRange)
}

/// What a measure's values are.
fn read_by(measure: &Measure) -> &'static str {
    match measure.value {
        None => "rows",
        Some((_, Items::Numbers(_))) => "numbers",
        Some((_, Items::Truths)) => "truths",
        Some((_, Items::Texts)) => "texts",
    }
}

fn kind(window: Window) -> &'static str {
    match window {
        Window::Rolling { .. } => "rolling",
        Window::Exact { .. } => "exact",
        Window::Tumbling { .. } => "tumbling",
        Window::Complete { .. } => "complete",
        Window::Calendar { is_complete: false, .. } => "calendar",
        Window::Calendar { is_complete: true, .. } => "calendar last",
        Window::Session { is_last: false, .. } => "session",
        Window::Session { is_last: true, .. } => "session last",
        Window::Lifetime => "lifetime",
        Window::LastN { within: None, .. } => "last events",
        Window::LastN { within: Some(_), .. } => "last events within",
        Window::Decay(_) => "half-life",
    }
}

fn length(span: Span) -> &'static str {
    match span {
        Span(0) => "none",
        _ if span <= Span::seconds(10) => "up to 10s",
        _ if span <= Span::seconds(60) => "up to 1m",
        _ if span <= Span::seconds(3_600) => "up to 1h",
        _ if span <= Span::seconds(86_400) => "up to 1d",
        _ => "longer than 1d",
    }
}

fn size(records: u64) -> &'static str {
    match records {
        0..100 => "up to 99 records",
        100..240 => "up to 239 records",
        _ => "1500 to 3999 records",
    }
}

impl Counted {
    /// A read and its answer.
    pub(super) fn add(&mut self, chosen: &'static str, view: &ViewPlan, answer: &Answer) {
        *self.by_instant.entry(chosen).or_default() += 1;
        if answer.edge == Edge::Rounded {
            *self.by_instant.entry("(rounded)").or_default() += 1;
        }
        for reading in &answer.readings {
            *self.by_status.entry(reading.status.name()).or_default() += 1;
            *if is_there(reading.status) { &mut self.compared } else { &mut self.absent } += 1;
            let flags = [
                ("inexact input", reading.inexact_input),
                ("partial coverage", reading.partial_coverage),
                ("rounded tail", reading.rounded),
            ];
            flags.iter().filter(|(_, is_set)| *is_set).for_each(|(name, _)| self.flag(name, 1));
        }
        let mut many = Vec::new();
        let told = view.features.iter().zip(&answer.readings).filter(|(_, reading)| is_there(reading.status));
        for (feature, reading) in told.clone() {
            let column = view.ladders[feature.ladder].columns[feature.column];
            let reads = read_by(&view.measures[column.measure]);
            *self.by_operator.entry((feature.operator.name(), reads)).or_default() += 1;
            *self.by_window.entry(kind(feature.window)).or_default() += 1;
            *self.by_length.entry(feature.window.span().map_or("no length", length)).or_default() += 1;
            let shift = match feature.shift {
                Shift::Nothing => "at the instant",
                Shift::Current => "without the current event",
                Shift::Back(_) => "back",
            };
            *self.by_shift.entry(shift).or_default() += 1;
            if let (Operator::DistinctCount, Value::Int(different)) = (feature.operator, &reading.value) {
                self.flag("estimated count", u64::from(*different > DISTINCT_EXACT_MAX as i128));
                // An estimate: so many more that there certainly are more.
                let certain = BUCKETS_MAX + BUCKETS_MAX / 4;
                many.extend((*different > certain as i128).then_some((column.measure, feature.window)));
            }
        }
        let bucketed = told.filter(|(feature, _)| {
            let measure = view.ladders[feature.ladder].columns[feature.column].measure;
            let is_percentile = matches!(feature.operator, Operator::Percentile(_) | Operator::Median);
            is_percentile && many.contains(&(measure, feature.window))
        });
        self.flag("percentile of buckets", bucketed.count() as u64);
        let derived = answer.readings.iter().skip(view.features.len()).filter(|reading| is_there(reading.status));
        *self.by_operator.entry(("derived", "results")).or_default() += derived.count() as u64;
    }

    fn flag(&mut self, name: &'static str, times: u64) {
        *self.by_flag.entry(name).or_default() += times;
    }
}

impl Tally {
    /// What a case was drawn with.
    pub(super) fn drawn(&mut self, extent: &Extent, plan: &Plan) {
        count(&mut self.scales, extent.scale, 1);
        count(&mut self.sizes, size(extent.records), 1);
        count(&mut self.lags, length(extent.lag), 1);
        for source in &plan.sources {
            count(&mut self.lateness, length(source.allowed_lateness), 1);
            let is_long = source.allowed_lateness.0 >= extent.longest.0;
            count(&mut self.lateness, "as long as the longest window, or longer", u64::from(is_long));
        }
    }

    /// What a case read.
    pub(super) fn read(&mut self, counted: &Counted) {
        for ((operator, reads), times) in &counted.by_operator {
            count(&mut self.operators, &format!("{operator} of {reads}"), *times);
        }
        let all = [
            (&mut self.windows, &counted.by_window),
            (&mut self.window_lengths, &counted.by_length),
            (&mut self.shifts, &counted.by_shift),
            (&mut self.statuses, &counted.by_status),
            (&mut self.flags, &counted.by_flag),
            (&mut self.instants, &counted.by_instant),
        ];
        for (histogram, counted) in all {
            counted.iter().for_each(|(name, times)| count(histogram, name, *times));
        }
    }

    /// Where the records of a case went.
    pub(super) fn went(&mut self, counters: &PartitionCounters) {
        let PartitionCounters { late, dead_lettered, tombstones, unmatched, routed, .. } = *counters;
        let fates = [
            ("late", late),
            ("dead", dead_lettered),
            ("tombstone", tombstones),
            ("unmatched", unmatched),
            ("routed", routed),
        ];
        fates.into_iter().for_each(|(name, times)| count(&mut self.fates, name, times));
    }

    /// Something that happened so often.
    pub(super) fn happened(&mut self, what: &'static str, times: u64) {
        count(&mut self.events, what, times);
    }

    /// Rows of training sets.
    pub(super) fn trained(&mut self, training: &training::Tally) {
        let training::Tally { known, happened, differ, out_of_range, rounded } = *training;
        let counts = [
            ("training rows as known", known),
            ("training rows as happened", happened),
            ("training rows of which both differ", differ),
            ("training rows out of range", out_of_range),
            ("training rows with a rounded instant", rounded),
        ];
        counts.into_iter().for_each(|(name, times)| self.happened(name, times));
    }

    /// Every histogram with its name.
    pub fn histograms(&self) -> impl Iterator<Item = (&'static str, &Histogram)> {
        [
            ("operators", &self.operators),
            ("windows", &self.windows),
            ("window_lengths", &self.window_lengths),
            ("shifts", &self.shifts),
            ("statuses", &self.statuses),
            ("flags", &self.flags),
            ("instants", &self.instants),
            ("scales", &self.scales),
            ("sizes", &self.sizes),
            ("lateness", &self.lateness),
            ("lags", &self.lags),
            ("fates", &self.fates),
            ("events", &self.events),
        ]
        .into_iter()
    }
}

fn count(histogram: &mut Histogram, name: &str, times: u64) {
    if let Some(counted) = histogram.get_mut(name) {
        *counted += times;
    } else if times > 0 {
        histogram.insert(name.to_owned(), times);
    }
}
