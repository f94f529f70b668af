//! A tree to a typed expression: names are looked up, types agree, conversions are written out. Knows no source and no
//! view: [`Names`] does. It goes on past a mistake, so that one run names them all.

mod calls;
mod unify;

use super::literal;
use super::parse::{Shape, Text, Tree, parse};
use super::{CompareOp, Expression, Function, Kind, Literal, Type, functions};
use crate::definition::{Mark, Mistakes, Notes, Source, Style, Word, quoted};

/// What a value is needed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Bool,
    Number,
    Text,
    Timestamp,
}

impl Wanted {
    /// For messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Text => "text",
            Self::Timestamp => "a timestamp",
        }
    }
}

impl Type {
    /// What a value of it can be used as.
    pub(crate) fn as_wanted(self) -> Wanted {
        match self {
            Self::Bool => Wanted::Bool,
            Self::Int | Self::Decimal(_) | Self::Float => Wanted::Number,
            Self::Text => Wanted::Text,
            Self::Timestamp => Wanted::Timestamp,
        }
    }
}

/// What names of an expression refer to.
pub(crate) trait Names {
    /// What a name can be used as, where that is known already.
    fn class(&self, name: &str) -> Option<Wanted>;

    /// The expression behind a name that is used so; `None` wanted means that any type is right, if one is known. What is
    /// wrong is noted.
    fn resolve(&mut self, word: &Word, wanted: Option<Wanted>, notes: &mut Notes) -> Option<Expression>;

    /// Whether there is an event whose time can be asked.
    fn has_event(&self) -> bool;
}

/// The typed expression, used as `wanted`.
pub(crate) fn check(
    tree: &Tree,
    wanted: Option<Wanted>,
    names: &mut dyn Names,
    notes: &mut Notes,
) -> Option<Expression> {
    Checker { names, notes }.check(tree, wanted)
}

/// Reads and checks an expression over inputs of these names and types, numbered from 0.
///
/// # Errors
/// Every mistake of the text.
pub fn read(text: &str, inputs: &[(&str, Type)], has_event: bool) -> Result<Expression, Mistakes> {
    let source = Source::new(text);
    let lines = text.lines().count().max(1);
    let end = Mark { line: lines, column: text.lines().last().unwrap_or_default().chars().count() + 1 };
    let marks = source.marks(text, Style::Plain, Mark::START, end);
    let mut notes = Notes::default();
    let tree = parse(Text { text, marks: &marks, owner: "expression" }, &mut notes);
    let checked = tree.and_then(|tree| check(&tree, None, &mut Listed { inputs, has_event }, &mut notes));
    checked.filter(|_| notes.is_empty()).ok_or_else(|| notes.finish("expression", &source))
}

/// Names of a list.
struct Listed<'l> {
    inputs: &'l [(&'l str, Type)],
    has_event: bool,
}

impl Names for Listed<'_> {
    fn class(&self, name: &str) -> Option<Wanted> {
        self.inputs.iter().find(|(known, _)| *known == name).map(|(_, of)| of.as_wanted())
    }

    fn resolve(&mut self, word: &Word, _: Option<Wanted>, notes: &mut Notes) -> Option<Expression> {
        let found = self.inputs.iter().position(|(known, _)| *known == word.value);
        if found.is_none() {
            let known = self.inputs.iter().map(|(name, _)| *name);
            notes.unknown(word.at, format!("{} is no input", quoted(&word.value)), &word.value, known);
        }
        found.map(|at| Expression::input(at, self.inputs[at].1))
    }

    fn has_event(&self) -> bool {
        self.has_event
    }
}

struct Checker<'c> {
    names: &'c mut dyn Names,
    notes: &'c mut Notes,
}

