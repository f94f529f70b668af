//! Values that must be of one type. Knows no function.

use super::{Checker, Wanted, is_written_down};
use crate::expression::parse::{Shape, Tree};
use crate::expression::{Expression, Function, Kind, Literal, Type, literal};

impl Checker<'_> {
    /// The trees as values of one type: that of a literal among them, else the first that is known, else `wanted`.
    pub(super) fn same(&mut self, trees: &[&Tree], wanted: Option<Wanted>) -> Option<Vec<Expression>> {
        let written = trees.iter().filter(|tree| is_written_down(tree)).find_map(|tree| self.class(tree));
        let class = written.or_else(|| trees.iter().find_map(|tree| self.class(tree))).or(wanted);
        // Where nothing says what they are, the names say that they do not know.
        let checked: Vec<Option<Expression>> = trees.iter().map(|tree| self.check(tree, class)).collect();
        let values: Vec<Expression> = checked.into_iter().collect::<Option<_>>()?;
        if class == Some(Wanted::Number) {
            return widened(values);
        }
        match values.iter().zip(trees).find(|(value, _)| value.of != values[0].of) {
            None => Some(values),
            Some((value, tree)) => {
                let message = format!("this is {}, and {} stands beside it", value.of, values[0].of);
                self.refuse(tree.at, message)
            }
        }
    }

    /// Literals alone.
    pub(super) fn written_down<'t>(&mut self, list: &'t Tree) -> Option<&'t [Tree]> {
        match &list.shape {
            Shape::List(list) if !list.is_empty() && list.iter().all(is_written_down) => Some(list),
            _ => self.refuse(list.at, "write a list of numbers here, for example [10, 100]"),
        }
    }
}

/// Numbers of one type: a float if one is, else with the most digits after the point.
pub(super) fn widened(values: Vec<Expression>) -> Option<Vec<Expression>> {
    // Null is of any type.
    let types = values.iter().filter(|value| value.kind != Kind::Literal(Literal::Null)).map(|value| value.of);
    let types: Vec<Type> = types.collect();
    let of = match types.iter().filter_map(|of| of.scale()).max() {
        _ if types.contains(&Type::Float) => Type::Float,
        Some(0) | None => Type::Int,
        Some(scale) => Type::Decimal(scale),
    };
    values.into_iter().map(|value| converted(value, of)).collect()
}

/// A number as one of another type; literals at once. `None` where a literal has too many digits for it.
pub(super) fn converted(value: Expression, of: Type) -> Option<Expression> {
    if value.of == of {
        return Some(value);
    }
    match &value.kind {
        Kind::Literal(Literal::Null) => Some(Expression::literal(Literal::Null, of)),
        Kind::Literal(Literal::Number(unscaled)) if of.scale() >= value.of.scale() => {
            let unscaled = literal::widen(*unscaled, value.of, of)?;
            Some(Expression::literal(Literal::Number(unscaled), of))
        }
        _ => Some(Expression::call(Function::Convert, vec![value], of)),
    }
}
