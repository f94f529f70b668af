//! One window as written, in a word, in a few words or as a map. Knows no feature and no name of a result.

use super::Hop;
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Mark, Word};
use crate::definition::shape::{Keys, Section, duration, refuse};
use crate::definition::suggest;
use crate::definition::yaml::{Node, Value};
use crate::limits;
use crate::plan::{Calendar, Unit, Window, default_hop};
use crate::time::{Span, zone};

pub(in super::super) const ROLLING: Keys = Keys { known: &["rolling", "hop"], later: &LATER_KEYS };
pub(in super::super) const TUMBLING: Keys = Keys { known: &["tumbling", "which"], later: &LATER_KEYS };
pub(in super::super) const HOPPING: Keys = Keys { known: &["hopping", "every"], later: &LATER_KEYS };
pub(in super::super) const SERIES: Keys = Keys { known: &["series", "count"], later: &LATER_KEYS };
pub(in super::super) const CALENDAR: Keys = Keys { known: &["calendar", "timezone", "which"], later: &LATER_KEYS };
/// What a map says a window is, and the keys beside it.
const SHAPES: [(&str, &Keys); 5] = [
    ("rolling", &ROLLING),
    ("tumbling", &TUMBLING),
    ("hopping", &HOPPING),
    ("series", &SERIES),
    ("calendar", &CALENDAR),
];
const LATER_KEYS: [&str; 2] = ["session", "last_n"];
/// First words of windows that are designed and not yet built.
const LATER: [&str; 3] = ["session", "last_n", "last"];

/// Of a window that is under way, and of the one before.
const WHICH: [&str; 2] = ["current", "last"];
/// The zone of the calendar where none is written.
const UTC: &str = "UTC";

/// What one entry of `windows` asks for.
pub(super) struct Written {
    /// Where it stands, and what results are named by.
    pub(super) word: Word,
    pub(super) windows: Windows,
    /// Where its hop is written, if it is.
    pub(super) hop_at: Option<Mark>,
}

/// One window, or one after the other.
pub(super) enum Windows {
    One(Window),
    /// The last complete one first; their results have a number.
    Series(Vec<Window>),
}

impl Written {
    fn one(at: Mark, name: impl Into<String>, window: Window) -> Self {
        Self { word: Word { at, value: name.into() }, windows: Windows::One(window), hop_at: None }
    }
}

pub(super) fn read(node: &Node, hop: Hop, what: &str, notes: &mut Notes) -> Option<Written> {
    if let Value::Map(_) = node.value {
        return map(node, hop, what, notes);
    }
    let word = node.word(what, notes)?;
    let parts: Vec<Word> =
        word.value.split_whitespace().map(|part| Word { at: word.at, value: part.to_owned() }).collect();
    let texts: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
    match (texts.as_slice(), parts.as_slice()) {
        (["lifetime"], _) => Some(Written::one(word.at, "lifetime", Window::Lifetime)),
        (["tumbling", _], [_, span]) => tumbling(span, None, what, notes),
        (["tumbling", _, _], [_, span, which]) => tumbling(span, Some(which), what, notes),
        (["hopping", _, "every", _], [_, span, _, every]) => hopping(span, every, what, notes),
        (["series", _, "count", _], [_, span, _, count]) => series(span, count, what, notes),
        (["calendar", _], [_, unit]) => calendar(unit, None, None, what, notes),
        (["calendar", _, which], [_, unit, word]) if is_which(which) => calendar(unit, None, Some(word), what, notes),
        (["calendar", _, _], [_, unit, zone]) => calendar(unit, Some(zone), None, what, notes),
        (["calendar", _, _, _], [_, unit, zone, which]) => calendar(unit, Some(zone), Some(which), what, notes),
        (["tumbling" | "hopping" | "series" | "calendar", ..], _) => {
            let advice = "write, for example, `tumbling 5m`, `tumbling 5m last`, `hopping 1h every 5m`, `series 1h count 24` or `calendar day Europe/Berlin`";
            refuse(notes, word.at, format!("{what}: {} is no window; {advice}", quoted(&word.value)))
        }
        ([first, ..], _) if LATER.contains(first) => {
            let advice = "for now a window is a duration, for example 5m, tumbling, hopping, a series, of the calendar, or lifetime";
            refuse(notes, word.at, format!("{what}: {first} windows come with a later release; {advice}"))
        }
        _ => rolling(word, hop, what, notes),
    }
}

fn map(node: &Node, hop: Hop, what: &str, notes: &mut Notes) -> Option<Written> {
    let entries = Section::open(node, node.at, what, notes)?.entries;
    let mut named = entries.iter().filter_map(|(key, _)| {
        SHAPES.into_iter().find(|(shape, _)| *shape == key.value).map(|(shape, keys)| (key.at, shape, keys))
    });
    let (shape, keys) = named.next().map_or(SHAPES[0], |(_, shape, keys)| (shape, keys));
    if let Some((at, second, _)) = named.next() {
        return refuse(
            notes,
            at,
            format!("{what}: `{shape}` and `{second}` are two windows; write one entry for each"),
        );
    }
    let section = Section::with_keys(node, node.at, what, keys, notes)?;
    let mut need = |key: &str, example: &str| section.need(key, example, notes)?.word(&section.of(key), notes);
    match shape {
        "tumbling" => {
            let span = need("tumbling", "tumbling: 5m");
            let which = section.text("which", notes);
            tumbling(&span?, which.as_ref(), what, notes)
        }
        "hopping" => {
            let (span, every) = (need("hopping", "hopping: 1h"), need("every", "every: 5m"));
            hopping(&span?, &every?, what, notes)
        }
        "series" => {
            let (span, count) = (need("series", "series: 1h"), need("count", "count: 24"));
            series(&span?, &count?, what, notes)
        }
        "calendar" => {
            let unit = need("calendar", "calendar: day");
            let zone = section.text("timezone", notes);
            let which = section.text("which", notes);
            calendar(&unit?, zone.as_ref(), which.as_ref(), what, notes)
        }
        _ => {
            let word = need("rolling", "rolling: 5m");
            let hop = match section.text("hop", notes) {
                None => hop,
                Some(word) => Hop::Written { at: word.at, value: duration(&word, &section.of("hop"), notes)? },
            };
            rolling(word?, hop, what, notes)
        }
    }
}

