//! Scenarios drawn from the seed: each seed takes a random subset of a scenario's kinds of fault (swarm), so that rare
//! combinations and long quiet stretches both occur.

use super::{Draft, Scenario};
use crate::plan::{FaultKind, RunPlan};
use crate::random::Random;
use crate::world::net::NetWeather;
use crate::world::store::StoreWeather;

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
        &[Kind::Quiet, Kind::StoreCut, Kind::Clocks, Kind::Apply, Kind::Cut, Kind::Move],
    )
}

fn store_brownout(seed: u64) -> RunPlan {
    swarm("store_brownout", seed, &[Kind::Unknown, Kind::Outage], &[Kind::Crash, Kind::Move, Kind::Apply])
}

fn lossy_net(seed: u64) -> RunPlan {
    swarm("lossy_net", seed, &[Kind::Weather, Kind::Cut], &[Kind::Readers, Kind::Move, Kind::Log])
}

fn moves_and_joins(seed: u64) -> RunPlan {
    swarm(
        "moves_and_joins",
        seed,
        &[Kind::Move, Kind::Join],
        &[Kind::Weather, Kind::Readers, Kind::Crash, Kind::Unknown],
    )
}

fn definitions_under_load(seed: u64) -> RunPlan {
    swarm(
        "definitions_under_load",
        seed,
        &[Kind::Apply, Kind::Apply],
        &[Kind::Crash, Kind::Weather, Kind::Log, Kind::Move, Kind::Freeze, Kind::Quiet],
    )
}

fn everything(seed: u64) -> RunPlan {
    use Kind::{
        Apply, Clocks, Crash, Cut, Freeze, Join, Log, Move, Outage, Quiet, Readers, StoreCut, Suspend, Unknown, Weather,
    };
    let all = &[
        Crash, Suspend, Freeze, Clocks, Weather, Cut, Unknown, Outage, Apply, Move, Join, Log, Readers, StoreCut, Quiet,
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
        Kind::Clocks | Kind::Join => 1,
        Kind::Outage => random.between(1, 2),
        Kind::Apply => random.between(1, 3),
        Kind::Move => random.between(2, 6),
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
            Kind::Readers => draft.at(at, FaultKind::ReaderTo { partition: random.below(2) as u32, node }),
        }
    }
}
