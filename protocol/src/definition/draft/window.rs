//! Windows of a feature as written, and the names of its results. Knows not which ladder answers them.

use super::NamedWindow;
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Mark, Word};
use crate::definition::shape::{Keys, Section, duration, refuse};
use crate::definition::yaml::{Node, Value};
use crate::limits;
use crate::plan::{Shift, Window, default_hop};
use crate::time::Span;

pub(super) const ROLLING: Keys = Keys {
    known: &["rolling", "hop"],
    later: &["tumbling", "hopping", "session", "calendar", "last_n", "decay", "half_life", "timezone"],
};
/// First words of windows that are designed and not yet built.
const LATER: [&str; 8] = ["tumbling", "hopping", "session", "calendar", "last_n", "last", "decay", "half_life"];

/// The hop of a feature's windows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hop {
    /// By the window's length.
    Default,
    /// As written.
    Written { at: Mark, value: Span },
    /// Written, and not readable: already noted.
    Unclear,
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
    match duration(&word, &what, notes) {
        Some(Span(0)) => {
            notes.add(
                word.at,
                format!("{what}: an offset is longer than nothing; write, for example, 1d, or remove it"),
            );
            Shift::Nothing
        }
        Some(back) => Shift::Back(back),
        None => Shift::Nothing,
    }
}

/// Lifetime, which every level beyond the first is folded into, cannot end in the past.
pub(super) fn check_offset(results: &[NamedWindow], section: &Section<'_>, notes: &mut Notes) {
    let back =
        results.iter().find(|result| matches!((result.shift, result.window), (Shift::Back(_), Window::Lifetime)));
    if let Some((result, node)) = back.zip(section.get("offset")) {
        let advice = "make a feature of its own for it, without `offset`";
        notes.add(
            node.at,
            format!(
                "{}: {} is lifetime, which has no offset; {advice}",
                section.of("offset"),
                quoted(&result.name.value)
            ),
        );
    }
}

/// `windows: [5m, 1h]`: results are named `feature_5m`, `feature_1h`.
pub(super) fn several(
    feature: &Word,
    node: &Node,
    (hop, shift): (Hop, Shift),
    what: &str,
    notes: &mut Notes,
) -> Vec<NamedWindow> {
    let mut results: Vec<NamedWindow> = Vec::new();
    for node in node.list(what, "[5m, 1h]", notes).unwrap_or_default() {
        let Some((typed, window, hop_at)) = window(node, hop, what, notes) else { continue };
        if results.len() == limits::FEATURES_PER_VIEW_MAX {
            notes.add(node.at, format!("{what}: more than {} windows; remove some", limits::FEATURES_PER_VIEW_MAX));
            break;
        }
        let alike = results.iter().find(|other| match (other.window, window) {
            (Window::Rolling { span: left, .. }, Window::Rolling { span: right, .. }) => left == right,
            (left, right) => left == right,
        });
        if let Some(other) = alike {
            let advice = "remove one; another hop of the same window is another feature";
            notes.add(
                typed.at,
                format!(
                    "{what}: {} is the same window as that of {}; {advice}",
                    quoted(&typed.value),
                    quoted(&other.name.value)
                ),
            );
            continue;
        }
        let name = Word { at: typed.at, value: format!("{}_{}", feature.value, typed.value) };
        results.push(NamedWindow { name, window, shift, hop_at });
    }
    check_hop_is_used(&results, hop, what, notes);
    results
}

/// `window: 5m`: the one result is named as the feature is.
pub(super) fn single(
    feature: &Word,
    node: &Node,
    (hop, shift): (Hop, Shift),
    what: &str,
    notes: &mut Notes,
) -> Vec<NamedWindow> {
    let read = window(node, hop, what, notes);
    let results: Vec<NamedWindow> = read
        .map(|(typed, window, hop_at)| {
            let name = Word { at: typed.at, value: feature.value.clone() };
            NamedWindow { name, window, shift, hop_at }
        })
        .into_iter()
        .collect();
    check_hop_is_used(&results, hop, what, notes);
    results
}

fn check_hop_is_used(results: &[NamedWindow], hop: Hop, what: &str, notes: &mut Notes) {
    let Hop::Written { at, .. } = hop else { return };
    if !results.is_empty() && results.iter().all(|result| result.window == Window::Lifetime) {
        notes.add(at, format!("{what}: lifetime has no hop; remove `hop`"));
    }
}

/// The window's own text, the window, and where its hop is written.
fn window(node: &Node, hop: Hop, what: &str, notes: &mut Notes) -> Option<(Word, Window, Option<Mark>)> {
    if let Value::Map(_) = node.value {
        let section = Section::with_keys(node, node.at, what, &ROLLING, notes)?;
        let own = section.text("hop", notes);
        let hop = match own {
            None => hop,
            Some(word) => Hop::Written { at: word.at, value: duration(&word, &section.of("hop"), notes)? },
        };
        let word = section.need("rolling", "rolling: 5m", notes)?.word(&section.of("rolling"), notes)?;
        return rolling(word, hop, what, notes);
    }
    let word = node.word(what, notes)?;
    let first = word.value.split_whitespace().next().unwrap_or_default();
    if word.value == "lifetime" {
        return Some((word, Window::Lifetime, None));
    }
    if LATER.contains(&first) {
        let advice = "for now a window is a duration, for example 5m, or lifetime";
        return refuse(notes, word.at, format!("{what}: {first} windows come with a later release; {advice}"));
    }
    rolling(word, hop, what, notes)
}

fn rolling(word: Word, hop: Hop, what: &str, notes: &mut Notes) -> Option<(Word, Window, Option<Mark>)> {
    let span = duration(&word, what, notes)?;
    if span == Span(0) {
        return refuse(notes, word.at, format!("{what}: a window is longer than nothing; write, for example, 5m"));
    }
    let (hop, hop_at) = match hop {
        Hop::Default => (default_hop(span), None),
        Hop::Written { at, value } => (value, Some(at)),
        Hop::Unclear => return None,
    };
    if hop == Span(0) {
        return refuse(
            notes,
            hop_at.unwrap_or(word.at),
            format!("{what}: a hop is longer than nothing; write, for example, 5s"),
        );
    }
    if span < hop {
        let at = hop_at.unwrap_or(word.at);
        return refuse(
            notes,
            at,
            format!("{what}: the window {span} is shorter than its hop {hop}; write a hop of at most {span}"),
        );
    }
    Some((word, Window::Rolling { span, hop }, hop_at))
}
