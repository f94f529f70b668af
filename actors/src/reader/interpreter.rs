//! Walks one partition record by record: what each is, and what the prefix becomes. Knows no log client.
//!
//! Lateness is a function of the record and, by event time, of its partition's prefix alone: never of the wall clock, of other
//! partitions or of definitions, so that every replay decides alike.

use std::sync::Arc;

use featuregrid_protocol::ids::{Offset, PartitionId};
use featuregrid_protocol::limits::{FRAME_RECORDS_MAX, FRAME_ROWS_MAX, RECORD_BYTES_MAX};
use featuregrid_protocol::plan::{LatePolicy, LatenessClock, Plan, SourcePlan};
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::position::{PartitionCounters, PartitionPosition, ViewCounters};
use featuregrid_protocol::row::{EventId, RowBatch};
use featuregrid_protocol::time::{Span, Timestamp};

use super::chunk::Chunk;
use super::decode::{Field, JsonDecoder};
use super::project::{Event, Projection, Projector, WrongType};
use super::typed::instant;

/// A record as the log gives it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its offset; larger than that of every record before it, not always by one.
    pub offset: Offset,
    /// CreateTime or append time, as the topic keeps it.
    pub log_timestamp: Timestamp,
    /// Bypasses lateness: a dead letter that somebody decided to replay.
    pub admit: bool,
    /// `None` is a tombstone.
    pub payload: Option<&'a [u8]>,
}

/// A record whose payload is fields already.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// As of a [`Record`].
    pub offset: Offset,
    /// As of a [`Record`].
    pub log_timestamp: Timestamp,
    /// As of a [`Record`].
    pub admit: bool,
    /// `None` where there is none that can be read.
    pub event_time: Option<Timestamp>,
    /// The source's declared fields, one slot that is not looked at (that of the event time), and the event id where the
    /// source declares one.
    pub fields: &'a [Field<'a>],
}

/// What a source says about time, and how many fields it declares.
#[derive(Clone, Copy, Debug)]
struct Rules {
    fields: usize,
    allowed_lateness: Span,
    lateness_clock: LatenessClock,
    max_skew: Span,
}

/// What became of a record. Exactly one counter of the partition's accounting rises with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// So many views took it.
    Routed(usize),
    /// No view's filter holds.
    Unmatched,
    /// A null payload.
    Tombstone,
    /// Behind its source's clock by more than the allowed lateness.
    Late,
    /// Of no use to anybody.
    Dead(DeadReason),
}

/// Why a record is dead; part of its dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadReason {
    /// Larger than [`RECORD_BYTES_MAX`].
    TooLarge,
    /// Not a JSON object.
    Undecodable,
    /// No event timestamp, or none that can be read.
    NoTimestamp,
    /// Dated further ahead of its record than `max_skew`.
    Future,
    /// Every view that matches it rejects it: a null key or a field of the wrong type.
    Rejected,
}

impl DeadReason {
    /// Every reason, in order of declaration.
    pub const ALL: [Self; 5] = [Self::TooLarge, Self::Undecodable, Self::NoTimestamp, Self::Future, Self::Rejected];

    /// The name in dead letters, metrics and the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Undecodable => "undecodable",
            Self::NoTimestamp => "no_timestamp",
            Self::Future => "future",
            Self::Rejected => "rejected",
        }
    }
}

/// One walk over one partition, live or in a replay.
#[derive(Debug)]
pub struct Interpreter {
    partition: PartitionId,
    plan: Arc<Plan>,
    decoder: JsonDecoder,
    projectors: Vec<Projector>,
    position: PartitionPosition,
    open: Open,
}

/// The chunk being filled.
#[derive(Debug)]
struct Open {
    from: Offset,
    max_before: Timestamp,
    deltas: PartitionCounters,
    views: Vec<ViewCounters>,
    rows: RowBatch,
}

impl Open {
    fn at(position: &PartitionPosition, views: usize) -> Self {
        Self {
            from: position.next,
            max_before: position.max,
            deltas: PartitionCounters::default(),
            views: vec![ViewCounters::default(); views],
            rows: RowBatch::default(),
        }
    }
}

