//! A body of `/get-online-features` into a question: which results, of which entities. Knows the definitions and no
//! value.
//!
//! Views of several entities may be asked for at once, each taking its join keys from the columns of the request, and its
//! request values likewise: so Feast's clients send them. A column that is of use to none of these views is ignored, but a
//! name that the definitions do not have, where request values are declared: it would be a misspelt one.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use featuregrid_actors::shard::Selection;
use featuregrid_protocol::key;
use featuregrid_protocol::limits::{FEAST_VALUES_MAX, KEY_PART_BYTES_MAX, READ_ENTITIES_MAX, SERVICE_ENTRIES_MAX};
use featuregrid_protocol::plan::{Plan, ServiceResult, ViewPlan};
use featuregrid_protocol::request::{self, Column, SentColumns};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::wanted::Wanted;
use super::refusal::Refusal;
use crate::sent;

/// As Feast's clients send it; what they send besides is of no meaning here.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    entities: BTreeMap<String, Vec<&'a RawValue>>,
    #[serde(default)]
    features: Option<Vec<String>>,
    #[serde(default)]
    feature_service: Option<String>,
    #[serde(default)]
    full_feature_names: bool,
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// The join keys that are used, each with its values as they were written.
    pub(super) entities: Vec<(&'a str, Vec<&'a str>)>,
    pub(super) wanted: Wanted,
    /// How the reply names what is wanted, in its order.
    pub(super) names: Vec<String>,
    pub(super) groups: Vec<Group>,
}

/// Views with the same join keys: they are read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// What is read of which of them.
    pub(super) selections: Vec<Selection>,
    /// What was sent for each of them.
    pub(super) sent: Vec<SentColumns>,
    /// Canonical key bytes, one for each row.
    pub(super) keys: Vec<Arc<[u8]>>,
}

/// Reads a body.
pub(super) fn question<'a>(plan: &'a Plan, body: &'a [u8]) -> Result<Question<'a>, Refusal> {
    let body: Body<'a> = serde_json::from_slice(body).map_err(|error| {
        Refusal::wrong(format!("not a request for online features: {error}; send {{\"entities\": {{join key: [values]}}, \"features\": [\"view:feature\"]}}"))
    })?;
    let service = body.feature_service.as_deref().filter(|name| !name.is_empty());
    let wanted = wanted(plan, service, body.features.as_deref().unwrap_or_default())?;
    let names = names(plan, &wanted, body.full_feature_names)?;
    let rows = rows(&body.entities, wanted.results.len())?;
    let (mut groups, mut used): (Vec<(Vec<&str>, Group)>, Vec<&str>) = Default::default();
    let selections = wanted.selections();
    let views: Vec<usize> = selections.iter().map(|selection| selection.view).collect();
    let sent = request_values(plan, &views, rows, &body.entities)?;
    for (selection, sent) in selections.into_iter().zip(sent) {
        let view = selection.view;
        let keys: Vec<&str> = plan.views[view].keys.iter().map(|(name, _)| name.as_str()).collect();
        if let Some((_, group)) = groups.iter_mut().find(|(known, _)| *known == keys) {
            group.selections.push(selection);
            group.sent.push(sent);
            continue;
        }
        let encoded = encode(&plan.views[view].name, &keys, &body.entities, rows)?;
        used.extend(keys.iter().filter(|key| !used.contains(key)).copied().collect::<Vec<_>>());
        groups.push((keys, Group { selections: vec![selection], sent: vec![sent], keys: encoded }));
    }
    let written = |name: &str| body.entities.get(name).map(|column| column.iter().map(|value| value.get()).collect());
    let entities = used.into_iter().filter_map(|name| Some((name, written(name)?))).collect();
    let groups = groups.into_iter().map(|(_, group)| group).collect();
    Ok(Question { entities, wanted, names, groups })
}

fn wanted(plan: &Plan, service: Option<&str>, features: &[String]) -> Result<Wanted, Refusal> {
    if let Some(service) = service {
        return Ok(Wanted::of_service(plan, service)?);
    }
    if features.is_empty() {
        return Err(Refusal::wrong("name features (\"view:feature\"), or a feature_service"));
    }
    if features.len() > SERVICE_ENTRIES_MAX {
        let message = format!("{} features; one request takes {SERVICE_ENTRIES_MAX}: split it", features.len());
        return Err(Refusal::wrong(message));
    }
    let pair = |feature: &'_ String| match feature.split_once(':') {
        Some((view, name)) => Ok((view.strip_suffix("@latest").unwrap_or(view).to_owned(), name.to_owned())),
        None => Err(Refusal::wrong(format!("`{feature}` is no feature: write view:feature"))),
    };
    let pairs = features.iter().map(pair).collect::<Result<Vec<_>, _>>()?;
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(view, name)| (view.as_str(), name.as_str())).collect();
    Ok(Wanted::of_features(plan, &pairs)?)
}

