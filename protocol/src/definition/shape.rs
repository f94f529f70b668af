//! Typed access to the tree: sections with known keys, names, durations, paths. Knows which texts are well formed, not
//! what they refer to.

use super::mistake::{Notes, quoted};
use super::place::{Mark, Style, Word};
use super::yaml::{Node, Scalar, Value};
use crate::limits;
use crate::time::Span;

/// Words that mean something in an expression, or that CEL reserves, so that nothing may have them as its name.
pub(super) const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Of what is designed and not yet built.
pub(super) const LATER: &str = "comes with a later release; remove it for now";

/// The keys of one kind of section.
pub(super) struct Keys {
    pub(super) known: &'static [&'static str],
    /// What someone may look for here, and what to do instead.
    pub(super) absent: &'static [(&'static str, &'static str)],
}

/// A map of the file and whose it is.
pub(super) struct Section<'n> {
    /// For messages: "feature `total`".
    owner: String,
    at: Mark,
    pub(super) entries: &'n [(Word, Node)],
}

impl<'n> Section<'n> {
    /// A map with any keys. `at` is where its owner's name stands.
    pub(super) fn open(node: &'n Node, at: Mark, owner: impl Into<String>, notes: &mut Notes) -> Option<Self> {
        let owner = owner.into();
        match &node.value {
            Value::Map(entries) if !entries.is_empty() => Some(Self { owner, at, entries }),
            Value::Map(_) => refuse(notes, at, format!("{owner} is empty")),
            _ if node.is_empty() => refuse(notes, at, format!("{owner} is empty")),
            _ => refuse(notes, node.at, format!("{owner}: expected `key: value` lines, or {{ key: value }}")),
        }
    }

    /// A map with these keys and no others.
    pub(super) fn with_keys(
        node: &'n Node,
        at: Mark,
        owner: impl Into<String>,
        keys: &Keys,
        notes: &mut Notes,
    ) -> Option<Self> {
        let section = Self::open(node, at, owner, notes)?;
        for (key, _) in section.entries {
            let name = key.value.as_str();
            if let Some((_, advice)) = keys.absent.iter().find(|(absent, _)| *absent == name) {
                notes.add(key.at, format!("{}: `{name}` {advice}", section.owner));
            } else if !keys.known.contains(&name) {
                let message = format!("{}: unknown key {}", section.owner, quoted(name));
                notes.unknown(key.at, message, name, keys.known.iter().copied());
            }
        }
        Some(section)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(word, _)| word.value == key).map(|(_, node)| node)
    }

    /// A key that must be there, and an example of how it is written.
    pub(super) fn need(&self, key: &str, example: &str, notes: &mut Notes) -> Option<&'n Node> {
        let node = self.get(key);
        if node.is_none() {
            notes.add(self.at, format!("{}: `{key}` is missing; add, for example, `{example}`", self.owner));
        }
        node
    }

    /// The text of a key, if it is there.
    pub(super) fn text(&self, key: &str, notes: &mut Notes) -> Option<Word> {
        self.get(key)?.word(&self.of(key), notes)
    }

    /// How messages name a key of this section.
    pub(super) fn of(&self, key: &str) -> String {
        format!("{}, `{key}`", self.owner)
    }
}

impl Node {
    /// Nothing behind the colon, or `null`.
    pub(super) fn is_empty(&self) -> bool {
        let Value::Scalar(Scalar { text, style: Style::Plain, .. }) = &self.value else { return false };
        matches!(text.as_str(), "" | "~" | "null")
    }

    /// One text that is not empty.
    pub(super) fn word(&self, what: &str, notes: &mut Notes) -> Option<Word> {
        match &self.value {
            Value::Scalar(_) if self.is_empty() => refuse(notes, self.at, format!("{what} is empty")),
            Value::Scalar(scalar) => Some(Word { at: self.at, value: scalar.text.clone() }),
            _ => refuse(notes, self.at, format!("{what}: expected one value, not a list or map")),
        }
    }

    /// A list with at least one part.
    pub(super) fn list(&self, what: &str, example: &str, notes: &mut Notes) -> Option<&[Node]> {
        match &self.value {
            Value::List(nodes) if !nodes.is_empty() => Some(nodes),
            _ => refuse(notes, self.at, format!("{what}: expected a list, for example {example}")),
        }
    }
}

/// A name as it may stand in expressions and results.
pub(super) fn check_name(word: &Word, what: &str, notes: &mut Notes) -> bool {
    let name = word.value.as_str();
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !(first && rest) {
        let advice = "letters, digits and `_`, not beginning with a digit";
        notes.add(word.at, format!("{} cannot be the name of {what}; use {advice}", quoted(name)));
    } else if name.len() > limits::NAME_CHARS_MAX {
        notes.add(word.at, format!("a name of {what} has at most {} characters", limits::NAME_CHARS_MAX));
    } else if RESERVED.contains(&name) {
        notes.add(word.at, format!("`{name}` means something in expressions; choose another name for {what}"));
    } else {
        return true;
    }
    false
}

/// A duration within bounds.
pub(super) fn duration(word: &Word, what: &str, notes: &mut Notes) -> Option<Span> {
    match Span::parse(&word.value) {
        Ok(span) if span <= limits::DURATION_MAX => Some(span),
        Ok(_) => refuse(notes, word.at, format!("{what}: {} is longer than {}", word.value, limits::DURATION_MAX)),
        Err(_) => refuse(
            notes,
            word.at,
            format!(
                "{what}: {} is no duration; write a whole number and one of us, ms, s, m, h, d, for example 5m",
                quoted(&word.value)
            ),
        ),
    }
}

/// A duration within bounds that is not nothing; `noun` says of what: "a window".
pub(super) fn some_duration(word: &Word, noun: &str, example: &str, what: &str, notes: &mut Notes) -> Option<Span> {
    match duration(word, what, notes)? {
        Span(0) => {
            refuse(notes, word.at, format!("{what}: {noun} is longer than nothing; write, for example, {example}"))
        }
        span => Some(span),
    }
}

/// Steps of `a.b.c`.
pub(super) fn path(word: &Word, what: &str, notes: &mut Notes) -> Option<Vec<String>> {
    let steps: Vec<String> = word.value.split('.').map(str::to_owned).collect();
    if steps.iter().any(String::is_empty) {
        return refuse(
            notes,
            word.at,
            format!("{what}: {} is no path; write names with one `.` between them", quoted(&word.value)),
        );
    }
    if steps.len() > limits::PATH_STEPS_MAX {
        return refuse(notes, word.at, format!("{what}: a path has at most {} steps", limits::PATH_STEPS_MAX));
    }
    Some(steps)
}

/// Notes a mistake and gives nothing.
pub(super) fn refuse<T>(notes: &mut Notes, at: Mark, message: impl Into<String>) -> Option<T> {
    notes.add(at, message);
    None
}
