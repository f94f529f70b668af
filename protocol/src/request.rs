//! Values sent with a read: from columns as they come to the types that views declare. Knows no wire and no expression.
//!
//! Every view that declares a name reads the column as its own type. A value is read as a field of that type would be, and
//! text as whatever is declared; but what a record could carry along as a bad number is refused here, because whoever sent
//! it is still there to hear it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

use crate::expression::Type;
use crate::limits::{REQUEST_BYTES_MAX, REQUEST_TEXT_BYTES_MAX, REQUEST_VALUES_MAX};
use crate::number::{Domain, Number};
use crate::plan::{FieldKind, Plan, RequestValue, ViewPlan};
use crate::time::Timestamp;

/// Characters of a value repeated in a refusal.
const QUOTED_CHARS: usize = 60;

/// A value as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written<'r> {
    /// None.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, by its own text.
    Number(Cow<'r, str>),
    /// Text.
    Text(Cow<'r, str>),
    /// An instant.
    Timestamp(Timestamp),
    /// A list or an object, which no declared type is.
    Composite,
}

/// The values of one name, one for each entity of the read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column<'r> {
    /// As declared by at least one view of the read.
    pub name: &'r str,
    /// In the order of the entities.
    pub values: Vec<Written<'r>>,
}

/// A value of its declared type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sent {
    /// None.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// Unscaled.
    Number(i64),
    /// Text.
    Text(Box<str>),
    /// An instant.
    Timestamp(Timestamp),
}

/// The request values of one view: for each that it declares a column, which is empty where none was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentColumns(Vec<Vec<Sent>>);

impl SentColumns {
    /// Values of one entity, in the order in which its view declares them.
    #[must_use]
    pub fn of_one(values: Vec<Sent>) -> Self {
        Self(values.into_iter().map(|value| vec![value]).collect())
    }

    /// What was sent for one entity, for each of so many.
    #[must_use]
    pub fn repeated(&self, entities: usize) -> Self {
        Self(
            self.0
                .iter()
                .map(|column| column.first().map_or_else(Vec::new, |one| vec![one.clone(); entities]))
                .collect(),
        )
    }

    /// Those of one entity.
    #[must_use]
    pub fn row(&self, row: usize) -> SentRow<'_> {
        SentRow { columns: &self.0, row }
    }
}

/// The request values of one view for one entity; by default nothing was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct SentRow<'r> {
    columns: &'r [Vec<Sent>],
    row: usize,
}

impl<'r> SentRow<'r> {
    /// The value with this index in [`crate::plan::ViewPlan::request`]; null where none was sent.
    #[must_use]
    pub fn get(self, value: usize) -> &'r Sent {
        self.columns.get(value).and_then(|column| column.get(self.row)).unwrap_or(&Sent::Null)
    }
}

/// Why a read's values are not taken; nothing was read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// No view of the read has the name.
    #[error("`{name}` is no request value of the views that are read; {}", listed(.known))]
    Undeclared {
        /// What was sent.
        name: String,
        /// What they declare.
        known: Vec<String>,
    },
    /// A column that the wire does not allow.
    #[error("request value `{name}`: {why}")]
    Malformed {
        /// Of the column.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two columns of one name.
    #[error("request value `{0}` is sent twice; send each once")]
    Twice(String),
    /// A column of another length.
    #[error(
        "request value `{name}` has {count} values and the read {entities} entities; send one for each, null for none"
    )]
    Ragged {
        /// Of the column.
        name: String,
        /// Values sent.
        count: usize,
        /// Entities read.
        entities: usize,
    },
    /// A value that is none of the declared type.
    #[error("request value `{name}` of row {row} is {found}; feature view `{view}` declares it as {expected}")]
    Unfit {
        /// Of the column.
        name: String,
        /// Which entity, from 0.
        row: usize,
        /// The value, cut where it is long.
        found: String,
        /// Who declares it.
        view: String,
        /// As what.
        expected: Type,
    },
    /// A text that is too long.
    #[error("request value `{name}` of row {row} is longer than {REQUEST_TEXT_BYTES_MAX} bytes")]
    TooLong {
        /// Of the column.
        name: String,
        /// Which entity, from 0.
        row: usize,
    },
    /// Too many values.
    #[error("{columns} request values for {entities} entities; one read takes {REQUEST_VALUES_MAX} in all: split it")]
    TooMany {
        /// Columns sent.
        columns: usize,
        /// Entities read.
        entities: usize,
    },
    /// Too many bytes of text.
    #[error("the texts of the request values are {0} bytes; one read takes {REQUEST_BYTES_MAX}: split it")]
    TooLarge(usize),
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "they declare none".to_owned() } else { format!("they declare: {}", names.join(", ")) }
}

