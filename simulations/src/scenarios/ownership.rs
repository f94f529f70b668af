//! The traces of protocol C: who owns a range.

use featuregrid_protocol::plants::Plant;

use super::{Draft, Scenario};
use crate::plan::{FaultKind, RunPlan};
use crate::world::net::{MessageClass, NetTreat};
use crate::world::store::{StoreTreat, WriteClass};

/// One scenario per trace.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "c1_unknown_release",
        about: "a release answers nothing and lands later",
        plants: &[Plant::C1UnknownRelease],
        expand: c1,
    },
    Scenario {
        name: "c2_unknown_commit",
        about: "a commit answers nothing and lands later, while garbage is collected",
        plants: &[Plant::C2PartsDeleted],
        expand: c2,
    },
    Scenario {
        name: "c3_first_delta",
        about: "a standby that has folded for long is promoted, and its first delta is all that is restored",
        plants: &[Plant::C3DirtySincePromotion],
        expand: c3,
    },
    Scenario {
        name: "c7_standby_behind",
        about: "a standby that is behind its owner's manifest is promoted",
        plants: &[Plant::C7VRegresses],
        expand: c7,
    },
    Scenario {
        name: "c8_clocks_apart",
        about: "the holder's clock is slow, the successor's fast, and the holder is cut off",
        plants: &[Plant::C8EqualClocks],
        expand: c8,
    },
    Scenario {
        name: "c9_restart_within_lease",
        about: "a process restarts while its predecessor's lease is still active",
        plants: &[Plant::C9OldIncarnation],
        expand: c9,
    },
    Scenario {
        name: "rival_claims",
        about: "two survivors that do not see each other claim the same ranges",
        plants: &[Plant::LostTakenAsRetry],
        expand: rivals,
    },
    Scenario {
        name: "takeover_of_the_living",
        about: "an owner is held to be dead while it acts",
        plants: &[Plant::ClaimWithoutWaiting],
        expand: takeover,
    },
];

fn c1(seed: u64) -> RunPlan {
    let mut draft = Draft::script("c1_unknown_release", seed, [0, 1, 2, 0], [0, 1]);
    draft.write(7_000, None, WriteClass::Release, 2, StoreTreat::UnknownLandsMs(1_600));
    let at = draft.about(8_000, "move");
    // Nobody wants the move any more when its outcome shows.
    for (range, from, to, at) in [(0, 0, 1, at), (2, 2, 0, at + 6_000)] {
        draft.at(at, FaultKind::Move { range, to });
        draft.at(at + 600, FaultKind::Move { range, to: from });
    }
    draft.finish()
}

fn c2(seed: u64) -> RunPlan {
    let mut draft = Draft::script("c2_unknown_commit", seed, [0, 1, 2, 0], [0, 1]);
    draft.plan().cluster.snapshot_ms = 1_200;
    for at in [7_000, 12_000] {
        let at = draft.about(at, "commit");
        draft.write(at, None, WriteClass::Commit, 6, StoreTreat::UnknownLandsMs(1_700));
    }
    draft.finish()
}

/// Owners die while their standbys are level; their successors commit, and die too.
fn c3(seed: u64) -> RunPlan {
    let mut draft = Draft::script("c3_first_delta", seed, [1, 1, 1, 1], [0, 2]);
    draft.plan().cluster.snapshot_ms = 2_500;
    let crash = draft.about(9_000, "crash");
    draft.at(crash, FaultKind::Crash { node: 1, for_ms: 14_000 });
    draft.at(crash + 9_000, FaultKind::Crash { node: 0, for_ms: 3_000 });
    draft.finish()
}

/// Frames reach only node 1, which commits and dies; its standbys are promoted far behind.
fn c7(seed: u64) -> RunPlan {
    let mut draft = Draft::script("c7_standby_behind", seed, [1, 1, 1, 1], [1, 1]);
    draft.plan().cluster.snapshot_ms = 1_500;
    for node in [0, 2] {
        draft.to(7_000, 10_500, MessageClass::Frame, node, NetTreat::Drop);
    }
    let crash = draft.about(10_200, "crash");
    draft.at(crash, FaultKind::Crash { node: 1, for_ms: 10_000 });
    draft.finish()
}

/// Node 1 is silent, so its lease is watched; then it cannot renew. When it is cut off differs from seed to seed.
fn c8(seed: u64) -> RunPlan {
    let mut draft = Draft::script("c8_clocks_apart", seed, [1, 1, 1, 1], [0, 2]);
    let cluster = &mut draft.plan().cluster;
    cluster.clock_ppm = vec![50_000, -50_000, 50_000];
    (cluster.turn_ms, cluster.suspect_ms) = (10, 1_500);
    for (round, begins) in [7_000, 17_000].into_iter().enumerate() {
        draft.from(begins, 7_000, MessageClass::Heartbeat, 1, NetTreat::Drop);
        let cut = begins + 1_500 + (seed as u32 * 97 + round as u32 * 211) % 700;
        draft.at(cut, FaultKind::StoreCut { node: 1, for_ms: 5_000 });
    }
    draft.finish()
}

fn c9(seed: u64) -> RunPlan {
    let mut draft = Draft::script("c9_restart_within_lease", seed, [0, 1, 2, 1], [0, 2]);
    let crash = draft.about(8_000, "crash");
    draft.at(crash, FaultKind::Crash { node: 1, for_ms: 200 });
    draft.at(crash + 8_000, FaultKind::Crash { node: 0, for_ms: 400 });
    draft.finish()
}

/// The survivors of node 1 each believe to be the only ones.
fn rivals(seed: u64) -> RunPlan {
    let mut draft = Draft::script("rival_claims", seed, [1, 1, 1, 1], [0, 2]);
    let crash = draft.about(8_000, "crash");
    draft.at(crash, FaultKind::Crash { node: 1, for_ms: 9_000 });
    draft.apart(crash, 10_000, 0, 2);
    // Both claim at nearly the same moment; slow writes make the moments overlap.
    draft.write(crash, None, WriteClass::Claim, 200, StoreTreat::DelayMs(500));
    draft.finish()
}

/// Heartbeats of node 1 are lost while everything else of it works.
fn takeover(seed: u64) -> RunPlan {
    let mut draft = Draft::script("takeover_of_the_living", seed, [1, 1, 1, 1], [0, 2]);
    draft.plan().cluster.turn_ms = 10;
    let at = draft.about(7_000, "silence");
    draft.from(at, 8_000, MessageClass::Heartbeat, 1, NetTreat::Drop);
    // Its renewals take long, so that it learns late that it was fenced.
    draft.write(at, Some(1), WriteClass::Lease, 200, StoreTreat::DelayMs(400));
    draft.finish()
}
