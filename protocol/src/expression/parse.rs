//! The text of an expression to a tree in which everything knows its place. Knows no name, no type and no function.
//!
//! The grammar is CEL's, read by the parser of the crate `cel`. A literal keeps the text it is written with, because the
//! parser would take a decimal for a float. Text and nesting are bounded before and while it reads.

mod explain;

use cel::common::ast::{Expr, IdedExpr, LiteralValue, SourceInfo};
use cel::parser::{ParseErrors, Parser};

use self::explain::{NO_HAS, NO_PATHS, explain};
use crate::definition::{Mark, Notes, Word, quoted};
use crate::limits;

/// What the names of values sent with a read stand behind.
const REQUEST: &str = "request";

/// The name of a value that is sent with a read, of `request.name`.
pub(crate) fn request_name(name: &str) -> Option<&str> {
    name.strip_prefix(REQUEST)?.strip_prefix('.')
}

/// A part of an expression as written. Of an operation the place is its sign's, of a call its name's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) at: Mark,
    pub(crate) shape: Shape,
}

impl Tree {
    /// Every name in it, in order.
    pub(crate) fn names(&self) -> Vec<Word> {
        match &self.shape {
            Shape::Name(name) => vec![Word { at: self.at, value: name.clone() }],
            Shape::List(parts) | Shape::Call(_, parts) => parts.iter().flat_map(Tree::names).collect(),
            Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::Text(_) => Vec::new(),
        }
    }
}

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Also `request.name`, as one name.
    Name(String),
    Null,
    Bool(bool),
    /// Its own text, with its sign.
    Number(String),
    Text(String),
    List(Vec<Tree>),
    /// An operation by its sign (`0-` of one value, `?` of three), or a function by its name.
    Call(String, Vec<Tree>),
}

/// The text of an expression and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'t> {
    pub(crate) text: &'t str,
    /// Of each character, and of the end.
    pub(crate) marks: &'t [Mark],
    /// Whose it is, for messages: "`where`".
    pub(crate) owner: &'t str,
}

/// Reads an expression; what is wrong is noted.
pub(crate) fn parse(text: Text<'_>, notes: &mut Notes) -> Option<Tree> {
    let most = limits::EXPRESSION_BYTES_MAX;
    if text.text.len() > most {
        let message = format!("{}: {} bytes; an expression has at most {most}", text.owner, text.text.len());
        notes.add(text.mark(0), message);
        return None;
    }
    let parser = Parser::new().max_recursion_depth(limits::EXPRESSION_DEPTH_MAX as u16);
    let (root, info) = match parser.parse_with_source_info(text.text) {
        Ok(parsed) => parsed,
        Err(errors) => {
            note(text, &errors, notes);
            return None;
        }
    };
    let mut translation = Translation { text, info, parts: 0 };
    match translation.tree(&root, 0) {
        Ok(tree) => Some(tree),
        Err((at, message)) => {
            notes.add(at, format!("{}: {message}", text.owner));
            None
        }
    }
}

/// Notes the first thing the parser says: what follows is often its consequence.
fn note(text: Text<'_>, errors: &ParseErrors, notes: &mut Notes) {
    let first = errors.errors.iter().find(|error| error.pos.0 > 0).or(errors.errors.first());
    let (line, column) = first.map_or((1, 1), |error| error.pos);
    let characters: Vec<char> = text.text.chars().collect();
    let lines = characters.split_inclusive(|c| *c == '\n').take(usize::try_from(line - 1).unwrap_or(0));
    let at = lines.map(<[char]>::len).sum::<usize>() + usize::try_from(column - 1).unwrap_or(0);
    let (at, message) = explain(&characters, at, first.map_or("", |error| &error.msg));
    notes.add(text.mark(at), format!("{}: {message}", text.owner));
}

impl Text<'_> {
    /// The place of a character.
    fn mark(self, character: usize) -> Mark {
        self.marks.get(character).or(self.marks.last()).copied().unwrap_or(Mark::START)
    }
}

type Wrong = (Mark, String);

/// From the parser's tree to ours.
struct Translation<'t> {
    text: Text<'t>,
    info: SourceInfo,
    parts: usize,
}

