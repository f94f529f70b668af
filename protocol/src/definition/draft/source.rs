//! A source as written: topic, format, fields, times. Knows not who uses its fields.

use super::{Declared, Field, Origin, SourceDraft, expression};
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Placed, Source, Word};
use crate::definition::shape::{Keys, LATER, Section, check_name, duration, path, refuse};
use crate::definition::yaml::{Node, Value};
use crate::limits;
use crate::number::{Domain, SCALE_MAX};
use crate::plan::{FieldKind, LatePolicy, LatenessClock};
use crate::time::Span;

pub(super) const SOURCE: Keys = Keys {
    known: &[
        "kafka",
        "format",
        "fields",
        "event_timestamp",
        "event_id",
        "allowed_lateness",
        "max_skew",
        "slack",
        "lateness_clock",
        "late_policy",
    ],
    absent: &[("order_by", LATER), ("slack_exact", LATER), ("schema_registry", LATER)],
};
pub(super) const KAFKA: Keys = Keys { known: &["topic"], absent: &[] };
pub(super) const FIELD: Keys = Keys { known: &["path", "type", "expr"], absent: &[] };
const FORMATS_LATER: [&str; 4] = ["avro", "protobuf", "msgpack", "csv"];
const TYPES: [&str; 5] = ["text", "bool", "int", "decimal(2)", "timestamp"];
const TYPES_LATER: [&str; 4] = ["float", "bytes", "list", "map"];
/// How far an event may be behind its partition's newest, where the source does not say.
const ALLOWED_LATENESS: Span = Span::seconds(60);
/// How far an event may be ahead of its record, where the source does not say.
const MAX_SKEW: Span = Span::seconds(300);

pub(super) fn read(name: Word, node: &Node, text: &Source<'_>, notes: &mut Notes) -> Option<SourceDraft> {
    let owner = format!("source {}", quoted(&name.value));
    let section = Section::with_keys(node, name.at, owner, &SOURCE, notes)?;
    let topic = section.need("kafka", "kafka: { topic: transactions }", notes).and_then(|kafka| {
        let inner = Section::with_keys(kafka, kafka.at, section.of("kafka"), &KAFKA, notes)?;
        inner.need("topic", "topic: transactions", notes)?.word(&inner.of("topic"), notes)
    });
    if let Some(word) =
        section.need("format", "format: json", notes).and_then(|node| node.word(&section.of("format"), notes))
    {
        check_format(&word, notes);
    }
    let fields = section.need("fields", "fields: { user_id: payload.user_id }", notes);
    let fields = fields.and_then(|node| fields_of(node, &section.of("fields"), text, notes));
    let event_timestamp = section.need("event_timestamp", "event_timestamp: metadata.timestamp", notes);
    let event_timestamp = event_timestamp.and_then(|node| path_of(node, &section.of("event_timestamp"), notes));
    let event_id = section.get("event_id").and_then(|node| path_of(node, &section.of("event_id"), notes));
    let mut span = |key: &str, default: Span| {
        let word = section.text(key, notes);
        let read = word.and_then(|word| Some(Placed { at: word.at, value: duration(&word, &section.of(key), notes)? }));
        read.unwrap_or(Placed { at: name.at, value: default })
    };
    let allowed_lateness = span("allowed_lateness", ALLOWED_LATENESS);
    let max_skew = span("max_skew", MAX_SKEW);
    let least = allowed_lateness.value.max(max_skew.value);
    let slack = span("slack", least);
    if slack.value < least {
        let message = format!(
            "{}: {} is less than allowed_lateness or max_skew; write at least {least}",
            section.of("slack"),
            slack.value
        );
        notes.add(slack.at, message);
    }
    let lateness_clock = section.text("lateness_clock", notes);
    let lateness_clock = lateness_clock.and_then(|word| clock(&word, &section.of("lateness_clock"), notes));
    let lateness_clock = lateness_clock.unwrap_or(Placed { at: name.at, value: LatenessClock::default() });
    let late_policy = section.text("late_policy", notes);
    let late_policy = late_policy.and_then(|word| policy(&word, &section.of("late_policy"), notes)).unwrap_or_default();
    Some(SourceDraft {
        name,
        topic,
        fields,
        event_timestamp,
        event_id,
        allowed_lateness,
        max_skew,
        slack,
        lateness_clock,
        late_policy,
    })
}

fn clock(word: &Word, what: &str, notes: &mut Notes) -> Option<Placed<LatenessClock>> {
    let found = LatenessClock::ALL.into_iter().find(|clock| clock.name() == word.value);
    if found.is_none() {
        let message = format!("{what}: {} is unknown", quoted(&word.value));
        notes.unknown(word.at, message, &word.value, LatenessClock::ALL.map(LatenessClock::name));
    }
    Some(Placed { at: word.at, value: found? })
}

