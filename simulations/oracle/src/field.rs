//! Declared fields and filters over a decoded record. Knows no view, no key and no window.

use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{CompareOp, Condition, Literal, Slot, SourcePlan};

use crate::json::Json;
use crate::number::{self, Number};

/// A field holds something its declaration does not allow: the view that looks at it rejects the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongType;

/// The declared fields of one record, by slot.
#[derive(Debug)]
pub(crate) struct Fields<'a>(Vec<Json<'a>>);

impl<'a> Fields<'a> {
    pub(crate) fn new(source: &SourcePlan, json: &Json<'a>) -> Self {
        Self(source.fields.iter().map(|field| json.at(&field.path)).collect())
    }

    fn value(&self, slot: Slot) -> &Json<'a> {
        self.0.get(slot).unwrap_or(&Json::Null)
    }

    fn text(&self, slot: Slot) -> Result<Option<&str>, WrongType> {
        match self.value(slot) {
            Json::Null => Ok(None),
            Json::Text(text) => Ok(Some(text)),
            _ => Err(WrongType),
        }
    }

    fn bool(&self, slot: Slot) -> Result<Option<bool>, WrongType> {
        match self.value(slot) {
            Json::Null => Ok(None),
            Json::Bool(bool) => Ok(Some(*bool)),
            _ => Err(WrongType),
        }
    }

    /// The number of a field: missing, unscaled, or bad; never [`Number::Nonsense`].
    pub(crate) fn number(&self, slot: Slot, domain: Domain) -> Result<Option<Number>, WrongType> {
        let read = match self.value(slot) {
            Json::Null => return Ok(None),
            Json::Number(text) => number::read(text, scale(domain)),
            Json::Text(text) => number::read(text, scale(domain)),
            _ => return Err(WrongType),
        };
        if read == Number::Nonsense { Err(WrongType) } else { Ok(Some(read)) }
    }

    /// One part of a key: text, or a number letter by letter as written.
    pub(crate) fn key_part(&self, slot: Slot) -> Result<Option<&str>, WrongType> {
        match self.value(slot) {
            Json::Number(text) => Ok(Some(text)),
            _ => self.text(slot),
        }
    }

    /// Whether a filter holds. Every field it names is looked at, so that the order of its parts means nothing.
    pub(crate) fn holds(&self, condition: &Condition) -> Result<bool, WrongType> {
        match condition {
            Condition::And(parts) => Ok(self.each(parts)?.into_iter().all(|holds| holds)),
            Condition::Or(parts) => Ok(self.each(parts)?.into_iter().any(|holds| holds)),
            Condition::Compare { slot, op, literal } => self.compare(*slot, *op, literal),
        }
    }

    fn each(&self, parts: &[Condition]) -> Result<Vec<bool>, WrongType> {
        parts.iter().map(|part| self.holds(part)).collect()
    }

    /// Null, and a number that is bad, compare false with everything.
    fn compare(&self, slot: Slot, op: CompareOp, literal: &Literal) -> Result<bool, WrongType> {
        match literal {
            Literal::Text(right) => {
                Ok(self.text(slot)?.is_some_and(|left| satisfies(left.as_bytes(), op, right.as_bytes())))
            }
            Literal::Bool(right) => Ok(self.bool(slot)?.is_some_and(|left| satisfies(&left, op, right))),
            Literal::Number { unscaled, domain } => Ok(match self.number(slot, *domain)? {
                Some(Number::Unscaled(left)) => satisfies(&left, op, unscaled),
                _ => false,
            }),
        }
    }
}

/// The id of an event: text, or a number letter by letter as written; `None` where there is none.
pub(crate) fn id(json: &Json<'_>) -> Result<Option<String>, WrongType> {
    match json {
        Json::Null => Ok(None),
        Json::Text(text) => Ok(Some(text.to_string())),
        Json::Number(text) => Ok(Some(text.to_string())),
        _ => Err(WrongType),
    }
}

fn satisfies<T: PartialOrd + ?Sized>(left: &T, op: CompareOp, right: &T) -> bool {
    match op {
        CompareOp::Eq => left == right,
        CompareOp::Ne => left != right,
        CompareOp::Lt => left < right,
        CompareOp::Le => left <= right,
        CompareOp::Gt => left > right,
        CompareOp::Ge => left >= right,
    }
}

/// Digits after the point of a domain.
pub(crate) fn scale(domain: Domain) -> u8 {
    match domain {
        Domain::Int => 0,
        Domain::Decimal(scale) => scale,
    }
}