impl Interpreter {
    /// Starts a walk at `start`, never at an offset alone: the prefix max decides what is late (trace A5).
    #[must_use]
    pub fn new(plan: Arc<Plan>, partition: PartitionId, start: PartitionPosition) -> Self {
        let (decoder, projectors) = compile(&plan, partition);
        let open = Open::at(&start, projectors.len());
        Self { partition, plan, decoder, projectors, position: start, open }
    }

    /// The partition walked.
    #[must_use]
    pub fn partition(&self) -> PartitionId {
        self.partition
    }

    /// Where the walk stands; the counters are those of the last cut.
    #[must_use]
    pub fn position(&self) -> &PartitionPosition {
        &self.position
    }

    /// What becomes of late records under the plan in force; they are counted in any case.
    #[must_use]
    pub fn late_policy(&self) -> LatePolicy {
        self.plan.source(self.partition.source()).map_or_else(LatePolicy::default, |source| source.late_policy)
    }

    /// Takes the next record. One at or before the last is ignored as if it had not come, because a log may deliver
    /// a stretch again after a reconnect.
    pub fn record(&mut self, record: &Record<'_>) -> Option<Outcome> {
        self.take(record.offset, |this| this.judge(record))
    }

    /// The same for a record whose fields were read already, from columns instead of a payload.
    pub fn event(&mut self, event: &Fields<'_>) -> Option<Outcome> {
        self.take(event.offset, |this| match (event.event_time, this.source()) {
            (Some(ts), source) => this.judge_event(source, event, ts),
            (None, _) => Outcome::Dead(DeadReason::NoTimestamp),
        })
    }

    fn take(&mut self, offset: Offset, judge: impl FnOnce(&mut Self) -> Outcome) -> Option<Outcome> {
        if offset < self.position.next {
            return None;
        }
        self.position.next = offset + 1;
        let outcome = judge(self);
        let deltas = &mut self.open.deltas;
        deltas.records += 1;
        match outcome {
            Outcome::Routed(_) => deltas.routed += 1,
            Outcome::Unmatched => deltas.unmatched += 1,
            Outcome::Tombstone => deltas.tombstones += 1,
            Outcome::Late => deltas.late += 1,
            Outcome::Dead(_) => deltas.dead_lettered += 1,
        }
        Some(outcome)
    }

    fn judge(&mut self, record: &Record<'_>) -> Outcome {
        let Some(payload) = record.payload else { return Outcome::Tombstone };
        if payload.len() > RECORD_BYTES_MAX {
            return Outcome::Dead(DeadReason::TooLarge);
        }
        let source = self.source();
        let mut fields = Vec::with_capacity(source.fields + 2);
        if !self.decoder.decode(payload, &mut fields) {
            return Outcome::Dead(DeadReason::Undecodable);
        }
        let Some(ts) = fields.get(source.fields).and_then(instant) else {
            return Outcome::Dead(DeadReason::NoTimestamp);
        };
        let Record { offset, log_timestamp, admit, .. } = *record;
        let event = Fields { offset, log_timestamp, admit, event_time: Some(ts), fields: &fields };
        self.judge_event(source, &event, ts)
    }

    /// The rules of time of the partition's source.
    fn source(&self) -> Rules {
        let Some(source) = self.plan.source(self.partition.source()) else {
            unreachable!("{} is read under {}, which has no such source", self.partition, self.plan.index)
        };
        let SourcePlan { allowed_lateness, lateness_clock, max_skew, .. } = *source;
        Rules { fields: source.fields.len(), allowed_lateness, lateness_clock, max_skew }
    }