/// Each name once, or clients could not tell the columns apart.
fn names(plan: &Plan, wanted: &Wanted, full: bool) -> Result<Vec<String>, Refusal> {
    let name = |ServiceResult { view, result }: &ServiceResult| {
        let view = &plan.views[*view];
        let result = view.results().nth(*result).unwrap_or_default();
        if full { format!("{}__{result}", view.name) } else { result.to_owned() }
    };
    let names: Vec<String> = wanted.results.iter().map(name).collect();
    let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("two features are named `{}`: ask with full_feature_names, and for each once", twice[0]);
        return Err(Refusal { status: StatusCode::BAD_REQUEST, class: "FeatureNameCollisionError", message });
    }
    Ok(names)
}

/// How many rows there are: all columns have as many.
fn rows(entities: &BTreeMap<String, Vec<&RawValue>>, features: usize) -> Result<usize, Refusal> {
    let mut columns = entities.iter().map(|(name, values)| (name, values.len()));
    let Some((first, rows)) = columns.next() else {
        return Err(Refusal::wrong("entities is empty: give each join key its values"));
    };
    if let Some((other, ragged)) = columns.find(|(_, count)| *count != rows) {
        let message = format!("entities: `{first}` has {rows} values and `{other}` has {ragged}: give each as many");
        return Err(Refusal::wrong(message));
    }
    if rows == 0 {
        return Err(Refusal::wrong(format!("entities: `{first}` has no value")));
    }
    if rows > READ_ENTITIES_MAX {
        let message = format!("{rows} entities; one request takes {READ_ENTITIES_MAX}: split it");
        return Err(Refusal::wrong(message));
    }
    if rows * features > FEAST_VALUES_MAX {
        let message =
            format!("{rows} entities x {features} features; one reply holds {FEAST_VALUES_MAX} values: split it");
        return Err(Refusal::wrong(message));
    }
    Ok(rows)
}

/// The request values of each view.
fn request_values(
    plan: &Plan,
    views: &[usize],
    rows: usize,
    entities: &BTreeMap<String, Vec<&RawValue>>,
) -> Result<Vec<SentColumns>, Refusal> {
    let declares = |view: &ViewPlan, name: &str| view.request.iter().any(|value| value.name == name);
    let is_keyed = |view: &ViewPlan, name: &str| view.keys.iter().any(|(key, _)| key == name);
    let asked = || views.iter().map(|view| &plan.views[*view]);
    let mut columns = Vec::new();
    for (name, values) in entities {
        if asked().any(|view| declares(view, name)) {
            request::check_count(columns.len() + 1, rows).map_err(|refused| Refusal::wrong(refused.to_string()))?;
            let values = values.iter().map(|value| sent::written(value)).collect();
            columns.push(Column { name, values });
        } else if asked().any(|view| !view.request.is_empty())
            && !plan.views.iter().any(|view| declares(view, name) || is_keyed(view, name))
        {
            let known: Vec<&str> = asked().flat_map(|view| &view.request).map(|value| value.name.as_str()).collect();
            let message = format!("entities: `{name}` is no join key and no request value; declared are");
            return Err(Refusal::wrong(format!("{message}: {}", known.join(", "))));
        }
    }
    request::values(plan, views, rows, &columns).map_err(|refused| Refusal::wrong(refused.to_string()))
}

/// The keys of the rows.
fn encode(
    view: &str,
    keys: &[&str],
    entities: &BTreeMap<String, Vec<&RawValue>>,
    rows: usize,
) -> Result<Vec<Arc<[u8]>>, Refusal> {
    let mut columns = Vec::new();
    for name in keys {
        let Some(column) = entities.get(*name) else {
            let given: Vec<&str> = entities.keys().map(String::as_str).collect();
            let (keys, given) = (keys.join(", "), given.join(", "));
            let message = format!("`{view}` is keyed by {keys}: entities lacks `{name}`, it has {given}");
            return Err(Refusal::wrong(message));
        };
        columns
            .push(column.iter().enumerate().map(|(row, value)| part(name, row, value)).collect::<Result<Vec<_>, _>>()?);
    }
    let encode = |row: usize| {
        let mut bytes = Vec::new();
        key::encode(columns.iter().map(|column| column[row].as_str()), &mut bytes);
        bytes.into()
    };
    Ok((0..rows).map(encode).collect())
}

/// One join key's text: a string, or a number letter by letter as it was written.
fn part(name: &str, row: usize, value: &RawValue) -> Result<String, Refusal> {
    let written = value.get();
    let text = match written.as_bytes().first() {
        Some(b'"') => serde_json::from_str(written).ok(),
        Some(b'-' | b'0'..=b'9') => Some(written.to_owned()),
        _ => None,
    };
    let Some(text) = text else {
        let written: String = written.chars().take(40).collect();
        return Err(Refusal::wrong(format!(
            "entities: `{name}` of row {row} is {written}: a key is a string or a number"
        )));
    };
    if text.len() > KEY_PART_BYTES_MAX {
        let message = format!("entities: `{name}` of row {row} is longer than {KEY_PART_BYTES_MAX} bytes");
        return Err(Refusal::wrong(message));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