impl Checker<'_> {
    /// Notes a mistake and gives nothing.
    fn refuse<T>(&mut self, at: Mark, message: impl Into<String>) -> Option<T> {
        self.notes.add(at, message);
        None
    }

    fn check(&mut self, tree: &Tree, wanted: Option<Wanted>) -> Option<Expression> {
        let checked = match &tree.shape {
            Shape::Name(name) => {
                let word = Word { at: tree.at, value: name.clone() };
                self.names.resolve(&word, wanted, self.notes)?
            }
            Shape::Null => match wanted {
                Some(wanted) => null(wanted),
                None => return self.refuse(tree.at, "null has no type here"),
            },
            Shape::Bool(value) => Expression::literal(Literal::Bool(*value), Type::Bool),
            Shape::Text(text) => Expression::literal(Literal::Text(text.clone()), Type::Text),
            Shape::Number(text) => match literal::number(text) {
                Ok(number) => number,
                Err(wrong) => return self.refuse(tree.at, format!("{} {wrong}", quoted(text))),
            },
            Shape::List(_) => return self.refuse(tree.at, "a list stands only behind `in` and in bucketize"),
            Shape::Call(name, arguments) => self.call(tree.at, name, arguments, wanted)?,
        };
        match wanted {
            Some(wanted) if checked.of.as_wanted() != wanted => {
                let message = format!("this is {}; {} is needed here", checked.of, wanted.name());
                self.refuse(tree.at, message)
            }
            _ => Some(checked),
        }
    }

    /// All of them, so that every wrong one is named.
    fn all(&mut self, trees: &[Tree], wanted: Option<Wanted>) -> Option<Vec<Expression>> {
        let checked: Vec<Option<Expression>> = trees.iter().map(|tree| self.check(tree, wanted)).collect();
        checked.into_iter().collect()
    }

    fn call(&mut self, at: Mark, name: &str, arguments: &[Tree], wanted: Option<Wanted>) -> Option<Expression> {
        let compare = CompareOp::of_sign(name);
        match (name, arguments) {
            ("&&" | "||", parts) => self.logic(name, parts),
            ("!", [part]) => {
                Some(Expression::call(Function::Not, vec![self.check(part, Some(Wanted::Bool))?], Type::Bool))
            }
            ("?", [condition, then, otherwise]) => self.conditional(condition, then, otherwise, wanted),
            ("in", [value, list]) => self.is_in(at, value, list),
            ("0-", [part]) => {
                let part = self.check(part, Some(Wanted::Number))?;
                let of = part.of;
                Some(Expression::call(Function::Negate, vec![part], of))
            }
            ("+" | "-" | "*" | "/" | "%", [left, right]) => self.arithmetic(at, name, left, right, wanted),
            (_, [left, right]) if compare.is_some() => self.compare(at, compare?, left, right),
            _ => match functions::find(name) {
                Some(entry) => self.function(at, entry, arguments, wanted),
                None => {
                    let known = functions::ALL.iter().map(|entry| entry.name);
                    self.notes.unknown(at, format!("{} is no function", quoted(name)), name, known);
                    None
                }
            },
        }
    }

    fn logic(&mut self, name: &str, parts: &[Tree]) -> Option<Expression> {
        let function = if name == "&&" { Function::And } else { Function::Or };
        let mut flat = Vec::new();
        for part in self.all(parts, Some(Wanted::Bool))? {
            match part.kind {
                Kind::Call(inner, arguments) if inner == function => flat.extend(arguments),
                kind => flat.push(Expression { kind, of: part.of }),
            }
        }
        Some(Expression::call(function, flat, Type::Bool))
    }

    fn conditional(
        &mut self,
        condition: &Tree,
        then: &Tree,
        otherwise: &Tree,
        wanted: Option<Wanted>,
    ) -> Option<Expression> {
        let condition = self.check(condition, Some(Wanted::Bool));
        let branches = self.same(&[then, otherwise], wanted);
        let ([condition], branches) = ([condition?], branches?);
        let of = branches.first()?.of;
        Some(Expression::call(Function::If, [condition].into_iter().chain(branches).collect(), of))
    }

    fn compare(&mut self, at: Mark, op: CompareOp, left: &Tree, right: &Tree) -> Option<Expression> {
        if let Some(null) = [left, right].into_iter().find(|side| side.shape == Shape::Null) {
            return self.refuse(null.at, "a comparison with null is always null; write is_null(NAME)");
        }
        let sides = self.same(&[left, right], None)?;
        if sides.first()?.of == Type::Bool && !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return self.refuse(at, "true and false have no order; compare with == or !=");
        }
        Some(Expression::call(Function::Compare(op), sides, Type::Bool))
    }

    fn is_in(&mut self, at: Mark, value: &Tree, list: &Tree) -> Option<Expression> {
        let Shape::List(list) = &list.shape else {
            return self.refuse(list.at, "behind `in` stands a list, for example [\"web\", \"app\"]");
        };
        if list.is_empty() {
            return self.refuse(at, "an empty list holds nothing");
        }
        if let Some(other) = list.iter().find(|one| !is_written_down(one)) {
            return self.refuse(other.at, "a list holds texts, numbers, true and false alone");
        }
        let values: Vec<&Tree> = [value].into_iter().chain(list).collect();
        Some(Expression::call(Function::In, self.same(&values, None)?, Type::Bool))
    }

    fn arithmetic(
        &mut self,
        at: Mark,
        sign: &str,
        left: &Tree,
        right: &Tree,
        wanted: Option<Wanted>,
    ) -> Option<Expression> {
        let class = self.class(left).or_else(|| self.class(right)).or(wanted).unwrap_or(Wanted::Number);
        match (sign, class) {
            ("+", Wanted::Text) => {
                let (left, right) = (self.check(left, Some(class)), self.check(right, Some(class)));
                return Some(Expression::call(Function::Concat, vec![left?, right?], Type::Text));
            }
            ("-", Wanted::Timestamp) => {
                let (left, right) = (self.check(left, Some(class)), self.check(right, Some(class)));
                return Some(Expression::call(Function::Between, vec![left?, right?], Type::Decimal(6)));
            }
            _ => {}
        }
        let number = Some(Wanted::Number);
        let (left, right) = (self.check(left, number), self.check(right, number));
        let (left, right) = (left?, right?);
        let is_float = left.of == Type::Float || right.of == Type::Float;
        match sign {
            "/" if !is_float => Some(Expression::call(Function::Divide, vec![left, right], Type::Float)),
            "/" => Some(Expression::call(Function::Divide, unify::widened(vec![left, right])?, Type::Float)),
            "%" if (left.of, right.of) == (Type::Int, Type::Int) => {
                Some(Expression::call(Function::Remainder, vec![left, right], Type::Int))
            }
            "%" => self.refuse(at, "`%` is of whole numbers; write int(...)"),
            "*" if !is_float => {
                let of = match left.of.scale()? + right.of.scale()? {
                    0 => Type::Int,
                    scale if scale <= crate::number::SCALE_MAX => Type::Decimal(scale),
                    scale => {
                        let message = format!("this product has {scale} digits after the point, more than 18");
                        return self.refuse(at, format!("{message}; round a factor, for example decimal(x, 2)"));
                    }
                };
                Some(Expression::call(Function::Multiply, vec![left, right], of))
            }
            _ => {
                let sides = unify::widened(vec![left, right])?;
                let (function, of) = (
                    match sign {
                        "+" => Function::Add,
                        "-" => Function::Subtract,
                        _ => Function::Multiply,
                    },
                    sides.first()?.of,
                );
                Some(Expression::call(function, sides, of))
            }
        }
    }

    /// What a tree can be used as, as far as it says so by itself.
    fn class(&self, tree: &Tree) -> Option<Wanted> {
        match &tree.shape {
            Shape::Name(name) => self.names.class(name),
            Shape::Null | Shape::List(_) => None,
            Shape::Bool(_) => Some(Wanted::Bool),
            Shape::Number(_) => Some(Wanted::Number),
            Shape::Text(_) => Some(Wanted::Text),
            Shape::Call(name, arguments) => {
                let any = |trees: &[Tree]| trees.iter().find_map(|tree| self.class(tree));
                match name.as_str() {
                    "?" => any(&arguments[1..]),
                    "+" => any(arguments),
                    "-" | "0-" | "*" | "/" | "%" => Some(Wanted::Number),
                    "&&" | "||" | "!" | "in" => Some(Wanted::Bool),
                    _ if CompareOp::of_sign(name).is_some() => Some(Wanted::Bool),
                    _ => match functions::find(name)?.gives {
                        functions::Gives::Fixed(of) => Some(of.as_wanted()),
                        functions::Gives::Digits => Some(Wanted::Number),
                        functions::Gives::Same => any(arguments),
                    },
                }
            }
        }
    }
}

/// A null that is used so.
fn null(wanted: Wanted) -> Expression {
    let of = match wanted {
        Wanted::Bool => Type::Bool,
        Wanted::Number => Type::Int,
        Wanted::Text => Type::Text,
        Wanted::Timestamp => Type::Timestamp,
    };
    Expression::literal(Literal::Null, of)
}

/// Whether it is a literal.
fn is_written_down(tree: &Tree) -> bool {
    matches!(tree.shape, Shape::Bool(_) | Shape::Number(_) | Shape::Text(_))
}

#[cfg(test)]
mod tests;
