//! A shell around one steward: folds offsets of the log instead of rows, remembers under which index. Knows the truth about
//! nobody.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_actors::ownership::Snapshot;
use featuregrid_actors::ports::Monotonic;
use featuregrid_actors::steward::Steward;
use featuregrid_protocol::control::ControlChange;
use featuregrid_protocol::ids::{ControlIndex, Incarnation, NodeId, Offset, PartitionId};
use featuregrid_protocol::position::{OffsetVector, PartitionPosition, Positions};
use featuregrid_protocol::range::RangeId;

/// Offsets of one partition that were applied under one index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) partition: PartitionId,
    pub(crate) from: Offset,
    pub(crate) to: Offset,
    pub(crate) index: ControlIndex,
}

pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) steward: Steward,
    /// Local microseconds per second of the world.
    pub(crate) rate: i64,
    pub(crate) next: OffsetVector,
    pub(crate) stretches: Vec<Stretch>,
    pub(crate) active: BTreeMap<ControlIndex, OffsetVector>,
    pub(crate) cutting: Vec<RangeId>,
    /// Until this moment of the world nothing here moves.
    pub(crate) stalled_until: i64,
    /// Whether there is a process at all.
    pub(crate) alive: bool,
    /// Holds to be answered.
    pub(crate) holding: Option<ControlIndex>,
}

impl Node {
    pub(crate) fn new(id: NodeId, seed: u64, rate: i64, v0: OffsetVector) -> Self {
        let genesis = ControlChange::Genesis { ranges: 2, v0, definitions: String::new() };
        Self {
            id,
            steward: Steward::new(id, seed, Some(genesis)),
            rate,
            next: OffsetVector::default(),
            stretches: Vec::new(),
            active: BTreeMap::new(),
            cutting: Vec::new(),
            stalled_until: 0,
            alive: true,
            holding: None,
        }
    }

    /// A new life: with the memory of the old one, or without.
    pub(crate) fn reborn(&mut self, seed: u64, keeps_memory: bool) {
        self.steward = Steward::new(self.id, seed, None);
        self.cutting.clear();
        self.holding = None;
        self.alive = true;
        if !keeps_memory {
            self.forget();
        }
    }

    pub(crate) fn forget(&mut self) {
        self.next = OffsetVector::default();
        self.stretches.clear();
    }

    /// The node's own clock; it starts anywhere.
    pub(crate) fn clock(&self, world: i64) -> Monotonic {
        Monotonic(i64::from(self.id.0) * 1_000_003 + world / 1000 * self.rate / 1000)
    }

    pub(crate) fn index_at(&self, partition: PartitionId, offset: Offset) -> ControlIndex {
        let newest = self.active.iter().rev().find(|(_, at)| at.get(partition) <= offset);
        newest.map(|(index, _)| *index).unwrap_or_default()
    }

    /// Reads on in the log of one partition, at most up to `end`.
    pub(crate) fn fold(&mut self, partition: PartitionId, end: Offset) {
        let from = self.next.get(partition);
        let end = self.steward.limit(partition).map_or(end, |limit| limit.min(end));
        for offset in from..end {
            let index = self.index_at(partition, offset);
            match self.stretches.last_mut() {
                Some(last) if (last.partition, last.to, last.index) == (partition, offset, index) => last.to += 1,
                _ => self.stretches.push(Stretch { partition, from: offset, to: offset + 1, index }),
            }
            self.next.0.insert(partition, offset + 1);
        }
    }

    /// Takes over durable state, where it is ahead.
    pub(crate) fn restore(&mut self, v: &OffsetVector, index: ControlIndex) {
        for (partition, to) in &v.0 {
            let from = self.next.get(*partition);
            if from < *to {
                self.stretches.push(Stretch { partition: *partition, from, to: *to, index });
                self.next.0.insert(*partition, *to);
            }
        }
    }

    pub(crate) fn newest(&self) -> ControlIndex {
        self.active.keys().next_back().copied().unwrap_or_default()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let positions: Positions = self.next.0.iter().map(|(p, next)| (*p, PartitionPosition::start(*next))).collect();
        Snapshot { positions, index: self.newest(), since: None, part: Arc::from(self.newest().0.to_le_bytes()) }
    }

    pub(crate) fn incarnation(&self) -> Option<Incarnation> {
        self.steward.incarnation()
    }
}
