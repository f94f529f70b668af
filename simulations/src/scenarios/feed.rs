//! The traces of protocol A: what a frame covers.

use featuregrid_protocol::plants::Plant;

use super::{Draft, Scenario};
use crate::plan::{FaultKind, RunPlan};
use crate::world::net::{MessageClass, NetTreat, NetWeather};

/// One scenario per trace.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "a1_old_frame_after_restart",
        about: "a frame sent before a restart arrives after it, when its generation's number stands for another set",
        plants: &[Plant::A1GenerationRestarts],
        expand: a1,
    },
    Scenario {
        name: "a2_decoded_before_included",
        about: "a successor subscribes ranges whose rows the reader's ring never kept",
        plants: &[Plant::A2IncludedFrom],
        expand: a2,
    },
    Scenario {
        name: "a3_frame_of_an_old_set",
        about: "frames of a smaller set arrive after another range joined it",
        plants: &[Plant::A3OldGeneration],
        expand: a3,
    },
    Scenario {
        name: "a4_replay_beside_the_frontier",
        about: "one range is replayed while the others go on",
        plants: &[Plant::A4ReplayShared],
        expand: a4,
    },
    Scenario {
        name: "a5_reader_begins_anew",
        about: "readers restart and move while late records come",
        plants: &[Plant::A5NoPrefixMax],
        expand: a5,
    },
    Scenario {
        name: "a6_reader_believes_a_map",
        about: "ranges move while readers know only the old owners",
        plants: &[Plant::A6StaleMap],
        expand: a6,
    },
    Scenario {
        name: "gaps_and_duplicates",
        about: "frames are lost, doubled and overtaken",
        plants: &[Plant::MaxOffsetDedup],
        expand: gaps,
    },
];

/// The log is quiet, so every manifest stands at its end; the first rows after that are sent to node 1 once at once and
/// once after its restart, and what the reader sends anew is lost until then.
fn a1(seed: u64) -> RunPlan {
    let mut draft = Draft::script("a1_old_frame_after_restart", seed, [1, 0, 2, 2], [0, 2]);
    draft.plan().cluster.standbys = 0;
    draft.plan().cluster.snapshot_ms = 4_000;
    let crash = draft.about(14_150, "crash");
    draft.at(8_000, FaultKind::Quiet { for_ms: 6_000 });
    draft.to(13_950, crash - 13_950, MessageClass::Frame, 1, NetTreat::AgainMs(1_200));
    draft.at(crash, FaultKind::Crash { node: 1, for_ms: 100 });
    draft.at(crash, FaultKind::Move { range: 0, to: 2 });
    draft.at(crash, FaultKind::Move { range: 1, to: 1 });
    draft.to(crash, 1_800, MessageClass::Frame, 1, NetTreat::Drop);
    draft.finish()
}

/// Node 1 dies and its subscriptions are forgotten; the successor's manifests lie inside of the readers' rings.
fn a2(seed: u64) -> RunPlan {
    let mut draft = Draft::script("a2_decoded_before_included", seed, [1, 1, 0, 2], [0, 2]);
    draft.plan().cluster.standbys = 0;
    draft.plan().cluster.snapshot_ms = 1_500;
    let crash = draft.about(8_000, "crash");
    draft.at(crash, FaultKind::Crash { node: 1, for_ms: 9_000 });
    draft.finish()
}

fn a3(seed: u64) -> RunPlan {
    let mut draft = Draft::script("a3_frame_of_an_old_set", seed, [0, 1, 2, 0], [0, 1]);
    draft.plan().cluster.standbys = 0;
    let weather = NetWeather { loss: 0, duplicate: 200, reorder: 400, delay_ms: 400 };
    draft.at(4_000, FaultKind::Net { weather, for_ms: 20_000 });
    for (step, range) in [0, 1, 2, 3, 0, 1].into_iter().enumerate() {
        draft.at(5_000 + 3_000 * step as u32, FaultKind::Move { range, to: (range + 1 + step as u32) % 3 });
    }
    draft.finish()
}

fn a4(seed: u64) -> RunPlan {
    let mut draft = Draft::script("a4_replay_beside_the_frontier", seed, [0, 1, 2, 0], [0, 1]);
    draft.plan().cluster.standbys = 0;
    draft.plan().cluster.snapshot_ms = 9_000;
    for (step, range) in [0, 1, 2, 3].into_iter().enumerate() {
        draft.at(7_000 + 4_000 * step as u32, FaultKind::Move { range, to: (range + 2) % 3 });
    }
    let crash = draft.about(12_000, "crash");
    draft.at(crash, FaultKind::Crash { node: 2, for_ms: 2_000 });
    draft.finish()
}

fn a5(seed: u64) -> RunPlan {
    let mut draft = Draft::script("a5_reader_begins_anew", seed, [0, 1, 2, 0], [0, 1]);
    draft.plan().workload.odd = 30;
    for (step, node) in [1, 2, 0, 1].into_iter().enumerate() {
        let at = 6_000 + 4_000 * step as u32;
        draft.at(at, FaultKind::ReaderTo { partition: 0, node });
        draft.at(at + 1_000, FaultKind::ReaderTo { partition: 1, node });
    }
    draft.finish()
}

/// Heartbeats to the readers are lost, so that their map stays as it was.
fn a6(seed: u64) -> RunPlan {
    let mut draft = Draft::script("a6_reader_believes_a_map", seed, [0, 1, 2, 0], [0, 1]);
    for (step, range) in [1, 2, 3].into_iter().enumerate() {
        draft.at(6_000 + 5_000 * step as u32, FaultKind::Move { range, to: (range + 1) % 3 });
    }
    draft.finish()
}

fn gaps(seed: u64) -> RunPlan {
    let mut draft = Draft::script("gaps_and_duplicates", seed, [0, 1, 2, 0], [0, 1]);
    let weather = NetWeather { loss: 150, duplicate: 150, reorder: 200, delay_ms: 200 };
    draft.at(5_000, FaultKind::Net { weather, for_ms: 15_000 });
    draft.finish()
}