impl Translation<'_> {
    fn tree(&mut self, expression: &IdedExpr, depth: usize) -> Result<Tree, Wrong> {
        let at = self.at(expression);
        self.parts += 1;
        if depth > limits::EXPRESSION_DEPTH_MAX || self.parts > limits::EXPRESSION_PARTS_MAX {
            let (parts, depth) = (limits::EXPRESSION_PARTS_MAX, limits::EXPRESSION_DEPTH_MAX);
            let message = format!("an expression has at most {parts} parts, {depth} of them inside each other");
            return Err((at, format!("{message}; split it into fields or features of their own")));
        }
        let shape = match &expression.expr {
            Expr::Ident(name) => Shape::Name(name.clone()),
            Expr::Literal(literal) => self.literal(expression, literal)?,
            Expr::List(list) => Shape::List(self.all(&list.elements, depth)?),
            Expr::Call(call) => {
                let (name, at) = self.name(expression, &call.func_name)?;
                let mut arguments = Vec::new();
                if let Some(target) = &call.target {
                    arguments.push(self.tree(target, depth + 1)?);
                }
                arguments.extend(self.all(&call.args, depth)?);
                return Ok(Tree { at, shape: Shape::Call(name, arguments) });
            }
            Expr::Select(select) if select.test => {
                return Err((at, NO_HAS.to_owned()));
            }
            Expr::Select(select) if matches!(&select.operand.expr, Expr::Ident(name) if name == REQUEST) => {
                let shape = Shape::Name(format!("{REQUEST}.{}", select.field));
                return Ok(Tree { at: self.at(&select.operand), shape });
            }
            Expr::Select(select) => {
                return Err((at, format!("{} of something means nothing here; {NO_PATHS}", quoted(&select.field))));
            }
            Expr::Comprehension(_) => {
                return Err((
                    at,
                    "all, exists, map and filter are not known; there are no lists to go through".to_owned(),
                ));
            }
            Expr::Map(_) | Expr::Struct(_) => return Err((at, "maps and messages are not known".to_owned())),
            Expr::Unspecified => return Err((at, "something is missing here".to_owned())),
        };
        Ok(Tree { at, shape })
    }

    fn all(&mut self, expressions: &[IdedExpr], depth: usize) -> Result<Vec<Tree>, Wrong> {
        expressions.iter().map(|expression| self.tree(expression, depth + 1)).collect()
    }

    fn literal(&self, expression: &IdedExpr, literal: &LiteralValue) -> Result<Shape, Wrong> {
        let number = |is_negative: bool| {
            // The parser puts a sign into the value and leaves it out of the place.
            let sign = if is_negative { "-" } else { "" };
            Shape::Number(format!("{sign}{}", self.source(expression)))
        };
        Ok(match literal {
            LiteralValue::Null => Shape::Null,
            LiteralValue::Boolean(value) => Shape::Bool(*value.inner()),
            LiteralValue::Int(value) => number(*value.inner() < 0),
            LiteralValue::Double(value) => number(value.inner().is_sign_negative()),
            LiteralValue::String(value) => Shape::Text(value.inner().to_owned()),
            LiteralValue::UInt(_) => return Err((self.at(expression), "write whole numbers without `u`".to_owned())),
            LiteralValue::Bytes(_) => return Err((self.at(expression), "write texts without `b`".to_owned())),
        })
    }

    /// How an operation or function is named here, and where.
    fn name(&self, expression: &IdedExpr, name: &str) -> Result<(String, Mark), Wrong> {
        let at = self.at(expression);
        let sign = match name {
            "_?_:_" => "?",
            "-_" => "0-",
            "!_" => "!",
            "@in" => "in",
            "_[_]" => return Err((at, "there are no lists to take parts of".to_owned())),
            _ => match name.strip_prefix('_').and_then(|name| name.strip_suffix('_')) {
                Some(sign) => sign,
                None => return Ok((name.to_owned(), self.before_parenthesis(expression))),
            },
        };
        Ok((sign.to_owned(), at))
    }

    /// The place of a function's name: the parser gives that of the parenthesis behind it.
    fn before_parenthesis(&self, expression: &IdedExpr) -> Mark {
        let open = self.start(expression);
        let before = self.text.text.get(..open).unwrap_or_default().trim_end();
        let name = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        self.text.mark(name.chars().count())
    }

    /// First byte.
    fn start(&self, expression: &IdedExpr) -> usize {
        self.info.offset_for(expression.id).map_or(0, |(start, _)| start as usize)
    }

    fn at(&self, expression: &IdedExpr) -> Mark {
        self.text.mark(self.text.text.get(..self.start(expression)).map_or(0, |before| before.chars().count()))
    }

    /// The text of a token.
    fn source(&self, expression: &IdedExpr) -> &str {
        let Some((start, stop)) = self.info.offset_for(expression.id) else { return "" };
        self.text.text.get(start as usize..=stop as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
