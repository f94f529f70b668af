//! Scenarios drawn from the seed: each seed takes a random subset of a scenario's kinds of fault (swarm), so that rare
//! combinations and long quiet stretches both occur.

use super::{Draft, Scenario};
use crate::plan::{FaultKind, RunPlan};
use crate::random::Random;
use crate::world::net::{MessageClass, NetRule, NetTreat, NetWeather};
use crate::world::store::{StoreRule, StoreTreat, StoreWeather, WriteClass};

/// Every random scenario, gentlest first.
pub const ALL: &[Scenario] = &[
    Scenario { name: "steady", about: "no fault at all", plants: &[], expand: steady },
    Scenario { name: "crash_loop", about: "nodes die, forget and return", plants: &[], expand: crash_loop },
    Scenario {
        name: "zombies",
        about: "nodes stand still and wake after their ranges moved",
        plants: &[],
        expand: zombies,
    },
    Scenario {
        name: "store_brownout",
        about: "unknown outcomes, 409, delays, outages",
        plants: &[],
        expand: store_brownout,
    },
    Scenario { name: "lossy_net", about: "loss, duplicates, reordering, one-way cuts", plants: &[], expand: lossy_net },
    Scenario {
        name: "moves_and_joins",
        about: "ranges move under load, nodes join",
        plants: &[],
        expand: moves_and_joins,
    },
    Scenario {
        name: "definitions_under_load",
        about: "definitions change while everything runs",
        plants: &[],
        expand: definitions_under_load,
    },
    Scenario { name: "everything", about: "all of it at once", plants: &[], expand: everything },
];

/// Writes that are singled out; releases twice, because a lost one costs most.
const WRITES: [WriteClass; 8] = [
    WriteClass::Release,
    WriteClass::Release,
    WriteClass::Claim,
    WriteClass::Commit,
    WriteClass::Lease,
    WriteClass::Fence,
    WriteClass::Entry,
    WriteClass::Decision,
];

/// A kind of fault a seed may take.
#[derive(Clone, Copy)]
enum Kind {
    Crash,
    Suspend,
    Freeze,
    Clocks,
    Weather,
    Cut,
    Unknown,
    Outage,
    StoreCut,
    Quiet,
    Apply,
    Move,
    Join,
    Log,
    Readers,
    LoneLeader,
    Sleeper,
    Write,
}

fn steady(seed: u64) -> RunPlan {
    Draft::new("steady", seed).finish()
}

fn crash_loop(seed: u64) -> RunPlan {
    swarm("crash_loop", seed, &[Kind::Crash, Kind::Suspend, Kind::Readers], &[Kind::Clocks, Kind::Log, Kind::Apply])
}

fn zombies(seed: u64) -> RunPlan {
    swarm(
        "zombies",
        seed,
        &[Kind::Freeze, Kind::Freeze],
        &[Kind::Sleeper, Kind::Quiet, Kind::StoreCut, Kind::Clocks, Kind::Apply, Kind::Cut, Kind::Move],
    )
}

fn store_brownout(seed: u64) -> RunPlan {
    swarm("store_brownout", seed, &[Kind::Unknown, Kind::Outage], &[Kind::Write, Kind::Crash, Kind::Move, Kind::Apply])
}

fn lossy_net(seed: u64) -> RunPlan {
    swarm("lossy_net", seed, &[Kind::Weather, Kind::Cut], &[Kind::Readers, Kind::Move, Kind::Log])
}

fn moves_and_joins(seed: u64) -> RunPlan {
    swarm(
        "moves_and_joins",
        seed,
        &[Kind::Move, Kind::Move, Kind::Write, Kind::Join],
        &[Kind::Weather, Kind::Readers, Kind::Crash],
    )
}

fn definitions_under_load(seed: u64) -> RunPlan {
    swarm(
        "definitions_under_load",
        seed,
        &[Kind::Apply, Kind::Apply],
        &[
            Kind::LoneLeader,
            Kind::Sleeper,
            Kind::Crash,
            Kind::Weather,
            Kind::Log,
            Kind::Move,
            Kind::Freeze,
            Kind::Quiet,
        ],
    )
}

