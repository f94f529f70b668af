//! A feature view as written: entity, source, filter, features. Knows not what the names refer to.

use super::source::kind;
use super::window::{self, Edges, Hop};
use super::{Derived, Feature, Sent, View, expression};
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Placed, Source, Word};
use crate::definition::shape::{Keys, LATER, Section, check_name, refuse, some_duration};
use crate::definition::yaml::{Node, Value};
use crate::expression::Tree;
use crate::limits;
use crate::plan::{Argument, Operator};
use crate::time::Span;

pub(super) const VIEW: Keys = Keys {
    known: &["entity", "source", "where", "max_age", "ttl", "features", "request", "derived"],
    absent: &[("order_by", LATER)],
};
pub(super) const DERIVED: Keys = Keys { known: &["expr", "default"], absent: &[] };
pub(super) const FEATURE: Keys = Keys {
    known: &[
        "count",
        "sum",
        "mean",
        "min",
        "max",
        "first",
        "last",
        "variance",
        "variance_sample",
        "stddev",
        "stddev_sample",
        "time_since_first",
        "time_since_last",
        "inter_arrival_mean",
        "rate",
        "decayed_count",
        "decayed_sum",
        "decayed_mean",
        "decayed_variance",
        "decayed_stddev",
        "anomaly_count",
        "anomaly_rate",
        "any",
        "all",
        "first_n",
        "last_n",
        "last_n_distinct",
        "percentile",
        "median",
        "distinct_count",
        "mode",
        "mode_share",
        "top_k",
        "top_k_share",
        "histogram",
        "entropy",
        "min_by",
        "max_by",
        "by",
        "n",
        "k",
        "p",
        "sigmas",
        "baseline",
        "where",
        "windows",
        "window",
        "half_life",
        "hop",
        "exclude_current",
        "offset",
        "default",
    ],
    absent: &[
        ("order_by", LATER),
        ("ewma", "is `decayed_mean` with a `half_life`"),
        ("z_score", "is derived from features; write, under `derived`, `z: (request.amount - mean_1h) / stddev_1h`"),
        ("ratio", "is derived from features; write, under `derived`, `share: foreign_24h / purchases_24h`"),
        ("delta", "is derived from features; write, under `derived`, `change: spend_1h - spend_24h / 24`"),
    ],
};

/// The keys of operators' parameters.
const PARAMETERS: [&str; 4] = ["n", "k", "p", "sigmas"];

pub(super) fn read(name: Word, node: &Node, text: &Source<'_>, notes: &mut Notes) -> Option<View> {
    let owner = format!("feature view {}", quoted(&name.value));
    let section = Section::with_keys(node, name.at, owner, &VIEW, notes)?;
    let mut word = |key: &str, example: &str| section.need(key, example, notes)?.word(&section.of(key), notes);
    let entity = word("entity", "entity: user");
    let source = word("source", "source: transactions");
    let filter = section.get("where").and_then(|node| filter_of(node, &section.of("where"), text, notes));
    let max_age = max_age(&section, notes);
    let ttl = ttl(&section, notes);
    let noted = notes.len();
    let features = section.need("features", "features: { purchases: { count: true, windows: [1h] } }", notes);
    let features = features.and_then(|node| Section::open(node, node.at, section.of("features"), notes));
    let features = features.filter(|features| match features.entries.get(limits::FEATURES_PER_VIEW_MAX) {
        None => true,
        Some((extra, _)) => {
            let most = limits::FEATURES_PER_VIEW_MAX;
            notes.add(extra.at, format!("a view has at most {most} features; move some to another view"));
            false
        }
    });
    let features = features.iter().flat_map(|features| features.entries);
    let features =
        features.filter_map(|(name, node)| feature(name, node, ttl.map(|ttl| ttl.value), text, notes)).collect();
    let are_results_known = notes.len() == noted;
    let derived = section.get("derived").map(|node| derived(node, &section.of("derived"), text, notes));
    let derived = derived.unwrap_or_default();
    let request = match section.get("request") {
        None => Some(Vec::new()),
        Some(node) => request(node, &section.of("request"), notes),
    };
    Some(View { name, entity, source, filter, max_age, ttl, features, are_results_known, derived, request })
}

