//! One view with its names looked up: keys, filters, measures shared by its features. Knows no ladder and no plan before.

use std::collections::BTreeMap;

use super::canonical;
use super::constant::{self, Misfit};
use super::derived;
use super::fields::Fields;
use crate::definition::draft::{Draft, Feature, NamedWindow, View};
use crate::definition::mistake::{Notes, quoted};
use crate::definition::place::{Mark, Placed, Word};
use crate::definition::shape::refuse;
use crate::expression::{self, Expression, Function, Kind, Tree, Type, Wanted};
use crate::ids::{ColumnId, SourceId, ViewId};
use crate::limits;
use crate::number::Domain;
use crate::plan::{Answers, Argument, Constant, Derived, Items, Key, Measure, Operator, RequestValue};
use crate::time::Span;

/// Digits after the point of a number that is computed and then summed: nine more stay before it.
const COMPUTED_SCALE_MAX: u8 = 9;

/// A view, ready to be planned.
pub(super) struct Resolved {
    pub(super) id: ViewId,
    pub(super) name: Word,
    pub(super) entity: String,
    pub(super) source: SourceId,
    pub(super) keys: Vec<(String, Key)>,
    pub(super) filter: Option<Expression>,
    pub(super) max_age: Option<Span>,
    pub(super) ttl: Option<Placed<Span>>,
    /// Index 0 is the view's rows.
    pub(super) measures: Vec<Measure>,
    pub(super) results: Vec<Outcome>,
    pub(super) derived: Vec<Derived>,
    pub(super) request: Vec<RequestValue>,
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
    let answers: Vec<Option<Answers>> = features
        .iter()
        .flat_map(|(feature, measured)| {
            let answers = measured.as_ref().map(|it| it.operator.answers(items(it.value.as_ref())));
            feature.results.iter().map(move |_| answers)
        })
        .collect();
    let derived = derived::resolve(view, answers, notes);
    let request = request(draft, view, notes);

