//! From fields to rows: each view's filter, keys and measures. Knows no time and no other record.
//!
//! A view takes a record iff its `where` holds. A field of the wrong type in the filter, or, once it holds, a null key
//! or a wrong type in a key, the event id or a measure, makes the view reject the record; other views still take it.

use std::borrow::Cow;

use featuregrid_protocol::ids::{Offset, SourceId, ViewId};
use featuregrid_protocol::key::{self, KeyHash};
use featuregrid_protocol::limits::KEY_PART_BYTES_MAX;
use featuregrid_protocol::number::{Domain, Number};
use featuregrid_protocol::plan::{Condition, Literal, Plan, Slot, ViewPlan};
use featuregrid_protocol::row::{EventId, RowBatch, RowHead};
use featuregrid_protocol::time::Timestamp;

use super::decode::Field;

/// What a view made of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Projection {
    /// The filter does not hold.
    Unmatched,
    /// It matches, or cannot be told, and the view cannot use it.
    Rejected,
    /// One row was appended.
    Row,
}

/// A field of the wrong type, where the view needs another.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrongType;

/// A record that is neither dead nor late, as every view sees it.
#[derive(Debug)]
pub(super) struct Event<'a> {
    /// By slot.
    pub(super) fields: &'a [Field<'a>],
    pub(super) ts: Timestamp,
    pub(super) offset: Offset,
    pub(super) id: Result<Option<EventId>, WrongType>,
}

/// One view, ready to run.
#[derive(Clone, Debug)]
pub(super) struct Projector {
    index: u16,
    view: ViewPlan,
    /// Distinct (slot, domain) pairs of the measures: each number is read once per record.
    numbers: Vec<(Slot, Domain)>,
    /// Per measure: its index in `numbers`.
    number_of: Vec<Option<usize>>,
    key: Vec<u8>,
    read: Vec<Option<Number>>,
    row: Vec<i64>,
}

impl Projector {
    /// Every view of a source.
    pub(super) fn all(plan: &Plan, source: SourceId) -> Vec<Self> {
        let own = plan.views.iter().enumerate().filter(|(_, view)| view.source == source);
        own.map(|(index, view)| Self::new(index as u16, view)).collect()
    }

    pub(super) fn view_id(&self) -> ViewId {
        self.view.id
    }

    fn new(index: u16, view: &ViewPlan) -> Self {
        let mut numbers = Vec::new();
        let number_of = view.measures.iter().map(|measure| {
            let value = measure.value?;
            Some(numbers.iter().position(|known| *known == value).unwrap_or_else(|| {
                numbers.push(value);
                numbers.len() - 1
            }))
        });
        let number_of = number_of.collect();
        Self { index, view: view.clone(), numbers, number_of, key: Vec::new(), read: Vec::new(), row: Vec::new() }
    }

    /// Appends the view's row of a record, if it takes it.
    pub(super) fn project(&mut self, event: &Event<'_>, rows: &mut RowBatch) -> Projection {
        let fields = event.fields;
        match self.view.filter.as_ref().map_or(Ok(true), |filter| holds(filter, fields)) {
            Ok(true) => {}
            Ok(false) => return Projection::Unmatched,
            Err(WrongType) => return Projection::Rejected,
        }
        if !self.encode_key(fields) {
            return Projection::Rejected;
        }
        let (Ok(id), Ok((present, bad))) = (event.id, self.measure(fields)) else { return Projection::Rejected };
        let hash = KeyHash::of(&self.key);
        let Event { ts, offset, .. } = *event;
        let head = RowHead { hash, ts, offset, present, bad, view: self.index, key_len: 0, number_len: 0 };
        rows.push(head, &self.key, &self.row);
        if let Some(id) = id {
            rows.identify(id);
        }
        Projection::Row
    }

    fn encode_key(&mut self, fields: &[Field<'_>]) -> bool {
        self.key.clear();
        for (_, slot) in &self.view.keys {
            let part = match &fields[*slot] {
                Field::Text(text) => text.as_ref(),
                Field::Number(text) => text,
                Field::Missing | Field::Null | Field::Bool(_) | Field::Composite => return false,
            };
            if part.len() > KEY_PART_BYTES_MAX {
                return false;
            }
            key::encode([part], &mut self.key);
        }
        true
    }

    fn measure(&mut self, fields: &[Field<'_>]) -> Result<(u64, u64), WrongType> {
        self.row.clear();
        self.read.clear();
        self.read.resize(self.numbers.len(), None);
        let (mut present, mut bad) = (0, 0);
        for (at, measure) in self.view.measures.iter().enumerate() {
            if !measure.filter.as_ref().map_or(Ok(true), |filter| holds(filter, fields))? {
                continue;
            }
            let Some(number) = self.number_of[at] else {
                present |= 1 << at;
                continue;
            };
            let (slot, domain) = self.numbers[number];
            let Some(text) = number_text(&fields[slot])? else { continue };
            match *self.read[number].get_or_insert_with(|| domain.parse(text)) {
                Number::Unscaled(value) => self.row.push(value),
                Number::Bad => bad |= 1 << at,
                Number::NotANumber => return Err(WrongType),
            }
            present |= 1 << at;
        }
        Ok((present, bad))
    }
}

/// The text of a number, `None` where there is none.
fn number_text<'f>(field: &'f Field<'_>) -> Result<Option<&'f str>, WrongType> {
    match field {
        Field::Missing | Field::Null => Ok(None),
        Field::Number(text) => Ok(Some(text)),
        Field::Text(text) => Ok(Some(text)),
        Field::Bool(_) | Field::Composite => Err(WrongType),
    }
}

/// Whether a condition holds. Every part is looked at, so that a wrong type is seen whatever stands beside it.
fn holds(condition: &Condition, fields: &[Field<'_>]) -> Result<bool, WrongType> {
    match condition {
        Condition::And(parts) => parts.iter().try_fold(true, |all, part| Ok(holds(part, fields)? & all)),
        Condition::Or(parts) => parts.iter().try_fold(false, |any, part| Ok(holds(part, fields)? | any)),
        Condition::Compare { slot, op, literal } => {
            let field = &fields[*slot];
            if matches!(field, Field::Missing | Field::Null) {
                return Ok(false);
            }
            let ordering = match (literal, field) {
                (Literal::Text(want), Field::Text(got)) => Cow::as_ref(got).cmp(want.as_str()),
                (Literal::Bool(want), Field::Bool(got)) => got.cmp(want),
                (Literal::Number { unscaled, domain }, Field::Number(_) | Field::Text(_)) => {
                    let Some(text) = number_text(field)? else { return Ok(false) };
                    match domain.parse(text) {
                        Number::Unscaled(got) => got.cmp(unscaled),
                        Number::Bad => return Ok(false),
                        Number::NotANumber => return Err(WrongType),
                    }
                }
                _ => return Err(WrongType),
            };
            Ok(op.holds(ordering))
        }
    }
}
