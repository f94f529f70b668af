//! One case: definitions, a log, a delivery and reads, all drawn from a seed and the case's number, so that it can be run
//! alone. Knows no other case.

use std::fmt::Debug;

use featuregrid_oracle::{Answer, AsOf, Cut, Oracle, OracleError};
use featuregrid_protocol::ids::{ControlIndex, PartitionId};
use featuregrid_protocol::key;
use featuregrid_protocol::limits::INSTANT_STEP;
use featuregrid_protocol::plan::{Plan, ViewPlan, Window};
use featuregrid_protocol::position::{OffsetVector, PartitionCounters};
use featuregrid_protocol::request::{Sent, SentColumns};
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::Reading;

use super::log::{Extent, Step, partitions, steps};
use super::payloads::beside_an_edge;
use super::plans;
use super::product::{Fates, Product};
use super::tally::{Counted, Tally};
use super::trace::Trace;
use crate::random::Random;

/// Records that may be read before their rows are sent: more do not fit a frame.
const WAITING_MAX: u64 = 200;
/// Event times that instants of reads are chosen beside.
const SEEN: usize = 16;

/// A case of a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Of the whole run.
    pub seed: u64,
    /// Which of its cases.
    pub number: u64,
}

/// A value that is not what the oracle says; or, without a view, something else of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where it was met.
    pub case: Case,
    /// `view key feature as_of want got`.
    pub line: String,
}

impl Case {
    /// Where all of its randomness comes from.
    #[must_use]
    pub fn root(self) -> Random {
        Random::new(self.seed).fork(&format!("case {}", self.number))
    }

    /// Runs it. What it met is in the tally even if it ended with differences; the hash is of what was drawn and read.
    pub(super) fn run(self, tally: &mut Tally, counted: &mut Counted) -> (u64, Vec<Difference>) {
        let mut run = Run::new(self);
        tally.drawn(&run.extent, &run.plans[0]);
        if let Err(Stop(lines)) = run.through(tally, counted) {
            let case = self;
            return (run.trace.finish(), lines.into_iter().map(|line| Difference { case, line }).collect());
        }
        (run.trace.finish(), Vec::new())
    }
}

/// Why a case does not go on.
struct Stop(Vec<String>);

impl From<OracleError> for Stop {
    fn from(error: OracleError) -> Self {
        Self(vec![error.to_string()])
    }
}

/// A case under way.
struct Run {
    extent: Extent,
    plans: Vec<std::sync::Arc<Plan>>,
    partitions: Vec<PartitionId>,
    steps: Vec<Step>,
    oracle: Oracle,
    product: Product,
    /// Index of the plan in force.
    index: usize,
    reads: Random,
    delivery: Random,
    /// Records read of each partition and not sent, and a partition that sends nothing for a while.
    waiting: Vec<u64>,
    held: Option<usize>,
    seen: Vec<Timestamp>,
    trace: Trace,
}

impl Run {
    fn new(case: Case) -> Self {
        let root = case.root();
        let extent = Extent::draw(&mut root.fork("extent"));
        let plans = plans::draw(&mut root.fork("plans"), &extent);
        let mut oracle = Oracle::new();
        oracle.activate(ControlIndex(0), OffsetVector::default(), plans[0].clone());
        let partitions = partitions(&plans[0]);
        let steps = steps(&root, &extent, &partitions);
        let product = Product::new(plans[0].clone(), &partitions);
        let mut trace = Trace::default();
        plans.iter().for_each(|plan| trace.plan(plan));
        steps.iter().for_each(|step| trace.step(step));
        Self {
            extent,
            plans,
            waiting: vec![0; partitions.len()],
            partitions,
            steps,
            oracle,
            product,
            index: 0,
            reads: root.fork("reads"),
            delivery: root.fork("delivery"),
            held: None,
            seen: Vec::new(),
            trace,
        }
    }

