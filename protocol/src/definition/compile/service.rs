//! Feature services: entries to results, in their order. Knows no feature, only the names of results.

use std::collections::BTreeMap;

use crate::definition::draft::{Draft, Service};
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::Word;
use crate::plan::{ServicePlan, ServiceResult, ViewPlan};

/// Notes entries whose view is none.
pub(super) fn check_views(draft: &Draft, notes: &mut Notes) {
    let Some(views) = &draft.views else { return };
    let names: Vec<&str> = views.iter().map(|view| view.name.value.as_str()).collect();
    for entry in draft.services.iter().flat_map(|service| &service.entries) {
        let (view, _) = split(entry);
        if !names.contains(&view) {
            notes.unknown(entry.at, format!("{} is no feature view", quoted(view)), view, names.iter().copied());
        }
    }
}

/// The results of a service; a view that is not among `views` is noted elsewhere.
pub(super) fn resolve(service: &Service, views: &[ViewPlan], notes: &mut Notes) -> ServicePlan {
    let mut results: Vec<ServiceResult> = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &service.entries {
        let (name, wanted) = split(entry);
        let Some(at) = views.iter().position(|view| view.name == name) else { continue };
        let view = &views[at];
        let mut all = view.results().enumerate().filter(|(_, result)| wanted.is_none_or(|wanted| wanted == *result));
        let first = all.next();
        if let (None, Some(wanted)) = (first, wanted) {
            let message = format!("{} is no result of feature view {}", quoted(wanted), quoted(name));
            notes.unknown(entry.at, message, wanted, view.results());
        }
        for (result, name) in first.into_iter().chain(all) {
            let before = *seen.entry(name).or_insert(at);
            let is_new = before == at && !results.contains(&ServiceResult { view: at, result });
            if !is_new {
                // One is enough: the others of the entry are often wrong alike.
                note_double(service, entry, name, &views[before].name, &view.name, notes);
                break;
            }
            results.push(ServiceResult { view: at, result });
        }
    }
    ServicePlan { name: service.name.value.clone(), results }
}

/// View and, if it is named, result of an entry.
fn split(entry: &Word) -> (&str, Option<&str>) {
    match entry.value.split_once(':') {
        Some((view, result)) => (view, Some(result)),
        None => (&entry.value, None),
    }
}

fn note_double(service: &Service, entry: &Word, name: &str, before: &str, view: &str, notes: &mut Notes) {
    let (owner, shown) = (quoted(&service.name.value), quoted(name));
    let message = if before == view {
        format!("feature service {owner}: {shown} of {} is there already; remove one of the entries", quoted(view))
    } else {
        format!(
            "feature service {owner}: {shown} comes from {} and from {}; rename its feature in one of them, for example to \
             `{view}_{name}`, or list single results, for example `{view}:NAME`",
            quoted(before),
            quoted(view)
        )
    };
    notes.add(entry.at, message);
}
