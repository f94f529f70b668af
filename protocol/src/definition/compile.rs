//! A draft to a plan: names are looked up, types decided, columns shared, ladders planned. Knows no YAML.

mod canonical;
mod fields;
mod ladder;
mod planning;
mod unchanged;
mod view;

use std::collections::BTreeMap;

use self::fields::Fields;
use super::draft::{Draft, Service, SourceDraft};
use super::mistake::{Notes, quoted};
use super::place::Word;
use crate::ids::ControlIndex;
use crate::plan::{FieldKind, FieldPlan, Plan, ServicePlan, SourcePlan};

/// `None` where something is missing; what is wrong stands in `notes`.
pub(super) fn plan(draft: &Draft, previous: Option<&Plan>, index: ControlIndex, notes: &mut Notes) -> Option<Plan> {
    let source_draft = draft.sources.as_ref().and_then(|sources| sources.first());
    let mut fields = Fields::new(source_draft.and_then(|source| source.fields.as_deref()));
    let mut resolved = Vec::new();
    for view in draft.views.iter().flatten() {
        resolved.extend(view::resolve(draft, view, &mut fields, notes));
    }
    let source = source_draft.and_then(source_plan);
    if let (Some(project), Some(draft), Some(source), Some(previous)) =
        (&draft.project, source_draft, &source, previous)
    {
        unchanged::check(project, draft, source, previous, notes);
    }
    let names: Vec<&str> = draft.views.iter().flatten().map(|view| view.name.value.as_str()).collect();
    for view in draft.services.iter().flat_map(|service| &service.views) {
        if draft.views.is_some() && !names.contains(&view.value.as_str()) {
            let message = format!("{} is no feature view", quoted(&view.value));
            notes.unknown(view.at, message, &view.value, names.iter().copied());
        }
    }
    let source = source?;
    resolved.sort_by(|left, right| left.name.value.cmp(&right.name.value));
    let views = resolved.into_iter().map(|view| {
        let before = previous.and_then(|plan| plan.views.iter().find(|before| before.id == view.id));
        planning::plan(view, before, source.slack, index, notes)
    });
    let views: Vec<_> = views.collect();
    let at: BTreeMap<&str, usize> = views.iter().enumerate().map(|(at, view)| (view.name.as_str(), at)).collect();
    let service = |service: &Service| ServicePlan {
        name: service.name.value.clone(),
        views: service.views.iter().filter_map(|view| at.get(view.value.as_str()).copied()).collect(),
    };
    let services = draft.services.iter().map(service).collect();
    Some(Plan { index, project: draft.project.as_ref()?.value.clone(), source, views, services })
}

fn source_plan(draft: &SourceDraft) -> Option<SourcePlan> {
    let declared = |field: &super::draft::Field| FieldPlan {
        name: field.name.value.clone(),
        path: field.path.clone(),
        kind: declared_kind(field),
    };
    Some(SourcePlan {
        name: draft.name.value.clone(),
        topic: draft.topic.as_ref().map(|word: &Word| word.value.clone())?,
        fields: draft.fields.iter().flatten().map(declared).collect(),
        event_timestamp: draft.event_timestamp.as_ref()?.value.clone(),
        event_id: draft.event_id.as_ref().map(|path| path.value.clone()),
        allowed_lateness: draft.allowed_lateness.value,
        max_skew: draft.max_skew.value,
        slack: draft.slack.value,
    })
}

fn declared_kind(field: &super::draft::Field) -> Option<FieldKind> {
    match field.declared {
        super::draft::Declared::Kind(kind) => Some(kind),
        super::draft::Declared::Nothing | super::draft::Declared::Unclear => None,
    }
}