    fn through(&mut self, tally: &mut Tally, counted: &mut Counted) -> Result<(), Stop> {
        let switch_every = self.extent.records / self.plans.len() as u64 + 1;
        tally.happened("records", self.extent.records);
        for (at, step) in (1..).zip(std::mem::take(&mut self.steps)) {
            self.seen.push(step.drawn);
            self.deliver(&step)?;
            if at % switch_every == 0 {
                tally.happened("changes of definitions", 1);
                self.switch();
            }
            if self.delivery.chance(self.extent.restores) {
                tally.happened("restores from bytes", 1);
                self.product.restore(&mut self.delivery).map_err(|error| Stop(vec![error]))?;
            }
            let is_last = at == self.extent.records;
            if is_last {
                self.partitions.iter().for_each(|partition| self.product.cut(*partition));
            }
            if is_last || self.reads.chance(self.extent.looks) {
                self.look(tally, counted, is_last)?;
            }
        }
        Ok(())
    }

    /// Reads a record; its rows are sent at once, later, or much later than those of other partitions.
    fn deliver(&mut self, step: &Step) -> Result<(), Stop> {
        self.oracle.push(step.partition, step.record.clone())?;
        self.product.record(step.partition, &step.record);
        let random = &mut self.delivery;
        if random.chance(20) {
            self.held = Some(random.below(self.partitions.len() as u64) as usize).filter(|_| random.chance(700));
        }
        let Some(at) = self.partitions.iter().position(|partition| *partition == step.partition) else { return Ok(()) };
        self.waiting[at] += 1;
        let is_held = self.held == Some(at) && self.waiting[at] < WAITING_MAX;
        if !is_held && self.delivery.chance(300) {
            self.waiting[at] = 0;
            self.product.cut(step.partition);
        }
        Ok(())
    }

    fn switch(&mut self) {
        self.index += 1;
        let plan = &self.plans[self.index];
        let v = self.product.switch(plan.clone());
        self.oracle.activate(ControlIndex(self.index as u64), v, plan.clone());
        self.waiting.fill(0);
    }

    /// Compares where every record went, and some values.
    fn look(&mut self, tally: &mut Tally, counted: &mut Counted, is_last: bool) -> Result<(), Stop> {
        let k = ControlIndex(self.index as u64);
        let totals = self.oracle.cut(k, &self.product.read_to())?.totals();
        same("records", self.product.outcomes(), Fates::from(&totals))?;
        let v = self.product.token();
        let cut = self.oracle.cut(k, &v)?;
        let mut accounting = cut.accounting();
        accounting.retain(|_, counters: &mut PartitionCounters| counters.records > 0);
        same("accounting", self.product.accounting(), accounting)?;
        if is_last {
            tally.went(&totals);
        }
        self.trace.numbers([totals.late, totals.routed, totals.records]);
        let mut differing = Vec::new();
        for (view, plan) in self.plans[self.index].views.iter().enumerate() {
            let rows = self.product.rows(plan.id);
            same(&plan.name, rows, (cut.applied(&plan.name)?, cut.duplicates(&plan.name)?))?;
            if is_last {
                tally.happened("duplicates", rows.1);
            }
            if self.reads.chance(400) {
                continue;
            }
            let mut keys: Vec<&[u8]> = cut.keys(&plan.name)?.collect();
            let random = &mut self.reads;
            while keys.len() > self.extent.keys {
                keys.swap_remove(random.below(keys.len() as u64) as usize);
            }
            // Now and then one without events.
            keys.extend(random.chance(100).then_some(&b"\x01\0?"[..]));
            for key in keys {
                let (chosen, as_of) = instant(&cut, plan, &self.seen, random);
                let sent = plans::send(plan, random);
                let columns = SentColumns::of_one(sent.clone());
                let want = cut.read_with(&plan.name, key, as_of, &sent)?;
                let got = self.product.read(view, key, as_of, columns.row(0));
                counted.add(chosen, plan, &want);
                self.trace.read(key, format_args!("{view} {as_of:?} {sent:?}"), &got);
                if got != want {
                    differing.extend(lines(plan, key, as_of, &sent, &want, &got));
                }
            }
        }
        if differing.is_empty() { Ok(()) } else { Err(Stop(differing)) }
    }
}

