//! A draft to a plan: names are looked up, types decided, columns shared, ladders planned. Knows no YAML.

mod canonical;
mod constant;
mod derived;
mod fields;
mod ladder;
mod planning;
mod service;
mod unchanged;
mod view;

use std::collections::BTreeMap;

use self::fields::Fields;
use super::draft::{Draft, SourceDraft, View};
use super::mistake::{Notes, quoted};
use super::place::{Mark, Word};
use crate::ids::{ControlIndex, SourceId};
use crate::limits;
use crate::plan::{FieldKind, FieldPlan, Plan, SourcePlan};

/// `None` where something is missing; what is wrong stands in `notes`.
pub(super) fn plan(draft: &Draft, previous: Option<&Plan>, index: ControlIndex, notes: &mut Notes) -> Option<Plan> {
    let sources = in_order(draft, previous, notes);
    let mut fields: Vec<Fields<'_>> =
        sources.iter().map(|source| Fields::new(source.and_then(|source| source.fields.as_deref()), notes)).collect();
    let mut resolved = Vec::new();
    for view in draft.views.iter().flatten() {
        let Some(at) = find_source(view, &sources, notes) else { continue };
        resolved.extend(view::resolve(draft, view, SourceId(at as u16), &mut fields[at], notes));
    }
    if let (Some(project), Some(previous)) = (&draft.project, previous) {
        unchanged::check(project, &sources, previous, notes);
    }
    service::check_views(draft, notes);
    let sources: Vec<SourcePlan> =
        sources.into_iter().map(|source| source.and_then(source_plan)).collect::<Option<_>>()?;
    resolved.sort_by(|left, right| left.name.value.cmp(&right.name.value));
    let views = resolved.into_iter().map(|view| {
        let before = previous.and_then(|plan| plan.views.iter().find(|before| before.id == view.id));
        let slack = sources[usize::from(view.source.0)].slack;
        planning::plan(view, before, slack, index, notes)
    });
    let views: Vec<_> = views.collect();
    let services = draft.services.iter().map(|service| service::resolve(service, &views, notes)).collect();
    Some(Plan { index, project: draft.project.as_ref()?.value.clone(), sources, views, services })
}

/// The sources by id: those of the plan before at their places, then new ones by name. One that could not be read, or
/// is gone, is `None`: something about it is noted.
fn in_order<'d>(draft: &'d Draft, previous: Option<&Plan>, notes: &mut Notes) -> Vec<Option<&'d SourceDraft>> {
    let Some(drafts) = &draft.sources else { return Vec::new() };
    let find = |name: &str| drafts.iter().find(|source| source.name.value == name);
    let known = previous.map_or(&[][..], |plan| &plan.sources);
    let mut sources: Vec<Option<&SourceDraft>> = known.iter().map(|source| find(&source.name)).collect();
    for (source, _) in known.iter().zip(&sources).filter(|(_, found)| found.is_none()) {
        // Its offsets are part of every token and page; a source that nobody uses costs next to nothing.
        let message = format!("source {} is gone; keep it, without views if nobody needs it", quoted(&source.name));
        notes.add(drafts.first().map_or(Mark::START, |source| source.name.at), message);
    }
    let mut new: Vec<&SourceDraft> =
        drafts.iter().filter(|source| !known.iter().any(|known| known.name == source.name.value)).collect();
    new.sort_by(|left, right| left.name.value.cmp(&right.name.value));
    sources.extend(new.into_iter().map(Some));
    if let Some(extra) = sources.get(limits::SOURCES_MAX).copied().flatten() {
        notes.add(extra.name.at, format!("a project has at most {} sources", limits::SOURCES_MAX));
        sources.truncate(limits::SOURCES_MAX);
    }
    check_topics(&sources, notes);
    sources
}

/// One topic is one source: its records are decoded once and are late by one rule.
fn check_topics(sources: &[Option<&SourceDraft>], notes: &mut Notes) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for source in sources.iter().flatten() {
        let Some(topic) = &source.topic else { continue };
        if let Some(other) = seen.insert(&topic.value, &source.name.value) {
            let message = format!(
                "topic {} is read by source {} already; put the views there, or write another topic",
                quoted(&topic.value),
                quoted(other)
            );
            notes.add(topic.at, message);
        }
    }
}

/// Where a view's source stands; a name that is none is noted.
fn find_source(view: &View, sources: &[Option<&SourceDraft>], notes: &mut Notes) -> Option<usize> {
    let word = view.source.as_ref()?;
    let names = || sources.iter().flatten().map(|source| source.name.value.as_str());
    let found = sources.iter().position(|source| source.is_some_and(|source| source.name.value == word.value));
    if found.is_none() && !sources.is_empty() {
        let message =
            format!("feature view {}, `source`: {} is no source", quoted(&view.name.value), quoted(&word.value));
        notes.unknown(word.at, message, &word.value, names());
    }
    found
}

fn source_plan(draft: &SourceDraft) -> Option<SourcePlan> {
    let declared = |field: &super::draft::Field| match &field.origin {
        super::draft::Origin::Path(path) => {
            Some(FieldPlan { name: field.name.value.clone(), path: path.clone(), kind: declared_kind(field) })
        }
        super::draft::Origin::Computed(_) => None,
    };
    Some(SourcePlan {
        name: draft.name.value.clone(),
        topic: draft.topic.as_ref().map(|word: &Word| word.value.clone())?,
        fields: draft.fields.iter().flatten().filter_map(declared).collect(),
        event_timestamp: draft.event_timestamp.as_ref()?.value.clone(),
        event_id: draft.event_id.as_ref().map(|path| path.value.clone()),
        allowed_lateness: draft.allowed_lateness.value,
        max_skew: draft.max_skew.value,
        slack: draft.slack.value,
        lateness_clock: draft.lateness_clock.value,
        late_policy: draft.late_policy,
    })
}

fn declared_kind(field: &super::draft::Field) -> Option<FieldKind> {
    match field.declared {
        super::draft::Declared::Kind(kind) => Some(kind),
        super::draft::Declared::Nothing | super::draft::Declared::Unclear => None,
    }
}
