//! One view with its names looked up: keys, filters, measures shared by its features. Knows no ladder and no plan before.

use std::collections::BTreeMap;

use super::canonical;
use super::fields::{Fields, Use};
use crate::definition::draft::{Draft, Feature, NamedWindow, View};
use crate::definition::filter::{Constant, Expression};
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Mark, Placed, Word};
use crate::definition::shape::refuse;
use crate::ids::{ColumnId, SourceId, ViewId};
use crate::limits;
use crate::number::{Domain, Number};
use crate::plan::{CompareOp, Condition, Literal, Measure, Operator, Slot};

/// A view, ready to be planned.
pub(super) struct Resolved {
    pub(super) id: ViewId,
    pub(super) name: Word,
    pub(super) entity: String,
    pub(super) source: SourceId,
    pub(super) keys: Vec<(String, Slot)>,
    pub(super) filter: Option<Condition>,
    /// Index 0 is the view's rows.
    pub(super) measures: Vec<Measure>,
    pub(super) results: Vec<Outcome>,
}

/// One result, ready to be planned.
pub(super) struct Outcome {
    pub(super) operator: Operator,
    /// Index into [`Resolved::measures`].
    pub(super) measure: usize,
    pub(super) named: NamedWindow,
}

/// `None` where something refers to nothing; it is noted.
pub(super) fn resolve(
    draft: &Draft,
    view: &View,
    source: SourceId,
    fields: &mut Fields<'_>,
    notes: &mut Notes,
) -> Option<Resolved> {
    let keys = view.entity.as_ref().and_then(|entity| keys(draft, view, entity, fields, notes));
    let filter = optional(view.filter.as_ref(), fields, notes);
    let features: Vec<_> = view.features.iter().map(|feature| (feature, measured(feature, fields, notes))).collect();
    check_names(view, notes);

    let (project, entity, keys, filter) = (draft.project.as_ref()?, view.entity.as_ref()?, keys?, filter?);
    let rows = canonical::rows(&view.source.as_ref()?.value, &keys, filter.as_ref(), fields);
    let mut measures = Measures::default();
    measures.index(Measure { id: canonical::column_id(&rows, None, None, fields), filter: None, value: None });
    let mut results = Vec::new();
    for (feature, measured) in features {
        let (operator, filter, value) = measured?;
        let id = canonical::column_id(&rows, filter.as_ref(), value, fields);
        let measure = measures.index(Measure { id, filter, value });
        if measure == limits::MEASURES_PER_VIEW_MAX {
            let message = format!(
                "a view has at most {} different pairs of field and `where`, its rows included; move features to another view",
                limits::MEASURES_PER_VIEW_MAX
            );
            return refuse(notes, feature.name.at, message);
        }
        results.extend(feature.results.iter().map(|named| Outcome { operator, measure, named: named.clone() }));
    }
    Some(Resolved {
        id: canonical::view_id(&project.value, &view.name.value, &entity.value),
        name: view.name.clone(),
        entity: entity.value.clone(),
        source,
        keys,
        filter,
        measures: measures.list,
        results,
    })
}

/// Measures by id: equal definitions are one.
#[derive(Default)]
struct Measures {
    list: Vec<Measure>,
    by_id: BTreeMap<ColumnId, usize>,
}

impl Measures {
    fn index(&mut self, measure: Measure) -> usize {
        let next = self.list.len();
        let index = *self.by_id.entry(measure.id).or_insert(next);
        if index == next {
            self.list.push(measure);
        }
        index
    }
}

fn keys(
    draft: &Draft,
    view: &View,
    entity: &Word,
    fields: &Fields<'_>,
    notes: &mut Notes,
) -> Option<Vec<(String, Slot)>> {
    let entities = draft.entities.as_ref()?;
    let Some(found) = entities.iter().find(|known| known.name.value == entity.value) else {
        let message =
            format!("feature view {}, `entity`: {} is no entity", quoted(&view.name.value), quoted(&entity.value));
        notes.unknown(entity.at, message, &entity.value, entities.iter().map(|known| known.name.value.as_str()));
        return None;
    };
    let slots = found.join_keys.iter().map(|key| {
        let slot = fields.slot(key, notes)?;
        if fields.is_bool(slot) {
            return refuse(notes, key.at, format!("{} is true or false and cannot be a join key", quoted(&key.value)));
        }
        Some((key.value.clone(), slot))
    });
    // All of them, so that every wrong one is named.
    let slots: Vec<Option<(String, Slot)>> = slots.collect();
    slots.into_iter().collect::<Option<Vec<_>>>().filter(|keys| !keys.is_empty())
}