/// An instant of a read, and how it was chosen.
fn instant(cut: &Cut<'_>, view: &ViewPlan, seen: &[Timestamp], random: &mut Random) -> (&'static str, AsOf) {
    let source = cut.plan().source_of(view);
    let t = cut.t_max(view.source);
    let oldest = t - source.slack;
    let usual = ("just behind T", AsOf::At(t + Span::TICK));
    let near = Span(random.between(-2_000_000, 2_000_000));
    let recent = seen.len().saturating_sub(SEEN);
    let event = random.pick(&seen[recent..]).copied().unwrap_or(t);
    let tick = Span(random.between(-1, 1));
    let told = |at: Timestamp| Some(at).filter(|at| *at >= oldest);
    let (name, at) = match random.below(8) {
        // Where nothing happens the clock runs ahead of T, and a node's own may be behind it.
        0 => {
            return (
                "now",
                AsOf::Now(t + [near, Span(random.between(-25_000_000, 600_000_000))][random.below(2) as usize]),
            );
        }
        1 => ("within the slack", Some(oldest + Span(random.between(-1_000_000, source.slack.0)))),
        2 => ("beside an event", told(event + tick)),
        3 => ("on a step", told((t + near).floor(INSTANT_STEP) + tick)),
        4 => ("where windows end", told(beside_an_edge(t + near, random))),
        5 | 6 => {
            let window = random.pick(&view.features).map(|feature| feature.window);
            let on = |hop: Span, span: Span, times: i64| event.floor(hop) + span + Span(hop.0 * times);
            let at = match window {
                Some(Window::Session { session, .. }) if random.chance(500) => Some(event + session.gap + tick),
                _ => window.and_then(Window::tail).map(|level| on(level.hop, level.span, random.between(-1, 1)) + tick),
            };
            ("on the tail of a window", at.and_then(told))
        }
        _ => return usual,
    };
    at.map_or(usual, |at| (name, AsOf::At(at)))
}

/// Something of the state that is no value.
fn same<T: PartialEq + Debug>(what: &str, got: T, want: T) -> Result<(), Stop> {
    if got == want { Ok(()) } else { Err(Stop(vec![format!("{what}: want {want:?} got {got:?}")])) }
}

/// Every result that differs, as `view key feature as_of want got`.
fn lines(view: &ViewPlan, key: &[u8], as_of: AsOf, sent: &[Sent], want: &Answer, got: &Answer) -> Vec<String> {
    let key = key::parts(key).join("/");
    let (AsOf::At(at) | AsOf::Now(at)) = as_of;
    let mut lines = Vec::new();
    let mut line = |feature: &str, want: String, got: String| {
        let feature = feature.replace(' ', "");
        lines.extend((want != got).then(|| format!("{} {key:?} {feature} {at} {want} {got}", view.name)));
    };
    let shown = |answer: &Answer| format!("{}/{:?}", answer.instant, answer.edge);
    line("(instant)", shown(want), shown(got));
    let names = view.results().chain(std::iter::repeat("(no such result)"));
    for ((name, want), got) in names.zip(&want.readings).zip(&got.readings) {
        line(name, told(want), told(got));
    }
    if lines.is_empty() {
        lines.push(format!("{} {key:?} {at}: want {want:?} got {got:?}, having sent {sent:?}", view.name));
    }
    lines
}

fn told(reading: &Reading) -> String {
    let flag = |is_set: bool, name: &'static str| if is_set { name } else { "" };
    let (inexact, partial) = (flag(reading.inexact_input, "/inexact"), flag(reading.partial_coverage, "/partial"));
    format!("{:?}/{}{inexact}{partial}", reading.value, reading.status.name()).replace(' ', "")
}
