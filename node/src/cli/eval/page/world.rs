//! Plays an example: reader, frames, shard, as a node has them. Knows no rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_actors::reader::{Chunk, Interpreter, Outcome, Record};
use featuregrid_actors::shard::{RangeSnapshot, RowCounts, Shard, ViewReading};
use featuregrid_actors::training::{History, Knowledge, Known, Questions};
use featuregrid_actors::window::AsOf;
use featuregrid_protocol::definition;
use featuregrid_protocol::ids::{ControlIndex, Offset, PartitionId};
use featuregrid_protocol::key;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{OffsetVector, PartitionCounters, PartitionPosition, Positions, offsets};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::request::{self, Column};
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Edge, Value};
use featuregrid_protocol::wire::v1::FeatureColumn;

use crate::sent::written;
use serde_json::value::RawValue;

use super::script::{Definition, Expected, Line, Produced, Read, Script, definitions};

use crate::serve::encode;

pub(super) struct World {
    shared: String,
    own: Vec<Definition>,
    plan: Arc<Plan>,
    readers: BTreeMap<PartitionId, Interpreter>,
    shard: Shard,
    log: Vec<Logged>,
    asked: Vec<Asked>,
}

/// A record as the log keeps it.
struct Logged {
    partition: PartitionId,
    offset: Offset,
    log_timestamp: Timestamp,
    admit: bool,
    payload: Option<String>,
}

/// A read, and what it was answered.
struct Asked {
    user: String,
    as_of: Timestamp,
    token: OffsetVector,
    reading: ViewReading,
}

impl World {
    pub(super) fn new(shared: &str, example: &Script) -> Self {
        let own = example.lines.iter().filter_map(|(_, line)| match line {
            Line::Define(definition) => Some(definition.clone()),
            _ => None,
        });
        let text = example.definitions(shared);
        let plan = definition::compile(&text, "the example", None, ControlIndex(0));
        let plan = Arc::new(plan.unwrap_or_else(|mistakes| panic!("line {}: {mistakes}\n{text}", example.lines[0].0)));
        let mut shard = Shard::new(Arc::clone(&plan));
        shard.add_range(RangeId::WHOLE, Positions::new());
        let (readers, log, asked) = Default::default();
        Self { shared: shared.to_owned(), own: own.collect(), plan, readers, shard, log, asked }
    }

    /// One line, whatever it is.
    pub(super) fn play(&mut self, line: &Line) -> Result<(), String> {
        match line {
            Line::Define(_) => Ok(()),
            Line::Change(definition) => self.change(definition),
            Line::Record(_) => self.append(line),
            Line::Read(read) => self.read(read),
            Line::Happened(read) => {
                let asked = (read.user.as_str(), read.at, Knowledge::At(read.at));
                let reading = self.train(Known::AsHappened, &[asked])?.pop().ok_or("no answer")?;
                self.show(&reading, read)
            }
            Line::Push(record, before, after) => {
                self.append(line)?;
                for (at, expected) in [(record.ts, before), (record.ts + Span::TICK, after)] {
                    let reading = self.reading(&record.user, AsOf::At(at), &[])?;
                    self.compare(&reading, expected)?;
                }
                Ok(())
            }
            Line::Books(books) => self.books(books),
        }
    }

    /// A record, and what becomes of it.
    pub(super) fn append(&mut self, line: &Line) -> Result<(), String> {
        let (Line::Record(record) | Line::Push(record, ..)) = line else { return Ok(()) };
        let Produced { partition, payload, logged, gap, admit, fate, .. } = record;
        let partition = PartitionId(*partition);
        let offset = self.reader(partition).position().next + gap;
        let logged = Logged { partition, offset, log_timestamp: *logged, admit: *admit, payload: payload.clone() };
        let outcome = self.take(&logged);
        self.log.push(logged);
        let got = match outcome.ok_or("the record was ignored")? {
            Outcome::Routed(_) => "routed".to_owned(),
            Outcome::Unmatched => "unmatched".to_owned(),
            Outcome::Tombstone => "tombstone".to_owned(),
            Outcome::Late => "late".to_owned(),
            Outcome::Dead(reason) => format!("dead {}", reason.name()),
        };
        if got == *fate { Ok(()) } else { Err(format!("expected {fate}, and it is {got}")) }
    }

    fn reader(&mut self, partition: PartitionId) -> &mut Interpreter {
        let plan = &self.plan;
        let begin = || Interpreter::new(Arc::clone(plan), partition, PartitionPosition::start(0));
        self.readers.entry(partition).or_insert_with(begin)
    }

