//! Windows of a feature as written, and the names of its results. Knows not which ladder answers them.

mod written;

#[cfg(test)]
pub(super) use self::written::{CALENDAR, HOPPING, LAST, ROLLING, SERIES, SESSION, TUMBLING};
use self::written::{Windows, Written};
use super::NamedWindow;
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Mark, Word};
use crate::definition::shape::{Section, duration, refuse, some_duration};
use crate::definition::yaml::{Node, Value};
use crate::limits;
use crate::plan::{Decay, Shift, Window};
use crate::time::Span;

const HALF_LIFE: &str = "a half-life";

/// The hop of a feature's windows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hop {
    /// By the window's length.
    Default,
    /// As written.
    Written { at: Mark, value: Span },
    /// None: cut at the tick.
    Exact { at: Mark },
    /// Written, and not readable: already noted.
    Unclear,
}

/// `hop: 5s`, or `hop: exact`; one that cannot be read is noted.
pub(super) fn hop(section: &Section<'_>, notes: &mut Notes) -> Option<Hop> {
    let word = section.text("hop", notes)?;
    if word.value == "exact" {
        return Some(Hop::Exact { at: word.at });
    }
    let value = duration(&word, &section.of("hop"), notes);
    Some(value.map_or(Hop::Unclear, |value| Hop::Written { at: word.at, value }))
}

/// What holds of all windows of a feature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edges {
    pub(super) hop: Hop,
    pub(super) shift: Shift,
    /// How far back lifetime reaches, if it ends.
    pub(super) ttl: Option<Span>,
}

/// `exclude_current: true`, or `offset: 1d`; one that cannot be read is noted.
pub(super) fn shift(section: &Section<'_>, notes: &mut Notes) -> Shift {
    let current = section.text("exclude_current", notes);
    let offset = section.text("offset", notes);
    let is_without = current.as_ref().is_some_and(|word| match word.value.as_str() {
        "true" => true,
        "false" => false,
        other => {
            let message = format!("{}: {} is neither true nor false", section.of("exclude_current"), quoted(other));
            notes.add(word.at, message);
            false
        }
    });
    let Some(word) = offset else { return if is_without { Shift::Current } else { Shift::Nothing } };
    let what = section.of("offset");
    if is_without {
        notes.add(word.at, format!("{what}: a window that lies back has no current event; remove `exclude_current`"));
    }
    some_duration(&word, "an offset", "1d", &what, notes).map_or(Shift::Nothing, Shift::Back)
}

/// Lifetime, which every level beyond the first is folded into, cannot end in the past; a window under way cannot have
/// been rounded down to its end.
fn no_offset(window: Window) -> Option<&'static str> {
    match window {
        Window::Lifetime => {
            Some("is lifetime, which has no offset; make a feature of its own for it, without `offset`")
        }
        Window::Tumbling { .. } => {
            Some("is not complete, and so has no offset; write, for example, `tumbling 5m last`")
        }
        Window::Calendar { .. } => Some("is of the calendar, which has no offset; remove `offset`"),
        Window::Exact { .. } => Some("is exact, and what lies back ends on a hop; remove `offset`, or `hop: exact`"),
        Window::Session { .. } => Some("is a session, which has no offset; remove `offset`"),
        Window::LastN { .. } => Some("is of the last events, which has no offset; remove `offset`"),
        Window::Decay(_) => Some("is decayed, which has no offset; remove `offset`"),
        Window::Rolling { .. } | Window::Complete { .. } => None,
    }
}

/// Windows that have no offset are told.
pub(super) fn check_offset(results: &[NamedWindow], section: &Section<'_>, notes: &mut Notes) {
    let mut back = results.iter().filter(|result| matches!(result.shift, Shift::Back(_)));
    let wrong = back.find_map(|result| Some((result, no_offset(result.window)?)));
    if let Some(((result, advice), node)) = wrong.zip(section.get("offset")) {
        notes.add(node.at, format!("{}: {} {advice}", section.of("offset"), quoted(&result.name.value)));
    }
}

/// `windows: [5m, tumbling 1h]`: results are named `feature_5m`, `feature_tumbling_1h`.
pub(super) fn several(feature: &Word, node: &Node, edges: Edges, what: &str, notes: &mut Notes) -> Vec<NamedWindow> {
    let mut results: Vec<NamedWindow> = Vec::new();
    for node in node.list(what, "[5m, 1h]", notes).unwrap_or_default() {
        let Some(written) = written::read(node, edges, what, notes) else { continue };
        let typed = written.word.clone();
        let own = named(&format!("{}_{}", feature.value, typed.value), written, edges.shift);
        if results.len() + own.len() > limits::FEATURES_PER_VIEW_MAX {
            notes.add(node.at, format!("{what}: more than {} windows; remove some", limits::FEATURES_PER_VIEW_MAX));
            break;
        }
        let alike =
            |other: &&NamedWindow| own.iter().any(|own| is_same(own, other) || own.name.value == other.name.value);
        if let Some(other) = results.iter().find(alike) {
            let (typed_text, other_text) = (quoted(&typed.value), quoted(&other.name.value));
            let message = if own.iter().any(|own| is_same(own, other)) {
                let advice = "remove one; another hop of the same window is another feature";
                format!("{what}: {typed_text} is the same window as that of {other_text}; {advice}")
            } else {
                let advice = "make it a feature of its own";
                format!("{what}: {typed_text} is another window than that of {other_text} with the same name; {advice}")
            };
            notes.add(typed.at, message);
            continue;
        }
        results.extend(own);
    }
    check_hop_is_used(&results, edges.hop, what, notes);
    results
}