fn everything(seed: u64) -> RunPlan {
    use Kind::{
        Apply, Clocks, Crash, Cut, Freeze, Join, Log, Move, Outage, Quiet, Readers, StoreCut, Suspend, Unknown,
        Weather, Write,
    };
    let all = &[
        Crash, Suspend, Freeze, Clocks, Weather, Cut, Unknown, Outage, Apply, Move, Join, Log, Readers, StoreCut,
        Quiet, Write,
    ];
    swarm("everything", seed, &[], all)
}

/// Takes every kind of `always` and each of `sometimes` with even odds.
fn swarm(name: &'static str, seed: u64, always: &[Kind], sometimes: &[Kind]) -> RunPlan {
    let mut draft = Draft::new(name, seed);
    let mut random = draft.random("swarm");
    for kind in always {
        strew(&mut draft, &mut random, *kind);
    }
    for kind in sometimes {
        if random.chance(500) {
            strew(&mut draft, &mut random, *kind);
        }
    }
    draft.finish()
}

/// Strews faults of one kind over the run.
fn strew(draft: &mut Draft, random: &mut Random, kind: Kind) {
    let times = match kind {
        Kind::Clocks | Kind::Join | Kind::LoneLeader | Kind::Sleeper => 1,
        Kind::Outage => random.between(1, 2),
        Kind::Apply => random.between(1, 3),
        Kind::Move => random.between(3, 9),
        _ => random.between(1, 4),
    };
    for _ in 0..times {
        let at = random.between(2_000, i64::from(draft.safety_ms()) - 4_000) as u32;
        let node = random.below(u64::from(draft.nodes())) as u32;
        let for_ms = random.between(300, 9_000) as u32;
        match kind {
            Kind::Crash => draft.at(at, FaultKind::Crash { node, for_ms }),
            Kind::Suspend => draft.at(at, FaultKind::Suspend { node, for_ms }),
            Kind::Freeze => draft.at(at, FaultKind::Freeze { node, for_ms }),
            Kind::Clocks => {
                for node in 0..draft.nodes() {
                    draft.at(0, FaultKind::ClockRate { node, ppm: random.between(-50_000, 50_000) as i32 });
                }
            }
            Kind::Weather => {
                let weather = NetWeather {
                    loss: random.below(150) as u32,
                    duplicate: random.below(150) as u32,
                    reorder: random.below(300) as u32,
                    delay_ms: random.between(1, 600) as u32,
                };
                draft.at(at, FaultKind::Net { weather, for_ms: for_ms * 2 });
            }
            Kind::Cut => {
                let to = (node + 1 + random.below(u64::from(draft.nodes() - 1)) as u32) % draft.nodes();
                draft.at(at, FaultKind::Cut { from: node, to, for_ms });
                if random.chance(500) {
                    draft.at(at, FaultKind::Cut { from: to, to: node, for_ms });
                }
            }
            Kind::Unknown => {
                let weather = StoreWeather {
                    outage: false,
                    unknown_applied: random.below(250) as u32,
                    unknown_lost: random.below(250) as u32,
                    conflict: random.below(150) as u32,
                    slow: random.below(400) as u32,
                    delay_ms: random.between(1, 1_200) as u32,
                };
                draft.at(at, FaultKind::Store { weather, for_ms: for_ms * 2 });
            }
            Kind::Outage => {
                let weather = StoreWeather { outage: true, ..StoreWeather::default() };
                draft.at(at, FaultKind::Store { weather, for_ms: for_ms.min(6_000) });
            }
            Kind::StoreCut => draft.at(at, FaultKind::StoreCut { node, for_ms }),
            Kind::Quiet => draft.at(at, FaultKind::Quiet { for_ms: for_ms / 3 }),
            Kind::Apply => draft.at(at, FaultKind::Apply { node }),
            Kind::Move => {
                let range = random.below(u64::from(draft.ranges())) as u32;
                draft.at(at, FaultKind::Move { range, to: node });
                if random.chance(400) {
                    // Somebody changes their mind while it moves.
                    let to = random.below(u64::from(draft.nodes())) as u32;
                    draft.at(at + random.between(200, 1_500) as u32, FaultKind::Move { range, to });
                }
            }
            Kind::Join => {
                let node = draft.spare();
                draft.at(at, FaultKind::Join { node });
            }
            Kind::Log => match random.below(4) {
                0 => draft.at(at, FaultKind::AddPartition),
                1 => draft.at(at, FaultKind::Retention),
                2 => draft.at(at, FaultKind::LeaderChange { partition: random.below(2) as u32 }),
                _ => draft.at(at, FaultKind::FetchStall { node, partition: random.below(2) as u32, for_ms }),
            },
            Kind::LoneLeader => lone_leader(draft, random, node),
            Kind::Sleeper => sleeper(draft, random, node),
            Kind::Write => {
                let class = random.pick(&WRITES).copied().unwrap_or(WriteClass::Release);
                let treat = match random.below(4) {
                    0 => StoreTreat::UnknownLost,
                    1 => StoreTreat::Conflict,
                    _ => StoreTreat::UnknownLandsMs(random.between(100, 3_000) as u32),
                };
                let rule = StoreRule { node: None, class, skip: 0, count: random.between(1, 4) as u32, treat };
                draft.at(at, FaultKind::Write { rule, for_ms: 20_000 });
            }
            Kind::Readers => draft.at(at, FaultKind::ReaderTo { partition: random.below(2) as u32, node }),
        }
    }
}

