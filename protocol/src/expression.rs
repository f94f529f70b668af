//! Expressions: what a `where`, a measure, a computed field and a derived feature compute, typed and checked. Knows no
//! record and no reading: inputs are numbered, and their types are given.
//!
//! `text -> tree with places (parse) -> names, types, functions (check) -> Expression`. The text is a subset of CEL; the
//! table of its functions is [`functions::ALL`]. What an expression means is fixed here and evaluated elsewhere:
//!
//! - Every value may be null. `&&`, `||` and `!` are SQL's: false && null is false; every other operation with a null is
//!   null, but for `coalesce`, `is_null` and `? :`, whose condition counts as false where it is null.
//! - `int` and `decimal(s)` are exact. What does not fit 38 digits, is divided by zero or lies outside a function's domain
//!   is *bad*: null wherever it is looked at, but a measure knows that there was something ([`Absent`]).
//! - A `float` comes from `/`, from a mean or from a function that says so; beside it an exact number is the nearest float.
//!   No float is infinite, `NaN` or minus zero.

mod canonical;
mod check;
pub mod functions;
mod literal;
mod outside;
mod parse;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::canonical::canonical;
pub use self::check::read;
pub(crate) use self::check::{Names, Wanted, check};
pub use self::outside::pattern;

pub(crate) use self::parse::{Text, Tree, parse, request_name};
use crate::number::Domain;
use crate::time::Timestamp;

/// The type of a value that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Type {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number with this many digits after the point, at most [`crate::number::SCALE_MAX`].
    Decimal(u8),
    /// A finite f64.
    Float,
    /// Text.
    Text,
    /// An instant.
    Timestamp,
}

impl Type {
    /// Digits after the point of an exact number.
    #[must_use]
    pub fn scale(self) -> Option<u8> {
        self.domain().map(Domain::scale)
    }

    /// Where the numbers of an exact type live.
    #[must_use]
    pub fn domain(self) -> Option<Domain> {
        match self {
            Self::Int => Some(Domain::Int),
            Self::Decimal(scale) => Some(Domain::Decimal(scale)),
            Self::Bool | Self::Float | Self::Text | Self::Timestamp => None,
        }
    }

    /// Whether it is a number, exact or not.
    #[must_use]
    pub fn is_number(self) -> bool {
        self == Self::Float || self.scale().is_some()
    }
}

impl From<Domain> for Type {
    fn from(domain: Domain) -> Self {
        match domain {
            Domain::Int => Self::Int,
            Domain::Decimal(scale) => Self::Decimal(scale),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("true or false"),
            Self::Int => f.write_str("a whole number"),
            Self::Decimal(scale) => write!(f, "decimal({scale})"),
            Self::Float => f.write_str("a float"),
            Self::Text => f.write_str("text"),
            Self::Timestamp => f.write_str("a timestamp"),
        }
    }
}

/// Why an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Null, or computed with one.
    Null,
    /// There was something, and no finite number came of it.
    Bad,
}

/// A typed expression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expression {
    /// What it computes.
    pub kind: Kind,
    /// Of which type.
    pub of: Type,
}

/// What an expression computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// An input: a field by its slot, or a result or a value sent with the read as [`crate::plan::ViewPlan::given`] says.
    Input(usize),
    /// The time of the event.
    EventTime,
    /// A value that is written down.
    Literal(Literal),
    /// A function of other expressions.
    Call(Function, Vec<Expression>),
}

/// A value that is written down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Literal {
    /// Null, of any type.
    Null,
    /// True or false.
    Bool(bool),
    /// Of an exact type, unscaled.
    Number(i128),
    /// Text.
    Text(String),
    /// An instant.
    Timestamp(Timestamp),
}

