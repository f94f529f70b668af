//! What is wrong in a definitions file, with the place and the line it stands on. Knows no rule.

use std::fmt;

use thiserror::Error;

use super::place::{Mark, Source};
use super::suggest;
use crate::limits;

/// Characters of a line shown around a mistake.
const SNIPPET_CHARS: usize = 120;
/// Characters of a foreign text repeated in a message.
const QUOTED_CHARS: usize = 60;

/// One mistake: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub message: String,
    /// The line it stands on, cut to a readable width, and where in it the mistake begins.
    snippet: (String, usize),
}

/// Every mistake of one file, in order of place; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Mistakes {
    /// The file's name, as given.
    pub file: String,
    /// In order of place.
    pub list: Vec<Mistake>,
    /// How many more there are than [`limits::MISTAKES_MAX`].
    pub more: usize,
}

impl fmt::Display for Mistakes {
    /// `file:line:column: message`, the line itself and a caret, for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.list.iter().enumerate() {
            let (snippet, caret) = &mistake.snippet;
            let (number, gap) = (mistake.line.to_string(), if at == 0 { "" } else { "\n" });
            writeln!(f, "{gap}{}:{}:{}: {}", self.file, mistake.line, mistake.column, mistake.message)?;
            writeln!(f, "  {number} | {snippet}")?;
            write!(f, "  {:>width$} | {:>caret$}", "", "^", width = number.len(), caret = caret + 1)?;
        }
        if self.more > 0 {
            write!(f, "\n{}: and {} more mistakes", self.file, self.more)?;
        }
        Ok(())
    }
}

/// Collects mistakes while a file is read.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    list: Vec<(Mark, String)>,
    more: usize,
}

impl Notes {
    /// Something is wrong at `at`.
    pub(crate) fn add(&mut self, at: Mark, message: impl Into<String>) {
        if self.list.len() < limits::MISTAKES_MAX {
            self.list.push((at, message.into()));
        } else {
            self.more += 1;
        }
    }

    /// `given` is none of `known`: says which of them may have been meant.
    pub(crate) fn unknown<'k>(
        &mut self,
        at: Mark,
        message: impl fmt::Display,
        given: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        if self.list.len() < limits::MISTAKES_MAX {
            self.add(at, format!("{message}; {}", suggest::advice(given, known)));
        } else {
            self.more += 1;
        }
    }

    /// How many there are so far.
    pub(crate) fn len(&self) -> usize {
        self.list.len() + self.more
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them, as people read them.
    pub(crate) fn finish(mut self, file: &str, source: &Source<'_>) -> Mistakes {
        self.list.sort_by_key(|(at, _)| *at);
        let list = self.list.into_iter().map(|(at, message)| Mistake {
            line: at.line,
            column: at.column,
            message,
            snippet: snippet(source.line(at.line), at.column),
        });
        Mistakes { file: file.to_owned(), list: list.collect(), more: self.more }
    }
}

/// The part of a line around a column, and the column's place in it, from 0.
fn snippet(line: &str, column: usize) -> (String, usize) {
    let is_long = line.chars().nth(SNIPPET_CHARS).is_some();
    let skipped = if is_long { (column - 1).saturating_sub(SNIPPET_CHARS / 2) } else { 0 };
    let shown = line.chars().skip(skipped).take(SNIPPET_CHARS);
    (shown.map(|c| if c.is_control() { ' ' } else { c }).collect(), column - 1 - skipped)
}

/// A foreign text in backquotes, cut where it is long, on one line.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTED_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(QUOTED_CHARS).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
