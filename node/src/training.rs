//! Training sets over files: a spine and events in, the spine with its values out. Knows no rule of values: the history
//! and the shard of `actors` answer.
//!
//! ```text
//! spine (JSONL, Parquet) -> questions -> events (JSONL, Parquet) -> answers -> table (JSONL, Parquet)
//! ```

pub mod answers;
mod columnar;
pub mod compare;
pub mod events;
pub mod served;
pub mod spine;
pub mod table;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use featuregrid_actors::shard::ViewReading;
use featuregrid_actors::training::{Asker, History, HistoryError, Known, Questions};
use featuregrid_protocol::key::{self, KeyHash};
use featuregrid_protocol::limits::{KEY_PART_BYTES_MAX, TRAINING_PARTS_MAX};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::PartitionCounters;
use featuregrid_protocol::request::SentColumns;

use self::answers::Answers;
use self::spine::Spine;

/// Whether a file is Parquet by its name; else it is JSON, one object a line.
#[must_use]
pub fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"))
}

/// A spine and what was answered.
#[derive(Debug)]
pub struct TrainingSet {
    /// What was asked.
    pub spine: Spine,
    /// Row by row.
    pub answers: Answers,
    /// Where every record of the events went.
    pub counters: PartitionCounters,
    /// Rows of the entities asked for, over all views.
    pub applied: usize,
    /// Those that repeat the event id of another.
    pub duplicate: u64,
    /// How often the events were read, each time for another part of the keys.
    pub parts: u64,
}

/// What of the past counts, and how much memory it may take.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Which events count.
    pub known: Known,
    /// Bytes for the spine, its values and the events of one part of its keys, about.
    pub memory: usize,
}

/// Answers every row of a spine from events (files, or SOURCE=FILE).
///
/// The spine and its values are held as a whole. Events are held of the keys asked for alone; where they do not fit beside
/// the rest, the files are read several times, each time for another part of the keys.
///
/// # Errors
/// When a file cannot be read, a row of it cannot be used (file, row and column), or memory does not suffice.
pub fn build(plan: &Arc<Plan>, spine: Spine, events: &[String], asked: Asked) -> anyhow::Result<TrainingSet> {
    let held = spine.bytes().saturating_add(Answers::bytes(plan, &spine));
    let Some(left) = asked.memory.checked_sub(held).filter(|left| *left > 0) else {
        bail!(
            "{}: its {} rows and their values take {held} of {} bytes; split it, or give more with --memory",
            spine.path().display(),
            spine.rows.len(),
            asked.memory
        )
    };
    let (mut answers, mut parts) = (Answers::new(plan, &spine), 1);
    loop {
        match answer(plan, &spine, events, (asked.known, left), parts, &mut answers) {
            Ok((counters, applied, duplicate)) => {
                answers.arrange();
                answers.check().with_context(|| spine.path().display().to_string())?;
                return Ok(TrainingSet { spine, answers, counters, applied, duplicate, parts });
            }
            Err(error) if parts < TRAINING_PARTS_MAX && is_too_large(&error) => {
                // Some parts may have been answered.
                answers = Answers::new(plan, &spine);
                parts *= 2;
            }
            Err(error) if is_too_large(&error) => {
                let parts = format!("one of {parts} parts of the keys is too large");
                return Err(error.context(parts + "; split the spine, or give more with --memory"));
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_too_large(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(HistoryError::TooLarge { .. }))
}

/// Reads the events once for each of so many parts of the keys; what became of all records and, of the keys asked for,
/// rows and duplicates.
fn answer(
    plan: &Arc<Plan>,
    spine: &Spine,
    events: &[String],
    (known, memory): (Known, usize),
    parts: u64,
    answers: &mut Answers,
) -> anyhow::Result<(PartitionCounters, usize, u64)> {
    let (mut counters, mut applied, mut duplicate) = (PartitionCounters::default(), 0, 0);
    for part in 0..parts {
        let (questions, places) = ask(plan, spine, known, |hash| hash % parts == part)?;
        let mut history = History::new(questions, memory);
        events::read(plan, events, &mut history)?;
        history.answer(Row { plan, spine, places: &places, answers })?;
        counters = history.counters();
        applied += history.rows();
        duplicate += history.duplicates();
    }
    Ok((counters, applied, duplicate))
}

/// Each question is a row and a view of it.
struct Row<'a> {
    plan: &'a Plan,
    spine: &'a Spine,
    places: &'a [(u32, u16)],
    answers: &'a mut Answers,
}

impl Asker for Row<'_> {
    fn sent(&self, question: usize) -> SentColumns {
        let (row, view) = self.places[question];
        // It was looked at when the question was asked: what is refused was refused then.
        self.spine.sent(self.plan, view.into(), row as usize).unwrap_or_default()
    }

    fn answered(&mut self, question: usize, reading: ViewReading) {
        let (row, view) = self.places[question];
        self.answers.put(row as usize, view.into(), &reading);
    }
}

/// Every row asks for every view whose join keys it has, where the hash of its key is of the part; the row and the view of
/// each question.
fn ask(
    plan: &Arc<Plan>,
    spine: &Spine,
    known: Known,
    is_of_part: impl Fn(u64) -> bool,
) -> anyhow::Result<(Questions, Vec<(u32, u16)>)> {
    let mut questions = Questions::new(Arc::clone(plan), known);
    let mut places = Vec::new();
    let views = spine.views(plan)?;
    let mut bytes = Vec::new();
    for (number, row) in spine.rows.iter().enumerate() {
        let mut is_asked = false;
        for (view, columns) in &views {
            bytes.clear();
            let mut is_whole = true;
            for column in columns {
                let Some(part) = spine.key(*column, number)? else {
                    is_whole = false;
                    break;
                };
                if part.len() > KEY_PART_BYTES_MAX {
                    let name = &spine.columns[*column].name;
                    bail!("{}, column `{name}`: a key has at most {KEY_PART_BYTES_MAX} bytes", spine.place(number));
                }
                key::encode([part.as_ref()], &mut bytes);
            }
            is_asked |= is_whole;
            if is_whole && is_of_part(KeyHash::of(&bytes).0) {
                spine.sent(plan, *view, number)?;
                questions.ask(*view, &bytes, row.as_of, &row.knowledge);
                places.push((number as u32, *view as u16));
            }
        }
        if !is_asked {
            bail!("{}: it has the join keys of no view", spine.place(number));
        }
    }
    Ok((questions, places))
}

#[cfg(test)]
mod tests;