/// The values that a read may send.
fn request(node: &Node, what: &str, notes: &mut Notes) -> Option<Vec<Sent>> {
    let section = Section::open(node, node.at, what, notes)?;
    if let Some((extra, _)) = section.entries.get(limits::REQUEST_VALUES_PER_VIEW_MAX) {
        let most = limits::REQUEST_VALUES_PER_VIEW_MAX;
        return refuse(notes, extra.at, format!("{what}: a read sends at most {most} values for a view"));
    }
    let values = section.entries.iter().map(|(name, node)| {
        check_name(name, "a request value", notes);
        let owner = format!("request value {}", quoted(&name.value));
        let kind = node.word(&owner, notes).and_then(|word| kind(&word, &owner, notes));
        Sent { name: name.clone(), kind }
    });
    Some(values.collect())
}

fn derived(node: &Node, what: &str, text: &Source<'_>, notes: &mut Notes) -> Vec<Derived> {
    let section = Section::open(node, node.at, what, notes);
    let entries = section.iter().flat_map(|section| section.entries).take(limits::FEATURES_PER_VIEW_MAX + 1);
    let read = entries.map(|(name, node)| {
        check_name(name, "a derived feature", notes);
        let owner = format!("derived {}", quoted(&name.value));
        let (formula, default) = match &node.value {
            Value::Map(_) => with_default(node, name, &owner, text, notes),
            _ => (expression(node, &owner, text, notes), None),
        };
        Derived { name: name.clone(), formula, default }
    });
    read.collect()
}

/// `{ expr: ..., default: ... }`
fn with_default(
    node: &Node,
    name: &Word,
    owner: &str,
    text: &Source<'_>,
    notes: &mut Notes,
) -> (Option<Tree>, Option<Word>) {
    let Some(section) = Section::with_keys(node, name.at, owner, &DERIVED, notes) else { return (None, None) };
    let formula = section.need("expr", "expr: spend_1h / purchases_1h", notes);
    let formula = formula.and_then(|node| expression(node, &section.of("expr"), text, notes));
    (formula, section.text("default", notes))
}

fn max_age(section: &Section<'_>, notes: &mut Notes) -> Option<Span> {
    let word = section.text("max_age", notes)?;
    some_duration(&word, "an age", "1h", &section.of("max_age"), notes)
}

fn ttl(section: &Section<'_>, notes: &mut Notes) -> Option<Placed<Span>> {
    let word = section.text("ttl", notes)?;
    let value = some_duration(&word, "how long state is kept", "90d", &section.of("ttl"), notes)?;
    Some(Placed { at: word.at, value })
}

/// Messages of a filter say which key it is; the line says of what.
fn filter_of(node: &Node, what: &str, text: &Source<'_>, notes: &mut Notes) -> Option<Tree> {
    node.word(what, notes)?;
    expression(node, "`where`", text, notes)
}

fn feature(name: &Word, node: &Node, ttl: Option<Span>, text: &Source<'_>, notes: &mut Notes) -> Option<Feature> {
    check_name(name, "a feature", notes);
    let owner = format!("feature {}", quoted(&name.value));
    let section = Section::with_keys(node, name.at, owner.clone(), &FEATURE, notes)?;
    let operator = operator_of((&section, ttl), name, &owner, text, notes);
    let rank = rank_of(&section, operator.as_ref().map(|(operator, _)| *operator), text, notes);
    let filter = section.get("where").and_then(|node| filter_of(node, &section.of("where"), text, notes));
    let hop = window::hop(&section, notes).unwrap_or(Hop::Default);
    let edges = Edges { hop, ttl, shift: window::shift(&section, notes) };
    let is_decayed = operator.as_ref().is_some_and(|(operator, _)| operator.is_decayed());
    if let (false, Some((operator, _)), Some(stray)) = (is_decayed, &operator, section.get("half_life")) {
        let (what, name) = (section.of("half_life"), operator.name());
        notes.add(stray.at, format!("{what}: `{name}` looks at a window, in which events do not decay; remove it"));
    }
    let results = match (section.get("windows"), section.get("window")) {
        _ if is_decayed => window::decayed(name, &section, edges.shift, notes),
        (Some(windows), None) => window::several(name, windows, edges, &section.of("windows"), notes),
        (None, Some(window)) => window::single(name, window, edges, &section.of("window"), notes),
        (Some(_), Some(second)) => {
            notes.add(second.at, format!("{owner}: `windows` and `window` exclude each other; remove one"));
            Vec::new()
        }
        (None, None) => {
            section.need("windows", "windows: [5m, 1h]", notes);
            Vec::new()
        }
    };
    if let (Some((Operator::Rate, _)), Some(endless)) =
        (&operator, results.iter().find(|of| of.window.span().is_none()))
    {
        notes.add(
            endless.name.at,
            format!(
                "{owner}: `rate` is rows a second of a window's length; lifetime, sessions, so many events and units of the calendar have none"
            ),
        );
    }
    if let (Some((ranked, _)), Some(last)) = (
        operator.as_ref().filter(|(operator, _)| operator.is_ranked()),
        results.iter().find(|of| of.window.last_n().is_some()),
    ) {
        let name = ranked.name();
        notes.add(last.name.at, format!("{owner}: `{name}` looks at a piece of time, not at so many events; write 5m"));
    }
    window::check_offset(&results, &section, notes);
    let baseline = operator.as_ref().and_then(|(operator, _)| operator.baseline());
    if let Some(baseline) = baseline {
        window::check_baseline(baseline.window, &results, edges.shift, &section, notes);
    }
    let default = section.text("default", notes);
    Some(Feature { name: name.clone(), operator, rank, filter, default, results })
}

