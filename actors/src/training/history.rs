//! Records of every partition, read once in order of offset by the reader that serves. Keeps the rows of the entities
//! that are asked for. Knows no file.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_protocol::ids::{Offset, PartitionId};
use featuregrid_protocol::plan::SourcePlan;
use featuregrid_protocol::position::{PartitionCounters, PartitionPosition};
use featuregrid_protocol::row::RowHead;
use featuregrid_protocol::time::{Span, Timestamp};
use thiserror::Error;

use super::questions::{Known, Questions};
use super::rows::{Held, Rows};
use super::visibility::{Marks, Stand};
use crate::dedup::{Horizon, KnownIds};
use crate::reader::{Fields, Interpreter, Outcome, Record};

/// Why a history cannot be read, or questions about it not be answered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HistoryError {
    /// A partition of a source that the definitions do not have.
    #[error("{0} is a partition of no source of the definitions; leave it out")]
    UnknownSource(PartitionId),
    /// Records of a partition must come in the order of the log.
    #[error("{partition}: offset {offset} comes after {next_less_one}; sort the records of a partition by offset, each once", next_less_one = next.saturating_sub(1))]
    OutOfOrder {
        /// The partition.
        partition: PartitionId,
        /// The record's offset.
        offset: Offset,
        /// The least offset that may come.
        next: Offset,
    },
    /// Somebody asks what was known at an instant, and the record does not say when it became visible.
    #[error(
        "{partition} offset {offset}: it does not say when it was applied, which `as known` asks for; add applied_at to the events or a token to every row, or ask as happened"
    )]
    NoAppliedAt {
        /// The partition.
        partition: PartitionId,
        /// The record's offset.
        offset: Offset,
    },
    /// A partition is applied in order of offset, so later records are visible later.
    #[error(
        "{partition} offset {offset}: applied at {applied_at}, before the record in front of it ({before}); a partition is applied in order of offset"
    )]
    AppliedOutOfOrder {
        /// The partition.
        partition: PartitionId,
        /// The record's offset.
        offset: Offset,
        /// When it was applied.
        applied_at: Timestamp,
        /// When the record in front of it was.
        before: Timestamp,
    },
    /// A token names offsets of a partition without any event.
    #[error("a token knows {partition} up to offset {offset}, and the events have none of it; add its events")]
    UnknownPartition {
        /// The partition.
        partition: PartitionId,
        /// The largest offset that a token names.
        offset: Offset,
    },
    /// More than may be held.
    #[error("the events of the keys asked for take more than {budget} bytes; ask for fewer keys at a time")]
    TooLarge {
        /// How much may be held.
        budget: usize,
    },
}

/// One partition, being read.
#[derive(Debug)]
struct Partition {
    interpreter: Interpreter,
    marks: Marks,
    known_for: Span,
}

/// What the log kept.
#[derive(Debug)]
pub struct History {
    pub(super) questions: Questions,
    pub(super) instants: Arc<[Timestamp]>,
    partitions: BTreeMap<PartitionId, Partition>,
    known: KnownIds,
    rows: Rows,
    /// Of the rows being kept, the entities; here to be used again.
    found: Vec<Option<u32>>,
    duplicates: u64,
    budget: usize,
}

impl History {
    /// Nothing read yet. Only what these questions are about will be kept, and with them it takes at most about `budget`
    /// bytes.
    #[must_use]
    pub fn new(questions: Questions, budget: usize) -> Self {
        Self {
            instants: questions.instants().into(),
            rows: Rows::new(questions.entities.len()),
            found: Vec::new(),
            questions,
            partitions: BTreeMap::new(),
            known: KnownIds::default(),
            duplicates: 0,
            budget,
        }
    }

    /// The next record of a partition, and when it became visible, if that is known.
    ///
    /// # Errors
    /// Every [`HistoryError`] but [`HistoryError::UnknownPartition`]; the record was not taken, and the history is of
    /// no further use.
    pub fn record(
        &mut self,
        partition: PartitionId,
        record: &Record<'_>,
        applied_at: Option<Timestamp>,
    ) -> Result<Outcome, HistoryError> {
        self.read(partition, record.offset, applied_at, |interpreter| interpreter.record(record))
    }

    /// The same for a record whose fields were read already.
    ///
    /// # Errors
    /// As [`History::record`].
    pub fn event(
        &mut self,
        partition: PartitionId,
        event: &Fields<'_>,
        applied_at: Option<Timestamp>,
    ) -> Result<Outcome, HistoryError> {
        self.read(partition, event.offset, applied_at, |interpreter| interpreter.event(event))
    }

    /// The offset after the last record of a partition.
    #[must_use]
    pub fn next(&self, partition: PartitionId) -> Offset {
        self.partitions.get(&partition).map_or(0, |partition| partition.interpreter.position().next)
    }