    /// Reads a record of the log, and applies it.
    fn take(&mut self, logged: &Logged) -> Option<Outcome> {
        let Logged { partition, offset, log_timestamp, admit, ref payload } = *logged;
        let payload = payload.as_deref().map(str::as_bytes);
        let reader = self.reader(partition);
        let outcome = reader.record(&Record { offset, log_timestamp, admit, payload });
        if let Some(chunk) = reader.cut() {
            self.apply(partition, chunk);
        }
        outcome
    }

    /// All that a node keeps elsewhere: what it would begin with after a crash.
    pub(super) fn stored(&mut self) -> Vec<u8> {
        self.shard.snapshot(RangeId::WHOLE).and_then(|snapshot| snapshot.encode().ok()).unwrap_or_default()
    }

    /// The node dies, and another one begins with what was stored and reads the rest of the log.
    pub(super) fn crash(&mut self, stored: &[u8]) -> Result<(), String> {
        let snapshot = RangeSnapshot::decode(stored).map_err(|damaged| damaged.to_string())?;
        self.shard = Shard::new(Arc::clone(&self.plan));
        let positions = snapshot.head.positions.clone();
        self.shard.install(&[snapshot], |_| Some(Arc::clone(&self.plan))).map_err(|refused| refused.to_string())?;
        let plan = &self.plan;
        let again = |(partition, position): (PartitionId, PartitionPosition)| {
            (partition, Interpreter::new(Arc::clone(plan), partition, position))
        };
        self.readers = positions.into_iter().map(again).collect();
        let log = std::mem::take(&mut self.log);
        for logged in &log {
            if logged.offset >= self.reader(logged.partition).position().next {
                self.take(logged);
            }
        }
        self.log = log;
        Ok(())
    }

    /// Bytes of an entity, and the most that the plan says it can have.
    pub(super) fn bytes_per_entity(&self) -> (usize, u64) {
        (self.shard.bytes_per_entity(), self.plan.largest_entity(&self.plan.views[0]).bytes())
    }

    fn apply(&mut self, partition: PartitionId, chunk: Chunk) {
        self.shard.apply(&chunk.alone(partition), &RangeSet::from_iter([RangeId::WHOLE]));
    }

    fn change(&mut self, definition: &Definition) -> Result<(), String> {
        let name = |text: &str| text.split(':').next().map(str::to_owned);
        self.own.retain(|known| known.kind != definition.kind || name(&known.text) != name(&definition.text));
        self.own.push(definition.clone());
        let (text, next) = (definitions(&self.shared, &self.own), ControlIndex(self.plan.index.0 + 1));
        let plan =
            definition::compile(&text, "the example", Some(&*self.plan), next).map_err(|error| error.to_string())?;
        self.plan = Arc::new(plan);
        let mut at = OffsetVector::default();
        for (partition, reader) in &mut self.readers {
            if reader.switch(Arc::clone(&self.plan)).is_some() {
                return Err("a chunk was open".to_owned());
            }
            at.0.insert(*partition, reader.position().next);
        }
        let past = self.shard.switch(Arc::clone(&self.plan), &at);
        if past.is_empty() { Ok(()) } else { Err("a range stood past the change".to_owned()) }
    }

    fn reading(&mut self, user: &str, as_of: AsOf, sent: &[(String, String)]) -> Result<ViewReading, String> {
        let json = |value: &'_ String| serde_json::from_str(value).map_err(|error| error.to_string());
        let values = sent.iter().map(|(_, value)| json(value)).collect::<Result<Vec<Box<RawValue>>, String>>()?;
        let columns: Vec<Column<'_>> =
            sent.iter().zip(&values).map(|((name, _), value)| Column { name, values: vec![written(value)] }).collect();
        let sent = request::values(&self.plan, &[0], 1, &columns).map_err(|refused| refused.to_string())?;
        let mut bytes = Vec::new();
        key::encode([user], &mut bytes);
        self.shard.read_with(0, &bytes, as_of, sent[0].row(0)).ok_or_else(|| "no range holds the key".to_owned())
    }

    fn read(&mut self, read: &Read) -> Result<(), String> {
        let as_of = if read.now { AsOf::Now { clock: read.at } } else { AsOf::At(read.at) };
        let reading = self.reading(&read.user, as_of, &read.sent)?;
        self.show(&reading, read)?;
        // A training set's spine sends nothing.
        if !read.now && read.sent.is_empty() {
            let token = self.shard.positions(RangeId::WHOLE).map(offsets).unwrap_or_default();
            self.asked.push(Asked { user: read.user.clone(), as_of: read.at, token, reading });
        }
        Ok(())
    }

