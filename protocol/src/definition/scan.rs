//! A walk over the characters of an expression: where they stand, words, numbers. Knows no operator and no grammar.

use super::mistake::quoted;
use super::place::{Mark, Placed};

/// What is wrong, and where.
pub(super) type Wrong = Placed<String>;

pub(super) fn wrong(at: Mark, message: impl Into<String>) -> Wrong {
    Placed { at, value: message.into() }
}

/// Whether a name or a number may hold it.
pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The characters, and how far they were passed.
pub(super) struct Scan<'t> {
    text: Vec<char>,
    marks: &'t [Mark],
    /// Of the next character; it may be set back.
    pub(super) at: usize,
}

impl<'t> Scan<'t> {
    /// `marks` says where each character stands, and where they end.
    pub(super) fn new(text: &str, marks: &'t [Mark]) -> Self {
        Self { text: text.chars().collect(), marks, at: 0 }
    }

    /// Where the next character stands.
    pub(super) fn mark(&self) -> Mark {
        self.marks.get(self.at).or(self.marks.last()).copied().unwrap_or(Mark::START)
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    /// The character behind the next.
    pub(super) fn peek_second(&self) -> Option<char> {
        self.text.get(self.at + 1).copied()
    }

    /// Passes one character, which is the whole of `token`.
    pub(super) fn single<T>(&mut self, token: T) -> T {
        self.at += 1;
        token
    }

    /// Passes all characters that belong.
    pub(super) fn run(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&belongs) {
            self.at += 1;
        }
        self.since(start)
    }

    /// What was passed since.
    pub(super) fn since(&self, start: usize) -> String {
        self.text[start..self.at].iter().collect()
    }

    /// Passes a number: digits and at most one point, after a sign if that comes next. The text of a mistake shows
    /// `example`.
    pub(super) fn number(&mut self, example: &str) -> Result<String, Wrong> {
        let (mark, start) = (self.mark(), self.at);
        let sign = usize::from(self.peek() == Some('-'));
        self.at += sign;
        self.run(|c| is_word(c) || c == '.');
        let text = self.since(start);
        let (whole, fraction) = text[sign..].split_once('.').unwrap_or((&text[sign..], "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits(whole) && digits(fraction) {
            return Ok(text);
        }
        let advice = format!("write digits and at most one `.`, for example {example}");
        Err(wrong(mark, format!("{} is no number; {advice}", quoted(&text))))
    }
}