    fn judge_event(&mut self, source: Rules, event: &Fields<'_>, ts: Timestamp) -> Outcome {
        if ts - event.log_timestamp > source.max_skew {
            return Outcome::Dead(DeadReason::Future);
        }
        let clock = match source.lateness_clock {
            LatenessClock::EventTime => self.position.max,
            LatenessClock::AppendTime => event.log_timestamp,
        };
        if ts < clock - source.allowed_lateness && !event.admit {
            if plants::on(Plant::LateMovesPrefix) {
                self.position.max = ts;
            }
            return Outcome::Late;
        }
        let id = event_id(event.fields.get(source.fields + 1), self.position.max);
        self.position.max = self.position.max.max(ts);
        self.project(&Event { fields: event.fields, ts, offset: event.offset, id })
    }

    fn project(&mut self, event: &Event<'_>) -> Outcome {
        let (mut taken, mut rejected) = (0, 0);
        for (projector, counters) in self.projectors.iter_mut().zip(&mut self.open.views) {
            match projector.project(event, &mut self.open.rows) {
                Projection::Unmatched => {}
                Projection::Row => {
                    counters.rows += 1;
                    taken += 1;
                }
                Projection::Rejected => {
                    counters.rows += 1;
                    counters.rejected += 1;
                    rejected += 1;
                }
            }
        }
        match (taken, rejected) {
            (0, 0) => Outcome::Unmatched,
            (0, _) => Outcome::Dead(DeadReason::Rejected),
            _ => Outcome::Routed(taken),
        }
    }

    /// Says that nothing lies before `next` any more: markers, compacted records, the end of what was fetched.
    pub fn advance_to(&mut self, next: Offset) {
        self.position.next = self.position.next.max(next);
    }

    /// Whether the open chunk has reached the size of a frame.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.open.rows.len() >= FRAME_ROWS_MAX || self.position.next - self.open.from >= FRAME_RECORDS_MAX
    }

    /// Rows of the open chunk.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.open.rows.len()
    }

    /// Ends the open chunk; `None` if it covers nothing.
    pub fn cut(&mut self) -> Option<Chunk> {
        if self.open.from == self.position.next {
            return None;
        }
        let mut open = std::mem::replace(&mut self.open, Open::at(&self.position, self.projectors.len()));
        for (projector, counters) in self.projectors.iter().zip(&open.views) {
            if *counters != ViewCounters::default() {
                open.deltas.views.insert(projector.view_id(), *counters);
            }
        }
        self.position.counters += &open.deltas;
        Some(Chunk {
            index: self.plan.index,
            from: open.from,
            to: self.position.next,
            max_before: open.max_before,
            max_after: self.position.max,
            deltas: open.deltas,
            rows: open.rows,
        })
    }

    /// From the next record on, `plan` is in force; the chunk before it is returned.
    pub fn switch(&mut self, plan: Arc<Plan>) -> Option<Chunk> {
        let before = self.cut();
        (self.decoder, self.projectors) = compile(&plan, self.partition);
        self.open = Open::at(&self.position, self.projectors.len());
        self.plan = plan;
        before
    }
}

/// The declared fields of the partition's source in their slots, after them the event timestamp and, if it has one, the
/// event id; its views.
fn compile(plan: &Plan, partition: PartitionId) -> (JsonDecoder, Vec<Projector>) {
    let source = plan.source(partition.source());
    let fields = source.into_iter().flat_map(|source| &source.fields).map(|field| field.path.as_slice());
    let timestamp = source.map(|source| source.event_timestamp.as_slice());
    let id = source.and_then(|source| source.event_id.as_deref());
    (JsonDecoder::new(fields.chain(timestamp).chain(id)), Projector::all(plan, partition.source()))
}

/// Text, or a number letter by letter as it is written; a record without an id has none. `max_before` is the prefix max
/// before the record.
fn event_id(field: Option<&Field<'_>>, max_before: Timestamp) -> Result<Option<EventId>, WrongType> {
    match field {
        None | Some(Field::Missing | Field::Null) => Ok(None),
        Some(Field::Text(text)) => Ok(Some(EventId::of(text, max_before))),
        Some(Field::Number(text)) => Ok(Some(EventId::of(text, max_before))),
        Some(Field::Bool(_) | Field::Composite) => Err(WrongType),
    }
}

#[cfg(test)]
mod tests;
