//! One simulated node that logs what it serves: partitions that lag behind one another, late and repeated events, a crash
//! now and then after which it goes on from its last snapshot. Knows no file and no training set: it is what they are
//! compared with.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use featuregrid_actors::reader::{self, Interpreter};
use featuregrid_actors::shard::{RangeSnapshot, Shard, ViewReading};
use featuregrid_actors::window::AsOf;
use featuregrid_oracle::{Oracle, Record};
use featuregrid_protocol::definition::{self, Mistakes};
use featuregrid_protocol::ids::{ControlIndex, Offset, PartitionId};
use featuregrid_protocol::key;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{OffsetVector, PartitionPosition, Positions, offsets};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Edge, Reading, Status};

use crate::random::Random;

/// What the node computes.
pub const DEFINITIONS: &str = include_str!("served/definitions.yaml");

const PARTITIONS: u32 = 3;
const USERS: u64 = 40;
const RECORDS: u64 = 6_000;
const START: Timestamp = Timestamp(1_767_225_600_000_000);
/// Steps between snapshots.
const SNAPSHOT_EVERY: u64 = 150;
/// Records that one step applies of one partition, at most.
const STRIDE: u64 = 12;

/// A record of the log, and when the node first made it visible.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its partition.
    pub partition: PartitionId,
    /// What the log keeps.
    pub record: Record,
    /// By the node's clock.
    pub applied_at: Timestamp,
}

/// A read of every view for one user and card, and what it was answered.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who.
    pub user: String,
    /// Which of their cards.
    pub card: String,
    /// The instant asked for.
    pub as_of: Timestamp,
    /// The node's clock.
    pub asked_at: Timestamp,
    /// What the node had applied.
    pub token: OffsetVector,
    /// What it answered, by view.
    pub served: Vec<View>,
    /// What it should have answered, had everything come in time: the oracle's answer from the whole log.
    pub happened: Vec<View>,
}

/// The answer of one view.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Whether an instant was rounded.
    pub edge: Edge,
    /// By result.
    pub readings: Vec<Reading>,
}

/// A run.
#[derive(Debug)]
pub struct Served {
    /// What the node computed.
    pub plan: Arc<Plan>,
    /// In the order they were appended.
    pub log: Vec<Recorded>,
    /// In the order they were asked.
    pub asked: Vec<Asked>,
    /// Crashes of the node.
    pub restarts: u64,
    /// Events that corrected what had been served: of the key, and before an instant it was asked for.
    pub late_corrections: u64,
    /// Records that were too late to count.
    pub late: u64,
}

/// Counts of answers that are out of the usual, so that a run proves it met them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Reads with a rounded instant.
    pub rounded: u64,
    /// Reads that were refused as too old.
    pub out_of_range: u64,
    /// Reads whose answer is another one as it happened.
    pub corrected: u64,
}

impl Served {
    /// What was met.
    #[must_use]
    pub fn marks(&self) -> Marks {
        let count = |is: &dyn Fn(&Asked) -> bool| self.asked.iter().filter(|asked| is(asked)).count() as u64;
        let refused = |view: &View| view.readings.iter().all(|reading| reading.status == Status::OutOfRange);
        Marks {
            rounded: count(&|asked| asked.served.iter().any(|view| view.edge == Edge::Rounded)),
            out_of_range: count(&|asked| asked.served.iter().any(refused)),
            corrected: count(&|asked| {
                asked.served.iter().zip(&asked.happened).any(|(served, happened)| served.readings != happened.readings)
            }),
        }
    }
}

