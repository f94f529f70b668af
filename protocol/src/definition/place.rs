//! Where things stand in a definitions file. Knows no YAML beyond how a scalar's characters lie in the file.

/// A line and a column, both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Mark {
    /// Where a file begins.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

/// A value and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed<T> {
    pub(crate) at: Mark,
    pub(crate) value: T,
}

/// A name or other text.
pub(crate) type Word = Placed<String>;

/// How a scalar is written: decides where its first character stands and what is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes.
    Plain,
    /// Between single quotes.
    SingleQuoted,
    /// Between double quotes.
    DoubleQuoted,
    /// After `|` or `>`, from the next line on.
    Block,
}

/// Characters between two remembered byte offsets: a place is found in at most so many steps, however long its line.
const STRIDE: usize = 256;

/// The file's text by lines.
#[derive(Clone, Debug)]
pub(crate) struct Source<'t> {
    text: &'t str,
    /// Where lines begin: byte and character.
    lines: Vec<(usize, usize)>,
    /// The byte of every [`STRIDE`]th character.
    strides: Vec<usize>,
}

impl<'t> Source<'t> {
    /// Splits where YAML does: after a line feed, a carriage return, or both.
    pub(crate) fn new(text: &'t str) -> Self {
        let (mut lines, mut strides, mut before) = (vec![(0, 0)], Vec::new(), ' ');
        for (character, (byte, c)) in text.char_indices().enumerate() {
            if character % STRIDE == 0 {
                strides.push(byte);
            }
            if before == '\n' || (before == '\r' && c != '\n') {
                lines.push((byte, character));
            }
            before = c;
        }
        Self { text, lines, strides }
    }

    /// A line without its end; empty past the last.
    pub(crate) fn line(&self, line: usize) -> &'t str {
        let Some((start, _)) = self.lines.get(line.wrapping_sub(1)) else { return "" };
        let end = self.lines.get(line).map_or(self.text.len(), |(start, _)| *start);
        self.text[*start..end].trim_end_matches(['\n', '\r'])
    }

    /// The text from a place on.
    fn from(&self, at: Mark) -> &'t str {
        let Some((_, start)) = self.lines.get(at.line.wrapping_sub(1)) else { return "" };
        let character = start + at.column - 1;
        let rest = self.strides.get(character / STRIDE).map_or("", |byte| &self.text[*byte..]);
        rest.char_indices().nth(character % STRIDE).map_or("", |(byte, _)| &rest[byte..])
    }

    /// Where each character of a scalar stands, and, last, where it ends. `at` is its first character in the file (a
    /// quote, if it has them; of a block, the first of its text), `end` the place behind its last.
    pub(crate) fn marks(&self, value: &str, style: Style, at: Mark, end: Mark) -> Vec<Mark> {
        let mut cursor = Cursor { rest: self.from(at), at, end };
        match style {
            Style::Plain | Style::Block => {}
            Style::SingleQuoted | Style::DoubleQuoted => cursor.advance(1),
        }
        // A block begins at its first character that is no space; the empty lines before it are part of the value.
        let empty = if style == Style::Block { value.len() - value.trim_start().len() } else { 0 };
        let mut marks = vec![cursor.at; value[..empty].chars().count()];
        for wanted in value[empty..].chars() {
            // A line break with its indentation is one space of the value; the rest is skipped here.
            while cursor.peek().is_some_and(|found| !cursor.is(found, wanted, style)) {
                cursor.advance(1);
            }
            marks.push(cursor.at);
            let escape = style == Style::DoubleQuoted && cursor.peek() == Some('\\');
            cursor.advance(if escape { cursor.escape_len() } else { 1 });
        }
        marks.push(cursor.at);
        marks
    }
}

/// A walk over the characters of one scalar, line ends included.
struct Cursor<'t> {
    rest: &'t str,
    at: Mark,
    end: Mark,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next().filter(|_| self.at < self.end)
    }

    fn is(&self, found: char, wanted: char, style: Style) -> bool {
        found == wanted
            || (found.is_whitespace() && wanted.is_whitespace())
            || (found == '\\' && style == Style::DoubleQuoted)
    }

    fn escape_len(&self) -> usize {
        match self.rest.chars().nth(1) {
            Some('x') => 4,
            Some('u') => 6,
            Some('U') => 10,
            _ => 2,
        }
    }

    fn advance(&mut self, characters: usize) {
        for _ in 0..characters {
            let Some(passed) = self.peek() else { return };
            self.rest = &self.rest[passed.len_utf8()..];
            self.at = match passed {
                '\r' if self.rest.starts_with('\n') => self.at,
                '\r' | '\n' => Mark { line: self.at.line + 1, column: 1 },
                _ => Mark { line: self.at.line, column: self.at.column + 1 },
            };
        }
    }
}
