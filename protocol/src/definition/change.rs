//! What a change of definitions does to values: at once, from its activation on, or for ever. Knows no grid: both plans
//! are given, the later one compiled after the other.

use std::fmt;

use crate::expression::canonical;
use crate::ids::{ColumnId, ControlIndex};
use crate::plan::{Decay, Given, Plan, ServiceResult, SourcePlan, ViewPlan, Window};

/// One difference between two plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was done.
    pub kind: ChangeKind,
    /// To what: `feature user_spend:spend_5m`.
    pub subject: String,
    /// When readers see it, and with which history.
    pub effect: Effect,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It means something else.
    Changed,
    /// It is gone.
    Removed,
}

impl ChangeKind {
    /// The name in the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// When a change is seen, and with which history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// With the whole history.
    AtOnce,
    /// Only events from its activation on count.
    FromActivation,
    /// From the earliest records its topic holds.
    FromEarliest,
    /// What it kept is gone: coming back, it begins anew.
    Forgotten,
}

impl Effect {
    /// The name in the command line's JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AtOnce => "at_once",
            Self::FromActivation => "from_activation",
            Self::FromEarliest => "from_earliest",
            Self::Forgotten => "forgotten",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtOnce => "at once, with its whole history",
            Self::FromActivation => "kept from its activation on",
            Self::FromEarliest => "from the earliest records of its topic",
            Self::Forgotten => "what it kept is forgotten",
        })
    }
}

/// What differs in `new`, which was compiled after `old`: sources, views with their results, services.
#[must_use]
pub fn changes(old: &Plan, new: &Plan) -> Vec<Change> {
    let mut found = Found::default();
    for source in &new.sources {
        match old.sources.iter().find(|before| before.name == source.name) {
            None => found.add(ChangeKind::Added, format!("source {}", source.name), Effect::FromEarliest),
            Some(before) => found.source(before, source),
        }
    }
    for view in &new.views {
        match old.view(&view.name) {
            None => {
                let is_known = old.sources.iter().any(|source| source.name == new.source_of(view).name);
                let effect = if is_known { Effect::FromActivation } else { Effect::FromEarliest };
                found.add(ChangeKind::Added, format!("view {}", view.name), effect);
            }
            Some(before) => found.view(before, view, new.index),
        }
    }
    for view in old.views.iter().filter(|view| new.view(&view.name).is_none()) {
        found.add(ChangeKind::Removed, format!("view {}", view.name), Effect::Forgotten);
    }
    found.services(old, new);
    found.0
}

#[derive(Default)]
struct Found(Vec<Change>);

impl Found {
    fn add(&mut self, kind: ChangeKind, subject: String, effect: Effect) {
        self.0.push(Change { kind, subject, effect });
    }

    /// What else of a source could differ is refused, or is seen where a feature uses it.
    fn source(&mut self, before: &SourcePlan, now: &SourcePlan) {
        let keys =
            [("late_policy", before.late_policy != now.late_policy), ("event_id", before.event_id != now.event_id)];
        for (key, _) in keys.into_iter().filter(|(_, differs)| *differs) {
            self.add(ChangeKind::Changed, format!("{key} of source {}", now.name), Effect::FromActivation);
        }
    }

    fn view(&mut self, before: &ViewPlan, now: &ViewPlan, index: ControlIndex) {
        let rows = |view: &ViewPlan| view.measures.first().map(|measure| measure.id);
        if before.id != now.id || rows(before) != rows(now) {
            // Other keys, another filter: none of its results means what it meant.
            self.add(ChangeKind::Changed, format!("view {}", now.name), Effect::FromActivation);
            return;
        }
        if before.max_age != now.max_age {
            self.add(ChangeKind::Changed, format!("max_age of view {}", now.name), Effect::AtOnce);
        }
        self.request(before, now);
        let (old, new) = (meanings(before), meanings(now));
        for (place, (name, meaning)) in new.iter().enumerate() {
            let subject = format!("feature {}:{name}", now.name);
            let effect = if begins(now, place) == index { Effect::FromActivation } else { Effect::AtOnce };
            match old.iter().find(|(other, _)| other == name) {
                None => self.add(ChangeKind::Added, subject, effect),
                Some((_, other)) if other != meaning => self.add(ChangeKind::Changed, subject, effect),
                Some(_) => {}
            }
        }
        for (place, (name, _)) in old.iter().enumerate().filter(|(_, (name, _))| now.result_index(name).is_none()) {
            let kept = before.features.get(place).is_none_or(|feature| {
                let column = before.measures[before.ladders[feature.ladder].columns[feature.column].measure].id;
                keeps(now, column)
            });
            let effect = if kept { Effect::AtOnce } else { Effect::Forgotten };
            self.add(ChangeKind::Removed, format!("feature {}:{name}", now.name), effect);
        }
    }

