//! From fields to rows: each view's filter, keys and measures. Knows no time and no other record.
//!
//! A view takes a record iff its `where` holds. A field of the wrong type in the filter, or, once it holds, a null key
//! or a wrong type in a key, the event id or a measure, makes the view reject the record; other views still take it.

use std::borrow::Cow;

use featuregrid_protocol::expression::Expression;
use featuregrid_protocol::ids::{Offset, SourceId, ViewId};
use featuregrid_protocol::key::{self, KeyHash};
use featuregrid_protocol::limits::{KEY_PART_BYTES_MAX, TEXT_BYTES_MAX};
use featuregrid_protocol::plan::{Key, Plan, Slot, ViewPlan};
use featuregrid_protocol::row::{EventId, RowBatch, RowHead, TextBuffer, text_word};
use featuregrid_protocol::time::Timestamp;

use super::decode::Field;
use super::typed::{Cells, Needs};
use crate::expression::{Cell, Filter, Inputs, Program};

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
    id: ViewId,
    /// What its expressions read; each is read once per record.
    inputs: Inputs,
    filter: Option<Condition>,
    keys: Vec<Part>,
    /// The different filters of its measures; each is asked once per record.
    filters: Vec<Condition>,
    measures: Vec<Contribution>,
    key: Vec<u8>,
    answers: Vec<Option<bool>>,
    row: Vec<i64>,
    texts: TextBuffer,
}

/// A filter and what it reads.
#[derive(Clone, Debug)]
struct Condition {
    needs: Needs,
    filter: Filter,
}

/// A part of a key.
#[derive(Clone, Debug)]
enum Part {
    Field(Slot),
    Computed(Needs, Program),
}

/// What a measure takes of a row.
#[derive(Clone, Debug)]
struct Contribution {
    /// Index in [`Projector::filters`].
    filter: Option<usize>,
    value: Option<(Needs, Program)>,
    /// By what its rows are compared.
    rank: Option<(Needs, Program)>,
}

impl Condition {
    fn new(expression: &Expression, inputs: &mut Inputs) -> Self {
        Self { needs: Needs::of(expression, inputs), filter: Filter::new(expression, inputs) }
    }
}

impl Projector {
    /// Every view of a source.
    pub(super) fn all(plan: &Plan, source: SourceId) -> Vec<Self> {
        let own = plan.views.iter().enumerate().filter(|(_, view)| view.source == source);
        own.map(|(index, view)| Self::new(index as u16, view)).collect()
    }

    pub(super) fn view_id(&self) -> ViewId {
        self.id
    }

    fn new(index: u16, view: &ViewPlan) -> Self {
        let mut inputs = Inputs::default();
        let filter = view.filter.as_ref().map(|filter| Condition::new(filter, &mut inputs));
        let keys = view.keys.iter().map(|(_, key)| match key {
            Key::Field(slot) => Part::Field(*slot),
            Key::Computed(key) => Part::Computed(Needs::of(key, &mut inputs), Program::new(key, &mut inputs)),
        });
        let keys = keys.collect();
        let mut different: Vec<&Expression> = Vec::new();
        let mut measures = Vec::new();
        for measure in &view.measures {
            let filter = measure.filter.as_ref().map(|filter| {
                different.iter().position(|known| *known == filter).unwrap_or_else(|| {
                    different.push(filter);
                    different.len() - 1
                })
            });
            let value = measure.value.as_ref();
            let value = value.map(|(value, _)| (Needs::of(value, &mut inputs), Program::new(value, &mut inputs)));
            let rank = measure.rank.as_ref();
            let rank = rank.map(|rank| (Needs::of(rank, &mut inputs), Program::new(rank, &mut inputs)));
            measures.push(Contribution { filter, value, rank });
        }
        let filters = different.into_iter().map(|filter| Condition::new(filter, &mut inputs)).collect();
        let (key, answers, row, texts) = (Vec::new(), Vec::new(), Vec::new(), TextBuffer::default());
        Self { index, id: view.id, inputs, filter, keys, filters, measures, key, answers, row, texts }
    }

    /// Appends the view's row of a record, if it takes it.
    pub(super) fn project(&mut self, event: &Event<'_>, rows: &mut RowBatch) -> Projection {
        let mut cells = Cells::new(&self.inputs);
        match self.filter.as_ref().map_or(Ok(true), |filter| holds(filter, &self.inputs, &mut cells, event)) {
            Ok(true) => {}
            Ok(false) => return Projection::Unmatched,
            Err(WrongType) => return Projection::Rejected,
        }
        if self.encode_key(&mut cells, event).is_err() {
            return Projection::Rejected;
        }
        let (Ok(id), Ok((present, bad))) = (event.id, self.measure(&mut cells, event)) else {
            return Projection::Rejected;
        };
        let hash = KeyHash::of(&self.key);
        let Event { ts, offset, .. } = *event;
        let head = RowHead { hash, ts, offset, present, bad, view: self.index, key_len: 0, number_len: 0 };
        rows.push(head, &self.key, &self.row);
        rows.tell(self.texts.texts());
        if let Some(id) = id {
            rows.identify(id);
        }
        Projection::Row
    }

