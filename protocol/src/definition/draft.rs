//! A definitions file as written: each part well formed by itself and with its place. Knows not yet whether names refer
//! to anything; parts that could not be read are missing, and noted.

mod source;
mod view;
mod window;

use super::mistake::{Notes, quoted};
use super::place::{Mark, Placed, Source, Word};
use super::shape::{Keys, LATER, Section, check_name, refuse};
use super::yaml::{Node, Value};
use crate::expression::{self, Text, Tree};
use crate::limits;
use crate::plan::{FieldKind, LatePolicy, LatenessClock, Operator, Shift, Window};
use crate::time::Span;

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) project: Option<Word>,
    /// `None` where the section could not be read: then nothing is said about names it may hold.
    pub(super) entities: Option<Vec<Entity>>,
    pub(super) sources: Option<Vec<SourceDraft>>,
    pub(super) views: Option<Vec<View>>,
    pub(super) services: Vec<Service>,
}

/// A kind of thing and its key columns.
#[derive(Debug)]
pub(super) struct Entity {
    pub(super) name: Word,
    pub(super) join_keys: Vec<Word>,
}

/// Where records come from.
#[derive(Debug)]
pub(super) struct SourceDraft {
    pub(super) name: Word,
    pub(super) topic: Option<Word>,
    /// `None` where the section could not be read.
    pub(super) fields: Option<Vec<Field>>,
    pub(super) event_timestamp: Option<Placed<Vec<String>>>,
    pub(super) event_id: Option<Placed<Vec<String>>>,
    /// Where not written, at the source's name and with the default.
    pub(super) allowed_lateness: Placed<Span>,
    pub(super) max_skew: Placed<Span>,
    pub(super) slack: Placed<Span>,
    pub(super) lateness_clock: Placed<LatenessClock>,
    pub(super) late_policy: LatePolicy,
}

/// One field of a source.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: Word,
    pub(super) origin: Origin,
    pub(super) declared: Declared,
}

/// Where a field comes from.
#[derive(Debug)]
pub(super) enum Origin {
    /// The payload.
    Path(Vec<String>),
    /// Other fields; `None` where that could not be read.
    Computed(Option<Tree>),
}

/// What a field says of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Declared {
    Nothing,
    Kind(FieldKind),
    /// Something that could not be read: then nothing is said about its use.
    Unclear,
}

/// A feature view.
#[derive(Debug)]
pub(super) struct View {
    pub(super) name: Word,
    pub(super) entity: Option<Word>,
    pub(super) source: Option<Word>,
    pub(super) filter: Option<Tree>,
    pub(super) max_age: Option<Span>,
    /// How long state is kept after an entity's last event.
    pub(super) ttl: Option<Placed<Span>>,
    pub(super) features: Vec<Feature>,
    /// Whether every feature could be read, so that a name which is none of their results is unknown.
    pub(super) are_results_known: bool,
    pub(super) derived: Vec<Derived>,
    /// `None` where the section could not be read.
    pub(super) request: Option<Vec<Sent>>,
}

/// A line of `request`.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) name: Word,
    /// `None` where it could not be read; the name is known all the same.
    pub(super) kind: Option<FieldKind>,
}

/// A line of `derived`.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) name: Word,
    /// `None` where it could not be read; the name is one of the view's results all the same.
    pub(super) formula: Option<Tree>,
    /// Its own text: only the formula's type can read it.
    pub(super) default: Option<Word>,
}

/// A line of `features`: one operator over several windows.
#[derive(Debug)]
pub(super) struct Feature {
    pub(super) name: Word,
    /// And, but for count, of what.
    pub(super) operator: Option<(Operator, Option<Tree>)>,
    /// By what rows are compared, where the operator does.
    pub(super) rank: Option<Tree>,
    pub(super) filter: Option<Tree>,
    /// Its own text: only the values' domain can read it.
    pub(super) default: Option<Word>,
    pub(super) results: Vec<NamedWindow>,
}

/// One result of a feature.
#[derive(Clone, Debug)]
pub(super) struct NamedWindow {
    /// Of the result, for example `spend_5m`; it stands where the window does.
    pub(super) name: Word,
    pub(super) window: Window,
    pub(super) shift: Shift,
    /// Where the hop is written, if it is.
    pub(super) hop_at: Option<Mark>,
    /// Whether it is written `lifetime`, though it may end with the view's `ttl`.
    pub(super) is_lifetime: bool,
}

/// An ordered list of `view` and `view:result` under one name.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) entries: Vec<Word>,
    pub(super) name: Word,
}

const FILE: Keys = Keys {
    known: &["project", "entities", "sources", "feature_views", "feature_services"],
    absent: &[
        ("reference_tables", LATER),
        ("outputs", LATER),
        ("enrichments", LATER),
        ("access", LATER),
        ("quotas", LATER),
    ],
};

