//! Calls of functions: how many arguments, of which kind, and what becomes of them. Knows no name of an input.

use super::{Checker, Wanted};
use crate::definition::{Mark, quoted, suggest};
use crate::expression::functions::{Builds, Entry, Gives, Takes};
use crate::expression::parse::{Shape, Tree};
use crate::expression::{CompareOp, Expression, Function, Kind, Literal, Part, Type, literal, pattern};
use crate::number::SCALE_MAX;
use crate::time::zone;

/// The zone of a date where none is written.
const UTC: &str = "UTC";

impl Checker<'_> {
    pub(super) fn function(
        &mut self,
        at: Mark,
        entry: &Entry,
        trees: &[Tree],
        wanted: Option<Wanted>,
    ) -> Option<Expression> {
        let (least, most) = (entry.takes.len() - entry.optional, entry.takes.len());
        if trees.len() < least || (trees.len() > most && !entry.repeats) {
            let message = format!("{} takes other arguments: {}", quoted(entry.name), entry.signature());
            return self.refuse(at, message);
        }
        if entry.builds == Builds::EventTime && !self.names.has_event() {
            return self.refuse(at, "there is no event here: a derived feature is computed at the read");
        }
        let arguments = self.arguments(entry, trees, wanted)?;
        self.build(at, entry, arguments, trees)
    }

    /// The arguments that are values; those that are written down are looked at where they are used.
    fn arguments(&mut self, entry: &Entry, trees: &[Tree], wanted: Option<Wanted>) -> Option<Vec<Expression>> {
        let takes = |at: usize| entry.takes.get(at).or(entry.takes.last()).copied().unwrap_or(Takes::Any);
        let all: Vec<&Tree> = trees.iter().collect();
        match (takes(0), entry.repeats) {
            (Takes::Same, repeats) => return self.same(&all, wanted.filter(|_| repeats)),
            (Takes::Number, true) => {
                let values = self.all(trees, Some(Wanted::Number))?;
                return super::unify::widened(values);
            }
            _ => {}
        }
        let checked = trees.iter().enumerate().filter_map(|(at, tree)| {
            Some(match takes(at) {
                // What nothing else says anything of can be hashed as text.
                Takes::Any if entry.builds == Builds::Hash => self.check(tree, self.class(tree).or(Some(Wanted::Text))),
                Takes::Any | Takes::Same => self.check(tree, self.class(tree)),
                Takes::Number => self.check(tree, Some(Wanted::Number)),
                Takes::NumberOrText => {
                    let class = self.class(tree).filter(|class| *class == Wanted::Text);
                    self.check(tree, Some(class.unwrap_or(Wanted::Number)))
                }
                Takes::Text => self.check(tree, Some(Wanted::Text)),
                Takes::Timestamp => self.check(tree, Some(Wanted::Timestamp)),
                Takes::Pattern | Takes::Zone | Takes::Digits | Takes::Count | Takes::Ascending => return None,
            })
        });
        let checked: Vec<Option<Expression>> = checked.collect();
        checked.into_iter().collect()
    }

    fn build(&mut self, at: Mark, entry: &Entry, mut arguments: Vec<Expression>, trees: &[Tree]) -> Option<Expression> {
        let last = trees.last();
        let first_of = arguments.first().map(|first| first.of);
        let fixed = match entry.gives {
            Gives::Fixed(of) => of,
            Gives::Digits => Type::Decimal(self.whole(last?, 0, i128::from(SCALE_MAX))? as u8),
            Gives::Same => first_of?,
        };
        let function = match entry.builds {
            Builds::Plain(function) => function.clone(),
            Builds::OfFloats(function) => return floats(function.clone(), arguments),
            Builds::Calendar(part) => Function::Calendar(part, self.zone(trees)?),
            Builds::EventTime => return Some(Expression { kind: Kind::EventTime, of: Type::Timestamp }),
            Builds::Convert => return Some(convert(arguments.pop()?, fixed)),
            Builds::OneHot => {
                let is = Expression::call(Function::Compare(CompareOp::Eq), arguments, Type::Bool);
                let [one, zero] = [1, 0].map(|number| Expression::literal(Literal::Number(number), Type::Int));
                return Some(Expression::call(Function::If, vec![is, one, zero], Type::Int));
            }
            Builds::IsWeekend => {
                let day = Function::Calendar(Part::Weekday, self.zone(trees)?);
                let saturday = Expression::literal(Literal::Number(6), Type::Int);
                let day = Expression::call(day, arguments, Type::Int);
                return Some(Expression::call(Function::Compare(CompareOp::Ge), vec![day, saturday], Type::Bool));
            }
            Builds::Bucketize => {
                arguments.extend(self.bounds(last?)?);
                let values = super::unify::widened(arguments)?;
                return Some(Expression::call(Function::Bucketize, values, Type::Int));
            }
            Builds::Hash => {
                let value = convert(arguments.pop()?, Type::Text);
                let below = Function::Hash(self.whole(last?, 1, i128::from(i64::MAX))? as u64);
                return Some(Expression::call(below, vec![value], Type::Int));
            }
            Builds::Matches => {
                arguments.push(self.pattern(last?)?);
                Function::Matches
            }
        };
        debug_assert!(!arguments.is_empty(), "{at:?}: every other function has an argument");
        Some(Expression::call(function, arguments, fixed))
    }

    /// A whole number that is written down, within bounds.
    fn whole(&mut self, tree: &Tree, least: i128, most: i128) -> Option<i128> {
        if let Shape::Number(text) = &tree.shape
            && let Ok(Expression { kind: Kind::Literal(Literal::Number(number)), of: Type::Int }) =
                literal::number(text)
            && (least..=most).contains(&number)
        {
            return Some(number);
        }
        self.refuse(tree.at, format!("write a whole number from {least} to {most} here"))
    }

    /// Numbers that are written down and rise.
    fn bounds(&mut self, list: &Tree) -> Option<Vec<Expression>> {
        let trees = self.written_down(list)?;
        let bounds = super::unify::widened(self.all(trees, Some(Wanted::Number))?)?;
        let unscaled = |bound: &Expression| match bound.kind {
            Kind::Literal(Literal::Number(unscaled)) => unscaled,
            _ => 0,
        };
        match bounds.windows(2).zip(&trees[1..]).find(|(pair, _)| unscaled(&pair[0]) >= unscaled(&pair[1])) {
            None => Some(bounds),
            Some((_, tree)) => self.refuse(tree.at, "bounds rise; this one is not larger than the one before"),
        }
    }

    fn zone(&mut self, trees: &[Tree]) -> Option<String> {
        let Some(tree) = trees.get(1) else { return Some(UTC.to_owned()) };
        let Shape::Text(name) = &tree.shape else {
            return self.refuse(tree.at, "write the zone's name, for example \"Europe/Berlin\"");
        };
        if zone::find(name).is_some() {
            return Some(name.clone());
        }
        self.refuse(tree.at, format!("{} is no time zone; {}", quoted(name), suggest::zone(name)))
    }

    fn pattern(&mut self, tree: &Tree) -> Option<Expression> {
        let Shape::Text(text) = &tree.shape else {
            return self.refuse(tree.at, "a regular expression is written down, for example \"^[a-z]+$\"");
        };
        match pattern(text) {
            Ok(_) => Some(Expression::literal(Literal::Text(text.clone()), Type::Text)),
            Err(wrong) => self.refuse(tree.at, format!("{} is no regular expression: {wrong}", quoted(text))),
        }
    }
}

/// A value as one of another type. Of a quotient that is rounded, the exact one.
fn convert(value: Expression, of: Type) -> Expression {
    if value.of == of {
        return value;
    }
    match value.kind {
        Kind::Call(Function::Divide, sides)
            if of.scale().is_some() && sides.iter().all(|side| side.of.scale().is_some()) =>
        {
            Expression::call(Function::Quotient, sides, of)
        }
        kind => Expression::call(Function::Convert, vec![Expression { kind, of: value.of }], of),
    }
}

/// A function of floats.
fn floats(function: Function, arguments: Vec<Expression>) -> Option<Expression> {
    let arguments = arguments.into_iter().map(|argument| convert(argument, Type::Float)).collect();
    Some(Expression::call(function, arguments, Type::Float))
}
