//! One window as written, in a word, in a few words or as a map. Knows no feature and no name of a result.

use super::{Edges, Hop};
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Mark, Word};
use crate::definition::shape::{Keys, Section, duration, refuse, some_duration};
use crate::definition::suggest;
use crate::definition::yaml::{Node, Value};
use crate::limits;
use crate::plan::{Calendar, Level, Session, Unit, Window, default_hop};
use crate::time::{Span, zone};

pub(in super::super) const ROLLING: Keys = Keys { known: &["rolling", "hop"], absent: &[] };
pub(in super::super) const TUMBLING: Keys = Keys { known: &["tumbling", "which"], absent: &[] };
pub(in super::super) const HOPPING: Keys = Keys { known: &["hopping", "every"], absent: &[] };
pub(in super::super) const SERIES: Keys = Keys { known: &["series", "count"], absent: &[] };
pub(in super::super) const CALENDAR: Keys = Keys { known: &["calendar", "timezone", "which"], absent: &[] };
pub(in super::super) const SESSION: Keys = Keys { known: &["session", "within", "which"], absent: &[] };
pub(in super::super) const LAST: Keys = Keys { known: &["last", "within"], absent: &[] };
/// What a map says a window is, and the keys beside it.
const SHAPES: [(&str, &Keys); 7] = [
    ("rolling", &ROLLING),
    ("tumbling", &TUMBLING),
    ("hopping", &HOPPING),
    ("series", &SERIES),
    ("calendar", &CALENDAR),
    ("session", &SESSION),
    ("last", &LAST),
];

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
    /// Whether it says `lifetime`.
    pub(super) is_lifetime: bool,
}

/// One window, or one after the other.
pub(super) enum Windows {
    One(Window),
    /// The last complete one first; their results have a number.
    Series(Vec<Window>),
}

impl Written {
    fn one(at: Mark, name: impl Into<String>, window: Window) -> Self {
        Self { word: Word { at, value: name.into() }, windows: Windows::One(window), hop_at: None, is_lifetime: false }
    }
}

pub(super) fn read(node: &Node, Edges { hop, ttl, .. }: Edges, what: &str, notes: &mut Notes) -> Option<Written> {
    if let Value::Map(_) = node.value {
        return map(node, (hop, ttl), what, notes);
    }
    let word = node.word(what, notes)?;
    let parts: Vec<Word> =
        word.value.split_whitespace().map(|part| Word { at: word.at, value: part.to_owned() }).collect();
    let texts: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
    match (texts.as_slice(), parts.as_slice()) {
        (["lifetime"], _) => {
            let written = match ttl {
                None => Written::one(word.at, "lifetime", Window::Lifetime),
                Some(ttl) => rolling_by(word, ttl, hop, what, notes)?,
            };
            Some(Written { is_lifetime: true, ..written })
        }
        (["tumbling", _], [_, span]) => tumbling(span, None, what, notes),
        (["tumbling", _, _], [_, span, which]) => tumbling(span, Some(which), what, notes),
        (["hopping", _, "every", _], [_, span, _, every]) => hopping(span, every, what, notes),
        (["series", _, "count", _], [_, span, _, count]) => series(span, count, what, notes),
        (["calendar", _], [_, unit]) => calendar(unit, None, None, what, notes),
        (["calendar", _, which], [_, unit, word]) if is_which(which) => calendar(unit, None, Some(word), what, notes),
        (["calendar", _, _], [_, unit, zone]) => calendar(unit, Some(zone), None, what, notes),
        (["calendar", _, _, _], [_, unit, zone, which]) => calendar(unit, Some(zone), Some(which), what, notes),
        (["session", _], [_, gap]) => session(gap, None, None, what, notes),
        (["session", _, _], [_, gap, which]) => session(gap, None, Some(which), what, notes),
        (["session", _, "within", _], [_, gap, _, within]) => session(gap, Some(within), None, what, notes),
        (["session", _, "within", _, _], [_, gap, _, within, which]) => {
            session(gap, Some(within), Some(which), what, notes)
        }
        (["last", _], [_, n]) => last(n, (None, ttl), what, notes),
        (["last", _, "within", _], [_, n, _, within]) => last(n, (Some(within), ttl), what, notes),
        (["tumbling" | "hopping" | "series" | "calendar" | "session" | "last" | "last_n", ..], _) => {
            let advice = "write, for example, `tumbling 5m`, `tumbling 5m last`, `hopping 1h every 5m`, `series 1h count 24`, `calendar day Europe/Berlin`, `session 30m` or `last 10`";
            refuse(notes, word.at, format!("{what}: {} is no window; {advice}", quoted(&word.value)))
        }
        _ => rolling(word, hop, what, notes),
    }
}

