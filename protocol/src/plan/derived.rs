//! What a view computes at the read: derived features, and the values that a read may send for them. Knows no evaluation.
//!
//! A formula's inputs are numbered: the results of its view by their index among [`ViewPlan::results`], and behind all of
//! them the request values in order of declaration. So a formula is read alike whoever sends what.

use serde::{Deserialize, Serialize};

use super::{Constant, FieldKind, ViewPlan};
use crate::expression::{Expression, Type};

/// A result that is computed from others of its view and from values sent with the read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derived {
    /// Its name.
    pub name: String,
    /// What is computed: a number, of results before this one and of request values. See [`ViewPlan::given`].
    pub formula: Expression,
    /// What stands in where nothing comes of it: of the formula's type, and of a float with the digits written.
    pub default: Option<Constant>,
}

/// A value that a read may send for each entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestValue {
    /// Its name, which expressions write behind `request.`.
    pub name: String,
    /// Its declared type.
    pub kind: FieldKind,
}

/// What an input of a formula is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// By its index among [`ViewPlan::results`].
    Result(usize),
    /// By its index in [`ViewPlan::request`].
    Sent(usize),
}

impl ViewPlan {
    /// What an input of its formulas is.
    #[must_use]
    pub fn given(&self, input: usize) -> Given {
        match input.checked_sub(self.features.len() + self.derived.len()) {
            None => Given::Result(input),
            Some(sent) => Given::Sent(sent),
        }
    }

    /// Whether a result is computed from sent values alone, also by way of others: then it says nothing of the entity.
    #[must_use]
    pub fn is_of_request_alone(&self, result: usize) -> bool {
        let derived = result.checked_sub(self.features.len()).and_then(|derived| self.derived.get(derived));
        derived.is_some_and(|derived| {
            derived.formula.inputs().into_iter().all(|(input, _)| match self.given(input) {
                Given::Sent(_) => true,
                Given::Result(used) => self.is_of_request_alone(used),
            })
        })
    }
}

impl From<FieldKind> for Type {
    fn from(kind: FieldKind) -> Self {
        match kind {
            FieldKind::Text => Self::Text,
            FieldKind::Bool => Self::Bool,
            FieldKind::Number(domain) => domain.into(),
            FieldKind::Timestamp => Self::Timestamp,
        }
    }
}
