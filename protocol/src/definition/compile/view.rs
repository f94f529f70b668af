//! One view with its names looked up: keys, filters, measures shared by its features. Knows no ladder and no plan before.

use std::collections::BTreeMap;

use super::canonical;
use super::constant::{self, Misfit};
use super::derived;
use super::fields::{Fields, Use};
use crate::definition::draft::{Draft, Feature, NamedWindow, View};
use crate::definition::filter::{Constant as Written, Expression};
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Mark, Placed, Word};
use crate::definition::shape::refuse;
use crate::ids::{ColumnId, SourceId, ViewId};
use crate::limits;
use crate::number::Domain;
use crate::plan::{CompareOp, Condition, Constant, Derived, Literal, Measure, Operator, Slot};
use crate::time::Span;

/// A view, ready to be planned.
pub(super) struct Resolved {
    pub(super) id: ViewId,
    pub(super) name: Word,
    pub(super) entity: String,
    pub(super) source: SourceId,
    pub(super) keys: Vec<(String, Slot)>,
    pub(super) filter: Option<Condition>,
    pub(super) max_age: Option<Span>,
    /// Index 0 is the view's rows.
    pub(super) measures: Vec<Measure>,
    pub(super) results: Vec<Outcome>,
    pub(super) derived: Vec<Derived>,
}

/// One result, ready to be planned.
pub(super) struct Outcome {
    pub(super) operator: Operator,
    /// Index into [`Resolved::measures`].
    pub(super) measure: usize,
    pub(super) default: Option<Constant>,
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
    let derived = derived::resolve(view, notes);

    let (project, entity, keys, filter) = (draft.project.as_ref()?, view.entity.as_ref()?, keys?, filter?);
    let rows = canonical::rows(&view.source.as_ref()?.value, &keys, filter.as_ref(), fields);
    let mut measures = Measures::default();
    measures.index(Measure { id: canonical::column_id(&rows, None, None, fields), filter: None, value: None });
    let mut results = Vec::new();
    for (feature, measured) in features {
        let (operator, filter, value, default) = measured?;
        let id = canonical::column_id(&rows, filter.as_ref(), value, fields);
        let measure = measures.index(Measure { id, filter, value });
        if measure == limits::MEASURES_PER_VIEW_MAX {
            let message = format!(
                "a view has at most {} different pairs of field and `where`, its rows included; move features to another view",
                limits::MEASURES_PER_VIEW_MAX
            );
            return refuse(notes, feature.name.at, message);
        }
        results.extend(feature.results.iter().map(|named| Outcome {
            operator,
            measure,
            default,
            named: named.clone(),
        }));
    }
    Some(Resolved {
        id: canonical::view_id(&project.value, &view.name.value, &entity.value),
        name: view.name.clone(),
        entity: entity.value.clone(),
        source,
        keys,
        filter,
        max_age: view.max_age,
        measures: measures.list,
        results,
        derived: derived?,
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
    let results = view.features.iter().flat_map(|feature| &feature.results).map(|result| &result.name);
    for (count, name) in results.chain(view.derived.iter().map(|derived| &derived.name)).enumerate() {
        if count == limits::FEATURES_PER_VIEW_MAX {
            notes.add(
                name.at,
                format!("a view has at most {} results; move some to another view", limits::FEATURES_PER_VIEW_MAX),
            );
        }
        let first = *seen.entry(name.value.as_str()).or_insert(name.at);
        if first != name.at {
            let (shown, line) = (quoted(&name.value), first.line);
            notes
                .add(name.at, format!("the result {shown} is already made in line {line}; rename one of the features"));
        }
    }
}

type Measured = (Operator, Option<Condition>, Option<(Slot, Domain)>, Option<Constant>);

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
    let default = match &feature.default {
        None => None,
        Some(word) => Some(default(word, *operator, operator.domain(value.map(|(_, domain)| domain)), notes)?),
    };
    Some((*operator, filter?, value, default))
}

/// A number that the feature itself could have answered; what is rounded is no number of a domain, so it takes any.
fn default(word: &Word, operator: Operator, domain: Domain, notes: &mut Notes) -> Option<Constant> {
    let read = if operator.is_rounded() {
        constant::as_written(&word.value)
    } else {
        constant::exact(&word.value, domain).map(|unscaled| Constant { unscaled, domain })
    };
    let text = quoted(&word.value);
    let message = match read {
        Ok(constant) => return Some(constant),
        Err(Misfit::NoNumber) => {
            format!("`default`: {text} is no number; write digits and at most one `.`, for example -12.50")
        }
        Err(Misfit::Finer) => {
            format!(
                "`default`: {text} is finer than the values of this feature, which keep {}",
                constant::keeps(domain)
            )
        }
        Err(Misfit::OutOfRange) => format!("`default`: {text} is out of the range of the values of this feature"),
    };
    refuse(notes, word.at, message)
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
    literal: &Placed<Written>,
    fields: &mut Fields<'_>,
    notes: &mut Notes,
) -> Option<Condition> {
    let (slot, literal) = match &literal.value {
        Written::Text(text) => (fields.used_as(field, Use::Text, notes)?, Literal::Text(text.clone())),
        Written::Bool(value) => {
            let slot = fields.used_as(field, Use::Bool, notes)?;
            if !matches!(op.value, CompareOp::Eq | CompareOp::Ne) {
                return refuse(notes, op.at, "true and false have no order; compare with == or !=");
            }
            (slot, Literal::Bool(*value))
        }
        Written::Number(text) => {
            let slot = fields.used_as(field, Use::Number, notes)?;
            let domain = fields.domain(slot);
            (slot, number(text, literal.at, domain, notes)?)
        }
    };
    Some(Condition::Compare { slot, op: op.value, literal })
}

/// A number of the domain, exactly: one that had to be rounded would compare as another.
fn number(text: &str, at: Mark, domain: Domain, notes: &mut Notes) -> Option<Literal> {
    let message = match constant::exact(text, domain) {
        Ok(unscaled) => return Some(Literal::Number { unscaled, domain }),
        Err(Misfit::Finer) => format!(
            "{} is finer than its field, which keeps {}; give the field another `type`",
            quoted(text),
            constant::keeps(domain)
        ),
        Err(Misfit::OutOfRange | Misfit::NoNumber) => {
            format!("{} is out of the range of its field; a value can never be compared with it", quoted(text))
        }
    };
    refuse(notes, at, message)
}
