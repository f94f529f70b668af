//! The log judged record by record under one cut of the control log. Knows no read.
//!
//! Judging a prefix once is enough, because a verdict depends on nothing that comes later; rows are kept as they are
//! and never merged.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_protocol::ids::{ControlIndex, Offset, PartitionId, SourceId, ViewId};
use featuregrid_protocol::limits;
use featuregrid_protocol::plan::{LatenessClock, Plan};
use featuregrid_protocol::position::{OffsetVector, PartitionCounters};
use featuregrid_protocol::time::{Span, Timestamp};

use crate::Activation;
use crate::judge::{Keyed, Row, Verdict, judge};
use crate::log::Record;

/// The rows of one view by canonical key bytes, in no particular order.
pub(crate) type Keys = BTreeMap<Vec<u8>, Vec<Row>>;

/// A judged log.
#[derive(Debug)]
pub(crate) struct Fold {
    /// Every ACTIVE entry up to the cut.
    control: BTreeMap<ControlIndex, Activation>,
    prefixes: BTreeMap<PartitionId, Prefix>,
    views: BTreeMap<ViewId, Keys>,
}

/// The judged prefix of a partition.
#[derive(Debug, Default)]
struct Prefix {
    /// How many records of the log were looked at.
    looked_at: usize,
    steps: Vec<Step>,
    /// What became of a record in every view that took it.
    taken: Vec<(Offset, ViewId, Fate)>,
}

/// What a view did with a record it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Applied,
    Duplicate,
    Rejected,
}

/// One judged record.
#[derive(Debug)]
struct Step {
    offset: Offset,
    verdict: Verdict,
    /// The prefix max with it.
    max: Timestamp,
}

impl Fold {
    pub(crate) fn new(control: BTreeMap<ControlIndex, Activation>) -> Self {
        Self { control, prefixes: BTreeMap::new(), views: BTreeMap::new() }
    }

    /// Judges what lies below `until` and was not judged before.
    pub(crate) fn advance(&mut self, partition: PartitionId, records: &[Record], until: Offset) {
        let prefix = self.prefixes.entry(partition).or_default();
        while let Some(record) = records.get(prefix.looked_at).filter(|record| record.offset < until) {
            prefix.looked_at += 1;
            // Before genesis there was no log.
            let Some(plan) = in_force(&self.control, partition, record.offset) else { continue };
            let max_before = prefix.steps.last().map_or(Timestamp::MIN, |step| step.max);
            let judged = judge(plan, partition, record, max_before);
            let max = judged.moves_prefix.map_or(max_before, |ts| ts.max(max_before));
            prefix.steps.push(Step { offset: record.offset, verdict: judged.verdict, max });
            let source = &plan.sources[usize::from(partition.source().0)];
            // By then no copy is in time: a prefix max is at most the skew ahead of the append time it came with.
            let known_for = match source.lateness_clock {
                LatenessClock::EventTime => source.allowed_lateness,
                LatenessClock::AppendTime => source.allowed_lateness + source.max_skew,
            };
            for (view, keyed) in judged.views {
                let fate = keyed.map_or(Fate::Rejected, |Keyed { key, row }| {
                    let rows = self.views.entry(view).or_default().entry(key).or_default();
                    if is_duplicate(&row, rows, max_before, known_for) {
                        return Fate::Duplicate;
                    }
                    rows.push(row);
                    Fate::Applied
                });
                prefix.taken.push((record.offset, view, fate));
            }
        }
    }

    /// Where entry `index` begins in a partition.
    pub(crate) fn begins(&self, index: ControlIndex, partition: PartitionId) -> Offset {
        self.control.get(&index).map_or(0, |activation| activation.at.get(partition))
    }

    /// The rows of a view, those at or after any token included.
    pub(crate) fn keys(&self, view: ViewId) -> Option<&Keys> {
        self.views.get(&view)
    }

    /// T(v) of a source.
    pub(crate) fn t_max(&self, v: &OffsetVector, source: SourceId) -> Timestamp {
        let max = |(partition, prefix): (&PartitionId, &Prefix)| {
            // Maxima only rise, so the last one below the token is the largest.
            let below = prefix.steps.partition_point(|step| step.offset < v.get(*partition));
            prefix.steps[..below].last().map_or(Timestamp::MIN, |step| step.max)
        };
        let own = self.prefixes.iter().filter(|(partition, _)| partition.source() == source);
        own.map(max).max().unwrap_or(Timestamp::MIN)
    }

    /// Where every record below the token went.
    pub(crate) fn accounting(&self, v: &OffsetVector) -> BTreeMap<PartitionId, PartitionCounters> {
        let count = |(partition, prefix): (&PartitionId, &Prefix)| {
            let until = v.get(*partition);
            let mut counters = PartitionCounters::default();
            for step in prefix.steps.iter().filter(|step| step.offset < until) {
                counters.records += 1;
                *match step.verdict {
                    Verdict::Tombstone => &mut counters.tombstones,
                    Verdict::Dead => &mut counters.dead_lettered,
                    Verdict::Late => &mut counters.late,
                    Verdict::Unmatched => &mut counters.unmatched,
                    Verdict::Routed => &mut counters.routed,
                } += 1;
            }
            for (_, view, fate) in prefix.taken.iter().filter(|(offset, ..)| *offset < until) {
                let view = counters.views.entry(*view).or_default();
                view.rows += 1;
                view.rejected += u64::from(*fate == Fate::Rejected);
            }
            (*partition, counters)
        };
        self.prefixes.iter().map(count).collect()
    }

    /// Rows of a view below the token that were there already.
    pub(crate) fn duplicates(&self, v: &OffsetVector, view: ViewId) -> u64 {
        let count = |(partition, prefix): (&PartitionId, &Prefix)| {
            let below = prefix.taken.iter().filter(|(offset, ..)| *offset < v.get(*partition));
            below.filter(|(_, of, fate)| *of == view && *fate == Fate::Duplicate).count() as u64
        };
        self.prefixes.iter().map(count).sum()
    }
}

/// Whether `row` repeats one of the rows its key holds: the same id on the same partition, as long as the partition's
/// largest event time before `row` has not passed the first one's by more than ids are known for, and `row` does not
/// follow it by more offsets than that.
fn is_duplicate(row: &Row, rows: &[Row], max_before: Timestamp, known_for: Span) -> bool {
    let Some(id) = &row.id else { return false };
    rows.iter().any(|first| {
        let behind = i128::from(max_before.0) - i128::from(first.ts.0);
        let is_copy = first.id.as_ref() == Some(id) && first.at.partition == row.at.partition;
        is_copy && behind <= i128::from(known_for.0) && row.at.offset - first.at.offset <= limits::ID_OFFSETS_MAX
    })
}

/// The plan that decides about a record: the newest entry that begins at or before it.
fn in_force(
    control: &BTreeMap<ControlIndex, Activation>,
    partition: PartitionId,
    offset: Offset,
) -> Option<&Arc<Plan>> {
    control.values().rev().find(|activation| activation.at.get(partition) <= offset).map(|activation| &activation.plan)
}
