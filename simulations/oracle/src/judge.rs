//! Where one record goes: the checks in their order, then what it contributes to every view. Knows no other record but
//! through the prefix max it is handed.

use featuregrid_protocol::expression::Expression;
use featuregrid_protocol::ids::{ColumnId, PartitionId, ViewId};
use featuregrid_protocol::key;
use featuregrid_protocol::limits;
use featuregrid_protocol::plan::{Key, LatenessClock, Plan, ViewPlan};
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;

use crate::expression::Value;
use crate::field::{self, Fields, WrongType};
use crate::instant;
use crate::item::Item;
use crate::json::Json;
use crate::log::Record;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Tombstone,
    Dead,
    Late,
    Unmatched,
    Routed,
}

/// A record's whole effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    /// The event time, where the record passed the checks that depend on the source alone.
    pub(crate) moves_prefix: Option<Timestamp>,
    /// Every view whose filter took the record; `None` where the view rejects it.
    pub(crate) views: Vec<(ViewId, Option<Keyed>)>,
}

/// A row and the canonical bytes of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keyed {
    pub(crate) key: Vec<u8>,
    pub(crate) row: Row,
}

/// What a record contributes to one key of one view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) ts: Timestamp,
    pub(crate) at: Position,
    /// The event id, if the record has one.
    pub(crate) id: Option<String>,
    /// The measures that take it.
    pub(crate) measures: Vec<(ColumnId, Input)>,
}

impl Row {
    /// What it contributes to a measure.
    pub(crate) fn input(&self, column: ColumnId) -> Option<&Input> {
        self.measures.iter().find(|(id, _)| *id == column).map(|(_, input)| input)
    }
}

/// A contribution to one measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Counted, without a value.
    Counted,
    /// A value of the measure.
    Value(Item),
    /// A value, and by what its row is compared.
    Ranked(i64, Item),
    /// There is something, but no finite number of the domain, or a text that is too long.
    Bad,
}

impl Input {
    /// What the measure's expression made of a record; `None` where it is null.
    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Number(number) => Some(i64::try_from(number).map_or(Self::Bad, |it| Self::Value(Item::Number(it)))),
            Value::Bool(truth) => Some(Self::Value(Item::Truth(truth))),
            Value::Text(text) if text.len() <= limits::TEXT_BYTES_MAX => Some(Self::Value(Item::Text(text))),
            Value::Text(_) | Value::Bad => Some(Self::Bad),
            Value::Float(_) | Value::Timestamp(_) => unreachable!("no measure takes a float or a timestamp"),
        }
    }
}

impl Input {
    /// A value and by what its row is compared; `None` where either is null.
    fn ranked(rank: Value, value: Value) -> Option<Self> {
        Some(match (Self::of(rank)?, Self::of(value)?) {
            (Self::Value(Item::Number(rank)), Self::Value(value)) => Self::Ranked(rank, value),
            _ => Self::Bad,
        })
    }
}

/// Judges a record that follows a prefix whose largest event time is `prefix_max`, under the plan in force at it.
pub(crate) fn judge(plan: &Plan, partition: PartitionId, record: &Record, prefix_max: Timestamp) -> Judged {
    let refused = |verdict| Judged { verdict, moves_prefix: None, views: Vec::new() };
    let Some(source) = plan.sources.get(usize::from(partition.source().0)) else {
        unreachable!("{partition} is of no source of the plan in force")
    };
    let Some(payload) = &record.payload else { return refused(Verdict::Tombstone) };
    if payload.len() > limits::RECORD_BYTES_MAX {
        return refused(Verdict::Dead);
    }
    let Some(json) = Json::object(payload) else { return refused(Verdict::Dead) };
    let Some(ts) = instant::read(&json.at(&source.event_timestamp)) else { return refused(Verdict::Dead) };
    let ahead = i128::from(ts.0) - i128::from(record.log_timestamp.0);
    if ahead > i128::from(source.max_skew.0) {
        return refused(Verdict::Dead);
    }
    let clock = match source.lateness_clock {
        LatenessClock::EventTime => prefix_max,
        LatenessClock::AppendTime => record.log_timestamp,
    };
    let behind = i128::from(clock.0) - i128::from(ts.0);
    if behind > i128::from(source.allowed_lateness.0) && !record.admit {
        return refused(Verdict::Late);
    }
    let fields = Fields::new(source, &json);
    let at = Position { partition, offset: record.offset };
    let id = source.event_id.as_ref().map_or(Ok(None), |path| field::id(&json.at(path)));
    let mut views = Vec::new();
    for view in plan.views.iter().filter(|view| view.source == partition.source()) {
        match row(view, &fields, ts, at, &id) {
            Ok(None) => {}
            Ok(Some(row)) => views.push((view.id, Some(row))),
            Err(WrongType) => views.push((view.id, None)),
        }
    }
    let verdict = if views.is_empty() {
        Verdict::Unmatched
    } else if views.iter().all(|(_, row)| row.is_none()) {
        Verdict::Dead
    } else {
        Verdict::Routed
    };
    Judged { verdict, moves_prefix: Some(ts), views }
}

/// The row of a view, or `None` where its filter does not take the record.
fn row(
    view: &ViewPlan,
    fields: &Fields<'_>,
    ts: Timestamp,
    at: Position,
    id: &Result<Option<String>, WrongType>,
) -> Result<Option<Keyed>, WrongType> {
    let holds = |filter: &Option<Expression>| match filter {
        None => Ok(true),
        Some(filter) => Ok(fields.evaluate(filter, ts)? == Value::Bool(true)),
    };
    if !holds(&view.filter)? {
        return Ok(None);
    }
    let mut parts = Vec::new();
    for (_, key) in &view.keys {
        // A null key is as unusable as one of a wrong type.
        let part = match key {
            Key::Field(slot) => fields.key_part(*slot)?.ok_or(WrongType)?.to_owned(),
            Key::Computed(expression) => match fields.evaluate(expression, ts)? {
                Value::Text(text) => text,
                Value::Number(number) => number.to_string(),
                _ => return Err(WrongType),
            },
        };
        if part.len() > limits::KEY_PART_BYTES_MAX {
            return Err(WrongType);
        }
        parts.push(part);
    }
    let mut key = Vec::new();
    key::encode(parts.iter().map(String::as_str), &mut key);
    let id = id.clone()?;
    let mut measures = Vec::new();
    for measure in &view.measures {
        if !holds(&measure.filter)? {
            continue;
        }
        let input = match (&measure.value, &measure.rank) {
            (None, _) => Some(Input::Counted),
            (Some((value, _)), None) => Input::of(fields.evaluate(value, ts)?),
            (Some((value, _)), Some(rank)) => Input::ranked(fields.evaluate(rank, ts)?, fields.evaluate(value, ts)?),
        };
        measures.extend(input.map(|input| (measure.id, input)));
    }
    Ok(Some(Keyed { key, row: Row { ts, at, id, measures } }))
}
