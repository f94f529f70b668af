//! The rows a training set is asked for: join keys, `as_of`, what was known, and whatever else stands beside them, which
//! is carried through. Knows no event.

mod cells;
mod json;
mod parquet;

pub use cells::{Cells, Column};

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use featuregrid_actors::training::Knowledge;
use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::request::{self, SentColumns};
use featuregrid_protocol::time::Timestamp;
use serde_json::Value as Json;

/// The column of the instant; the two that say what was known then, of which one suffices.
pub const AS_OF: &str = "as_of";
/// The token of a reply, by source and partition: `{"payments": {"0": 17}}`.
pub const TOKEN: &str = "token";
/// An instant of the node's clock.
pub const KNOWN_AT: &str = "known_at";

/// What an ordered map takes of memory for one offset of a token, about.
const OFFSET_BYTES: usize = 24;

/// How much of a file may be held.
struct Budget<'a> {
    path: &'a Path,
    left: usize,
    given: usize,
}

impl Budget<'_> {
    /// Sees that a file that does not fit is refused before it is held.
    fn take(&mut self, bytes: usize) -> anyhow::Result<()> {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => bail!(
                "{}: it takes more than {} bytes; split it, or give more with --memory",
                self.path.display(),
                self.given
            ),
        }
        Ok(())
    }
}

/// When a row asks, and what it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The instant.
    pub as_of: Timestamp,
    /// What was visible; by default, what had been applied at the instant itself.
    pub knowledge: Knowledge,
}

/// A spine, column by column.
#[derive(Debug)]
pub struct Spine {
    path: PathBuf,
    /// What it takes of memory, about.
    bytes: usize,
    /// The line of each row, where the file has lines.
    lines: Option<Vec<usize>>,
    /// All of them, in the order of the file.
    pub columns: Vec<Column>,
    /// One for each row.
    pub rows: Vec<Row>,
}

impl Spine {
    /// Reads a spine, Parquet by its name or one JSON object a line, of which so many bytes may be held.
    ///
    /// # Errors
    /// When the file cannot be read, is too large, or has no usable `as_of`: file, row and column.
    pub fn read(path: &Path, plan: &Plan, memory: usize) -> anyhow::Result<Self> {
        let mut budget = Budget { path, left: memory, given: memory };
        let (lines, columns) = if super::is_parquet(path) {
            (None, parquet::read(path, &mut budget)?)
        } else {
            let (lines, columns) = json::read(path, &mut budget)?;
            (Some(lines), columns)
        };
        let count = columns.first().map_or(0, |column| column.cells.len());
        if u32::try_from(count).is_err() {
            bail!("{}: {count} rows; split it, a spine has at most {}", path.display(), u32::MAX);
        }
        budget.take(count * size_of::<Row>())?;
        let mut spine = Self { path: path.to_owned(), bytes: 0, lines, columns, rows: Vec::new() };
        let Some(as_of) = spine.column(AS_OF) else {
            bail!("{}: add `{AS_OF}`, for example \"{AS_OF}\": \"2026-01-01T12:00:00Z\"", path.display());
        };
        let (token, known_at) = (spine.column(TOKEN), spine.column(KNOWN_AT));
        let mut rows = Vec::with_capacity(count);
        for row in 0..count {
            let instant = |column: usize| {
                let place = || format!("{}, column `{}`", spine.place(row), spine.columns[column].name);
                spine.columns[column].cells.instant(row).with_context(place)
            };
            let as_of = instant(as_of)?.with_context(|| format!("{}: `{AS_OF}` is missing", spine.place(row)))?;
            let token = token.and_then(|column| spine.columns[column].cells.json(row));
            let known_at = known_at.map(instant).transpose()?.flatten();
            let knowledge = match (token, known_at) {
                (Some(token), _) => {
                    let place = || format!("{}, column `{TOKEN}`", spine.place(row));
                    let token = parse_token(plan, &token).with_context(place)?;
                    budget.take(token.0.len() * OFFSET_BYTES)?;
                    Knowledge::Token(token)
                }
                (None, Some(instant)) => Knowledge::At(instant),
                (None, None) => Knowledge::At(as_of),
            };
            rows.push(Row { as_of, knowledge });
        }
        spine.bytes = budget.given - budget.left;
        spine.rows = rows;
        Ok(spine)
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it takes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// File and row, for people.
    #[must_use]
    pub fn place(&self, row: usize) -> String {
        match self.lines.as_ref().and_then(|lines| lines.get(row)) {
            Some(line) => format!("{}:{line}", self.path.display()),
            None => format!("{}, row {row}", self.path.display()),
        }
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The views whose join keys are columns, with these columns.
    pub(super) fn views(&self, plan: &Plan) -> anyhow::Result<Vec<(usize, Vec<usize>)>> {
        let own = plan.views.iter().enumerate();
        let keyed = own.filter_map(|(at, view)| {
            let columns: Option<Vec<usize>> = view.keys.iter().map(|(name, _)| self.column(name)).collect();
            Some((at, columns?))
        });
        let keyed: Vec<(usize, Vec<usize>)> = keyed.collect();
        if keyed.is_empty() && !self.rows.is_empty() {
            let wanted = plan
                .views
                .iter()
                .map(|view| view.keys.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "));
            let wanted = wanted.collect::<Vec<_>>().join("; ");
            bail!("{}: it has the join keys of no view; they are: {wanted}", self.path.display());
        }
        Ok(keyed)
    }

    /// What a row sends to a view: its columns of the names that the view declares as request values.
    pub(super) fn sent(&self, plan: &Plan, view: usize, row: usize) -> anyhow::Result<SentColumns> {
        request::of_row(plan, view, |name| Some(self.columns[self.column(name)?].cells.written(row)))
            .with_context(|| self.place(row))
    }

    /// A join key as readers take it; `None` where it is null.
    pub(super) fn key(&self, column: usize, row: usize) -> anyhow::Result<Option<Cow<'_, str>>> {
        let Column { name, cells } = &self.columns[column];
        cells.key(row).with_context(|| format!("{}, column `{name}`", self.place(row)))
    }
}

/// `{"payments": {"0": 17}}`: the next offset of each partition of each source.
fn parse_token(plan: &Plan, token: &Json) -> anyhow::Result<OffsetVector> {
    const FORM: &str = r#"write it as {"SOURCE": {"PARTITION": NEXT_OFFSET}}"#;
    let mut vector = OffsetVector::default();
    let parsed: Json;
    let token = match token {
        Json::String(text) => {
            parsed = serde_json::from_str(text).context(FORM)?;
            &parsed
        }
        other => other,
    };
    for (source, partitions) in token.as_object().context(FORM)? {
        let id = plan.source_id(source);
        let id = id.with_context(|| format!("`{source}` is no source; they are: {}", plan.source_names()))?;
        for (number, next) in partitions.as_object().context(FORM)? {
            let number = number.parse().ok().and_then(|number| PartitionId::of(id, number));
            vector.0.insert(number.context(FORM)?, next.as_u64().context(FORM)?);
        }
    }
    Ok(vector)
}

/// An offset vector as [`parse_token`] reads it.
#[must_use]
pub fn token_json(plan: &Plan, vector: &OffsetVector) -> Json {
    let mut token = serde_json::Map::new();
    for (partition, next) in &vector.0 {
        let Some(source) = plan.source(partition.source()) else { continue };
        let partitions = token.entry(source.name.clone()).or_insert_with(|| Json::Object(serde_json::Map::new()));
        if let Some(partitions) = partitions.as_object_mut() {
            partitions.insert(partition.number().to_string(), Json::from(*next));
        }
    }
    Json::Object(token)
}