/// The values of a read of `entities` entities, for each of `views` (indices into the plan) in their order.
///
/// # Errors
/// The first thing that is wrong.
///
/// # Panics
/// If the plan has no such view.
pub fn values(
    plan: &Plan,
    views: &[usize],
    entities: usize,
    columns: &[Column<'_>],
) -> Result<Vec<SentColumns>, Refused> {
    check(plan, views, entities, columns)?;
    views.iter().map(|view| of_view(&plan.views[*view].name, &plan.views[*view].request, columns)).collect()
}

/// The values of a read of one entity of `view`, of whatever `sent` has by the names that the view declares.
///
/// # Errors
/// The first thing that is wrong.
///
/// # Panics
/// If the plan has no such view.
pub fn of_row<'r>(
    plan: &'r Plan,
    view: usize,
    sent: impl Fn(&str) -> Option<Written<'r>>,
) -> Result<SentColumns, Refused> {
    let ViewPlan { name, request, .. } = &plan.views[view];
    if request.is_empty() {
        return Ok(SentColumns::default());
    }
    let sent = request.iter().filter_map(|RequestValue { name, .. }| Some((name, sent(name)?)));
    let columns: Vec<Column<'_>> = sent.map(|(name, value)| Column { name, values: vec![value] }).collect();
    check(plan, &[view], 1, &columns)?;
    of_view(name, request, &columns)
}

/// How many values there may be; columns need not be looked into for it.
///
/// # Errors
/// [`Refused::TooMany`].
pub fn check_count(columns: usize, entities: usize) -> Result<(), Refused> {
    match columns.saturating_mul(entities.max(1)) {
        0..=REQUEST_VALUES_MAX => Ok(()),
        _ => Err(Refused::TooMany { columns, entities }),
    }
}

fn check(plan: &Plan, views: &[usize], entities: usize, columns: &[Column<'_>]) -> Result<(), Refused> {
    check_count(columns.len(), entities)?;
    let declared = || views.iter().flat_map(|view| &plan.views[*view].request).map(|value| value.name.as_str());
    let (mut seen, mut bytes) = (BTreeSet::new(), 0);
    for Column { name, values } in columns {
        let owned = || (*name).to_owned();
        if !declared().any(|known| known == *name) {
            let known: BTreeSet<&str> = declared().collect();
            return Err(Refused::Undeclared { name: cut(name), known: known.into_iter().map(str::to_owned).collect() });
        }
        if !seen.insert(*name) {
            return Err(Refused::Twice(owned()));
        }
        if values.len() != entities {
            return Err(Refused::Ragged { name: owned(), count: values.len(), entities });
        }
        for (row, value) in values.iter().enumerate() {
            let (Written::Text(text) | Written::Number(text)) = value else { continue };
            if text.len() > REQUEST_TEXT_BYTES_MAX {
                return Err(Refused::TooLong { name: owned(), row });
            }
            bytes += text.len();
        }
    }
    if bytes > REQUEST_BYTES_MAX { Err(Refused::TooLarge(bytes)) } else { Ok(()) }
}

fn of_view(view: &str, declared: &[RequestValue], columns: &[Column<'_>]) -> Result<SentColumns, Refused> {
    let typed = |RequestValue { name, kind }: &RequestValue| {
        let Some(column) = columns.iter().find(|column| column.name == *name) else { return Ok(Vec::new()) };
        let values = column.values.iter().enumerate().map(|(row, written)| {
            Sent::read(written, *kind).ok_or_else(|| Refused::Unfit {
                name: name.clone(),
                row,
                found: written.to_string(),
                view: view.to_owned(),
                expected: (*kind).into(),
            })
        });
        values.collect()
    };
    Ok(SentColumns(declared.iter().map(typed).collect::<Result<_, _>>()?))
}

impl Sent {
    /// The value of a type; `None` where it is none.
    #[must_use]
    pub fn read(written: &Written<'_>, kind: FieldKind) -> Option<Self> {
        Some(match (kind, written) {
            (_, Written::Null) => Self::Null,
            (FieldKind::Bool, Written::Bool(value)) => Self::Bool(*value),
            (FieldKind::Bool, Written::Text(text)) => Self::Bool(text.parse().ok()?),
            (FieldKind::Text, Written::Text(text)) => Self::Text(text.as_ref().into()),
            (FieldKind::Number(domain), Written::Number(text) | Written::Text(text)) => number(text, domain)?,
            (FieldKind::Timestamp, Written::Timestamp(at)) => Self::Timestamp(*at),
            (FieldKind::Timestamp, Written::Text(text)) => Self::Timestamp(Timestamp::parse(text).ok()?),
            (FieldKind::Timestamp, Written::Number(text)) => {
                Self::Timestamp(Timestamp::from_millis(text.parse().ok()?)?)
            }
            _ => return None,
        })
    }
}

fn number(text: &str, domain: Domain) -> Option<Sent> {
    match domain.parse(text) {
        Number::Unscaled(unscaled) => Some(Sent::Number(unscaled)),
        Number::Bad | Number::NotANumber => None,
    }
}

/// A foreign text, cut where it is long, on one line.
fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTED_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(QUOTED_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

impl fmt::Display for Written<'_> {
    /// For messages: cut where it is long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(text) => f.write_str(&cut(text)),
            Self::Text(text) => write!(f, "\"{}\"", cut(text)),
            Self::Timestamp(at) => write!(f, "the instant {at}"),
            Self::Composite => f.write_str("a list or an object"),
        }
    }
}

#[cfg(test)]
mod tests;
