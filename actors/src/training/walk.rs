//! One entity after the other through the shard that serves: its events up to each question, then the question.
//! Knows no record.

use std::ops::Range;
use std::sync::Arc;

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::{Generation, LeaderEpoch, Offset, PartitionId, TopicId};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{PartitionCounters, Positions};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::row::{RowBatch, RowHead};
use featuregrid_protocol::time::{Span, Timestamp};

use super::history::{History, HistoryError};
use super::questions::{Asker, Entity, Known, Mark, Question};
use super::rows::Held;
use super::visibility::Stand;
use crate::shard::Shard;
use crate::window::AsOf;

impl History {
    /// Answers every question, entity by entity.
    ///
    /// # Errors
    /// [`HistoryError::UnknownPartition`] and [`HistoryError::TooLarge`]; nothing was answered.
    pub fn answer(&mut self, mut asker: impl Asker) -> Result<(), HistoryError> {
        self.finish()?;
        let this = &*self;
        let entities = &this.questions.entities;
        let asked = Grouped::new(0..entities.len(), this.questions.list.iter().map(|asked| asked.entity));
        let mut bench = Bench::new(&this.questions.plan);
        let mut held = Vec::new();
        for bucket in this.held().buckets() {
            let rows = Grouped::new(bucket.entities.clone(), bucket.iter().map(|held| held.entity));
            for number in bucket.entities.clone() {
                held.clear();
                held.extend(rows.of(number).iter().map(|row| bucket.get(*row as usize)));
                let questions: Vec<u32> = asked.of(number).to_vec();
                match this.questions.known {
                    Known::AsHappened => this.happened(&entities[number], &mut held, questions, &mut bench, &mut asker),
                    Known::AsKnown => this.known(&entities[number], &mut held, questions, &mut bench, &mut asker),
                }
            }
        }
        Ok(())
    }

    /// Events in the order they happened, each question after those before its instant. T stands one tick before the
    /// instant, so that both the instant and the tick before it, where a feature without the current event looks, are
    /// answerable whatever the slack.
    fn happened(
        &self,
        entity: &Entity,
        held: &mut [Held],
        mut questions: Vec<u32>,
        bench: &mut Bench,
        asker: &mut impl Asker,
    ) {
        held.sort_unstable_by_key(|row| (row.ts, row.partition, row.offset));
        questions.sort_by_key(|question| self.question(*question).as_of);
        bench.begin();
        let mut at = 0;
        for question in questions {
            let as_of = self.question(question).as_of;
            let until = at + held[at..].partition_point(|row| row.ts < as_of);
            let due = &mut held[at..until];
            due.sort_unstable_by_key(|row| (row.partition, row.offset));
            for rows in due.chunk_by(|a, b| a.partition == b.partition) {
                let next = rows.last().map_or(0, |row| row.offset + 1);
                bench.apply(self, entity, rows, rows[0].partition, Stand { next, max: as_of - Span::TICK });
            }
            at = until;
            bench.read(entity, question, as_of, asker);
        }
    }

    /// Events as they became visible, each question after those below its offset vector. One that knows less than the
    /// one before it, of another copy or after a restart, begins anew.
    fn known(
        &self,
        entity: &Entity,
        held: &mut [Held],
        questions: Vec<u32>,
        bench: &mut Bench,
        asker: &mut impl Asker,
    ) {
        held.sort_unstable_by_key(|row| (row.partition, row.offset));
        let mut knowing: Vec<(u32, Vec<(PartitionId, Stand)>)> =
            questions.into_iter().map(|question| (question, self.stands(self.question(question).knowledge))).collect();
        // What knows more stands behind what knows less, wherever the two can be compared.
        knowing.sort_by_key(|(_, stands)| stands.iter().map(|(_, stand)| u128::from(stand.next)).sum::<u128>());
        bench.begin();
        let mut stood: Vec<Offset> = Vec::new();
        for (question, stands) in knowing {
            if stands.iter().zip(&stood).any(|((_, stand), before)| stand.next < *before) {
                bench.begin();
                stood.clear();
            }
            stood.resize(stands.len(), 0);
            for ((partition, stand), before) in stands.into_iter().zip(&mut stood) {
                if stand.next <= *before {
                    continue;
                }
                let from = held.partition_point(|row| (row.partition, row.offset) < (partition, *before));
                let to = held.partition_point(|row| (row.partition, row.offset) < (partition, stand.next));
                bench.apply(self, entity, &held[from..to], partition, stand);
                *before = stand.next;
            }
            bench.read(entity, question, self.question(question).as_of, asker);
        }
    }

