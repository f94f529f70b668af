//! What must hold at every moment of every run, one file each. An invariant sees facts of the world as they happen and
//! keeps what it needs; it knows no node's inside.

mod bounded_queues;
mod committed_v_monotone;
mod decisions_agree;
mod epochs_rise_by_one;
mod hold_bounded;
mod liveness;
mod no_effect_without_lease;
mod no_rows_lost;
mod reads_equal_oracle;
mod single_owner_per_epoch;
mod snapshot_restorable;
mod state_is_function_of_logs;

use featuregrid_actors::shard::ViewReading;
use featuregrid_oracle::{Answer, AsOf};
use featuregrid_protocol::control::Decision;
use featuregrid_protocol::ids::{ControlIndex, Epoch, Incarnation, PartitionId};
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::position::{OffsetVector, PartitionCounters, Positions};
use featuregrid_protocol::range::RangeId;

use crate::world::heap::Micros;

/// Something that happened, as a bystander who sees everything would tell it.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// A manifest landed in the store.
    Manifest {
        /// What stood there before.
        before: Option<&'a Manifest>,
        /// What stands there now.
        after: &'a Manifest,
    },
    /// A decision landed in the store.
    Decided {
        /// Of which entry.
        index: ControlIndex,
        /// Which.
        decision: &'a Decision,
    },
    /// A node obeyed a decision.
    Obeyed {
        /// Which life.
        node: Incarnation,
        /// Of which entry.
        index: ControlIndex,
        /// As it understood it.
        decision: &'a Decision,
    },
    /// A node had an effect outside of the grid: an output that everybody sees.
    Output {
        /// Which life.
        node: Incarnation,
        /// For which range.
        range: RangeId,
        /// Under which ownership it believes to be.
        epoch: Epoch,
        /// Which of the node's processes it was.
        process: u64,
        /// The manifest that stands at that moment.
        standing: Option<&'a Manifest>,
    },
    /// A read was answered.
    Read {
        /// By which life.
        node: Incarnation,
        /// Which view.
        view: &'a str,
        /// Canonical key bytes.
        key: &'a [u8],
        /// The instant asked for.
        as_of: AsOf,
        /// The token that was demanded.
        at_least: &'a OffsetVector,
        /// The token of the answer.
        v: &'a OffsetVector,
        /// The answer.
        got: &'a ViewReading,
        /// What it must be.
        want: &'a Answer,
        /// Names of the features.
        features: &'a [String],
    },
    /// The state of a range on a node, looked at.
    State {
        /// On which life.
        node: Incarnation,
        /// Which range.
        range: RangeId,
        /// Under which control index.
        index: ControlIndex,
        /// Where it stands.
        positions: &'a Positions,
        /// Hash of its canonical bytes.
        hash: u64,
        /// Where the oracle says every record went, up to there.
        accounting: &'a std::collections::BTreeMap<PartitionId, PartitionCounters>,
        /// Rows applied by view: (name, here, oracle's for this range).
        rows: &'a [(String, u64, u64)],
    },
    /// A manifest was restored into an empty shard.
    Restored {
        /// Which.
        manifest: &'a Manifest,
        /// What became of it: the hash of its state, and where that stands.
        state: Result<(ControlIndex, &'a Positions), &'a str>,
    },
    /// How long a node was held by an entry of the control log.
    Held {
        /// Which life.
        node: Incarnation,
        /// By which entry.
        index: ControlIndex,
        /// How long.
        for_us: Micros,
        /// How much longer than usual it may be, because the store or the node stood still meanwhile.
        excused_us: Micros,
    },
    /// The size of a queue.
    Queue {
        /// Where.
        node: Incarnation,
        /// Which.
        name: &'static str,
        /// How long.
        length: usize,
        /// How long it may be.
        bound: usize,
    },
    /// A node refuses to follow a partition, although nothing is wrong with the log.
    Halted {
        /// Which life.
        node: Incarnation,
        /// Why.
        reason: &'a str,
    },
    /// The run is over: every fault has long ended.
    End {
        /// What is still missing; empty if all is well.
        missing: &'a [String],
    },
}

/// A rule that is never broken.
pub trait Invariant {
    /// Its name in reports.
    fn name(&self) -> &'static str;
    /// Takes a fact.
    ///
    /// # Errors
    /// What was found, if the rule is broken.
    fn observe(&mut self, at: Micros, fact: &Fact<'_>) -> Result<(), String>;
}

/// Every invariant, fresh.
#[must_use]
pub fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(reads_equal_oracle::ReadsEqualOracle),
        Box::<state_is_function_of_logs::StateIsFunctionOfLogs>::default(),
        Box::new(no_rows_lost::NoRowsLost),
        Box::<single_owner_per_epoch::SingleOwnerPerEpoch>::default(),
        Box::new(epochs_rise_by_one::EpochsRiseByOne),
        Box::new(committed_v_monotone::CommittedVMonotone),
        Box::new(no_effect_without_lease::NoEffectWithoutLease),
        Box::<decisions_agree::DecisionsAgree>::default(),
        Box::new(hold_bounded::HoldBounded),
        Box::new(snapshot_restorable::SnapshotRestorable),
        Box::new(bounded_queues::BoundedQueues),
        Box::new(liveness::Liveness),
    ]
}
