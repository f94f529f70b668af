//! The grammar of `where`: comparisons of fields with literals, joined by `and`, `or` and parentheses. Knows no field
//! and no type; `and` binds tighter than `or`.

mod lexer;

use self::lexer::{Lexer, Token};
use super::mistake::{Notes, quoted};
use super::place::{Mark, Placed, Word};
use super::scan::{Wrong, wrong};
use crate::limits;
use crate::plan::CompareOp;

/// A filter as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Compare { field: Word, op: Placed<CompareOp>, literal: Placed<Constant> },
}

/// The right side of a comparison, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Constant {
    Text(String),
    Bool(bool),
    /// Its own text: only the field's domain can read it.
    Number(String),
}

/// Reads a filter; `marks` says where each of its characters stands, and where it ends.
pub(super) fn parse(text: &str, marks: &[Mark], notes: &mut Notes) -> Option<Expression> {
    let mut parser = Parser { lexer: Lexer::new(text, marks), depth: 0, terms: 0 };
    let parsed = parser.any().and_then(|expression| match parser.lexer.next()? {
        Placed { value: Token::End, .. } => Ok(expression),
        Placed { at, value: Token::Close } => Err(wrong(at, "this `)` closes nothing; remove it")),
        Placed { at, value } => {
            let advice = match &value {
                Token::Name(name) if name == "not" || name == "in" => {
                    "`not` and `in` are not known; use ==, != and `or`"
                }
                _ => "join comparisons with `and` or `or`",
            };
            Err(wrong(at, format!("unexpected {value}; {advice}")))
        }
    });
    match parsed {
        Ok(expression) => Some(expression),
        Err(Placed { at, value }) => {
            notes.add(at, format!("`where`: {value}"));
            None
        }
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    depth: usize,
    terms: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression, Wrong> {
        let mut parts = Vec::new();
        loop {
            match self.all()? {
                Expression::Or(inner) => parts.extend(inner),
                other => parts.push(other),
            }
            if !self.lexer.take_word("or")? {
                return Ok(one_or(parts, Expression::Or));
            }
        }
    }

    fn all(&mut self) -> Result<Expression, Wrong> {
        let mut parts = Vec::new();
        loop {
            match self.term()? {
                Expression::And(inner) => parts.extend(inner),
                other => parts.push(other),
            }
            if !self.lexer.take_word("and")? {
                return Ok(one_or(parts, Expression::And));
            }
        }
    }

    fn term(&mut self) -> Result<Expression, Wrong> {
        let Placed { at, value } = self.lexer.next()?;
        match value {
            Token::Open => {
                self.depth += 1;
                if self.depth > limits::DEFINITIONS_DEPTH_MAX {
                    return Err(wrong(at, format!("parentheses nest at most {} deep", limits::DEFINITIONS_DEPTH_MAX)));
                }
                let inner = self.any()?;
                self.depth -= 1;
                match self.lexer.next()? {
                    Placed { value: Token::Close, .. } => Ok(inner),
                    Placed { at, value } => Err(wrong(at, format!("expected `)`, found {value}"))),
                }
            }
            Token::Name(name) if name == "not" => {
                Err(wrong(at, "`not` is not known; turn the comparison round, for example != for =="))
            }
            Token::Name(name) if name == "and" || name == "or" => {
                Err(wrong(at, format!("`{name}` joins two comparisons; one is missing before it")))
            }
            Token::Name(name) if !matches!(name.as_str(), "true" | "false" | "null") => {
                self.compare(Word { at, value: name })
            }
            Token::End => Err(wrong(at, "a comparison is missing here, for example amount > 3")),
            other => {
                Err(wrong(at, format!("expected the name of a field, found {other}; write, for example, amount > 3")))
            }
        }
    }

    fn compare(&mut self, field: Word) -> Result<Expression, Wrong> {
        self.terms += 1;
        if self.terms > limits::FILTER_TERMS_MAX {
            return Err(wrong(field.at, format!("a filter has at most {} comparisons", limits::FILTER_TERMS_MAX)));
        }
        let Placed { at, value } = self.lexer.next()?;
        let op = match value {
            Token::Op(op) => Placed { at, value: op },
            Token::End => {
                let advice =
                    format!("{} stands alone; compare it, for example {} == true", quoted(&field.value), field.value);
                return Err(wrong(at, advice));
            }
            other => {
                let advice = "use one of == != < <= > >=";
                return Err(wrong(
                    at,
                    format!("expected a comparison after {}, found {other}; {advice}", quoted(&field.value)),
                ));
            }
        };
        let Placed { at, value } = self.lexer.next()?;
        let constant = match value {
            Token::Text(text) => Constant::Text(text),
            Token::Number(text) => Constant::Number(text),
            Token::Name(name) if name == "true" || name == "false" => Constant::Bool(name == "true"),
            Token::Name(name) if name == "null" => {
                return Err(wrong(
                    at,
                    "a comparison with null is always false; leave it out, nulls are skipped anyway",
                ));
            }
            Token::Name(name) => {
                let advice = format!("fields are compared with literals; a text stands in quotes: \"{name}\"");
                return Err(wrong(at, advice));
            }
            Token::End => {
                return Err(wrong(at, "the comparison ends early; add a text in quotes, a number, true or false"));
            }
            other => {
                return Err(wrong(at, format!("expected a text in quotes, a number, true or false, found {other}")));
            }
        };
        Ok(Expression::Compare { field, op, literal: Placed { at, value: constant } })
    }
}

fn one_or(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => join(parts.into_iter().chain(last).collect()),
    }
}

#[cfg(test)]
mod tests;