    fn read(
        &mut self,
        id: PartitionId,
        offset: Offset,
        applied_at: Option<Timestamp>,
        read: impl FnOnce(&mut Interpreter) -> Option<Outcome>,
    ) -> Result<Outcome, HistoryError> {
        if !self.partitions.contains_key(&id) {
            self.open(id)?;
        }
        let Some(partition) = self.partitions.get_mut(&id) else { return Err(HistoryError::UnknownSource(id)) };
        let position = partition.interpreter.position();
        let stand = Stand { next: position.next, max: position.max };
        if offset < stand.next {
            return Err(HistoryError::OutOfOrder { partition: id, offset, next: stand.next });
        }
        if applied_at.is_none() && partition.marks.need_instants() {
            return Err(HistoryError::NoAppliedAt { partition: id, offset });
        }
        let visible_at = applied_at.unwrap_or(Timestamp::MIN);
        partition.marks.pass(stand, offset, visible_at).map_err(|unordered| HistoryError::AppliedOutOfOrder {
            partition: id,
            offset,
            applied_at: visible_at,
            before: unordered.before,
        })?;
        let outcome = read(&mut partition.interpreter);
        if partition.interpreter.is_full() {
            self.keep(id)?;
        }
        outcome.ok_or(HistoryError::OutOfOrder { partition: id, offset, next: stand.next })
    }

    fn open(&mut self, id: PartitionId) -> Result<(), HistoryError> {
        let plan = &self.questions.plan;
        let source = plan.source(id.source()).ok_or(HistoryError::UnknownSource(id))?;
        let partition = Partition {
            known_for: SourcePlan::ids_known_for(source),
            interpreter: Interpreter::new(Arc::clone(plan), id, PartitionPosition::start(0)),
            marks: Marks::new(self.questions.offsets(id), Arc::clone(&self.instants)),
        };
        self.partitions.insert(id, partition);
        self.check()
    }

    /// Keeps what was read of a partition since the last time.
    fn keep(&mut self, id: PartitionId) -> Result<(), HistoryError> {
        let Some(partition) = self.partitions.get_mut(&id) else { return Ok(()) };
        let Some(chunk) = partition.interpreter.cut() else { return Ok(()) };
        self.questions.find_all(&chunk.rows, &mut self.found);
        for (row, found) in chunk.rows.iter().zip(&self.found) {
            let Some(entity) = *found else { continue };
            let view = self.questions.plan.views[usize::from(row.head.view)].id;
            if !self.known.admit(id, view, &row, partition.known_for) {
                self.duplicates += 1;
                continue;
            }
            let RowHead { ts, offset, present, bad, .. } = *row.head;
            self.rows.push(Held::new(id, entity, ts, offset, (present, bad)), row.numbers, row.texts);
        }
        self.known.forget(id, Horizon::of(chunk.max_after, chunk.to, partition.known_for));
        self.check()
    }

    /// Whether all that is held may be.
    fn check(&self) -> Result<(), HistoryError> {
        let marks: usize = self.partitions.values().map(|partition| partition.marks.bytes()).sum();
        let bytes = self.questions.bytes() + marks + self.rows.bytes() + self.known.bytes();
        if bytes > self.budget { Err(HistoryError::TooLarge { budget: self.budget }) } else { Ok(()) }
    }

    /// No record comes any more: everything is kept, and every mark is passed.
    pub(super) fn finish(&mut self) -> Result<(), HistoryError> {
        let ids: Vec<PartitionId> = self.partitions.keys().copied().collect();
        for id in ids {
            self.keep(id)?;
        }
        for partition in self.partitions.values_mut() {
            let position = partition.interpreter.position();
            partition.marks.finish(Stand { next: position.next, max: position.max });
        }
        let known = self.questions.partitions();
        let missing = known.iter().find(|(partition, _)| !self.partitions.contains_key(partition));
        match (self.questions.known, missing) {
            (Known::AsKnown, Some((partition, offset))) => {
                Err(HistoryError::UnknownPartition { partition: *partition, offset: *offset })
            }
            _ => Ok(()),
        }
    }

    /// Every row, in order of offset for each partition.
    pub(super) fn held(&self) -> &Rows {
        &self.rows
    }

    /// The marks of every partition.
    pub(super) fn marks(&self) -> impl Iterator<Item = (PartitionId, &Marks)> {
        self.partitions.iter().map(|(id, partition)| (*id, &partition.marks))
    }

    /// How many events of the entities asked for count; final once questions were answered.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// How many rows of these entities repeat the event id of another.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Where every record read went.
    #[must_use]
    pub fn counters(&self) -> PartitionCounters {
        let mut counters = PartitionCounters::default();
        for partition in self.partitions.values() {
            counters += &partition.interpreter.position().counters;
        }
        counters
    }
}

#[cfg(test)]
mod tests;
