//! The traces of protocol B: when definitions change.

use featuregrid_protocol::plants::Plant;

use super::{Draft, Scenario};
use crate::plan::{FaultKind, RunPlan};
use crate::world::net::{MessageClass, NetTreat};
use crate::world::store::{StoreTreat, WriteClass};

/// One scenario per trace.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "b1_decision_lands_late",
        about: "ACTIVE is written in time and lands after two seconds",
        plants: &[Plant::B1HoldTimesOut],
        expand: b1,
    },
    Scenario {
        name: "b2_next_not_largest",
        about: "definitions change under load, again and again",
        plants: &[Plant::B2ReportsLargest],
        expand: b2,
    },
    Scenario {
        name: "b3_zombie_reader",
        about: "a fenced reader wakes where A lies and reads on under the old definitions",
        plants: &[Plant::B3ZombieIndex],
        expand: b3,
    },
    Scenario {
        name: "b4_joiner_under_hold",
        about: "a node starts while an entry is undecided",
        plants: &[Plant::B4JoinerIgnores],
        expand: b4,
    },
    Scenario {
        name: "b5_dead_owner_ahead",
        about: "a dead owner's manifests are ahead of what the survivors report",
        plants: &[Plant::B5DeadOwnerAhead],
        expand: b5,
    },
    Scenario {
        name: "b6_partition_after_report",
        about: "the topic grows while an entry is undecided",
        plants: &[Plant::B6NewPartition],
        expand: b6,
    },
    Scenario {
        name: "b7_leased_again",
        about: "a node that was cut off folds past A, and is leased again",
        plants: &[Plant::B7NoRestore],
        expand: b7,
    },
    Scenario {
        name: "b8_coordinator_dies",
        about: "the coordinator dies between entry and decision",
        plants: &[Plant::B8OnlyCoordinatorAborts],
        expand: b8,
    },
    Scenario {
        name: "b9_activation_never_falls",
        about: "whoever was ahead at the last activation is dead at the next",
        plants: &[Plant::B9WithoutPrevious],
        expand: b9,
    },
];

fn b1(seed: u64) -> RunPlan {
    let mut draft = Draft::script("b1_decision_lands_late", seed, [0, 1, 2, 0], [0, 1]);
    let apply = draft.about(8_000, "apply");
    draft.write(apply, Some(0), WriteClass::Decision, 8, StoreTreat::UnknownLandsMs(2_100));
    draft.at(apply, FaultKind::Apply { node: 0 });
    draft.finish()
}

fn b2(seed: u64) -> RunPlan {
    let mut draft = Draft::script("b2_next_not_largest", seed, [0, 1, 2, 0], [0, 1]);
    draft.plan().workload.events_per_s = 120;
    for step in 0..5 {
        let apply = draft.about(6_000 + 4_000 * step, "apply");
        draft.at(apply, FaultKind::Apply { node: step % 3 });
    }
    draft.finish()
}

/// Node 2 owns nothing and reads everything. It stands still while the log is quiet and an entry is activated; it wakes
/// when records come that the new readers cannot fetch yet.
fn b3(seed: u64) -> RunPlan {
    let mut draft = Draft::script("b3_zombie_reader", seed, [0, 1, 0, 1], [2, 2]);
    draft.plan().cluster.standbys = 0;
    draft.plan().cluster.turn_ms = 10;
    draft.at(8_000, FaultKind::Quiet { for_ms: 7_900 });
    draft.at(9_000, FaultKind::Freeze { node: 2, for_ms: 7_000 });
    draft.at(12_500, FaultKind::Apply { node: 0 });
    for (node, partition) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        draft.at(15_800, FaultKind::FetchStall { node, partition, for_ms: 600 });
    }
    draft.finish()
}

/// Node 1's reports are lost for a while, so the hold is long; node 3 joins meanwhile, and believes to be alone.
fn b4(seed: u64) -> RunPlan {
    let mut draft = Draft::script("b4_joiner_under_hold", seed, [0, 1, 2, 0], [0, 1]);
    let joiner = draft.spare();
    let apply = draft.about(8_000, "apply");
    draft.from(apply - 100, 1_500, MessageClass::Report, 1, NetTreat::Drop);
    draft.at(apply, FaultKind::Apply { node: 0 });
    draft.at(apply + 150, FaultKind::Join { node: joiner });
    draft.finish()
}