    /// What a read may send is kept by nobody.
    fn request(&mut self, before: &ViewPlan, now: &ViewPlan) {
        let subject = |name: &str| format!("request value {}:{name}", now.name);
        for value in &now.request {
            match before.request.iter().find(|other| other.name == value.name) {
                None => self.add(ChangeKind::Added, subject(&value.name), Effect::AtOnce),
                Some(other) if other.kind != value.kind => {
                    self.add(ChangeKind::Changed, subject(&value.name), Effect::AtOnce);
                }
                Some(_) => {}
            }
        }
        let is_gone = |name: &str| now.request.iter().all(|value| value.name != name);
        for value in before.request.iter().filter(|value| is_gone(&value.name)) {
            self.add(ChangeKind::Removed, subject(&value.name), Effect::AtOnce);
        }
    }

    fn services(&mut self, old: &Plan, new: &Plan) {
        let names = |plan: &Plan, results: &[ServiceResult]| -> Vec<String> {
            let name = |result: &ServiceResult| {
                let view = &plan.views[result.view];
                format!("{}:{}", view.name, view.results().nth(result.result).unwrap_or_default())
            };
            results.iter().map(name).collect()
        };
        for service in &new.services {
            let subject = format!("service {}", service.name);
            match old.service(&service.name) {
                None => self.add(ChangeKind::Added, subject, Effect::AtOnce),
                Some(before) if names(old, &before.results) != names(new, &service.results) => {
                    self.add(ChangeKind::Changed, subject, Effect::AtOnce);
                }
                Some(_) => {}
            }
        }
        for service in old.services.iter().filter(|service| new.service(&service.name).is_none()) {
            self.add(ChangeKind::Removed, format!("service {}", service.name), Effect::AtOnce);
        }
    }
}

/// Every result by name, and a text that is equal where it means the same.
fn meanings(view: &ViewPlan) -> Vec<(&str, String)> {
    let features = view.features.iter().map(|feature| {
        let column = view.ladders[feature.ladder].columns[feature.column];
        let (operator, measure) = (feature.operator, view.measures[column.measure].id);
        let window = match feature.window {
            Window::Lifetime => "lifetime".to_owned(),
            Window::LastN { n, within } => format!("the last {n} within {within:?}"),
            Window::Decay(Decay { half_life }) => format!("decaying by half in {half_life}"),
            Window::Rolling { span, hop } => format!("{span} by {hop}"),
            Window::Exact { span, hop } => format!("{span} exact, by {hop}"),
            Window::Calendar { calendar, is_complete } => format!("{calendar:?} {is_complete}"),
            Window::Session { session, is_last } => format!("{session:?} {is_last}"),
            Window::Tumbling { span } => format!("tumbling {span}"),
            Window::Complete { span, every, ago } => format!("complete {span} every {every} {ago} ago"),
        };
        let shift = feature.shift;
        format!("{operator:?} of {measure} over {window} shifted {shift:?} default {:?}", feature.default)
    });
    let derived = view.derived.iter().map(|derived| {
        let input = |input| match view.given(input) {
            Given::Result(result) => view.results().nth(result).unwrap_or_default().to_owned(),
            Given::Sent(sent) => format!("request.{}", view.request.get(sent).map_or("", |value| &value.name)),
        };
        format!("{} default {:?}", canonical(&derived.formula, &input), derived.default)
    });
    view.results().zip(features.chain(derived)).collect()
}

/// Since when a result counts: of a derived one, since the last of what it uses.
fn begins(view: &ViewPlan, result: usize) -> ControlIndex {
    match view.features.get(result) {
        Some(feature) => view.ladders[feature.ladder].columns[feature.column].since,
        None => view
            .derived
            .get(result - view.features.len())
            .into_iter()
            .flat_map(|derived| derived.formula.inputs())
            .filter_map(|(input, _)| match view.given(input) {
                Given::Result(used) => Some(begins(view, used)),
                Given::Sent(_) => None,
            })
            .max()
            .unwrap_or_default(),
    }
}

fn keeps(view: &ViewPlan, column: ColumnId) -> bool {
    view.ladders.iter().flat_map(|ladder| &ladder.columns).any(|kept| view.measures[kept.measure].id == column)
}