fn policy(word: &Word, what: &str, notes: &mut Notes) -> Option<LatePolicy> {
    let found = LatePolicy::ALL.into_iter().find(|policy| policy.name() == word.value);
    if found.is_none() {
        let message = format!("{what}: {} is unknown", quoted(&word.value));
        notes.unknown(word.at, message, &word.value, LatePolicy::ALL.map(LatePolicy::name));
    }
    found
}

fn check_format(word: &Word, notes: &mut Notes) {
    let format = word.value.as_str();
    if FORMATS_LATER.contains(&format) {
        notes.add(word.at, format!("`format`: {format} comes with a later release; json is there"));
    } else if format != "json" {
        notes.unknown(word.at, format!("`format`: {} is unknown", quoted(format)), format, ["json"]);
    }
}

fn path_of(node: &Node, what: &str, notes: &mut Notes) -> Option<Placed<Vec<String>>> {
    let word = node.word(what, notes)?;
    Some(Placed { at: word.at, value: path(&word, what, notes)? })
}

fn fields_of(node: &Node, what: &str, text: &Source<'_>, notes: &mut Notes) -> Option<Vec<Field>> {
    let section = Section::open(node, node.at, what, notes)?;
    if let Some((extra, _)) = section.entries.get(limits::FIELDS_MAX) {
        return refuse(notes, extra.at, format!("a source has at most {} fields", limits::FIELDS_MAX));
    }
    let fields = section.entries.iter().map(|(name, node)| {
        check_name(name, "a field", notes);
        field(name.clone(), node, text, notes)
    });
    Some(fields.collect())
}

/// A field is always there once it has a name, so that its uses are not blamed for its own mistakes.
fn field(name: Word, node: &Node, text: &Source<'_>, notes: &mut Notes) -> Field {
    let owner = format!("field {}", quoted(&name.value));
    if let Value::Scalar(_) = node.value {
        let path = path_of(node, &owner, notes).map(|path| path.value);
        return Field { name, origin: Origin::Path(path.unwrap_or_default()), declared: Declared::Nothing };
    }
    let Some(section) = Section::with_keys(node, name.at, owner.clone(), &FIELD, notes) else {
        return Field { name, origin: Origin::Path(Vec::new()), declared: Declared::Nothing };
    };
    if let Some(node) = section.get("expr") {
        if let Some((key, _)) = section.entries.iter().find(|(key, _)| key.value != "expr") {
            notes.add(
                key.at,
                format!("{owner} is computed: its type is that of `expr`, and it has no path; remove this"),
            );
        }
        let tree = expression(node, &section.of("expr"), text, notes);
        return Field { name, origin: Origin::Computed(tree), declared: Declared::Nothing };
    }
    let path = section.need("path", "path: payload.amount", notes);
    let path = path.and_then(|node| path_of(node, &section.of("path"), notes));
    let declared = section.get("type").map_or(Declared::Nothing, |node| {
        let what = section.of("type");
        let kind = node.word(&what, notes).and_then(|word| kind(&word, &what, notes));
        kind.map_or(Declared::Unclear, Declared::Kind)
    });
    Field { name, origin: Origin::Path(path.map(|path| path.value).unwrap_or_default()), declared }
}

/// The type that a text names.
pub(super) fn kind(word: &Word, what: &str, notes: &mut Notes) -> Option<FieldKind> {
    let text = word.value.trim();
    let (name, argument) = match text.split_once('(') {
        Some((name, rest)) => (name.trim(), rest.strip_suffix(')').map(str::trim)),
        None => (text, None),
    };
    match (name, argument) {
        ("text", None) => Some(FieldKind::Text),
        ("bool", None) => Some(FieldKind::Bool),
        ("timestamp", None) => Some(FieldKind::Timestamp),
        ("int", None) => Some(FieldKind::Number(Domain::Int)),
        ("decimal", Some(digits)) => match digits.parse::<u8>() {
            Ok(scale) if scale <= SCALE_MAX => Some(FieldKind::Number(Domain::Decimal(scale))),
            _ => {
                let advice =
                    format!("digits after the point are a number from 0 to {SCALE_MAX}, for example decimal(2)");
                refuse(notes, word.at, format!("{what}: {} is not possible; {advice}", quoted(text)))
            }
        },
        ("decimal", None) => {
            refuse(notes, word.at, format!("{what}: say how many digits stand after the point, for example decimal(2)"))
        }
        (later, _) if TYPES_LATER.contains(&later) => refuse(
            notes,
            word.at,
            format!("{what}: {later} comes with a later release; for now text, bool, int, decimal(s) or timestamp"),
        ),
        _ => {
            notes.unknown(word.at, format!("{what}: {} is unknown", quoted(text)), text, TYPES);
            None
        }
    }
}