/// One node alone gets rows, makes them durable, and dies; definitions change while the others are behind, and somebody
/// restores what it left.
fn lone_leader(draft: &mut Draft, random: &mut Random, leader: u32) {
    let at = random.between(5_000, i64::from(draft.safety_ms()) - 16_000) as u32;
    let for_ms = random.between(8_000, 13_000) as u32;
    for node in (0..draft.nodes()).filter(|node| *node != leader) {
        let rule = NetRule {
            from: None,
            to: Some(node),
            class: Some(MessageClass::Frame),
            skip: 0,
            count: u32::MAX,
            treat: NetTreat::Drop,
        };
        draft.at(at, FaultKind::Message { rule, for_ms });
        for partition in 0..draft.partitions() {
            draft.at(at, FaultKind::FetchStall { node, partition, for_ms });
            draft.at(at.saturating_sub(2_000), FaultKind::ReaderTo { partition, node: leader });
        }
    }
    let crash = at + random.between(1_500, 4_000) as u32;
    draft.at(crash, FaultKind::Crash { node: leader, for_ms: random.between(500, 15_000) as u32 });
    let other = (leader + 1) % draft.nodes();
    draft.at(crash + random.between(4_500, 7_000) as u32, FaultKind::Apply { node: other });
    let late = crash + random.between(6_000, 9_500) as u32;
    if random.chance(500) {
        draft.at(late, FaultKind::Crash { node: other, for_ms: 300 });
    } else {
        let node = draft.spare();
        draft.at(late, FaultKind::Join { node });
    }
}

/// A reader stands still while the log is quiet and definitions change, and wakes when records come.
fn sleeper(draft: &mut Draft, random: &mut Random, node: u32) {
    let at = random.between(5_000, i64::from(draft.safety_ms()) - 12_000) as u32;
    let sleep = random.between(6_000, 9_000) as u32;
    for partition in 0..draft.partitions() {
        draft.at(at.saturating_sub(2_000), FaultKind::ReaderTo { partition, node });
    }
    for range in 0..draft.ranges() {
        let to = (node + 1 + random.below(u64::from(draft.nodes() - 1)) as u32) % draft.nodes();
        draft.at(at.saturating_sub(4_000), FaultKind::Move { range, to });
    }
    draft.at(at.saturating_sub(800), FaultKind::Quiet { for_ms: sleep + 700 });
    draft.at(at, FaultKind::Freeze { node, for_ms: sleep });
    draft.at(at + random.between(2_800, 5_000) as u32, FaultKind::Apply { node: (node + 1) % draft.nodes() });
    for other in (0..draft.nodes()).filter(|other| *other != node) {
        for partition in 0..draft.partitions() {
            draft.at(at + sleep - 200, FaultKind::FetchStall { node: other, partition, for_ms: 600 });
        }
    }
}