    fn encode_key<'r>(&mut self, cells: &mut Cells<'r>, event: &Event<'r>) -> Result<(), WrongType> {
        self.key.clear();
        let key = &mut self.key;
        let mut encode = |part: &str| {
            if part.len() > KEY_PART_BYTES_MAX {
                return Err(WrongType);
            }
            key::encode([part], key);
            Ok(())
        };
        for part in &self.keys {
            match part {
                Part::Field(slot) => match &event.fields[*slot] {
                    Field::Text(text) => encode(text)?,
                    Field::Number(text) => encode(text)?,
                    Field::Missing | Field::Null | Field::Bool(_) | Field::Composite => return Err(WrongType),
                },
                Part::Computed(needs, program) => {
                    cells.load(needs, &self.inputs, event.fields)?;
                    program.run(&cells.row(event.ts), |cell| match cell {
                        Cell::Text(text) => encode(text),
                        Cell::Number(number) => encode(&number.to_string()),
                        Cell::Null | Cell::Bad | Cell::Bool(_) | Cell::Float(_) | Cell::Timestamp(_) => Err(WrongType),
                    })?;
                }
            }
        }
        Ok(())
    }

    fn measure<'r>(&mut self, cells: &mut Cells<'r>, event: &Event<'r>) -> Result<(u64, u64), WrongType> {
        self.row.clear();
        self.texts.clear();
        self.answers.clear();
        self.answers.resize(self.filters.len(), None);
        let (mut present, mut bad) = (0, 0);
        for (at, measure) in self.measures.iter().enumerate() {
            if let Some(filter) = measure.filter {
                let answer = match self.answers[filter] {
                    Some(answer) => answer,
                    None => holds(&self.filters[filter], &self.inputs, cells, event)?,
                };
                self.answers[filter] = Some(answer);
                if !answer {
                    continue;
                }
            }
            let Some((needs, program)) = &measure.value else {
                present |= 1 << at;
                continue;
            };
            cells.load(needs, &self.inputs, event.fields)?;
            let (row, texts) = (&mut self.row, &mut self.texts);
            let is_good = match &measure.rank {
                None => program.run(&cells.row(event.ts), |cell| match cell {
                    Cell::Number(number) => Some(i64::try_from(number).map(|number| row.push(number)).is_ok()),
                    Cell::Bool(truth) => {
                        row.push(truth.into());
                        Some(true)
                    }
                    Cell::Text(text) if text.len() <= TEXT_BYTES_MAX => {
                        row.push(text_word(text));
                        texts.push(text);
                        Some(true)
                    }
                    Cell::Text(_) | Cell::Bad => Some(false),
                    Cell::Null | Cell::Float(_) | Cell::Timestamp(_) => None,
                }),
                Some((needs, rank)) => {
                    cells.load(needs, &self.inputs, event.fields)?;
                    let cells = cells.row(event.ts);
                    let rank = rank.run(&cells, |cell| match cell {
                        Cell::Number(number) => Some(i64::try_from(number).ok()),
                        Cell::Bad => Some(None),
                        _ => None,
                    });
                    rank.and_then(|rank| {
                        program.run(&cells, |cell| {
                            let (rank, label) = (rank, label(cell)?);
                            Some(rank.zip(label).map(|(rank, label)| (row.push(rank), texts.push(&label))).is_some())
                        })
                    })
                }
            };
            match is_good {
                None => continue,
                Some(true) => {}
                Some(false) => bad |= 1 << at,
            }
            present |= 1 << at;
        }
        Ok((present, bad))
    }
}

/// What stands beside a rank: a text, or the digits of a word; `None` where it is null, nothing in it where it is bad.
fn label(cell: Cell<'_>) -> Option<Option<Cow<'_, str>>> {
    match cell {
        Cell::Number(number) => Some(i64::try_from(number).ok().map(|number| number.to_string().into())),
        Cell::Bool(truth) => Some(Some(Cow::Borrowed(if truth { "1" } else { "0" }))),
        Cell::Text(text) => Some((text.len() <= TEXT_BYTES_MAX).then_some(Cow::Borrowed(text))),
        Cell::Bad => Some(None),
        Cell::Null | Cell::Float(_) | Cell::Timestamp(_) => None,
    }
}

/// Whether a condition holds. Every field it names is read, so that a wrong type is seen whatever stands beside it.
fn holds<'r>(
    condition: &Condition,
    inputs: &Inputs,
    cells: &mut Cells<'r>,
    event: &Event<'r>,
) -> Result<bool, WrongType> {
    cells.load(&condition.needs, inputs, event.fields)?;
    Ok(condition.filter.holds(&cells.row(event.ts)))
}