    fn question(&self, number: u32) -> Question {
        self.questions.list[number as usize]
    }

    /// Where every partition stood, for whoever knew this; always all of them, in one order.
    fn stands(&self, knowledge: Mark) -> Vec<(PartitionId, Stand)> {
        // The instants are the same for all partitions, and many: one search is enough.
        let instant = match knowledge {
            Mark::At(instant) => self.instants.binary_search(&instant).ok(),
            Mark::Nothing | Mark::Token(_) => None,
        };
        let stand = |(partition, marks): (PartitionId, &super::visibility::Marks)| {
            let stand = match knowledge {
                Mark::Nothing => Stand { next: 0, max: Timestamp::MIN },
                Mark::At(_) => instant.map_or(Stand { next: 0, max: Timestamp::MIN }, |at| marks.at_instant(at)),
                Mark::Token(token) => marks.at_offset(self.questions.tokens[token as usize].get(partition)),
            };
            (partition, stand)
        };
        self.marks().map(stand).collect()
    }
}

/// Numbers of things by the entity they belong to, in their order.
struct Grouped {
    first: usize,
    starts: Vec<u32>,
    numbers: Vec<u32>,
}

impl Grouped {
    fn new(entities: Range<usize>, of: impl Iterator<Item = u32> + Clone) -> Self {
        let first = entities.start;
        let of = of.map(|entity| entity as usize - first);
        let mut starts = vec![0u32; entities.len() + 1];
        for entity in of.clone() {
            starts[entity + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut numbers = vec![0; sum as usize];
        let mut next = starts.clone();
        for (number, entity) in (0..).zip(of) {
            let at = &mut next[entity];
            numbers[*at as usize] = number;
            *at += 1;
        }
        Self { first, starts, numbers }
    }

    fn of(&self, entity: usize) -> &[u32] {
        let entity = entity - self.first;
        &self.numbers[self.starts[entity] as usize..self.starts[entity + 1] as usize]
    }
}

/// The shard, holding one entity at a time.
struct Bench {
    shard: Shard,
    ranges: RangeSet,
    frame: Frame,
}

impl Bench {
    fn new(plan: &Arc<Plan>) -> Self {
        let frame = Frame {
            topic: TopicId::default(),
            partition: PartitionId::default(),
            leader_epoch: LeaderEpoch(0),
            index: plan.index,
            generation: Generation::default(),
            from: 0,
            to: 0,
            max_before: Timestamp::MIN,
            max_after: Timestamp::MIN,
            deltas: PartitionCounters::default(),
            rows: RowBatch::default(),
        };
        Self { shard: Shard::new(Arc::clone(plan)), ranges: RangeSet::from_iter([RangeId::WHOLE]), frame }
    }

    /// Forgets everything.
    fn begin(&mut self) {
        self.shard.add_range(RangeId::WHOLE, Positions::new());
    }

    /// Rows of one partition, which stands at `stand` with them.
    fn apply(&mut self, history: &History, entity: &Entity, rows: &[Held], partition: PartitionId, stand: Stand) {
        let Entity { view, hash, ref key } = *entity;
        self.frame.partition = partition;
        self.frame.to = stand.next;
        self.frame.max_after = stand.max;
        self.frame.rows.clear();
        for held in rows {
            let Held { ts, offset, present, bad, .. } = *held;
            let head = RowHead { hash, ts, offset, present, bad, view, key_len: 0, number_len: 0 };
            self.frame.rows.push(head, key, history.held().numbers(held));
            self.frame.rows.tell(history.held().texts(held));
        }
        self.shard.apply(&self.frame, &self.ranges);
    }

    fn read(&mut self, entity: &Entity, question: u32, as_of: Timestamp, asker: &mut impl Asker) {
        // The one range holds every key, and questions are about views of the plan.
        let sent = asker.sent(question as usize);
        let (view, as_of) = (usize::from(entity.view), AsOf::At(as_of));
        if let Some(reading) = self.shard.read_with(view, &entity.key, as_of, sent.row(0)) {
            asker.answered(question as usize, reading);
        }
    }
}
