//! Characters of a `where` to tokens. Knows no grammar.

use std::fmt;

use crate::definition::mistake::quoted;
use crate::definition::place::{Mark, Placed};
use crate::definition::scan::{Scan, Wrong, is_word, wrong};
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

/// The tokens of a filter.
pub(super) struct Lexer<'t>(Scan<'t>);

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &str, marks: &'t [Mark]) -> Self {
        Self(Scan::new(text, marks))
    }

    /// The next token and its place; [`Token::End`] for ever at the end.
    pub(super) fn next(&mut self) -> Result<Placed<Token>, Wrong> {
        self.0.run(char::is_whitespace);
        let mark = self.0.mark();
        let value = match self.0.peek() {
            None => Token::End,
            Some('(') => self.0.single(Token::Open),
            Some(')') => self.0.single(Token::Close),
            Some(quote @ ('"' | '\'')) => self.text(quote, mark)?,
            Some(c) if c.is_ascii_digit() || self.is_sign() => Token::Number(self.0.number("-12.50")?),
            Some(c) if is_word(c) => Token::Name(self.0.run(is_word)),
            Some(c) if OPERATOR.contains(c) => Token::Op(self.operator(mark)?),
            Some(c) => return Err(wrong(mark, format!("{} means nothing here", quoted(&c.to_string())))),
        };
        Ok(Placed { at: mark, value })
    }

    /// Passes `word` if it comes next.
    pub(super) fn take_word(&mut self, word: &str) -> Result<bool, Wrong> {
        let before = self.0.at;
        let found = self.next()?.value == Token::Name(word.to_owned());
        if !found {
            self.0.at = before;
        }
        Ok(found)
    }

    fn text(&mut self, quote: char, mark: Mark) -> Result<Token, Wrong> {
        self.0.at += 1;
        let text = self.0.run(|c| c != quote);
        if self.0.peek().is_none() {
            return Err(wrong(mark, format!("this text has no end; close it with {quote}")));
        }
        Ok(self.0.single(Token::Text(text)))
    }

    fn operator(&mut self, mark: Mark) -> Result<CompareOp, Wrong> {
        let start = self.0.at;
        // `>-3` is a comparison with a negative number.
        while self.0.peek().is_some_and(|c| OPERATOR.contains(c)) && !(self.0.at > start && self.is_sign()) {
            self.0.at += 1;
        }
        Ok(match self.0.since(start).as_str() {
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
                return Err(wrong(mark, format!("{} is no comparison; {advice}", quoted(other))));
            }
        })
    }

    fn is_sign(&self) -> bool {
        self.0.peek() == Some('-') && self.0.peek_second().is_some_and(|c| c.is_ascii_digit())
    }
}