fn map(node: &Node, (hop, ttl): (Hop, Option<Span>), what: &str, notes: &mut Notes) -> Option<Written> {
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
        "session" => {
            let gap = need("session", "session: 30m");
            let within = section.text("within", notes);
            let which = section.text("which", notes);
            session(&gap?, within.as_ref(), which.as_ref(), what, notes)
        }
        "last" => {
            let n = need("last", "last: 10");
            let within = section.text("within", notes);
            last(&n?, (within.as_ref(), ttl), what, notes)
        }
        _ => {
            let word = need("rolling", "rolling: 5m");
            let hop = super::hop(&section, notes).unwrap_or(hop);
            rolling(word?, hop, what, notes)
        }
    }
}

fn length(word: &Word, what: &str, notes: &mut Notes) -> Option<Span> {
    some_duration(word, "a window", "5m", what, notes)
}

fn rolling(word: Word, hop: Hop, what: &str, notes: &mut Notes) -> Option<Written> {
    let span = length(&word, what, notes)?;
    rolling_by(word, span, hop, what, notes)
}

fn rolling_by(word: Word, span: Span, hop: Hop, what: &str, notes: &mut Notes) -> Option<Written> {
    let (hop, hop_at) = match hop {
        Hop::Default => (default_hop(span), None),
        Hop::Written { at, value } => (value, Some(at)),
        Hop::Exact { .. } => return exact(word, span, what, notes),
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
    Some(Written { word, windows: Windows::One(Window::Rolling { span, hop }), hop_at, is_lifetime: false })
}

/// Where it cannot be cut at the tick, it has the hop of one that declares none.
fn exact(word: Word, span: Span, what: &str, notes: &mut Notes) -> Option<Written> {
    let hop = default_hop(span);
    if span < hop {
        return refuse(notes, word.at, format!("{what}: {span} is too short to be exact; write at least {hop}"));
    }
    Some(Written { word, windows: Windows::One(Window::Exact { span, hop }), hop_at: None, is_lifetime: false })
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

fn session(word: &Word, within: Option<&Word>, which: Option<&Word>, what: &str, notes: &mut Notes) -> Option<Written> {
    let gap = duration(word, what, notes);
    let reach = within.map(|within| duration(within, what, notes));
    let is_last = is_complete(which, what, notes)?;
    let (gap, reach) = (gap?, reach.map_or(Some(None), |reach| reach.map(Some))?);
    if gap < Session::GAP_MIN {
        let message = format!("{what}: a session's gap is at least {}; write, for example, 30m", Session::GAP_MIN);
        return refuse(notes, word.at, message);
    }
    let Some(session) = Session::new(gap, reach).filter(|session| session.within <= limits::DURATION_MAX) else {
        let at = within.unwrap_or(word).at;
        let message = match reach {
            Some(reach) if reach < gap => {
                format!(
                    "{what}: sessions are looked for within {reach}, which is less than their gap {gap}; write more"
                )
            }
            _ => format!("{what}: sessions would be looked for within more than {}", limits::DURATION_MAX),
        };
        return refuse(notes, at, message);
    };
    let name = if is_last { "last_session" } else { "session" };
    Some(Written::one(word.at, format!("{name}_{}", word.value), Window::Session { session, is_last }))
}

/// Where it is not said how far back events may lie, as far as lifetime reaches.
fn last(n: &Word, (within, ttl): (Option<&Word>, Option<Span>), what: &str, notes: &mut Notes) -> Option<Written> {
    let most = limits::LIST_ITEMS_MAX;
    let span = within.map(|within| length(within, what, notes));
    let Some(count) = n.value.parse().ok().filter(|count| (1..=most).contains(count)) else {
        let text = quoted(&n.value);
        return refuse(notes, n.at, format!("{what}: {text} is no whole number from 1 to {most}, so many last events"));
    };
    let reach = span.map_or(Some(ttl), |span| span.map(Some))?;
    let reach = reach.map(|span| Level { hop: default_hop(span), span });
    if let Some(Level { hop, span }) = reach.filter(|level| level.span < level.hop) {
        return refuse(notes, n.at, format!("{what}: {span} is too short to be looked back; write at least {hop}"));
    }
    let written = Written::one(n.at, format!("last_{count}"), Window::LastN { n: count, within: reach });
    Some(Written { is_lifetime: within.is_none(), ..written })
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
    let windows = Windows::Series((0..count).map(window).collect());
    Some(Written { word: word.clone(), windows, hop_at: None, is_lifetime: false })
}
