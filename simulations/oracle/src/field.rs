//! Declared fields of a decoded record, as expressions and keys want them. Knows no view and no window.

use featuregrid_protocol::expression::{Expression, Type};
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Slot, SourcePlan};
use featuregrid_protocol::time::Timestamp;

use crate::expression::{Value, evaluate};
use crate::instant;
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
            Json::Number(text) => number::read(text, domain.scale()),
            Json::Text(text) => number::read(text, domain.scale()),
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

    /// What an expression answers. Every field it names is looked at first, so that the order of its parts means nothing.
    pub(crate) fn evaluate(&self, expression: &Expression, event_time: Timestamp) -> Result<Value, WrongType> {
        for (slot, of) in expression.inputs() {
            self.typed(slot, of)?;
        }
        let input = |slot, of| self.typed(slot, of).unwrap_or(Value::Null);
        Ok(evaluate(expression, &input, event_time))
    }

    /// A field as one of a type; [`Value::Null`] where it is missing.
    fn typed(&self, slot: Slot, of: Type) -> Result<Value, WrongType> {
        let value = match (of, of.domain()) {
            (_, Some(domain)) => self.number(slot, domain)?.map(|number| match number {
                Number::Unscaled(unscaled) => Value::Number(unscaled.into()),
                Number::Bad | Number::Nonsense => Value::Bad,
            }),
            (Type::Bool, _) => self.bool(slot)?.map(Value::Bool),
            (Type::Timestamp, _) => match self.value(slot) {
                Json::Null => None,
                value => Some(Value::Timestamp(instant::read(value).ok_or(WrongType)?)),
            },
            _ => self.text(slot)?.map(|text| Value::Text(text.to_owned())),
        };
        Ok(value.unwrap_or(Value::Null))
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