/// An operation, after every implicit conversion has become one that is written out: so the exact operands of `+`, `-`, a
/// comparison, `in` and the like have one type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Function {
    /// All hold; any number of arguments.
    And,
    /// At least one holds; any number of arguments.
    Or,
    /// The other truth value.
    Not,
    /// `condition ? then : otherwise`
    If,
    /// The first argument that is there.
    Coalesce,
    /// Whether the argument is not there.
    IsNull,
    /// Two values of one type.
    Compare(CompareOp),
    /// Whether the first is one of the others, which are literals.
    In,
    /// Two numbers of one type.
    Add,
    /// Two numbers of one type.
    Subtract,
    /// Of exact numbers, the digits after the point add up.
    Multiply,
    /// Two numbers, as a float. Of exact ones the exact quotient, rounded once.
    Divide,
    /// Two exact numbers: the exact quotient, rounded half even to the digits of the result.
    Quotient,
    /// What is left of a whole number, with its sign.
    Remainder,
    /// 0 - x
    Negate,
    /// Without its sign.
    Absolute,
    /// The largest whole number that is not larger.
    Floor,
    /// The smallest whole number that is not smaller.
    Ceiling,
    /// The smallest of numbers of one type.
    Least,
    /// The largest of numbers of one type.
    Greatest,
    /// Of a positive float.
    Log,
    /// Of a float.
    Exp,
    /// Of a float that is not negative.
    SquareRoot,
    /// A float to the power of another.
    Power,
    /// To the type of the result: numbers to numbers (half even), anything to text, text to numbers and timestamps.
    Convert,
    /// Texts one behind the other.
    Concat,
    /// `A` to `Z` become small.
    Lower,
    /// `a` to `z` become capital.
    Upper,
    /// Without ASCII white space at both ends.
    Trim,
    /// How many characters.
    Size,
    /// Whether the second text is part of the first.
    Contains,
    /// Whether the first text begins with the second.
    StartsWith,
    /// Whether the first text ends with the second.
    EndsWith,
    /// Whether the regular expression, a literal, matches somewhere.
    Matches,
    /// Microseconds between two instants, as decimal(6) seconds.
    Between,
    /// A part of an instant's date and time in a zone.
    Calendar(Part, String),
    /// How many of the others, ascending literals, are not larger than the first.
    Bucketize,
    /// A text's hash, from 0 to less than this.
    Hash(u64),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CompareOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl CompareOp {
    /// Every comparison.
    pub const ALL: [Self; 6] = [Self::Eq, Self::Ne, Self::Lt, Self::Le, Self::Gt, Self::Ge];

    /// The comparison that is written so.
    #[must_use]
    pub fn of_sign(sign: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.sign() == sign)
    }

    /// Whether an ordering satisfies the comparison.
    #[must_use]
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::Ne => ordering.is_ne(),
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
            Self::Gt => ordering.is_gt(),
            Self::Ge => ordering.is_ge(),
        }
    }

    /// How it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// A part of a date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Part {
    /// 0 to 23
    Hour,
    /// 1 (Monday) to 7
    Weekday,
    /// 1 to 31
    Day,
    /// 1 to 12
    Month,
    /// As written.
    Year,
}

impl Expression {
    /// An input of a type.
    #[must_use]
    pub fn input(at: usize, of: Type) -> Self {
        Self { kind: Kind::Input(at), of }
    }

    /// A literal of a type.
    #[must_use]
    pub fn literal(literal: Literal, of: Type) -> Self {
        Self { kind: Kind::Literal(literal), of }
    }

    /// A function of others.
    #[must_use]
    pub fn call(function: Function, arguments: Vec<Self>, of: Type) -> Self {
        Self { kind: Kind::Call(function, arguments), of }
    }

    /// Every input it names with the type it is read as, in order of first use, without repetition.
    #[must_use]
    pub fn inputs(&self) -> Vec<(usize, Type)> {
        let mut found = Vec::new();
        self.visit(&mut |expression| {
            if let Kind::Input(at) = expression.kind
                && !found.contains(&(at, expression.of))
            {
                found.push((at, expression.of));
            }
        });
        found
    }

    /// Shows every part, the whole first.
    pub fn visit(&self, see: &mut impl FnMut(&Self)) {
        see(self);
        if let Kind::Call(_, arguments) = &self.kind {
            for argument in arguments {
                argument.visit(see);
            }
        }
    }
}
