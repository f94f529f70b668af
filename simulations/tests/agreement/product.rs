//! The product's record path without a network: one interpreter per partition, frames, one shard of several ranges.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_actors::reader::{self, Chunk, Interpreter, Outcome};
use featuregrid_actors::shard::Shard;
use featuregrid_actors::window;
use featuregrid_oracle::{Answer, AsOf, Record};
use featuregrid_protocol::ids::{PartitionId, SourceId, ViewId};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{self, OffsetVector, PartitionCounters, PartitionPosition};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::request::SentRow;
use featuregrid_protocol::time::Timestamp;

pub(crate) struct Product {
    interpreters: BTreeMap<PartitionId, Interpreter>,
    /// What the interpreters said, views apart.
    outcomes: PartitionCounters,
    shard: Shard,
    ranges: RangeSet,
}

impl Product {
    pub(crate) fn new(plan: Arc<Plan>, partitions: &[PartitionId]) -> Self {
        let start = |partition: &PartitionId| (*partition, PartitionPosition::start(0));
        let positions: BTreeMap<_, _> = partitions.iter().map(start).collect();
        let interpreter = |(partition, position): (&PartitionId, &PartitionPosition)| {
            (*partition, Interpreter::new(Arc::clone(&plan), *partition, position.clone()))
        };
        let interpreters = positions.iter().map(interpreter).collect();
        let mut shard = Shard::new(Arc::clone(&plan));
        let ranges: RangeSet = RangeId::split_evenly(4).into_iter().collect();
        ranges.iter().for_each(|range| shard.add_range(range, positions.clone()));
        Self { interpreters, outcomes: PartitionCounters::default(), shard, ranges }
    }

    pub(crate) fn record(&mut self, partition: PartitionId, record: &Record) {
        let Record { offset, log_timestamp, admit, ref payload } = *record;
        let record = reader::Record { offset, log_timestamp, admit, payload: payload.as_deref() };
        let interpreter = self.interpreters.get_mut(&partition).expect("a known partition");
        self.outcomes.records += 1;
        *match interpreter.record(&record).expect("a new offset") {
            Outcome::Routed(_) => &mut self.outcomes.routed,
            Outcome::Unmatched => &mut self.outcomes.unmatched,
            Outcome::Tombstone => &mut self.outcomes.tombstones,
            Outcome::Late => &mut self.outcomes.late,
            Outcome::Dead(_) => &mut self.outcomes.dead_lettered,
        } += 1;
    }

    /// Sends what a partition has read so far.
    pub(crate) fn cut(&mut self, partition: PartitionId) {
        let interpreter = self.interpreters.get_mut(&partition).expect("a known partition");
        if let Some(chunk) = interpreter.cut() {
            self.apply(partition, chunk);
        }
    }

    fn apply(&mut self, partition: PartitionId, chunk: Chunk) {
        self.shard.apply(&chunk.alone(partition), &self.ranges);
    }

    /// Everybody applies what was read and changes to `plan`; where it begins is returned.
    pub(crate) fn switch(&mut self, plan: Arc<Plan>) -> OffsetVector {
        let at = self.read_to();
        let partitions: Vec<PartitionId> = self.interpreters.keys().copied().collect();
        for partition in partitions {
            let interpreter = self.interpreters.get_mut(&partition).expect("a known partition");
            if let Some(chunk) = interpreter.switch(Arc::clone(&plan)) {
                self.apply(partition, chunk);
            }
        }
        assert!(self.shard.switch(plan, &at).is_empty(), "nobody stands past what was read");
        at
    }

    /// Next offset to read, per partition.
    pub(crate) fn read_to(&self) -> OffsetVector {
        let next = |(partition, interpreter): (&PartitionId, &Interpreter)| (*partition, interpreter.position().next);
        OffsetVector(self.interpreters.iter().map(next).collect())
    }

    /// What became of every record read; without the views.
    pub(crate) fn outcomes(&self) -> Fates {
        Fates::from(&self.outcomes)
    }

    /// Next offset to apply, per partition.
    pub(crate) fn token(&self) -> OffsetVector {
        position::offsets(self.positions())
    }

    /// Of partitions with records.
    pub(crate) fn accounting(&self) -> BTreeMap<PartitionId, PartitionCounters> {
        let read = self.positions().iter().filter(|(_, position)| position.counters.records > 0);
        read.map(|(partition, position)| (*partition, position.counters.clone())).collect()
    }

    /// T(v) of a source.
    pub(crate) fn t_max(&self, source: SourceId) -> Timestamp {
        let t_max = position::t_max(self.positions(), source);
        if t_max == Timestamp::MIN { Timestamp(1_767_268_800_000_000) } else { t_max }
    }

    /// The keys of a view that have a page.
    pub(crate) fn keys(&mut self, view: usize) -> Vec<Vec<u8>> {
        let id = self.shard.plan().views[view].id;
        let ranges: Vec<RangeId> = self.ranges.iter().collect();
        let snapshots = ranges.into_iter().filter_map(|range| self.shard.snapshot(range));
        let pages = snapshots.flat_map(|snapshot| snapshot.pages);
        pages.filter(|page| page.view == id).map(|page| page.key).collect()
    }

    fn positions(&self) -> &position::Positions {
        let range = self.ranges.iter().next().expect("there are ranges");
        self.shard.positions(range).expect("the range is here")
    }

    /// Of a view: (applied, duplicate).
    pub(crate) fn rows(&self, view: ViewId) -> (u64, u64) {
        let rows = self.shard.rows(view);
        (rows.applied, rows.duplicate)
    }

    pub(crate) fn read(&mut self, view: usize, key: &[u8], as_of: AsOf, sent: SentRow<'_>) -> Answer {
        let as_of = match as_of {
            AsOf::At(t) => window::AsOf::At(t),
            AsOf::Now(clock) => window::AsOf::Now { clock },
        };
        let reading = self.shard.read_with(view, key, as_of, sent).expect("every range is here");
        Answer { instant: reading.instant, edge: reading.edge, readings: reading.readings }
    }
}

/// Where records went: (late, dead, tombstones, unmatched, routed).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fates([u64; 5]);

impl From<&PartitionCounters> for Fates {
    fn from(counters: &PartitionCounters) -> Self {
        let PartitionCounters { late, dead_lettered, tombstones, unmatched, routed, .. } = *counters;
        Self([late, dead_lettered, tombstones, unmatched, routed])
    }
}
