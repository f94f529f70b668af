//! The grammar of `derived`: results and numbers joined by + - * / and parentheses. Knows no result; `*` and `/` bind
//! tighter than `+` and `-`, and operators of one strength go from left to right.

mod lexer;

use self::lexer::{Lexer, Token};
use super::mistake::{Notes, quoted};
use super::place::{Mark, Placed, Word};
use super::scan::{Wrong, wrong};
use crate::limits;
use crate::plan::ArithmeticOp;

/// A derived feature as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Formula {
    Result(Word),
    /// Its own text, with its sign.
    Number(Word),
    Binary(ArithmeticOp, Box<Formula>, Box<Formula>),
}

impl Formula {
    /// The results it names, from left to right.
    pub(super) fn names(&self) -> Vec<&Word> {
        match self {
            Self::Result(word) => vec![word],
            Self::Number(_) => Vec::new(),
            Self::Binary(_, left, right) => left.names().into_iter().chain(right.names()).collect(),
        }
    }
}

/// Reads a formula; `marks` says where each of its characters stands, and where it ends. `owner` begins messages.
pub(super) fn parse(text: &str, marks: &[Mark], owner: &str, notes: &mut Notes) -> Option<Formula> {
    let mut parser = Parser { lexer: Lexer::new(text, marks), depth: 0, operands: 0 };
    let parsed = parser.sum().and_then(|formula| match parser.lexer.next()? {
        Placed { value: Token::End, .. } => Ok(formula),
        Placed { at, value: Token::Close } => Err(wrong(at, "this `)` closes nothing; remove it")),
        Placed { at, value } => Err(wrong(at, format!("unexpected {value}; join results with + - * or /"))),
    });
    match parsed {
        Ok(formula) => Some(formula),
        Err(Placed { at, value }) => {
            notes.add(at, format!("{owner}: {value}"));
            None
        }
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    depth: usize,
    operands: usize,
}

impl Parser<'_> {
    fn sum(&mut self) -> Result<Formula, Wrong> {
        let mut left = self.product()?;
        while let Some(op) = self.lexer.take([ArithmeticOp::Add, ArithmeticOp::Subtract])? {
            left = Formula::Binary(op, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Formula, Wrong> {
        let mut left = self.operand()?;
        while let Some(op) = self.lexer.take([ArithmeticOp::Multiply, ArithmeticOp::Divide])? {
            left = Formula::Binary(op, Box::new(left), Box::new(self.operand()?));
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Formula, Wrong> {
        let Placed { at, value } = self.lexer.next()?;
        if matches!(value, Token::Name(_) | Token::Number(_)) {
            self.operands += 1;
            if self.operands > limits::DERIVED_OPERANDS_MAX {
                let most = limits::DERIVED_OPERANDS_MAX;
                return Err(wrong(at, format!("a derived feature joins at most {most} results and numbers")));
            }
        }
        match value {
            Token::Name(name) => Ok(Formula::Result(Word { at, value: name })),
            Token::Number(text) => Ok(Formula::Number(Word { at, value: text })),
            // A sign belongs to a number; of a result it is a subtraction.
            Token::Op(ArithmeticOp::Subtract) => match self.lexer.next()? {
                Placed { value: Token::Number(text), .. } => {
                    Ok(Formula::Number(Word { at, value: format!("-{text}") }))
                }
                Placed { value: Token::Name(name), .. } => {
                    Err(wrong(at, format!("a sign stands before a number only; write 0 - {name}")))
                }
                _ => Err(wrong(at, "a sign stands before a number only; write, for example, 0 - (a + b)")),
            },
            Token::Open => {
                self.depth += 1;
                if self.depth > limits::DEFINITIONS_DEPTH_MAX {
                    let most = limits::DEFINITIONS_DEPTH_MAX;
                    return Err(wrong(at, format!("parentheses nest at most {most} deep")));
                }
                let inner = self.sum()?;
                self.depth -= 1;
                match self.lexer.next()? {
                    Placed { value: Token::Close, .. } => Ok(inner),
                    Placed { at, value } => Err(wrong(at, format!("expected `)`, found {value}"))),
                }
            }
            Token::End => Err(wrong(at, "a result or a number is missing here, for example spend_1h / 2")),
            other => Err(wrong(at, format!("expected a result, a number or `(`, found {other}"))),
        }
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(text) | Self::Number(text) => f.write_str(&quoted(text)),
            Self::Op(op) => write!(f, "`{}`", op.sign()),
            Self::Open => f.write_str("`(`"),
            Self::Close => f.write_str("`)`"),
            Self::End => f.write_str("the end"),
        }
    }
}

#[cfg(test)]
mod tests;