/// Runs a node through one seed.
///
/// # Errors
/// When the definitions do not compile, which they do.
pub fn run(seed: u64) -> Result<Served, Mistakes> {
    let plan = Arc::new(definition::compile(DEFINITIONS, "served", None, ControlIndex(0))?);
    let root = Random::new(seed);
    let mut producer = Producer::new(root.fork("producer"));
    let mut node = Node::new(Arc::clone(&plan));
    let (mut pace, mut reads) = (root.fork("pace"), root.fork("reads"));
    let mut asked = Vec::new();
    for step in 1..=RECORDS {
        let clock = producer.produce();
        let partition = PartitionId(pace.below(PARTITIONS.into()) as u32);
        // Partition 2 is slow, so that T runs ahead of what is visible of it.
        if partition.0 != 2 || pace.chance(400) {
            node.consume(partition, clock, 1 + pace.below(STRIDE), &mut producer.log);
        }
        if step % SNAPSHOT_EVERY == 0 {
            node.snapshot();
        }
        if pace.chance(3) {
            node.crash();
        }
        for _ in 0..reads.below(3) {
            let back = [0, 0, 2_000_000, 60_000_000][reads.below(4) as usize];
            let as_of = clock - Span(reads.between(0, back));
            let (user, card) = (format!("u{}", user(&mut reads)), format!("c{}", reads.below(2)));
            asked.push(node.ask(user, card, as_of, clock));
        }
    }
    // What nobody had read yet becomes visible in the end.
    let clock = producer.clock;
    (0..PARTITIONS).for_each(|number| node.consume(PartitionId(number), clock, RECORDS, &mut producer.log));
    let log = producer.log;
    let mut oracle = Oracle::new();
    oracle.activate(ControlIndex(0), OffsetVector::default(), Arc::clone(&plan));
    for recorded in &log {
        let pushed = oracle.push(recorded.partition, recorded.record.clone());
        debug_assert!(pushed.is_ok(), "offsets rise");
    }
    let end = OffsetVector((0..PARTITIONS).map(|number| (PartitionId(number), Offset::MAX)).collect());
    let mut late = 0;
    if let Ok(cut) = oracle.cut(ControlIndex(0), &end) {
        late = cut.totals().late;
        for asked in &mut asked {
            let views = plan.views.iter().map(|view| {
                cut.happened(&view.name, &key_of(&view.name, &plan, asked), asked.as_of)
                    .map(|answer| View { edge: answer.edge, readings: answer.readings })
            });
            asked.happened = views.collect::<Result<_, _>>().unwrap_or_default();
        }
    }
    let Node { restarts, late_corrections, .. } = node;
    Ok(Served { plan, log, asked, restarts, late_corrections, late })
}

/// The canonical key bytes of a view for a read.
fn key_of(view: &str, plan: &Plan, asked: &Asked) -> Vec<u8> {
    let mut bytes = Vec::new();
    let keys = plan.view(view).map_or(&[][..], |view| view.keys.as_slice());
    let parts = keys.iter().map(|(name, _)| if name == "card" { asked.card.as_str() } else { asked.user.as_str() });
    key::encode(parts, &mut bytes);
    bytes
}

/// A few users do most.
fn user(random: &mut Random) -> u64 {
    let among = 1 + random.below(USERS);
    random.below(among)
}

/// Appends records: most in time, some out of order, late or twice.
struct Producer {
    random: Random,
    clock: Timestamp,
    next: [Offset; PARTITIONS as usize],
    log: Vec<Recorded>,
}

impl Producer {
    fn new(random: Random) -> Self {
        Self { random, clock: START, next: [0; PARTITIONS as usize], log: Vec::new() }
    }

    fn produce(&mut self) -> Timestamp {
        let random = &mut self.random;
        let step = if random.chance(20) { 60_000_000 } else { 900_000 };
        self.clock = self.clock + Span(random.between(0, step));
        let again = self.log.len().checked_sub(1 + random.below(20) as usize).filter(|_| random.chance(40));
        let (partition, payload) = match again {
            Some(copy) => (self.log[copy].partition, self.log[copy].record.payload.clone()),
            None => {
                let user = user(random);
                (PartitionId((user % u64::from(PARTITIONS)) as u32), Some(payload(random, user, self.clock)))
            }
        };
        let payload = payload.filter(|_| !random.chance(5));
        let next = &mut self.next[partition.0 as usize];
        let offset = *next + if random.chance(30) { 2 } else { 0 };
        *next = offset + 1;
        let record = Record { offset, log_timestamp: self.clock, admit: random.chance(5), payload };
        self.log.push(Recorded { partition, record, applied_at: Timestamp::MAX });
        self.clock
    }
}

fn payload(random: &mut Random, user: u64, clock: Timestamp) -> Vec<u8> {
    let back = [100_000, 2_000_000, 28_000_000, 90_000_000][[0, 0, 0, 1, 1, 1, 1, 2, 2, 3][random.below(10) as usize]];
    let ts = clock - Span(random.between(0, back));
    let kind = ["purchase", "purchase", "purchase", "view", "refund"][random.below(5) as usize];
    let amount = match random.below(40) {
        0 => "null".to_owned(),
        1 => "1e400".to_owned(),
        2 => "true".to_owned(),
        _ => format!("{}.{:02}", random.below(500), random.below(100)),
    };
    let (id, card, items) = (random.next(), random.below(2), random.between(-3, 9));
    let text = format!(
        r#"{{"user_id":"u{user}","card":"c{card}","type":"{kind}","amount":{amount},"items":{items},"ts":"{ts}","id":"{id:x}"}}"#
    );
    text.into_bytes()
}

