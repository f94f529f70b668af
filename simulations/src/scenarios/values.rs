//! What values depend on: windows, edges, ties, lateness, rounding, snapshots. No node fails here.

use featuregrid_protocol::plants::Plant;

use super::{Draft, Scenario};
use crate::plan::{FaultKind, RunPlan};

/// One scenario per rule of meaning.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "tail_edges",
        about: "reads on the tail edges of windows",
        plants: &[Plant::TailOffByOne, Plant::ExactNotCut],
        expand: tails,
    },
    Scenario {
        name: "head_edges",
        about: "reads at the very instants of events",
        plants: &[Plant::HeadInclusive, Plant::CurrentIncluded],
        expand: heads,
    },
    Scenario {
        name: "slow_and_fast_clocks",
        about: "nodes whose clocks differ answer alike",
        plants: &[Plant::TFromWallClock],
        expand: clocks,
    },
    Scenario { name: "late_records", about: "many records are late", plants: &[Plant::LateMovesPrefix], expand: late },
    Scenario {
        name: "frequent_snapshots",
        about: "states are made durable often, and restored",
        plants: &[Plant::TornSnapshot],
        expand: snapshots,
    },
    Scenario {
        name: "coarse_tiles",
        about: "old tiles are folded into coarser ones",
        plants: &[Plant::FoldWrongHop],
        expand: tiles,
    },
    Scenario { name: "ties", about: "one hot key, much disorder", plants: &[Plant::RawByArrival], expand: ties },
    Scenario {
        name: "retries",
        about: "producers send records again, and use event ids again",
        plants: &[Plant::IdKeptTooShort, Plant::IdKeptByArrival],
        expand: retries,
    },
    Scenario { name: "half_cents", about: "amounts that round", plants: &[Plant::RoundHalfUp], expand: halves },
];

fn calm(name: &'static str, seed: u64) -> Draft {
    let mut draft = Draft::script(name, seed, [0, 1, 2, 0], [0, 1]);
    let workload = &mut draft.plan().workload;
    (workload.reads_per_s, workload.keys) = (40, 12);
    draft
}

fn tails(seed: u64) -> RunPlan {
    calm("tail_edges", seed).finish()
}

fn heads(seed: u64) -> RunPlan {
    let mut draft = calm("head_edges", seed);
    draft.plan().workload.disorder_ms = 300;
    draft.plan().workload.events_per_s = 110;
    draft.finish()
}

fn clocks(seed: u64) -> RunPlan {
    let mut draft = calm("slow_and_fast_clocks", seed);
    draft.plan().cluster.clock_ppm = vec![50_000, 0, -50_000];
    draft.finish()
}

fn late(seed: u64) -> RunPlan {
    let mut draft = calm("late_records", seed);
    draft.plan().workload.odd = 60;
    draft.finish()
}

fn snapshots(seed: u64) -> RunPlan {
    let mut draft = calm("frequent_snapshots", seed);
    draft.plan().cluster.snapshot_ms = 1_000;
    for (step, range) in [0, 1, 2].into_iter().enumerate() {
        draft.at(7_000 + 5_000 * step as u32, FaultKind::Move { range, to: (range + 1) % 3 });
    }
    draft.finish()
}

fn tiles(seed: u64) -> RunPlan {
    let mut draft = calm("coarse_tiles", seed);
    draft.plan().safety_ms = 45_000;
    draft.finish()
}

fn ties(seed: u64) -> RunPlan {
    let mut draft = calm("ties", seed);
    (draft.plan().workload.keys, draft.plan().workload.disorder_ms) = (2, 1_400);
    draft.finish()
}

fn retries(seed: u64) -> RunPlan {
    let mut draft = calm("retries", seed);
    (draft.plan().workload.repeats, draft.plan().workload.leaps) = (200, 20);
    draft.plan().workload.disorder_ms = 600;
    for (step, range) in [0, 1, 2].into_iter().enumerate() {
        draft.at(7_000 + 5_000 * step as u32, FaultKind::Move { range, to: (range + 1) % 3 });
    }
    draft.finish()
}

fn halves(seed: u64) -> RunPlan {
    calm("half_cents", seed).finish()
}
