//! Who reads: any key at any node, at now or at a near instant, often with the token of an earlier answer. Knows no
//! placement, so most reads arrive at a node that does not own the key.

use featuregrid_oracle::AsOf;
use featuregrid_protocol::ids::NodeId;
use featuregrid_protocol::key;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::time::Timestamp;

use super::heap::Micros;
use super::message::{Read, ReadAnswer};
use super::{EPOCH, Event, Power, World};
use crate::invariants::Fact;
use crate::plan::Workload;
use crate::random::Random;

/// Clients, each with the token it saw last.
#[derive(Debug)]
pub struct Clients {
    random: Random,
    workload: Workload,
    tokens: Vec<OffsetVector>,
    reads: u64,
}

impl Clients {
    /// A handful of clients that have read nothing yet.
    #[must_use]
    pub fn new(random: Random, workload: Workload) -> Self {
        Self { random, workload, tokens: vec![OffsetVector::default(); 5], reads: 0 }
    }

    /// The next read, and the node it goes to.
    fn next(&mut self, now: Micros, nodes: &[NodeId]) -> Option<(NodeId, Read)> {
        let to = *self.random.pick(nodes)?;
        self.reads += 1;
        let (view, part) = match self.random.below(10) {
            0..6 => ("user_spend", format!("u{}", self.user())),
            6..9 => ("shop_sales", format!("s{}", self.random.below(8))),
            _ => ("country_sales", format!("s{}", self.random.below(8))),
        };
        let mut bytes = Vec::new();
        key::encode([part.as_str()], &mut bytes);
        let wall = Timestamp(EPOCH.0 + now);
        let as_of = match self.random.below(10) {
            0..5 => AsOf::Now(wall),
            // Whole seconds meet the edges of windows and tiles.
            5 => AsOf::At(Timestamp(wall.0 / 1_000_000 * 1_000_000 + self.random.between(-2, 2) * 1_000_000)),
            // Tenths of seconds meet events.
            6 => AsOf::At(Timestamp(wall.0 / 100_000 * 100_000 - self.random.between(0, 15) * 100_000)),
            7..9 => AsOf::At(Timestamp(wall.0 + self.random.between(-4_000_000, 3_000_000))),
            _ => AsOf::At(Timestamp(wall.0 + self.random.between(5_000_000, 70_000_000))),
        };
        let client = self.reads as usize % self.tokens.len();
        let at_least = if self.random.chance(400) { self.tokens[client].clone() } else { OffsetVector::default() };
        Some((to, Read { id: self.reads, view: view.to_owned(), key: bytes, as_of, at_least }))
    }

    fn user(&mut self) -> u64 {
        let keys = u64::from(self.workload.keys.max(1));
        // Now and then one that nobody wrote about.
        self.random.below(keys + 1).min(self.random.below(keys))
    }

    fn pause(&mut self) -> Micros {
        let mean = 1_000_000 / i64::from(self.workload.reads_per_s.max(1));
        self.random.between(mean / 4, mean * 7 / 4)
    }
}

impl World<'_, '_> {
    /// A client reads.
    pub(super) fn client_read(&mut self) {
        let now = self.heap.now();
        let on = |machine: &super::Machine| matches!(machine.power, Power::On);
        let nodes: Vec<NodeId> =
            (0..).map(NodeId).zip(&self.machines).filter(|(_, machine)| on(machine)).map(|(node, _)| node).collect();
        if let Some((to, read)) = self.clients.next(now, &nodes) {
            self.with_node(to, |node, around| node.on_read(around, to, read, 0));
        }
        let pause = self.clients.pause();
        self.heap.push(now + pause, Event::Read);
    }

    /// A read was answered.
    pub(super) fn judge_read(&mut self, answer: &ReadAnswer) {
        let client = answer.read.id as usize % self.clients.tokens.len();
        self.clients.tokens[client].raise(&answer.v);
        self.watch.report.reads += 1;
        self.compare(answer);
    }

    /// The oracle says what an answer must be.
    pub(super) fn compare(&mut self, answer: &ReadAnswer) {
        let now = self.heap.now();
        let ReadAnswer { read, node, v, reading } = answer;
        let want = match self.judge.read(reading.index, v, &read.view, &read.key, read.as_of) {
            Ok(want) => want,
            Err(error) => {
                let reason = format!("answered under {}, but {error}", reading.index);
                self.watch.observe(now, &Fact::Halted { node: *node, reason: &reason });
                return;
            }
        };
        let plan = self.judge.plan(reading.index);
        let view = plan.and_then(|plan| plan.views.iter().find(|view| view.name == read.view));
        let features: Vec<String> = view.iter().flat_map(|view| view.results()).map(str::to_owned).collect();
        self.watch.note(now, node.node.0, "read", read.id, || format!("{} {:?} {v:?}", read.view, reading.readings));
        let fact = Fact::Read {
            node: *node,
            view: &read.view,
            key: &read.key,
            as_of: read.as_of,
            at_least: &read.at_least,
            v,
            got: reading,
            want: &want,
            features: &features,
        };
        self.watch.observe(now, &fact);
    }
}
