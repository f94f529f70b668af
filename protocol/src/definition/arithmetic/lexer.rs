//! Characters of a formula to tokens. Knows no grammar.

use crate::definition::mistake::quoted;
use crate::definition::place::{Mark, Placed};
use crate::definition::scan::{Scan, Wrong, is_word, wrong};
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

/// The tokens of a formula.
pub(super) struct Lexer<'t>(Scan<'t>);

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &str, marks: &'t [Mark]) -> Self {
        Self(Scan::new(text, marks))
    }

    /// The next token and its place; [`Token::End`] for ever at the end.
    pub(super) fn next(&mut self) -> Result<Placed<Token>, Wrong> {
        self.0.run(char::is_whitespace);
        let at = self.0.mark();
        let value = match self.0.peek() {
            None => Token::End,
            Some('(') => self.0.single(Token::Open),
            Some(')') => self.0.single(Token::Close),
            Some(c) if c.is_ascii_digit() => Token::Number(self.0.number("12.50")?),
            Some(c) if is_word(c) => Token::Name(self.0.run(is_word)),
            Some(c) => match ArithmeticOp::ALL.into_iter().find(|op| op.sign() == c) {
                Some(op) => self.0.single(Token::Op(op)),
                None => {
                    let advice = "a derived feature knows + - * / and parentheses";
                    return Err(wrong(at, format!("{} means nothing here; {advice}", quoted(&c.to_string()))));
                }
            },
        };
        Ok(Placed { at, value })
    }

    /// Passes one of these operators if it comes next.
    pub(super) fn take(&mut self, wanted: [ArithmeticOp; 2]) -> Result<Option<ArithmeticOp>, Wrong> {
        let before = self.0.at;
        match self.next()?.value {
            Token::Op(op) if wanted.contains(&op) => Ok(Some(op)),
            _ => {
                self.0.at = before;
                Ok(None)
            }
        }
    }
}
