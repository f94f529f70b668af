//! Canonical texts of views and measures, whose hashes are their ids. Knows no plan before or after.
//!
//! Two definitions share a column iff their rows and numbers are the same whatever the events: fields count by path and
//! domain, never by name; the order and repetition of what `and` and `or` join do not count. Texts carry their length,
//! so that none can pretend to be two.

use std::fmt::Write as _;

use xxhash_rust::xxh3::xxh3_64;

use super::fields::Fields;
use crate::ids::{ColumnId, ViewId};
use crate::number::Domain;
use crate::plan::{CompareOp, Condition, Literal, Slot};

/// The id of a view.
pub(super) fn view_id(project: &str, view: &str, entity: &str) -> ViewId {
    ViewId(xxh3_64([text("view"), text(project), text(view), text(entity)].concat().as_bytes()))
}

/// What every measure of a view has in common: source, keys, the view's filter.
pub(super) fn rows(source: &str, keys: &[(String, Slot)], filter: Option<&Condition>, fields: &Fields<'_>) -> String {
    let keys: String = keys.iter().map(|(name, slot)| text(name) + &path(*slot, fields)).collect();
    format!("rows {} keys({keys}) {}", text(source), condition(filter, fields))
}

/// The id of a measure of a view with these `rows`.
pub(super) fn column_id(
    rows: &str,
    filter: Option<&Condition>,
    value: Option<(Slot, Domain)>,
    fields: &Fields<'_>,
) -> ColumnId {
    let value = value.map_or_else(|| "none".to_owned(), |(slot, of)| path(slot, fields) + &domain(of));
    ColumnId(xxh3_64(format!("{rows} where {} value {value}", condition(filter, fields)).as_bytes()))
}

fn text(text: &str) -> String {
    format!("{}:{text}", text.len())
}

fn path(slot: Slot, fields: &Fields<'_>) -> String {
    let steps: String = fields.path(slot).iter().map(|step| text(step)).collect();
    format!("[{steps}]")
}

fn domain(domain: Domain) -> String {
    match domain {
        Domain::Int => "int".to_owned(),
        Domain::Decimal(scale) => format!("decimal({scale})"),
    }
}

fn condition(filter: Option<&Condition>, fields: &Fields<'_>) -> String {
    let join = |word: &str, parts: &[Condition]| {
        let mut parts: Vec<String> = parts.iter().map(|part| condition(Some(part), fields)).collect();
        parts.sort_unstable();
        parts.dedup();
        match parts.as_slice() {
            [only] => only.clone(),
            _ => format!("({word} {})", parts.join(" ")),
        }
    };
    match filter {
        None => "true".to_owned(),
        Some(Condition::And(parts)) => join("and", parts),
        Some(Condition::Or(parts)) => join("or", parts),
        Some(Condition::Compare { slot, op, literal }) => {
            let mut out = format!("({} {} ", operator(*op), path(*slot, fields));
            let written = match literal {
                Literal::Text(value) => write!(out, "text {})", text(value)),
                Literal::Bool(value) => write!(out, "bool {value})"),
                Literal::Number { unscaled, domain: of } => write!(out, "{} {unscaled})", domain(*of)),
            };
            debug_assert!(written.is_ok(), "writing to a text cannot fail");
            out
        }
    }
}

fn operator(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "==",
        CompareOp::Ne => "!=",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
    }
}
