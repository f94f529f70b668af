//! Characters of a formula to tokens. Knows no grammar.

use super::{Wrong, wrong};
use crate::definition::mistake::quoted;
use crate::definition::place::{Mark, Placed};
use crate::plan::ArithmeticOp;

/// The smallest part of a formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Name(String),
    /// Digits and at most one point, without a sign.
    Number(String),
    Op(ArithmeticOp),
    Open,
    Close,
    End,
}

/// A walk over the characters of a formula.
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
        let at = self.marks.get(self.at).or(self.marks.last()).copied().unwrap_or(Mark::START);
        let Some(first) = self.text.get(self.at).copied() else { return Ok(Placed { at, value: Token::End }) };
        let value = match first {
            '(' => self.single(Token::Open),
            ')' => self.single(Token::Close),
            c if ArithmeticOp::ALL.iter().any(|op| op.sign() == c) => {
                let op = ArithmeticOp::ALL.into_iter().find(|op| op.sign() == c);
                self.single(op.map_or(Token::End, Token::Op))
            }
            c if c.is_ascii_digit() => {
                let text = self.run(|c| is_word(c) || c == '.');
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
                let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                if !digits(whole) || !digits(fraction) {
                    let advice = "write digits and at most one `.`, for example 12.50";
                    return Err(wrong(at, format!("{} is no number; {advice}", quoted(&text))));
                }
                Token::Number(text)
            }
            c if is_word(c) => Token::Name(self.run(is_word)),
            c => {
                let advice = "a derived feature knows + - * / and parentheses";
                return Err(wrong(at, format!("{} means nothing here; {advice}", quoted(&c.to_string()))));
            }
        };
        Ok(Placed { at, value })
    }

    /// Passes one of these operators if it comes next.
    pub(super) fn take(&mut self, wanted: [ArithmeticOp; 2]) -> Result<Option<ArithmeticOp>, Wrong> {
        let before = self.at;
        match self.next()?.value {
            Token::Op(op) if wanted.contains(&op) => Ok(Some(op)),
            _ => {
                self.at = before;
                Ok(None)
            }
        }
    }

    fn single(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn run(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.text.get(self.at).copied().is_some_and(&belongs) {
            self.at += 1;
        }
        self.text[start..self.at].iter().collect()
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