fn operator_of(
    (section, ttl): (&Section<'_>, Option<Span>),
    name: &Word,
    owner: &str,
    text: &Source<'_>,
    notes: &mut Notes,
) -> Option<(Operator, Option<Tree>)> {
    let mut found = Operator::ALL.into_iter().filter_map(|operator| Some((operator, section.get(operator.name())?)));
    let Some((operator, node)) = found.next() else {
        // A later release's operator, or a misspelt one, has already been named.
        if section.entries.iter().all(|(key, _)| FEATURE.known.contains(&key.value.as_str())) {
            let advice = "add one of `count: true`, `sum: FIELD`, `mean: FIELD`, `min: FIELD`, `max: FIELD`";
            notes.add(name.at, format!("{owner} computes nothing; {advice}"));
        }
        return None;
    };
    let key = operator.name();
    if let Some((second, node)) = found.next() {
        let second = second.name();
        return refuse(notes, node.at, format!("{owner}: `{key}` and `{second}` are two operators; make two features"));
    }
    let operator = compared(parameter(operator, section, notes)?, (section, ttl), notes)?;
    if operator.argument() != Argument::Rows {
        return Some((operator, Some(expression(node, &section.of(key), text, notes)?)));
    }
    let word = node.word(&section.of(key), notes)?;
    if word.value != "true" {
        let advice = format!("write `{key}: true`, and a condition as `where`");
        return refuse(
            notes,
            word.at,
            format!("{owner}: `{key}` looks at rows, not {}; {advice}", quoted(&word.value)),
        );
    }
    Some((operator, None))
}

/// By what an operator compares rows; no other may have it.
fn rank_of(section: &Section<'_>, operator: Option<Operator>, text: &Source<'_>, notes: &mut Notes) -> Option<Tree> {
    let operator = operator?;
    if operator.is_ranked() {
        let node = section.need("by", "by: amount", notes)?;
        return expression(node, &section.of("by"), text, notes);
    }
    let node = section.get("by")?;
    refuse(notes, node.at, format!("{}: `{}` takes no `by`; remove it", section.of("by"), operator.name()))
}

/// The operator with what it compares its rows with; no other may have a `baseline`.
fn compared(operator: Operator, (section, ttl): (&Section<'_>, Option<Span>), notes: &mut Notes) -> Option<Operator> {
    match (operator.baseline(), section.get("baseline")) {
        (Some(_), _) => Some(operator.against(window::baseline(section, ttl, notes)?)),
        (None, None) => Some(operator),
        (None, Some(node)) => {
            let (what, name) = (section.of("baseline"), operator.name());
            refuse(notes, node.at, format!("{what}: `{name}` takes no `baseline`; remove it"))
        }
    }
}

/// The operator with its `n`, `k`, `p` or `sigmas`; no other may stand there.
fn parameter(operator: Operator, section: &Section<'_>, notes: &mut Notes) -> Option<Operator> {
    let (name, own) = (operator.name(), operator.parameter());
    for key in PARAMETERS.into_iter().filter(|key| own.as_ref().is_none_or(|(own, _)| own != key)) {
        if let Some(node) = section.get(key) {
            return refuse(notes, node.at, format!("{}: `{name}` takes no `{key}`; remove it", section.of(key)));
        }
    }
    let Some((key, example)) = own else { return Some(operator) };
    let word = section.need(key, &format!("{key}: {example}"), notes)?.word(&section.of(key), notes)?;
    match operator.with(&word.value) {
        Some(operator) => Some(operator),
        None => {
            let (written, takes) = (quoted(&word.value), operator.parameters());
            refuse(notes, word.at, format!("{}: {written} is not {takes}", section.of(key)))
        }
    }
}
