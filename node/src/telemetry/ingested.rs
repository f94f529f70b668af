//! What became of records, counted from the accounting that readers keep anyway. Knows no log.
//!
//! A reader may walk over a stretch again: it restarts, or is told to read anew. The accounting of a prefix is the same
//! each time, so a partition's meter adds what is past its own high-water mark, and nothing twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use featuregrid_actors::reader::{DeadReason, Outcome};
use featuregrid_protocol::ids::Offset;
use featuregrid_protocol::plan::{LatePolicy, Plan};
use featuregrid_protocol::position::PartitionCounters;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::metrics::{Count, Labels, Metrics, family, labels, of};
use super::names;
use crate::store::dead_letters::{DeadLetter, DeadLetterError, Letters};

const OUTCOMES: [&str; 5] = ["routed", "unmatched", "tombstone", "late", "dead_lettered"];

/// The counters of one source.
#[derive(Debug)]
pub(super) struct SourceMeter {
    name: String,
    outcomes: [Count; OUTCOMES.len()],
    dead: [Count; DeadReason::ALL.len()],
    late: [Count; LatePolicy::ALL.len()],
    written: Family<Labels, Count, fn() -> Count>,
}

impl SourceMeter {
    /// One for each source of a plan.
    pub(super) fn all(registry: &mut Registry, plan: &Plan) -> Vec<Arc<Self>> {
        let outcomes = family(registry, &names::EVENTS_INGESTED, Count::default as fn() -> Count);
        let dead = family(registry, &names::EVENTS_REJECTED, Count::default as fn() -> Count);
        let late = family(registry, &names::EVENTS_LATE, Count::default as fn() -> Count);
        let written = family(registry, &names::DEAD_LETTERS_WRITTEN, Count::default as fn() -> Count);
        let meter = |name: &str| Self {
            name: name.to_owned(),
            outcomes: OUTCOMES.map(|outcome| of(&outcomes, &names::EVENTS_INGESTED, &[name, outcome])),
            dead: DeadReason::ALL.map(|reason| of(&dead, &names::EVENTS_REJECTED, &[name, reason.name()])),
            late: LatePolicy::ALL.map(|policy| of(&late, &names::EVENTS_LATE, &[name, policy.name()])),
            written: written.clone(),
        };
        plan.sources.iter().map(|source| Arc::new(meter(&source.name))).collect()
    }
}

/// What one poll has seen of a partition beside its accounting; a plain value of the reading thread.
#[derive(Debug, Default)]
pub struct Tally {
    dead: [u64; DeadReason::ALL.len()],
    late: [u64; LatePolicy::ALL.len()],
}

impl Tally {
    /// A record past the meter's mark became this, under its source's policy.
    pub fn add(&mut self, outcome: Outcome, policy: LatePolicy) {
        match outcome {
            Outcome::Dead(reason) => self.dead[reason as usize] += 1,
            Outcome::Late => self.late[policy as usize] += 1,
            Outcome::Routed(_) | Outcome::Unmatched | Outcome::Tombstone => {}
        }
    }
}

/// One partition.
#[derive(Debug)]
pub struct PartitionMeter {
    source: Arc<SourceMeter>,
    counted: Mutex<Counted>,
}

#[derive(Debug)]
struct Counted {
    next: Offset,
    counters: PartitionCounters,
}

impl PartitionMeter {
    pub(super) fn new(source: Arc<SourceMeter>, next: Offset, counters: PartitionCounters) -> Self {
        Self { source, counted: Mutex::new(Counted { next, counters }) }
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mark: records before it are counted.
    #[must_use]
    pub fn next(&self) -> Offset {
        self.lock().next
    }

    /// A reader stands at `next`, where its accounting is this; the tally is taken. The new mark.
    pub fn read_to(&self, next: Offset, counters: &PartitionCounters, tally: &mut Tally) -> Offset {
        let mut counted = self.lock();
        if next <= counted.next {
            return counted.next;
        }
        let fates = |of: &PartitionCounters| [of.routed, of.unmatched, of.tombstones, of.late, of.dead_lettered];
        let Tally { dead, late } = std::mem::take(tally);
        add(&self.source.outcomes, fates(counters), fates(&counted.counters));
        add(&self.source.dead, dead, [0; DeadReason::ALL.len()]);
        add(&self.source.late, late, [0; LatePolicy::ALL.len()]);
        *counted = Counted { next, counters: counters.clone() };
        next
    }
}

fn add<const N: usize>(to: &[Count; N], now: [u64; N], before: [u64; N]) {
    for ((counter, now), before) in to.iter().zip(now).zip(before) {
        if now > before {
            counter.inc_by(now - before);
        }
    }
}

/// Letters, counted once they are kept.
pub(crate) struct CountedLetters {
    place: Arc<dyn Letters>,
    metrics: Arc<Metrics>,
}

impl CountedLetters {
    /// The same place, with a meter before it.
    pub(crate) fn new(place: Arc<dyn Letters>, metrics: Arc<Metrics>) -> Self {
        Self { place, metrics }
    }
}

impl Letters for CountedLetters {
    fn write(&self, letters: &[DeadLetter]) -> Result<(), DeadLetterError> {
        self.place.write(letters)?;
        let mut counts: BTreeMap<_, u64> = BTreeMap::new();
        for letter in letters {
            *counts.entry((letter.partition, &*letter.reason)).or_default() += 1;
        }
        for ((partition, reason), count) in counts {
            let Some(source) = self.metrics.source(partition) else { continue };
            let labels = labels(&names::DEAD_LETTERS_WRITTEN, &[&source.name, reason]);
            source.written.get_or_create(&labels).inc_by(count);
        }
        Ok(())
    }

    fn each(&self, take: &mut dyn FnMut(DeadLetter) -> bool) -> Result<(), DeadLetterError> {
        self.place.each(take)
    }
}

#[cfg(test)]
mod tests {
    //! A stretch that is walked over twice counts once.
    use super::*;

    fn counters(records: u64, late: u64) -> PartitionCounters {
        PartitionCounters { records, late, routed: records - late, ..PartitionCounters::default() }
    }

    #[test]
    fn reading_again_adds_nothing() {
        let plan = featuregrid_protocol::definition::compile(
            featuregrid_simulations::workload::w1::DEFINITIONS,
            "w1.yaml",
            None,
            featuregrid_protocol::ids::ControlIndex(0),
        )
        .unwrap();
        let metrics = Metrics::new(&plan);
        let partition = featuregrid_protocol::ids::PartitionId(0);
        let meter = metrics.partition(partition, 100, &counters(50, 5)).unwrap();
        assert_eq!(meter.next(), 100);
        let mut tally = Tally::default();
        tally.add(Outcome::Late, LatePolicy::Drop);
        tally.add(Outcome::Dead(DeadReason::Future), LatePolicy::Drop);
        assert_eq!(meter.read_to(110, &counters(60, 6), &mut tally), 110);
        // Another life of the reader, from further back, with the same accounting of the same prefix.
        let again = metrics.partition(partition, 90, &counters(40, 4)).unwrap();
        assert_eq!(again.read_to(105, &counters(55, 6), &mut tally), 110);
        assert_eq!(again.read_to(120, &counters(70, 6), &mut tally), 120);
        let source = metrics.source(partition).unwrap();
        assert_eq!(source.outcomes.each_ref().map(|counter| counter.get()), [19, 0, 0, 1, 0]);
        assert_eq!(source.late.each_ref().map(|counter| counter.get()), [0, 0, 1]);
        assert_eq!(source.dead.iter().map(|counter| counter.get()).sum::<u64>(), 1);
    }
}
