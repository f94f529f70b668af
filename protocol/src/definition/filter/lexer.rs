//! Characters of a `where` to tokens. Knows no grammar.

use std::fmt;

use super::{Wrong, mistake};
use crate::definition::mistake::quoted;
use crate::definition::place::{Mark, Placed};
use crate::plan::CompareOp;

/// Characters operators are made of: a run of them is one operator, known or not.
const OPERATOR: &str = "=!<>&|~+-*/%^?:;,@#$.[]{}\\`";

/// The smallest part of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Name(String),
    Number(String),
    Text(String),
    Op(CompareOp),
    Open,
    Close,
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(text) | Self::Number(text) => f.write_str(&quoted(text)),
            Self::Text(text) => write!(f, "the text {}", quoted(text)),
            Self::Op(_) => f.write_str("a comparison"),
            Self::Open => f.write_str("`(`"),
            Self::Close => f.write_str("`)`"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// A walk over the characters of a filter.
pub(super) struct Lexer<'t> {
    text: Vec<char>,
    marks: &'t [Mark],
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &str, marks: &'t [Mark]) -> Self {
        Self { text: text.chars().collect(), marks, at: 0 }
    }

    /// The next token and its place; [`Token::End`] for ever at the end.
    pub(super) fn next(&mut self) -> Result<Placed<Token>, Wrong> {
        self.run(char::is_whitespace);
        let mark = self.mark(self.at);
        let value = match self.peek() {
            None => Token::End,
            Some('(') => self.single(Token::Open),
            Some(')') => self.single(Token::Close),
            Some(quote @ ('"' | '\'')) => self.text(quote, mark)?,
            Some(c) if c.is_ascii_digit() => self.number(mark)?,
            Some('-') if self.text.get(self.at + 1).is_some_and(char::is_ascii_digit) => self.number(mark)?,
            Some(c) if is_word(c) => Token::Name(self.run(is_word)),
            Some(c) if OPERATOR.contains(c) => Token::Op(self.operator(mark)?),
            Some(c) => return Err(mistake(mark, format!("{} means nothing here", quoted(&c.to_string())))),
        };
        Ok(Placed { at: mark, value })
    }

    /// Passes `word` if it comes next.
    pub(super) fn take_word(&mut self, word: &str) -> Result<bool, Wrong> {
        let before = self.at;
        let found = self.next()?.value == Token::Name(word.to_owned());
        if !found {
            self.at = before;
        }
        Ok(found)
    }

    fn mark(&self, at: usize) -> Mark {
        self.marks.get(at).or(self.marks.last()).copied().unwrap_or(Mark::START)
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn single(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn run(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&belongs) {
            self.at += 1;
        }
        self.text[start..self.at].iter().collect()
    }

    fn text(&mut self, quote: char, mark: Mark) -> Result<Token, Wrong> {
        self.at += 1;
        let text = self.run(|c| c != quote);
        if self.peek().is_none() {
            return Err(mistake(mark, format!("this text has no end; close it with {quote}")));
        }
        self.at += 1;
        Ok(Token::Text(text))
    }

    fn number(&mut self, mark: Mark) -> Result<Token, Wrong> {
        let sign = if self.peek() == Some('-') { 1 } else { 0 };
        let start = self.at;
        self.at += sign;
        self.run(|c| is_word(c) || c == '.');
        let text: String = self.text[start..self.at].iter().collect();
        let (whole, fraction) = text[sign..].split_once('.').unwrap_or((&text[sign..], "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(mistake(
                mark,
                format!("{} is no number; write digits and at most one `.`, for example -12.50", quoted(&text)),
            ));
        }
        Ok(Token::Number(text))
    }

    fn operator(&mut self, mark: Mark) -> Result<CompareOp, Wrong> {
        let start = self.at;
        // `>-3` is a comparison with a negative number.
        while self.peek().is_some_and(|c| OPERATOR.contains(c)) && !(self.at > start && self.is_sign()) {
            self.at += 1;
        }
        let text: String = self.text[start..self.at].iter().collect();
        Ok(match text.as_str() {
            "==" => CompareOp::Eq,
            "!=" => CompareOp::Ne,
            "<" => CompareOp::Lt,
            "<=" => CompareOp::Le,
            ">" => CompareOp::Gt,
            ">=" => CompareOp::Ge,
            other => {
                let advice = match other {
                    "=" | "===" => "write ==",
                    "<>" | "!" => "write !=",
                    "=>" => "write >=",
                    "=<" => "write <=",
                    "&" | "&&" => "write `and`",
                    "|" | "||" => "write `or`",
                    "." => "a path belongs to the source's `fields`; use the name given there",
                    _ => "use one of == != < <= > >=",
                };
                return Err(mistake(mark, format!("{} is no comparison; {advice}", quoted(other))));
            }
        })
    }

    fn is_sign(&self) -> bool {
        self.peek() == Some('-') && self.text.get(self.at + 1).is_some_and(char::is_ascii_digit)
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
