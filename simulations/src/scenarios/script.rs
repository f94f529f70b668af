//! Words in which traces are written down: a small grid whose placement is pinned, and single faults. Knows no trace.

use super::Draft;
use crate::plan::FaultKind;
use crate::world::net::{MessageClass, NetRule, NetTreat};
use crate::world::store::{StoreRule, StoreTreat, WriteClass};

/// Longer than any run: what never ends by itself.
pub(super) const ALWAYS: u32 = 1_000_000;

impl Draft {
    /// A small grid for a trace: three nodes, two partitions, four ranges; `owners` says where each range begins, and
    /// `readers` where each partition is read.
    pub(super) fn script(name: &'static str, seed: u64, owners: [u32; 4], readers: [u32; 2]) -> Self {
        let mut draft = Self::new(name, seed);
        let plan = draft.plan();
        (plan.cluster.nodes, plan.cluster.partitions, plan.cluster.ranges) = (3, 2, 4);
        plan.cluster.standbys = 1;
        plan.cluster.suspect_ms = 700;
        plan.safety_ms = 26_000;
        for (range, to) in (0..).zip(owners) {
            draft.at(0, FaultKind::Move { range, to });
        }
        for (partition, node) in (0..).zip(readers) {
            draft.at(0, FaultKind::ReaderTo { partition, node });
        }
        draft
    }

    /// Messages of a class to a node are treated.
    pub(super) fn to(&mut self, at_ms: u32, for_ms: u32, class: MessageClass, to: u32, treat: NetTreat) {
        self.message(at_ms, for_ms, class, None, Some(to), treat);
    }

    /// Messages of a class from a node are treated.
    pub(super) fn from(&mut self, at_ms: u32, for_ms: u32, class: MessageClass, from: u32, treat: NetTreat) {
        self.message(at_ms, for_ms, class, Some(from), None, treat);
    }

    fn message(
        &mut self,
        at_ms: u32,
        for_ms: u32,
        class: MessageClass,
        from: Option<u32>,
        to: Option<u32>,
        treat: NetTreat,
    ) {
        let rule = NetRule { from, to, class: Some(class), skip: 0, count: ALWAYS, treat };
        self.at(at_ms, FaultKind::Message { rule, for_ms });
    }

    /// The next `count` writes of a class by a node are treated.
    pub(super) fn write(&mut self, at_ms: u32, node: Option<u32>, class: WriteClass, count: u32, treat: StoreTreat) {
        let rule = StoreRule { node, class, skip: 0, count, treat };
        self.at(at_ms, FaultKind::Write { rule, for_ms: ALWAYS });
    }

    /// Nothing passes between two nodes, either way.
    pub(super) fn apart(&mut self, at_ms: u32, for_ms: u32, one: u32, other: u32) {
        self.at(at_ms, FaultKind::Cut { from: one, to: other, for_ms });
        self.at(at_ms, FaultKind::Cut { from: other, to: one, for_ms });
    }

    /// A time that differs a little from seed to seed.
    pub(super) fn about(&self, at_ms: u32, consumer: &str) -> u32 {
        at_ms + self.random(consumer).below(300) as u32
    }
}
