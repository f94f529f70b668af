//! The product's record path without a network: one interpreter per partition, frames, one shard of several ranges.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_actors::reader::{self, Chunk, Interpreter, Outcome};
use featuregrid_actors::shard::{RangeSnapshot, Shard};
use featuregrid_actors::window;
use featuregrid_oracle::{Answer, AsOf, Record};
use featuregrid_protocol::ids::{PartitionId, SourceId, ViewId};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{self, OffsetVector, PartitionCounters, PartitionPosition};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::request::SentRow;
use featuregrid_protocol::time::Timestamp;

use crate::random::Random;

/// All of it on one node.
#[derive(Debug)]
pub struct Product {
    interpreters: BTreeMap<PartitionId, Interpreter>,
    /// What the interpreters said, views apart.
    outcomes: PartitionCounters,
    shard: Shard,
    ranges: RangeSet,
}

impl Product {
    /// At the beginning of these partitions.
    #[must_use]
    pub fn new(plan: Arc<Plan>, partitions: &[PartitionId]) -> Self {
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

    /// Reads a record; whoever waits for its rows has to wait for a cut.
    pub fn record(&mut self, partition: PartitionId, record: &Record) {
        let Record { offset, log_timestamp, admit, ref payload } = *record;
        let record = reader::Record { offset, log_timestamp, admit, payload: payload.as_deref() };
        let outcome = self.interpreter(partition).record(&record);
        self.outcomes.records += 1;
        *match outcome {
            None => unreachable!("offsets of {partition} rise"),
            Some(Outcome::Routed(_)) => &mut self.outcomes.routed,
            Some(Outcome::Unmatched) => &mut self.outcomes.unmatched,
            Some(Outcome::Tombstone) => &mut self.outcomes.tombstones,
            Some(Outcome::Late) => &mut self.outcomes.late,
            Some(Outcome::Dead(_)) => &mut self.outcomes.dead_lettered,
        } += 1;
    }

    fn interpreter(&mut self, partition: PartitionId) -> &mut Interpreter {
        let Some(interpreter) = self.interpreters.get_mut(&partition) else { unreachable!("{partition} is known") };
        interpreter
    }

    /// Sends what a partition has read so far.
    pub fn cut(&mut self, partition: PartitionId) {
        if let Some(chunk) = self.interpreter(partition).cut() {
            self.apply(partition, chunk);
        }
    }

    fn apply(&mut self, partition: PartitionId, chunk: Chunk) {
        self.shard.apply(&chunk.alone(partition), &self.ranges);
    }

    /// Everybody applies what was read and changes to `plan`; where it begins is returned.
    pub fn switch(&mut self, plan: Arc<Plan>) -> OffsetVector {
        let at = self.read_to();
        let partitions: Vec<PartitionId> = self.interpreters.keys().copied().collect();
        for partition in partitions {
            if let Some(chunk) = self.interpreter(partition).switch(Arc::clone(&plan)) {
                self.apply(partition, chunk);
            }
        }
        assert!(self.shard.switch(plan, &at).is_empty(), "nobody stands past what was read");
        at
    }

    /// Next offset to read, per partition.
    #[must_use]
    pub fn read_to(&self) -> OffsetVector {
        let next = |(partition, interpreter): (&PartitionId, &Interpreter)| (*partition, interpreter.position().next);
        OffsetVector(self.interpreters.iter().map(next).collect())
    }

    /// A node that begins with nothing but the bytes of this one's state: of all of it, or of one range.
    ///
    /// # Errors
    /// What the bytes are refused for, or that they say something else.
    pub fn restore(&mut self, random: &mut Random) -> Result<(), String> {
        let all: Vec<RangeId> = self.ranges.iter().collect();
        let chosen = if random.chance(500) { all.clone() } else { random.pick(&all).copied().into_iter().collect() };
        let plan = Arc::clone(self.shard.plan());
        let mut bytes = Vec::new();
        for range in &chosen {
            bytes.extend(self.shard.snapshot(*range).and_then(|snapshot| snapshot.encode().ok()));
            self.shard.remove_range(*range);
        }
        if chosen.len() == all.len() {
            self.shard = Shard::new(Arc::clone(&plan));
        }
        for (range, bytes) in chosen.iter().zip(&bytes) {
            let snapshot = RangeSnapshot::decode(bytes).map_err(|error| format!("{range}: {error}"))?;
            self.shard.install(&[snapshot], |_| Some(Arc::clone(&plan))).map_err(|error| error.to_string())?;
            let again = self.shard.snapshot(*range).and_then(|snapshot| snapshot.encode().ok());
            if again.as_ref() != Some(bytes) {
                return Err(format!("{range} is not what its own snapshot says"));
            }
        }
        Ok(())
    }

    /// What became of every record read; without the views.
    #[must_use]
    pub fn outcomes(&self) -> Fates {
        Fates::from(&self.outcomes)
    }

    /// Next offset to apply, per partition.
    #[must_use]
    pub fn token(&self) -> OffsetVector {
        position::offsets(self.positions())
    }

    /// Of partitions with records.
    #[must_use]
    pub fn accounting(&self) -> BTreeMap<PartitionId, PartitionCounters> {
        let read = self.positions().iter().filter(|(_, position)| position.counters.records > 0);
        read.map(|(partition, position)| (*partition, position.counters.clone())).collect()
    }

    /// T(v) of a source.
    #[must_use]
    pub fn t_max(&self, source: SourceId) -> Timestamp {
        let t_max = position::t_max(self.positions(), source);
        if t_max == Timestamp::MIN { Timestamp(1_767_268_800_000_000) } else { t_max }
    }

    /// The keys of a view that have a page.
    pub fn keys(&mut self, view: usize) -> Vec<Vec<u8>> {
        let id = self.shard.plan().views[view].id;
        let ranges: Vec<RangeId> = self.ranges.iter().collect();
        let snapshots = ranges.into_iter().filter_map(|range| self.shard.snapshot(range));
        let pages = snapshots.flat_map(|snapshot| snapshot.pages);
        pages.filter(|page| page.view == id).map(|page| page.key).collect()
    }

    fn positions(&self) -> &position::Positions {
        let positions = self.ranges.iter().next().and_then(|range| self.shard.positions(range));
        let Some(positions) = positions else { unreachable!("every range is here") };
        positions
    }

    /// Of a view: (applied, duplicate).
    #[must_use]
    pub fn rows(&self, view: ViewId) -> (u64, u64) {
        let rows = self.shard.rows(view);
        (rows.applied, rows.duplicate)
    }

    /// What a read of a view answers.
    pub fn read(&mut self, view: usize, key: &[u8], as_of: AsOf, sent: SentRow<'_>) -> Answer {
        let as_of = match as_of {
            AsOf::At(t) => window::AsOf::At(t),
            AsOf::Now(clock) => window::AsOf::Now { clock },
        };
        let Some(reading) = self.shard.read_with(view, key, as_of, sent) else { unreachable!("every range is here") };
        Answer { instant: reading.instant, edge: reading.edge, readings: reading.readings }
    }
}

/// Where records went: (late, dead, tombstones, unmatched, routed).
#[derive(Debug, PartialEq, Eq)]
pub struct Fates([u64; 5]);

impl From<&PartitionCounters> for Fates {
    fn from(counters: &PartitionCounters) -> Self {
        let PartitionCounters { late, dead_lettered, tombstones, unmatched, routed, .. } = *counters;
        Self([late, dead_lettered, tombstones, unmatched, routed])
    }
}
