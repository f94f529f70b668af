//! A column of a spine, of one type. Knows no file.

use std::borrow::Cow;

use anyhow::bail;
use featuregrid_protocol::request::Written;
use featuregrid_protocol::time::Timestamp;
use serde_json::Value as Json;

use crate::files;

/// A named column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Row by row.
    pub cells: Cells,
}

/// Cells of one type; `None` is null or missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Text.
    Text(Vec<Option<String>>),
    /// Whole numbers.
    Int(Vec<Option<i64>>),
    /// Floats.
    Float(Vec<Option<f64>>),
    /// Truth values.
    Bool(Vec<Option<bool>>),
    /// Microseconds since 1970, UTC.
    Instant(Vec<Option<i64>>),
    /// Of several types, or composite.
    Json(Vec<Option<Json>>),
}

impl Cells {
    /// The narrowest type that holds all of them as they are.
    #[must_use]
    pub fn of(values: Vec<Option<Json>>) -> Self {
        fn all<T>(values: &[Option<Json>], one: impl Fn(&Json) -> Option<T>) -> Option<Vec<Option<T>>> {
            values.iter().map(|value| value.as_ref().map_or(Some(None), |value| one(value).map(Some))).collect()
        }
        if let Some(text) = all(&values, |value| value.as_str().map(str::to_owned)) {
            return Self::Text(text);
        }
        if let Some(ints) = all(&values, Json::as_i64) {
            return Self::Int(ints);
        }
        // A whole number among floats would not keep its digits.
        if let Some(floats) = all(&values, |value| value.is_f64().then(|| value.as_f64()).flatten()) {
            return Self::Float(floats);
        }
        all(&values, Json::as_bool).map_or(Self::Json(values), Self::Bool)
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Int(cells) | Self::Instant(cells) => cells.len(),
            Self::Float(cells) => cells.len(),
            Self::Bool(cells) => cells.len(),
            Self::Json(cells) => cells.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cell as JSON; `None` where it is null.
    #[must_use]
    pub fn json(&self, row: usize) -> Option<Json> {
        match self {
            Self::Text(cells) => cells[row].clone().map(Json::String),
            Self::Int(cells) => cells[row].map(Json::from),
            Self::Float(cells) => cells[row].map(Json::from),
            Self::Bool(cells) => cells[row].map(Json::from),
            Self::Instant(cells) => cells[row].map(|micros| Json::String(Timestamp(micros).to_string())),
            Self::Json(cells) => cells[row].clone(),
        }
    }

    /// A value sent with a read, as it comes; numbers keep their digits.
    pub(super) fn written(&self, row: usize) -> Written<'_> {
        let written = match self {
            Self::Text(cells) => cells[row].as_deref().map(|text| Written::Text(Cow::Borrowed(text))),
            Self::Int(cells) => cells[row].map(|int| Written::Number(int.to_string().into())),
            Self::Float(cells) => cells[row].map(|float| Written::Number(float.to_string().into())),
            Self::Bool(cells) => cells[row].map(Written::Bool),
            Self::Instant(cells) => cells[row].map(|micros| Written::Timestamp(Timestamp(micros))),
            Self::Json(cells) => cells[row].as_ref().map(|value| match value {
                Json::Null => Written::Null,
                Json::Bool(truth) => Written::Bool(*truth),
                Json::Number(number) => Written::Number(number.to_string().into()),
                Json::String(text) => Written::Text(Cow::Borrowed(text)),
                Json::Array(_) | Json::Object(_) => Written::Composite,
            }),
        };
        written.unwrap_or(Written::Null)
    }

    /// A join key as readers take it: text, or the digits of a number.
    pub(super) fn key(&self, row: usize) -> anyhow::Result<Option<Cow<'_, str>>> {
        Ok(match self {
            Self::Text(cells) => cells[row].as_deref().map(Cow::Borrowed),
            Self::Int(cells) => cells[row].map(|int| Cow::Owned(int.to_string())),
            _ => match self.json(row) {
                None => None,
                Some(Json::String(text)) => Some(Cow::Owned(text)),
                Some(Json::Number(number)) => Some(Cow::Owned(number.to_string())),
                Some(other) => bail!("{other} is no key; a key is text or a number"),
            },
        })
    }

    /// RFC 3339, whole milliseconds since 1970, or an instant.
    pub(super) fn instant(&self, row: usize) -> anyhow::Result<Option<Timestamp>> {
        Ok(match self {
            Self::Instant(cells) => cells[row].map(Timestamp),
            _ => self.json(row).as_ref().map(files::instant).transpose()?,
        })
    }
}