const ENTITY: Keys = Keys { known: &["join_keys"], absent: &[] };

/// Every section with keys of its own, under its name in the schema.
#[cfg(test)]
pub(super) const SECTIONS: [(&str, &Keys); 15] = [
    ("file", &FILE),
    ("entity", &ENTITY),
    ("source", &source::SOURCE),
    ("kafka", &source::KAFKA),
    ("field", &source::FIELD),
    ("view", &view::VIEW),
    ("derived", &view::DERIVED),
    ("feature", &view::FEATURE),
    ("rolling", &window::ROLLING),
    ("tumbling", &window::TUMBLING),
    ("hopping", &window::HOPPING),
    ("series", &window::SERIES),
    ("calendar", &window::CALENDAR),
    ("session", &window::SESSION),
    ("last", &window::LAST),
];

/// Reads what is there; everything that is not well formed is noted.
pub(super) fn read(root: &Node, text: &Source<'_>, notes: &mut Notes) -> Draft {
    let Some(file) = Section::with_keys(root, root.at, "the file", &FILE, notes) else { return Draft::default() };
    let project = file.need("project", "project: payments", notes).and_then(|node| node.word("`project`", notes));
    let project = project.filter(|word| check_name(word, "a project", notes));
    let entities = file.need("entities", "entities: { user: { join_keys: [user_id] } }", notes);
    let entities = entities.and_then(|node| section(node, "entities", "an entity", notes, entity));
    let sources = file.need("sources", "sources: { transactions: { kafka: { topic: transactions }, ... } }", notes);
    let sources = sources.and_then(|node| {
        section(node, "sources", "a source", notes, |name, node, notes| source::read(name, node, text, notes))
    });
    let views = file.need("feature_views", "feature_views: { user_spend: { entity: user, ... } }", notes);
    let views = views.and_then(|node| {
        section(node, "feature_views", "a feature view", notes, |name, node, notes| view::read(name, node, text, notes))
    });
    let services = file.get("feature_services");
    let services = services.and_then(|node| section(node, "feature_services", "a feature service", notes, service));
    Draft { project, entities, sources, views, services: services.unwrap_or_default() }
}

/// An expression as written; `owner` is whose it is.
fn expression(node: &Node, owner: &str, text: &Source<'_>, notes: &mut Notes) -> Option<Tree> {
    let word = node.word(owner, notes)?;
    let Value::Scalar(scalar) = &node.value else { return None };
    let marks = text.marks(&word.value, scalar.style, node.at, scalar.end);
    expression::parse(Text { text: &word.value, marks: &marks, owner }, notes)
}

/// Every named part of a section of the file.
fn section<T>(
    node: &Node,
    key: &str,
    what: &str,
    notes: &mut Notes,
    mut part: impl FnMut(Word, &Node, &mut Notes) -> Option<T>,
) -> Option<Vec<T>> {
    let section = Section::open(node, node.at, format!("`{key}`"), notes)?;
    if let Some((extra, _)) = section.entries.get(limits::VIEWS_MAX) {
        return refuse(notes, extra.at, format!("`{key}` has at most {} names; remove some", limits::VIEWS_MAX));
    }
    let mut parts = Vec::new();
    for (name, node) in section.entries {
        check_name(name, what, notes);
        parts.extend(part(name.clone(), node, notes));
    }
    Some(parts)
}

fn entity(name: Word, node: &Node, notes: &mut Notes) -> Option<Entity> {
    let owner = format!("entity {}", quoted(&name.value));
    let section = Section::with_keys(node, name.at, owner, &ENTITY, notes);
    let keys = section.and_then(|section| {
        let keys = section.need("join_keys", "join_keys: [user_id]", notes)?;
        words(keys, &section.of("join_keys"), "[user_id]", limits::JOIN_KEYS_MAX, notes)
    });
    let join_keys = keys.unwrap_or_default();
    Some(Entity { name, join_keys })
}

fn service(name: Word, node: &Node, notes: &mut Notes) -> Option<Service> {
    let owner = format!("feature service {}", quoted(&name.value));
    let entries = words(node, &owner, "[user_spend, card:count_1h]", limits::SERVICE_ENTRIES_MAX, notes)?;
    Some(Service { entries, name })
}

/// A list of at most `most` different names.
fn words(node: &Node, what: &str, example: &str, most: usize, notes: &mut Notes) -> Option<Vec<Word>> {
    let mut words: Vec<Word> = Vec::new();
    for node in node.list(what, example, notes)? {
        if words.len() == most {
            return refuse(notes, node.at, format!("{what}: more than {most} names; remove some"));
        }
        let Some(word) = node.word(what, notes) else { continue };
        if words.iter().any(|other| other.value == word.value) {
            return refuse(notes, word.at, format!("{what}: {} stands twice; remove one", quoted(&word.value)));
        }
        words.push(word);
    }
    Some(words)
}