    let (project, entity, keys, filter) = (draft.project.as_ref()?, view.entity.as_ref()?, keys?, filter?);
    let rows = canonical::rows(&view.source.as_ref()?.value, &keys, filter.as_ref(), fields);
    let mut measures = Measures::default();
    measures.index(Measure {
        id: canonical::column_id(&rows, None, None, None, fields),
        filter: None,
        value: None,
        rank: None,
    });
    let mut results = Vec::new();
    for (feature, measured) in features {
        let Measured { operator, filter, value, rank, default } = measured?;
        let id = canonical::column_id(&rows, filter.as_ref(), value.as_ref(), rank.as_ref(), fields);
        let measure = measures.index(Measure { id, filter, value, rank });
        if measure == limits::MEASURES_PER_VIEW_MAX {
            let message = format!(
                "a view has at most {} different pairs of number and `where`, its rows included; move features to another view",
                limits::MEASURES_PER_VIEW_MAX
            );
            return refuse(notes, feature.name.at, message);
        }
        results.extend(feature.results.iter().map(|named| Outcome {
            operator,
            measure,
            default: default.clone(),
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
        ttl: view.ttl,
        measures: measures.list,
        results,
        derived: derived?,
        request: request?,
    })
}

/// What a read may send: beside join keys, and therefore never named like one of them.
fn request(draft: &Draft, view: &View, notes: &mut Notes) -> Option<Vec<RequestValue>> {
    let of_view = |name: &Word| view.entity.as_ref().is_some_and(|entity| entity.value == name.value);
    let entity = draft.entities.iter().flatten().find(|known| of_view(&known.name));
    let join_keys: Vec<&str> = entity.iter().flat_map(|of| &of.join_keys).map(|key| key.value.as_str()).collect();
    let values = view.request.as_ref()?.iter().map(|sent| {
        let name = sent.name.value.clone();
        if join_keys.contains(&name.as_str()) {
            let message = format!("{} is a join key of the view; give the request value another name", quoted(&name));
            return refuse(notes, sent.name.at, message);
        }
        Some(RequestValue { name, kind: sent.kind? })
    });
    // All of them, so that every wrong one is named.
    let values: Vec<Option<RequestValue>> = values.collect();
    values.into_iter().collect()
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
) -> Option<Vec<(String, Key)>> {
    let entities = draft.entities.as_ref()?;
    let Some(found) = entities.iter().find(|known| known.name.value == entity.value) else {
        let message =
            format!("feature view {}, `entity`: {} is no entity", quoted(&view.name.value), quoted(&entity.value));
        notes.unknown(entity.at, message, &entity.value, entities.iter().map(|known| known.name.value.as_str()));
        return None;
    };
    let parts = found.join_keys.iter().map(|key| Some((key.value.clone(), fields.key(key, notes)?)));
    // All of them, so that every wrong one is named.
    let parts: Vec<Option<(String, Key)>> = parts.collect();
    parts.into_iter().collect::<Option<Vec<_>>>().filter(|keys| !keys.is_empty())
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

/// What a feature reads; rows count as whole numbers.
fn items(value: Option<&(Expression, Items)>) -> Items {
    value.map_or(Items::Numbers(Domain::Int), |(_, items)| *items)
}

/// What a feature computes of which rows.
struct Measured {
    operator: Operator,
    filter: Option<Expression>,
    value: Option<(Expression, Items)>,
    rank: Option<Expression>,
    default: Option<Constant>,
}

fn measured(feature: &Feature, fields: &mut Fields<'_>, notes: &mut Notes) -> Option<Measured> {
    let filter = optional(feature.filter.as_ref(), fields, notes);
    let (operator, number) = feature.operator.as_ref()?;
    let value = match number {
        None => None,
        Some(tree) => Some(value(*operator, tree, fields, notes)?),
    };
    let rank = match &feature.rank {
        None if operator.is_ranked() => return None,
        None => None,
        Some(tree) => Some(self::value(Operator::Min, tree, fields, notes)?.0),
    };
    let default = match &feature.default {
        None => None,
        Some(word) => Some(default(word, operator.answers(items(value.as_ref())), notes)?),
    };
    Some(Measured { operator: *operator, filter: filter?, value, rank, default })
}

/// Something that the feature itself could have answered.
pub(super) fn default(word: &Word, answers: Answers, notes: &mut Notes) -> Option<Constant> {
    let Answers::One(of) = answers else {
        return refuse(notes, word.at, "`default`: this feature is never null; remove it");
    };
    match (of, word.value.as_str()) {
        (Type::Bool, "true") => Some(Constant::Truth(true)),
        (Type::Bool, "false") => Some(Constant::Truth(false)),
        (Type::Bool, other) => {
            refuse(notes, word.at, format!("`default`: {} is neither `true` nor `false`", quoted(other)))
        }
        (Type::Text | Type::Timestamp, text) if text.len() > limits::TEXT_BYTES_MAX => {
            let most = limits::TEXT_BYTES_MAX;
            refuse(notes, word.at, format!("`default`: a text has at most {most} bytes, as those of events do"))
        }
        (Type::Text | Type::Timestamp, text) => Some(Constant::Text(text.to_owned())),
        (Type::Int, _) => number(word, Some(Domain::Int), notes),
        (Type::Decimal(scale), _) => number(word, Some(Domain::Decimal(scale)), notes),
        (Type::Float, _) => number(word, None, notes),
    }
}

/// A number of a domain; what is rounded is in none, so it takes any.
fn number(word: &Word, domain: Option<Domain>, notes: &mut Notes) -> Option<Constant> {
    let read = match domain {
        None => constant::as_written(&word.value),
        Some(domain) => constant::exact(&word.value, domain).map(|unscaled| (unscaled, domain)),
    };
    let text = quoted(&word.value);
    let message = match read {
        Ok((unscaled, domain)) => return Some(Constant::Number { unscaled, domain }),
        Err(Misfit::NoNumber) => {
            format!("`default`: {text} is no number; write digits and at most one `.`, for example -12.50")
        }
        Err(Misfit::Finer) => {
            format!(
                "`default`: {text} is finer than the values of this feature, which keep {}",
                constant::keeps(domain.unwrap_or(Domain::Int))
            )
        }
        Err(Misfit::OutOfRange) => format!("`default`: {text} is out of the range of the values of this feature"),
    };
    refuse(notes, word.at, message)
}

/// No filter is none; a wrong one is nothing.
fn optional(filter: Option<&Tree>, fields: &mut Fields<'_>, notes: &mut Notes) -> Option<Option<Expression>> {
    match filter {
        None => Some(None),
        Some(filter) => expression::check(filter, Some(Wanted::Bool), fields, notes).map(Some),
    }
}

/// What a feature accumulates.
fn value(operator: Operator, tree: &Tree, fields: &mut Fields<'_>, notes: &mut Notes) -> Option<(Expression, Items)> {
    let wanted = match operator.argument() {
        Argument::Rows | Argument::Any => None,
        Argument::Number => Some(Wanted::Number),
        Argument::Truth => Some(Wanted::Bool),
    };
    let value = expression::check(tree, wanted, fields, notes)?;
    let items = match value.of {
        Type::Bool => Items::Truths,
        // Which texts are different is told by their hashes: they need not be kept.
        Type::Text if operator == Operator::DistinctCount => {
            let hash = Function::Hash(i64::MAX as u64);
            return Some((Expression::call(hash, vec![value], Type::Int), Items::Numbers(Domain::Int)));
        }
        Type::Text => Items::Texts,
        Type::Int => Items::Numbers(Domain::Int),
        // Of 64 bits so many digits leave few before the point; a field says itself what it holds.
        Type::Decimal(scale) if scale > COMPUTED_SCALE_MAX && !matches!(value.kind, Kind::Input(_)) => {
            let message = format!(
                "this number has {scale} digits after the point, which leaves {} before it; write, for example, decimal(..., 4)",
                18 - scale
            );
            return refuse(notes, tree.at, message);
        }
        Type::Decimal(scale) => Items::Numbers(Domain::Decimal(scale)),
        Type::Float => {
            let message = "this is a float, and sums are exact; say how many digits count, for example decimal(..., 4)";
            return refuse(notes, tree.at, message);
        }
        Type::Timestamp => {
            let message = "this is a timestamp; take a number or a text of it, for example epoch_seconds(...)";
            return refuse(notes, tree.at, message);
        }
    };
    Some((value, items))
}