/// `window: 5m`: the one result is named as the feature is; those of a series have their number behind it.
pub(super) fn single(feature: &Word, node: &Node, edges: Edges, what: &str, notes: &mut Notes) -> Vec<NamedWindow> {
    let written = written::read(node, edges, what, notes);
    let results = written.map_or(Vec::new(), |written| named(&feature.value, written, edges.shift));
    check_hop_is_used(&results, edges.hop, what, notes);
    results
}

/// `half_life: 1h`: the one result is named as the feature is. There is no window, and no hop.
pub(super) fn decayed(feature: &Word, section: &Section<'_>, shift: Shift, notes: &mut Notes) -> Vec<NamedWindow> {
    for key in ["windows", "window", "hop"] {
        if let Some(stray) = section.get(key) {
            let what = section.of(key);
            notes.add(
                stray.at,
                format!("{what}: what decays has a half-life instead; write, for example, `half_life: 1h`"),
            );
        }
    }
    let word = section.need("half_life", "half_life: 1h", notes);
    let what = section.of("half_life");
    let Some(word) = word.and_then(|node| node.word(&what, notes)) else { return Vec::new() };
    let Some(half_life) = some_duration(&word, HALF_LIFE, "1h", &what, notes) else { return Vec::new() };
    let name = Word { at: word.at, value: feature.value.clone() };
    vec![NamedWindow { name, window: Window::Decay(Decay { half_life }), shift, hop_at: None, is_lifetime: false }]
}

/// `baseline: 24h`: one window with the hop that windows of its length have, or `decay 1h`.
pub(super) fn baseline(section: &Section<'_>, ttl: Option<Span>, notes: &mut Notes) -> Option<Window> {
    let node = section.need("baseline", "baseline: 24h", notes)?;
    let what = section.of("baseline");
    if let Value::Scalar(scalar) = &node.value
        && let Some(half_life) = scalar.text.strip_prefix("decay ")
    {
        let word = Word { at: node.at, value: half_life.trim().to_owned() };
        let half_life = some_duration(&word, HALF_LIFE, "decay 1h", &what, notes)?;
        return Some(Window::Decay(Decay { half_life }));
    }
    let edges = Edges { hop: Hop::Default, ttl, shift: Shift::Nothing };
    let written = written::read(node, edges, &what, notes)?;
    match written.windows {
        Windows::One(window) => Some(window),
        Windows::Series(_) => {
            let message = format!("{what}: a series is several windows; write one, for example 24h");
            refuse(notes, written.word.at, message)
        }
    }
}

/// A baseline lies back as far as its feature's windows do, and is kept in the tiles of these: none of them is exact.
pub(super) fn check_baseline(
    window: Window,
    results: &[NamedWindow],
    shift: Shift,
    section: &Section<'_>,
    notes: &mut Notes,
) {
    let is_exact = window.is_exact() || results.iter().any(|result| result.window.is_exact());
    if let (true, Some(node)) = (is_exact, section.get("baseline")) {
        let what = section.of("baseline");
        notes.add(node.at, format!("{what}: what is compared with a baseline is not exact; remove `hop: exact`"));
    }
    let is_back = matches!(shift, Shift::Back(_));
    if let (true, Some(advice), Some(node)) = (is_back, no_offset(window), section.get("baseline")) {
        notes.add(node.at, format!("{}: the feature lies back, and its baseline {advice}", section.of("baseline")));
    }
}

/// The results of one entry.
fn named(name: &str, written: Written, shift: Shift) -> Vec<NamedWindow> {
    let Written { word, windows, hop_at, is_lifetime } = written;
    let result =
        |value: String, window| NamedWindow { name: Word { at: word.at, value }, window, shift, hop_at, is_lifetime };
    match windows {
        Windows::One(window) => vec![result(name.to_owned(), window)],
        Windows::Series(windows) => {
            (1..).zip(windows).map(|(nth, window)| result(format!("{name}_{nth}"), window)).collect()
        }
    }
}

/// Hops aside.
fn is_same(left: &NamedWindow, right: &NamedWindow) -> bool {
    match (left.window, right.window) {
        (
            Window::Rolling { span: left, .. } | Window::Exact { span: left, .. },
            Window::Rolling { span: right, .. } | Window::Exact { span: right, .. },
        ) => left == right,
        (left, right) => left == right,
    }
}

fn check_hop_is_used(results: &[NamedWindow], hop: Hop, what: &str, notes: &mut Notes) {
    let (Hop::Written { at, .. } | Hop::Exact { at }) = hop else { return };
    let has_hop = |result: &NamedWindow| matches!(result.window, Window::Rolling { .. } | Window::Exact { .. });
    if results.is_empty() || results.iter().any(has_hop) {
        return;
    }
    let message = if results.iter().all(|result| result.window == Window::Lifetime) {
        "lifetime has no hop; remove `hop`"
    } else {
        "only rolling windows have a hop; remove `hop`"
    };
    notes.add(at, format!("{what}: {message}"));
}