/// Nodes 0 and 2 neither get frames nor reach the log until the end.
fn starve(draft: &mut Draft, at_ms: u32, for_ms: u32) {
    for node in [0, 2] {
        draft.to(at_ms, for_ms, MessageClass::Frame, node, NetTreat::Drop);
        for partition in [0, 1] {
            draft.at(at_ms, FaultKind::FetchStall { node, partition, for_ms });
        }
    }
}

/// Frames reach only node 1, which commits and dies. The survivors own its ranges with copies that are behind when the
/// next entry is activated; node 3 joins, and restores what the dead owner left.
fn b5(seed: u64) -> RunPlan {
    let mut draft = Draft::script("b5_dead_owner_ahead", seed, [1, 1, 0, 2], [1, 1]);
    // Every survivor has a copy, so nobody restores one, and learns of the manifests, before the entry.
    draft.plan().cluster.standbys = 2;
    draft.plan().cluster.snapshot_ms = 1_500;
    let joiner = draft.spare();
    starve(&mut draft, 7_000, 11_500);
    let crash = draft.about(9_600, "crash");
    draft.at(crash, FaultKind::Crash { node: 1, for_ms: 20_000 });
    draft.at(crash + 6_000, FaultKind::Apply { node: 0 });
    draft.at(crash + 7_200, FaultKind::Join { node: joiner });
    draft.finish()
}

/// Node 1's reports are lost for a while; meanwhile the topic gets another partition, and records in it.
fn b6(seed: u64) -> RunPlan {
    let mut draft = Draft::script("b6_partition_after_report", seed, [0, 1, 2, 0], [0, 1]);
    let apply = draft.about(8_000, "apply");
    draft.from(apply - 100, 1_500, MessageClass::Report, 1, NetTreat::Drop);
    draft.at(apply, FaultKind::Apply { node: 0 });
    draft.at(apply + 200, FaultKind::AddPartition);
    draft.finish()
}

/// Node 2 can reach neither the store nor the others. It reads and folds on, by itself, past the A of an entry that the
/// others activate.
fn b7(seed: u64) -> RunPlan {
    let mut draft = Draft::script("b7_leased_again", seed, [0, 1, 2, 0], [0, 1]);
    draft.plan().safety_ms = 30_000;
    draft.at(7_000, FaultKind::StoreCut { node: 2, for_ms: 11_000 });
    draft.apart(7_000, 11_000, 2, 0);
    draft.apart(7_000, 11_000, 2, 1);
    let apply = draft.about(13_500, "apply");
    draft.at(apply, FaultKind::Apply { node: 0 });
    draft.finish()
}

fn b8(seed: u64) -> RunPlan {
    let mut draft = Draft::script("b8_coordinator_dies", seed, [0, 1, 2, 1], [2, 1]);
    let apply = draft.about(8_000, "apply");
    draft.from(apply - 100, 1_500, MessageClass::Report, 1, NetTreat::Drop);
    draft.at(apply, FaultKind::Apply { node: 0 });
    draft.at(apply + 600, FaultKind::Crash { node: 0, for_ms: 4_000 });
    draft.finish()
}

/// Node 1 reads and owns nothing. What it reads reaches nobody, so A lies where it has read to; then it dies, and the
/// others report less.
fn b9(seed: u64) -> RunPlan {
    let mut draft = Draft::script("b9_activation_never_falls", seed, [0, 2, 0, 2], [1, 1]);
    draft.plan().cluster.standbys = 0;
    draft.plan().cluster.snapshot_ms = 9_000;
    starve(&mut draft, 7_000, 11_500);
    let apply = draft.about(9_000, "apply");
    draft.at(apply, FaultKind::Apply { node: 0 });
    draft.at(apply + 800, FaultKind::Crash { node: 1, for_ms: 20_000 });
    draft.at(apply + 5_000, FaultKind::Apply { node: 2 });
    draft.finish()
}