    /// Whether a training set, as known, answers every read so far as it was answered.
    pub(super) fn is_reproduced(&self) -> Result<usize, String> {
        if self.plan.index > ControlIndex(0) {
            return Ok(0); // a training set is of one plan
        }
        let asked =
            self.asked.iter().map(|asked| (asked.user.as_str(), asked.as_of, Knowledge::Token(asked.token.clone())));
        let readings = self.train(Known::AsKnown, &asked.collect::<Vec<_>>())?;
        match readings.iter().zip(&self.asked).find(|(got, asked)| **got != asked.reading) {
            Some((got, asked)) => Err(format!("served {:?}, and training answers {got:?}", asked.reading)),
            None => Ok(readings.len()),
        }
    }

    fn train(&self, known: Known, asked: &[(&str, Timestamp, Knowledge)]) -> Result<Vec<ViewReading>, String> {
        let mut questions = Questions::new(Arc::clone(&self.plan), known);
        for (user, as_of, knowledge) in asked {
            let mut bytes = Vec::new();
            key::encode([*user], &mut bytes);
            questions.ask(0, &bytes, *as_of, knowledge);
        }
        let mut history = History::new(questions, usize::MAX);
        for logged in &self.log {
            let Logged { partition, offset, log_timestamp, admit, ref payload } = *logged;
            let payload = payload.as_deref().map(str::as_bytes);
            let record = Record { offset, log_timestamp, admit, payload };
            history.record(partition, &record, None).map_err(|error| error.to_string())?;
        }
        let mut answers = BTreeMap::new();
        history
            .answer(|question, reading| drop(answers.insert(question, reading)))
            .map_err(|error| error.to_string())?;
        Ok(answers.into_values().collect())
    }

    fn show(&self, reading: &ViewReading, read: &Read) -> Result<(), String> {
        self.compare(reading, &read.expected)?;
        if let Some(instant) = read.instant.filter(|instant| *instant != reading.instant) {
            return Err(format!("expected instant {instant}, and it is {}", reading.instant));
        }
        if read.newest.is_some() && read.newest != reading.newest_event {
            return Err(format!("expected newest {:?}, and it is {:?}", read.newest, reading.newest_event));
        }
        if (reading.edge == Edge::Rounded) != read.rounded {
            return Err(format!("the edge is {:?}", reading.edge));
        }
        Ok(())
    }

    fn compare(&self, reading: &ViewReading, expected: &[Expected]) -> Result<(), String> {
        let view = &self.plan.views[0];
        for Expected { name, value, status, flags } in expected {
            let at = view.result_index(name).ok_or(format!("the view has no `{name}`"))?;
            let got = &reading.readings[at];
            let text = text(&got.value);
            // Whether the instant is rounded is said once for all of a reading.
            let raised: Vec<&str> = FeatureColumn::flag_names(encode::flags(got, Edge::Exact)).collect();
            let same = text == *value && got.status.name() == *status && raised.iter().eq(flags.iter());
            if !same {
                let flags = raised.join(" ");
                return Err(format!(
                    "expected {name} {value} {status}, and it is {text} {} {flags}",
                    got.status.name()
                ));
            }
        }
        Ok(())
    }

    fn books(&self, books: &[(String, u64)]) -> Result<(), String> {
        let mut totals = PartitionCounters::default();
        for reader in self.readers.values() {
            totals += &reader.position().counters;
        }
        let view = self.plan.views[0].id;
        let of_view = totals.views.get(&view).copied().unwrap_or_default();
        let RowCounts { applied, duplicate } = self.shard.rows(view);
        let PartitionCounters { records, late, dead_lettered, tombstones, unmatched, routed, .. } = totals;
        let known: &[(&str, u64)] = match books.first() {
            Some((first, _)) if first == "records" => &[
                ("records", records),
                ("late", late),
                ("dead_lettered", dead_lettered),
                ("tombstones", tombstones),
                ("unmatched", unmatched),
                ("routed", routed),
            ],
            _ => &[
                ("rows", of_view.rows),
                ("applied", applied),
                ("duplicate", duplicate),
                ("rejected", of_view.rejected),
            ],
        };
        for (name, got) in known {
            let want = books.iter().find(|(known, _)| known == name).map_or(0, |(_, count)| *count);
            if want != *got {
                return Err(format!("expected {name} {want}, and it is {got}"));
            }
        }
        let unknown = books.iter().find(|(name, _)| known.iter().all(|(known, _)| known != name));
        unknown.map_or(Ok(()), |(name, _)| Err(format!("`{name}` is in no equation")))
    }

    pub(super) fn digest(&mut self) -> String {
        self.shard.digest().to_string()
    }
}

fn text(value: &Value) -> String {
    crate::cli::output::json(value).get().to_owned()
}