/// No two results of a view have one name, and there are not too many.
fn check_names(view: &View, notes: &mut Notes) {
    let mut seen: BTreeMap<&str, Mark> = BTreeMap::new();
    let results = view.features.iter().flat_map(|feature| &feature.results);
    for (count, result) in results.enumerate() {
        if count == limits::FEATURES_PER_VIEW_MAX {
            notes.add(
                result.name.at,
                format!("a view has at most {} results; move some to another view", limits::FEATURES_PER_VIEW_MAX),
            );
        }
        let first = *seen.entry(result.name.value.as_str()).or_insert(result.name.at);
        if first != result.name.at {
            let (name, line) = (quoted(&result.name.value), first.line);
            notes.add(
                result.name.at,
                format!("the result {name} is already made in line {line}; rename one of the features"),
            );
        }
    }
}

type Measured = (Operator, Option<Condition>, Option<(Slot, Domain)>);

fn measured(feature: &Feature, fields: &mut Fields<'_>, notes: &mut Notes) -> Option<Measured> {
    let filter = optional(feature.filter.as_ref(), fields, notes);
    let (operator, field) = feature.operator.as_ref()?;
    let value = match field {
        None => None,
        Some(word) => {
            let slot = fields.used_as(word, Use::Number, notes)?;
            Some((slot, fields.domain(slot)))
        }
    };
    Some((*operator, filter?, value))
}

/// No filter is none; a wrong one is nothing.
fn optional(filter: Option<&Expression>, fields: &mut Fields<'_>, notes: &mut Notes) -> Option<Option<Condition>> {
    match filter {
        None => Some(None),
        Some(expression) => condition(expression, fields, notes).map(Some),
    }
}

fn condition(expression: &Expression, fields: &mut Fields<'_>, notes: &mut Notes) -> Option<Condition> {
    let mut every = |parts: &[Expression]| {
        let parts: Vec<Option<Condition>> = parts.iter().map(|part| condition(part, fields, notes)).collect();
        parts.into_iter().collect::<Option<Vec<_>>>()
    };
    match expression {
        Expression::And(parts) => every(parts).map(Condition::And),
        Expression::Or(parts) => every(parts).map(Condition::Or),
        Expression::Compare { field, op, literal } => compare(field, *op, literal, fields, notes),
    }
}

fn compare(
    field: &Word,
    op: Placed<CompareOp>,
    literal: &Placed<Constant>,
    fields: &mut Fields<'_>,
    notes: &mut Notes,
) -> Option<Condition> {
    let (slot, literal) = match &literal.value {
        Constant::Text(text) => (fields.used_as(field, Use::Text, notes)?, Literal::Text(text.clone())),
        Constant::Bool(value) => {
            let slot = fields.used_as(field, Use::Bool, notes)?;
            if !matches!(op.value, CompareOp::Eq | CompareOp::Ne) {
                return refuse(notes, op.at, "true and false have no order; compare with == or !=");
            }
            (slot, Literal::Bool(*value))
        }
        Constant::Number(text) => {
            let slot = fields.used_as(field, Use::Number, notes)?;
            let domain = fields.domain(slot);
            (slot, number(text, literal.at, domain, notes)?)
        }
    };
    Some(Condition::Compare { slot, op: op.value, literal })
}

/// A number of the domain, exactly: one that had to be rounded would compare as another.
fn number(text: &str, at: Mark, domain: Domain, notes: &mut Notes) -> Option<Literal> {
    let digits = text.split_once('.').map_or("", |(_, fraction)| fraction).trim_end_matches('0').len();
    if digits > usize::from(domain.scale()) {
        let keeps = match domain {
            Domain::Int => "whole numbers".to_owned(),
            Domain::Decimal(scale) => format!("{scale} digits after the point"),
        };
        return refuse(
            notes,
            at,
            format!("{} is finer than its field, which keeps {keeps}; give the field another `type`", quoted(text)),
        );
    }
    match domain.parse(text) {
        Number::Unscaled(unscaled) => Some(Literal::Number { unscaled, domain }),
        Number::Bad | Number::NotANumber => refuse(
            notes,
            at,
            format!("{} is out of the range of its field; a value can never be compared with it", quoted(text)),
        ),
    }
}
