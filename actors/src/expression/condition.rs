//! Whether an expression is certainly true: what a filter asks, and `? :` of its condition. Knows no arithmetic.
//!
//! Who asks only this needs no third truth value. What is null is neither certainly true nor certainly false, so `a && b`
//! is certainly true where both are, certainly false where one is, and `!a` asks the other of `a`: nulls, negations and
//! chains of one kind are gone once they are compiled. What is left is a list of tests, those of a field beside literals
//! without a call.

use featuregrid_protocol::expression::{CompareOp, Expression, Function, Kind, Literal};
use featuregrid_protocol::plants::{self, Plant};

use super::shared::Operand;
use super::{Cell, Inputs, Row, logic};

/// Tests of which one decides, or all must agree.
#[derive(Clone)]
pub(super) struct Condition {
    /// What a test must say to decide; where none does, it is the other.
    decides: bool,
    tests: Vec<Test>,
}

/// What is asked of a row; a null says no.
#[derive(Clone)]
enum Test {
    /// A number of the row lies between two, or else does not.
    Number {
        cell: usize,
        least: i128,
        most: i128,
        is_within: bool,
    },
    /// A text of the row is this one, or else is not.
    Text {
        cell: usize,
        text: Box<str>,
        is: bool,
    },
    /// Anything else is true, or false.
    Other(Operand<bool>, bool),
    Group(Condition),
}

impl Condition {
    /// Whether an expression is certainly true.
    pub(super) fn new(expression: &Expression, inputs: &mut Inputs) -> Self {
        match test(expression, true, inputs) {
            Test::Group(condition) => condition,
            test => Self { decides: false, tests: vec![test] },
        }
    }

    pub(super) fn holds(&self, row: &Row<'_>) -> bool {
        for test in &self.tests {
            // One question after the other: a table of jumps costs more than either of the two that most filters need.
            let holds = if let Test::Text { cell, text, is } = test {
                if let Cell::Text(value) = row.cells[*cell] { (*value == **text) == *is } else { false }
            } else if let Test::Number { cell, least, most, is_within } = test {
                if let Cell::Number(value) = row.cells[*cell] {
                    ((*least <= value) & (value <= *most)) == *is_within
                } else {
                    false
                }
            } else {
                test.holds(row)
            };
            if holds == self.decides {
                return self.decides;
            }
        }
        !self.decides
    }
}

impl Test {
    /// What no field beside a literal says.
    #[inline(never)]
    fn holds(&self, row: &Row<'_>) -> bool {
        match self {
            Self::Other(code, wanted) => code.of(row) == Ok(*wanted),
            Self::Group(condition) => condition.holds(row),
            Self::Number { .. } | Self::Text { .. } => false,
        }
    }
}

/// Whether an expression is certainly `wanted`.
fn test(expression: &Expression, wanted: bool, inputs: &mut Inputs) -> Test {
    let found = match &expression.kind {
        // The plant is about the third truth value.
        _ if plants::on(Plant::NullDecides) => None,
        Kind::Call(Function::And, parts) => Some(group(!wanted, parts, wanted, inputs)),
        Kind::Call(Function::Or, parts) => Some(group(wanted, parts, wanted, inputs)),
        Kind::Call(Function::Not, parts) => parts.first().map(|part| test(part, !wanted, inputs)),
        Kind::Call(Function::Compare(op), sides) => match sides.as_slice() {
            [left, right] => beside(*op, left, right, wanted, inputs),
            _ => None,
        },
        Kind::Call(Function::In, sides) => sides.split_first().and_then(|(value, list)| {
            let tests = list.iter().map(|one| beside(CompareOp::Eq, value, one, wanted, inputs));
            let tests: Vec<Test> = tests.collect::<Option<_>>()?;
            // What is null is neither in a list nor out of it; of an empty list nothing would see that.
            (!tests.is_empty()).then_some(Test::Group(Condition { decides: wanted, tests }))
        }),
        _ => None,
    };
    found.unwrap_or_else(|| Test::Other(Operand::new(expression, inputs, logic::compile), wanted))
}

/// Parts of which each is asked for `wanted`, and one that says `decides` decides; those of the same kind are taken apart.
fn group(decides: bool, parts: &[Expression], wanted: bool, inputs: &mut Inputs) -> Test {
    let mut tests = Vec::new();
    for part in parts {
        match test(part, wanted, inputs) {
            Test::Group(inner) if inner.decides == decides => tests.extend(inner.tests),
            test => tests.push(test),
        }
    }
    Test::Group(Condition { decides, tests })
}

/// A field beside a literal: what most filters are made of.
fn beside(op: CompareOp, left: &Expression, right: &Expression, wanted: bool, inputs: &mut Inputs) -> Option<Test> {
    let (Kind::Input(input), Kind::Literal(literal)) = (&left.kind, &right.kind) else { return None };
    match (literal, op) {
        (Literal::Number(number), _) => {
            let (least, most, is_within) = match op {
                CompareOp::Eq => (*number, *number, true),
                CompareOp::Ne => (*number, *number, false),
                CompareOp::Lt => (*number, i128::MAX, false),
                CompareOp::Ge => (*number, i128::MAX, true),
                CompareOp::Le => (i128::MIN, *number, true),
                CompareOp::Gt => (i128::MIN, *number, false),
            };
            let cell = inputs.cell(*input, left.of);
            Some(Test::Number { cell, least, most, is_within: is_within == wanted })
        }
        (Literal::Text(text), CompareOp::Eq | CompareOp::Ne) => {
            let cell = inputs.cell(*input, left.of);
            Some(Test::Text { cell, text: text.as_str().into(), is: (op == CompareOp::Eq) == wanted })
        }
        _ => None,
    }
}
