//! Canonical texts of views and measures, whose hashes are their ids. Knows no plan before or after.
//!
//! Two definitions share a column iff their rows and numbers are the same whatever the events: fields count by path and
//! type, never by name; the order and repetition of what `&&` and `||` join do not count. Texts carry their length, so
//! that none can pretend to be two.

use xxhash_rust::xxh3::xxh3_64;

use super::fields::Fields;
use crate::expression::{Expression, canonical};
use crate::ids::{ColumnId, ViewId};
use crate::number::Domain;
use crate::plan::{Items, Key, Slot};

/// The id of a view.
pub(super) fn view_id(project: &str, view: &str, entity: &str) -> ViewId {
    ViewId(xxh3_64([text("view"), text(project), text(view), text(entity)].concat().as_bytes()))
}

/// What every measure of a view has in common: source, keys, the view's filter.
pub(super) fn rows(source: &str, keys: &[(String, Key)], filter: Option<&Expression>, fields: &Fields<'_>) -> String {
    let part = |key: &Key| match key {
        Key::Field(slot) => path(*slot, fields),
        Key::Computed(expression) => told(expression, fields),
    };
    let keys: String = keys.iter().map(|(name, key)| text(name) + &part(key)).collect();
    format!("rows {} keys({keys}) {}", text(source), condition(filter, fields))
}

/// The id of a measure of a view with these `rows`.
pub(super) fn column_id(
    rows: &str,
    filter: Option<&Expression>,
    value: Option<&(Expression, Items)>,
    rank: Option<&Expression>,
    fields: &Fields<'_>,
) -> ColumnId {
    let value = value.map_or_else(|| "none".to_owned(), |(value, of)| told(value, fields) + &items(*of));
    let rank = rank.map_or_else(String::new, |rank| format!(" by {}", told(rank, fields)));
    ColumnId(xxh3_64(format!("{rows} where {} value {value}{rank}", condition(filter, fields)).as_bytes()))
}

fn text(text: &str) -> String {
    format!("{}:{text}", text.len())
}

fn path(slot: Slot, fields: &Fields<'_>) -> String {
    let steps: String = fields.path(slot).iter().map(|step| text(step)).collect();
    format!("[{steps}]")
}

fn items(items: Items) -> String {
    match items {
        Items::Numbers(Domain::Int) => "int".to_owned(),
        Items::Numbers(Domain::Decimal(scale)) => format!("decimal({scale})"),
        Items::Truths => "bool".to_owned(),
        Items::Texts => "text".to_owned(),
    }
}

fn condition(filter: Option<&Expression>, fields: &Fields<'_>) -> String {
    filter.map_or_else(|| "true".to_owned(), |filter| told(filter, fields))
}

fn told(expression: &Expression, fields: &Fields<'_>) -> String {
    canonical(expression, &|slot| path(slot, fields))
}
