//! Which control index is in force at which offset. Knows no store and no hold; it is told what was decided.
//!
//! Invariant: activation offsets never fall from one activation to the next (trace B9), so the index in force rises
//! along every partition.

use std::sync::Arc;

use featuregrid_protocol::ids::{ControlIndex, Offset, PartitionId};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::OffsetVector;

/// An entry that came into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Its number.
    pub index: ControlIndex,
    /// From these offsets on; a partition that is not named switches at 0.
    pub at: OffsetVector,
    /// What it means.
    pub plan: Arc<Plan>,
}

/// Every activation a node knows, genesis first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    activations: Vec<Activation>,
}

impl History {
    /// A history that begins with the plan of entry 0, in force from the first record on.
    #[must_use]
    pub fn new(genesis: Arc<Plan>) -> Self {
        let index = ControlIndex(0);
        Self { activations: vec![Activation { index, at: OffsetVector::default(), plan: genesis }] }
    }

    /// Entry `index` came into force; aborted numbers are simply never told. One that is already known, or older than
    /// the newest, changes nothing.
    pub fn activate(&mut self, index: ControlIndex, at: OffsetVector, plan: Arc<Plan>) {
        let latest = self.latest();
        if index <= latest.index {
            return;
        }
        debug_assert!(
            at.covers(&latest.at)
                || featuregrid_protocol::plants::on(featuregrid_protocol::plants::Plant::B9WithoutPrevious),
            "A never falls: {:?} after {:?}",
            at,
            latest.at
        );
        self.activations.push(Activation { index, at, plan });
    }

    /// The index in force for the record at `offset`.
    #[must_use]
    pub fn index_at(&self, partition: PartitionId, offset: Offset) -> ControlIndex {
        self.at(partition, offset).index
    }

    /// The plan in force for the record at `offset`.
    #[must_use]
    pub fn plan_at(&self, partition: PartitionId, offset: Offset) -> &Arc<Plan> {
        &self.at(partition, offset).plan
    }

    /// The first offset after `offset` from which another index is in force, and that index.
    #[must_use]
    pub fn next_switch(&self, partition: PartitionId, offset: Offset) -> Option<(Offset, ControlIndex)> {
        let switch = self.activations.iter().map(|a| a.at.get(partition)).filter(|at| *at > offset).min()?;
        Some((switch, self.index_at(partition, switch)))
    }

    /// The one index in force for the whole of `[from, to)`, or `None` if an activation splits it. An empty interval
    /// is judged by `from`: it asserts what comes next.
    #[must_use]
    pub fn index_over(&self, partition: PartitionId, from: Offset, to: Offset) -> Option<ControlIndex> {
        let index = self.index_at(partition, from);
        self.next_switch(partition, from).is_none_or(|(switch, _)| switch >= to).then_some(index)
    }

    /// The newest activation: what reads answer with.
    #[must_use]
    pub fn latest(&self) -> &Activation {
        // There is always genesis.
        &self.activations[self.activations.len() - 1]
    }

    /// The plan of an entry, unless it was aborted or is not known here.
    #[must_use]
    pub fn plan(&self, index: ControlIndex) -> Option<&Arc<Plan>> {
        let at = self.activations.binary_search_by_key(&index, |a| a.index).ok()?;
        Some(&self.activations[at].plan)
    }

    /// Every activation, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Activation> {
        self.activations.iter()
    }

    fn at(&self, partition: PartitionId, offset: Offset) -> &Activation {
        let newest = self.activations.iter().rev().find(|a| a.at.get(partition) <= offset);
        newest.unwrap_or(&self.activations[0])
    }
}

impl crate::feed::InForce for History {
    fn index_at(&self, partition: PartitionId, offset: Offset) -> ControlIndex {
        self.index_at(partition, offset)
    }

    fn newest(&self) -> ControlIndex {
        self.latest().index
    }
}

#[cfg(test)]
mod tests;