/// A duration that is not nothing.
fn length(word: &Word, what: &str, notes: &mut Notes) -> Option<Span> {
    match duration(word, what, notes)? {
        Span(0) => refuse(notes, word.at, format!("{what}: a window is longer than nothing; write, for example, 5m")),
        span => Some(span),
    }
}

fn rolling(word: Word, hop: Hop, what: &str, notes: &mut Notes) -> Option<Written> {
    let span = length(&word, what, notes)?;
    let (hop, hop_at) = match hop {
        Hop::Default => (default_hop(span), None),
        Hop::Written { at, value } => (value, Some(at)),
        Hop::Unclear => return None,
    };
    let at = hop_at.unwrap_or(word.at);
    if hop == Span(0) {
        return refuse(notes, at, format!("{what}: a hop is longer than nothing; write, for example, 5s"));
    }
    if span < hop {
        let advice = format!("write a hop of at most {span}");
        return refuse(notes, at, format!("{what}: the window {span} is shorter than its hop {hop}; {advice}"));
    }
    Some(Written { word, windows: Windows::One(Window::Rolling { span, hop }), hop_at })
}

fn tumbling(word: &Word, which: Option<&Word>, what: &str, notes: &mut Notes) -> Option<Written> {
    let span = length(word, what, notes)?;
    let typed = &word.value;
    if is_complete(which, what, notes)? {
        let window = Window::Complete { span, every: span, ago: Span(0) };
        return Some(Written::one(word.at, format!("last_tumbling_{typed}"), window));
    }
    Some(Written::one(word.at, format!("tumbling_{typed}"), Window::Tumbling { span }))
}

/// Whether a word says which, or was meant to, and is no zone.
fn is_which(word: &str) -> bool {
    suggest::near(word, WHICH).is_some() && zone::find(word).is_none()
}

/// `last` is complete, `current` is not; nothing is as `current`.
fn is_complete(which: Option<&Word>, what: &str, notes: &mut Notes) -> Option<bool> {
    let Some(which) = which else { return Some(false) };
    match which.value.as_str() {
        "current" => Some(false),
        "last" => Some(true),
        other => {
            let text = quoted(other);
            refuse(notes, which.at, format!("{what}: {text} is neither `current` nor `last`; write one of them"))
        }
    }
}

fn calendar(word: &Word, place: Option<&Word>, which: Option<&Word>, what: &str, notes: &mut Notes) -> Option<Written> {
    let unit = Unit::ALL.into_iter().find(|unit| unit.name() == word.value);
    if unit.is_none() {
        let message = format!("{what}: {} is no unit of the calendar", quoted(&word.value));
        notes.unknown(word.at, message, &word.value, Unit::ALL.map(Unit::name));
    }
    if let Some(place) = place.filter(|place| zone::find(&place.value).is_none()) {
        let name = &place.value;
        notes.add(place.at, format!("{what}: {} is no time zone; {}", quoted(name), suggest::zone(name)));
    }
    let is_complete = is_complete(which, what, notes)?;
    let unit = unit?;
    let calendar = Calendar::new(unit, place.map_or(UTC, |place| place.value.as_str()))?;
    let name = if is_complete { "last_calendar" } else { "calendar" };
    Some(Written::one(word.at, format!("{name}_{}", unit.name()), Window::Calendar { calendar, is_complete }))
}

fn hopping(word: &Word, every: &Word, what: &str, notes: &mut Notes) -> Option<Written> {
    let (span, step) = (length(word, what, notes), length(every, what, notes));
    let (span, step) = (span?, step?);
    if span.0 % step.0 != 0 {
        let message =
            format!("{what}: {step} does not divide {span}; write an `every` that does, for example 5m of 1h");
        return refuse(notes, every.at, message);
    }
    let window = Window::Complete { span, every: step, ago: Span(0) };
    Some(Written::one(word.at, format!("hopping_{}", word.value), window))
}

fn series(word: &Word, count: &Word, what: &str, notes: &mut Notes) -> Option<Written> {
    let span = length(word, what, notes);
    let most = limits::SERIES_WINDOWS_MAX;
    let Some(count) = count.value.parse::<i64>().ok().filter(|count| (1..=most).contains(count)) else {
        let text = quoted(&count.value);
        return refuse(notes, count.at, format!("{what}: {text} is no whole number from 1 to {most}"));
    };
    let span = span?;
    if span.0.saturating_mul(count) > limits::DURATION_MAX.0 {
        let message = format!("{what}: {count} times {span} is longer than {}", limits::DURATION_MAX);
        return refuse(notes, word.at, message);
    }
    let window = |nth: i64| Window::Complete { span, every: span, ago: Span(span.0 * nth) };
    Some(Written { word: word.clone(), windows: Windows::Series((0..count).map(window).collect()), hop_at: None })
}