/// The product's record path, and what of it outlives a crash.
struct Node {
    plan: Arc<Plan>,
    interpreters: BTreeMap<PartitionId, Interpreter>,
    shard: Shard,
    ranges: RangeSet,
    durable: Option<Vec<u8>>,
    restarts: u64,
    late_corrections: u64,
    /// The last instant that a key was asked for, by view.
    asked: BTreeMap<(u16, Vec<u8>), Timestamp>,
}

impl Node {
    fn new(plan: Arc<Plan>) -> Self {
        let (shard, ranges) = (Shard::new(Arc::clone(&plan)), RangeSet::from_iter([RangeId::WHOLE]));
        let (interpreters, asked) = Default::default();
        let mut node =
            Self { plan, interpreters, shard, ranges, durable: None, restarts: 0, late_corrections: 0, asked };
        node.start();
        node
    }

    /// From the last snapshot, or from the beginning.
    fn start(&mut self) {
        self.shard = Shard::new(Arc::clone(&self.plan));
        let beginning = || (0..PARTITIONS).map(|number| (PartitionId(number), PartitionPosition::start(0))).collect();
        let restored = self.durable.as_deref().and_then(|bytes| RangeSnapshot::decode(bytes).ok());
        let installed =
            restored.is_some_and(|snapshot| self.shard.install(&[snapshot], |_| Some(Arc::clone(&self.plan))).is_ok());
        if !installed {
            self.shard.add_range(RangeId::WHOLE, beginning());
        }
        let stands: Positions = self.shard.positions(RangeId::WHOLE).cloned().unwrap_or_default();
        let interpreter = |(partition, position): (PartitionId, PartitionPosition)| {
            (partition, Interpreter::new(Arc::clone(&self.plan), partition, position))
        };
        self.interpreters = stands.into_iter().map(interpreter).collect();
    }

    fn crash(&mut self) {
        self.restarts += 1;
        self.start();
    }

    fn snapshot(&mut self) {
        self.durable = self.shard.snapshot(RangeId::WHOLE).and_then(|snapshot| snapshot.encode().ok());
    }

    /// Reads and applies the next records of a partition.
    fn consume(&mut self, partition: PartitionId, clock: Timestamp, records: u64, log: &mut [Recorded]) {
        let Some(interpreter) = self.interpreters.get_mut(&partition) else { return };
        let from = interpreter.position().next;
        let own = log.iter_mut().filter(|recorded| recorded.partition == partition);
        let mut due: VecDeque<&mut Recorded> = own.filter(|recorded| recorded.record.offset >= from).collect();
        due.truncate(records as usize);
        for recorded in due {
            let Record { offset, log_timestamp, admit, ref payload } = recorded.record;
            interpreter.record(&reader::Record { offset, log_timestamp, admit, payload: payload.as_deref() });
            let is_new = recorded.applied_at == Timestamp::MAX;
            recorded.applied_at = recorded.applied_at.min(clock);
            let Some(chunk) = interpreter.cut() else { continue };
            if is_new {
                let corrects = |row: &featuregrid_protocol::row::Row<'_>| {
                    self.asked.get(&(row.head.view, row.key.to_vec())).is_some_and(|asked| row.head.ts < *asked)
                };
                self.late_corrections += chunk.rows.iter().filter(corrects).count() as u64;
            }
            self.shard.apply(&chunk.alone(partition), &self.ranges);
        }
    }

    fn ask(&mut self, user: String, card: String, as_of: Timestamp, clock: Timestamp) -> Asked {
        let token = self.shard.positions(RangeId::WHOLE).map(offsets).unwrap_or_default();
        let (served, happened) = (Vec::new(), Vec::new());
        let mut asked = Asked { user, card, as_of, asked_at: clock, token, served, happened };
        for (at, view) in self.plan.views.iter().enumerate() {
            let key = key_of(&view.name, &self.plan, &asked);
            let Some(ViewReading { edge, readings, .. }) = self.shard.read(at, &key, AsOf::At(as_of)) else { continue };
            asked.served.push(View { edge, readings });
            let last = self.asked.entry((at as u16, key)).or_insert(as_of);
            *last = (*last).max(as_of);
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    //! A run meets what it is for, and is the same twice.
    use super::*;

    #[test]
    fn a_run_has_crashes_corrections_and_refusals() {
        let served = run(7).unwrap();
        let Marks { rounded, out_of_range, corrected } = served.marks();
        let met = [served.restarts, served.late_corrections, served.late, rounded, out_of_range, corrected];
        assert!(met.into_iter().all(|count| count > 5), "{met:?}");
        let again = run(7).unwrap();
        assert!(again.asked.iter().zip(&served.asked).all(|(a, b)| a.served == b.served && a.token == b.token));
    }
}
