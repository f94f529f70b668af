//! Training sets against what was served at each token, and against the oracle at instants of the past. Knows no file.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_actors::reader;
use featuregrid_actors::training::{History, Knowledge, Known, Questions};
use featuregrid_oracle::{Answer, AsOf, Oracle, Record};
use featuregrid_protocol::ids::{ControlIndex, Offset, PartitionId};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::request::SentRow;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Edge, Status};

use super::case::Case;
use super::log::{Extent, Step, partitions, steps};
use super::product::Product;
use super::{agree, plans};

/// A read that was answered.
struct Served {
    view: usize,
    key: Vec<u8>,
    as_of: Timestamp,
    token: OffsetVector,
    /// When, by the node's clock.
    at: Timestamp,
    answer: Answer,
}

/// What was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows as they were known, by token and by clock.
    pub known: u64,
    /// Rows as it happened.
    pub happened: u64,
    /// As it happened is not as it was known.
    pub differ: u64,
    /// Known to be too old.
    pub out_of_range: u64,
    /// With a rounded instant.
    pub rounded: u64,
}

/// A log, the partition that each record was cut behind at some clock, and what was served between.
struct Run {
    log: Vec<(Step, Timestamp)>,
    served: Vec<Served>,
}

fn run(case: Case, plan: &Arc<Plan>, partitions: &[PartitionId]) -> Run {
    let mut random = case.root().fork("training");
    let mut product = Product::new(plan.clone(), partitions);
    let mut served = Vec::new();
    let mut log: Vec<(Step, Timestamp)> = Vec::new();
    let mut waiting: BTreeMap<PartitionId, Vec<usize>> = BTreeMap::new();
    let mut keys = Vec::new();
    for (clock, step) in (0..).map(Timestamp).zip(steps(&case.root(), &Extent::FEW, partitions)) {
        product.record(step.partition, &step.record);
        let partition = step.partition;
        waiting.entry(partition).or_default().push(log.len());
        log.push((step, Timestamp::MAX));
        if random.chance(400) {
            product.cut(partition);
            for record in waiting.remove(&partition).into_iter().flatten() {
                log[record].1 = clock;
            }
        }
        for _ in 0..random.below(4) {
            let view = random.below(plan.views.len() as u64) as usize;
            if keys.is_empty() || random.chance(300) {
                keys = product.keys(view);
            }
            let Some(key) = random.pick(&keys).cloned() else { continue };
            let t = product.t_max(plan.views[view].source);
            // Between ten seconds and the slack behind T, rows are tiled and instants rounded.
            let (from, to) = [(0, 1_000_000), (-2_000_000, 0), (-15_000_000, -10_000_000), (-25_000_000, 0)]
                [random.below(4) as usize];
            let as_of = t + Span(random.between(from, to));
            let answer = product.read(view, &key, AsOf::At(as_of), SentRow::default());
            served.push(Served { view, key, as_of, token: product.token(), at: clock, answer });
        }
    }
    Run { log, served }
}

fn history(plan: &Arc<Plan>, run: &Run, known: Known, knows: impl Fn(&Served) -> Knowledge) -> Result<History, String> {
    let mut questions = Questions::new(plan.clone(), known);
    for served in &run.served {
        questions.ask(served.view, &served.key, served.as_of, &knows(served));
    }
    let mut history = History::new(questions, usize::MAX);
    let mut sorted: Vec<&(Step, Timestamp)> = run.log.iter().collect();
    // A history comes in files: partition by partition.
    sorted.sort_by_key(|(step, _)| step.partition);
    for (Step { partition, record, .. }, applied_at) in sorted {
        let Record { offset, log_timestamp, admit, ref payload } = *record;
        let record = reader::Record { offset, log_timestamp, admit, payload: payload.as_deref() };
        history.record(*partition, &record, Some(*applied_at)).map_err(|error| error.to_string())?;
    }
    Ok(history)
}

fn answers(history: &mut History) -> Result<Vec<Answer>, String> {
    let mut answers = BTreeMap::new();
    let each = |question, reading: featuregrid_actors::shard::ViewReading| {
        let answer = Answer { instant: reading.instant, edge: reading.edge, readings: reading.readings };
        answers.insert(question, answer);
    };
    history.answer(each).map_err(|error| error.to_string())?;
    Ok(answers.into_values().collect())
}

/// A case: every read that was served, asked of training sets.
///
/// # Errors
/// The first difference.
pub fn check(case: Case, tally: &mut Tally) -> Result<(), String> {
    let plan = plans::draw(&mut case.root().fork("plans"), &Extent::FEW).swap_remove(0);
    let partitions = partitions(&plan);
    let run = run(case, &plan, &partitions);
    let context = |what: &str, served: &Served| {
        let Served { view, key, as_of, token, .. } = served;
        format!("training, {what}: view {view} key {key:?} as of {as_of} at {token:?}")
    };
    let by_token =
        answers(&mut history(&plan, &run, Known::AsKnown, |served| Knowledge::Token(served.token.clone()))?)?;
    let by_clock = answers(&mut history(&plan, &run, Known::AsKnown, |served| Knowledge::At(served.at))?)?;
    agree((by_token.len(), by_clock.len()), (run.served.len(), run.served.len()), || "training: rows".into())?;
    for (served, (by_token, by_clock)) in run.served.iter().zip(by_token.into_iter().zip(by_clock)) {
        agree(&by_token, &served.answer, || context("by token", served))?;
        agree(&by_clock, &served.answer, || context("by clock", served))?;
        tally.known += 1;
        tally.rounded += u64::from(served.answer.edge == Edge::Rounded);
        tally.out_of_range += u64::from(served.answer.readings.iter().all(|got| got.status == Status::OutOfRange));
    }
    let mut oracle = Oracle::new();
    oracle.activate(ControlIndex(0), OffsetVector::default(), plan.clone());
    for (step, _) in &run.log {
        oracle.push(step.partition, step.record.clone()).map_err(|error| error.to_string())?;
    }
    let all = OffsetVector(partitions.iter().map(|partition| (*partition, Offset::MAX)).collect());
    let cut = oracle.cut(ControlIndex(0), &all).map_err(|error| error.to_string())?;
    let mut happened = history(&plan, &run, Known::AsHappened, |served| Knowledge::At(served.at))?;
    for (served, got) in run.served.iter().zip(answers(&mut happened)?) {
        let name = &plan.views[served.view].name;
        let want = cut.happened(name, &served.key, served.as_of).map_err(|error| error.to_string())?;
        tally.differ += u64::from(got.readings != served.answer.readings);
        agree(got, want, || context("as happened", served))?;
        tally.happened += 1;
    }
    let mut want = cut.totals();
    let mut got = happened.counters();
    (want.views, got.views) = Default::default();
    agree(got, want, || "training: where records went".into())
}
