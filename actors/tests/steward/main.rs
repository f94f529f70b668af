//! Stewards of a few nodes over a store that answers late, wrongly or not at all, with clocks that run at different rates,
//! nodes that stall, die and come back: random worlds keep the invariants, and each rule that is switched off breaks them.

#![expect(clippy::unwrap_used, reason = "a test stops where its world is damaged")]

mod dice;
mod node;
mod store;
mod world;

use std::sync::{Mutex, PoisonError};

use world::{Figures, World};

/// A plant is chosen for the whole process: one world at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn run(seed: u64) -> (Figures, Vec<String>) {
    let mut world = World::new(seed);
    world.run();
    (world.figures, world.violations)
}

#[test]
fn random_worlds_keep_the_invariants() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut total = Figures::default();
    let seeds = option_env!("SEEDS").and_then(|seeds| seeds.parse().ok()).unwrap_or(45);
    for seed in 0..seeds {
        let (figures, violations) = run(seed);
        assert_eq!(violations, Vec::<String>::new(), "seed {seed}");
        total.add(&figures);
    }
    println!("{total:?}");
    // A run that did nothing proves nothing.
    assert!(total.did_everything(), "{total:?}");
}

#[cfg(feature = "plants")]
#[test]
fn rules_that_are_switched_off_are_missed() {
    use featuregrid_protocol::plants::{Plant, choose};
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let plants = [
        Plant::B1HoldTimesOut,
        Plant::B2ReportsLargest,
        Plant::B4JoinerIgnores,
        Plant::B5DeadOwnerAhead,
        Plant::B6NewPartition,
        Plant::B7NoRestore,
        Plant::B8OnlyCoordinatorAborts,
        Plant::B9WithoutPrevious,
        Plant::C1UnknownRelease,
        Plant::C7VRegresses,
        Plant::C8EqualClocks,
        Plant::C9OldIncarnation,
        Plant::LostTakenAsRetry,
        Plant::ClaimWithoutWaiting,
    ];
    let mut missed = Vec::new();
    for plant in plants {
        choose(Some(plant));
        let caught = (0..400).find_map(|seed| {
            // A wrong rule may also trip an assertion of the machines.
            let run = std::panic::catch_unwind(|| run(seed).1.into_iter().next());
            run.unwrap_or(Some("panicked".to_owned())).map(|violation| (seed, violation))
        });
        choose(None);
        match caught {
            Some((seed, violation)) => println!("{}: seed {seed}: {violation}", plant.name()),
            None => missed.push(plant.name()),
        }
    }
    assert_eq!(missed, Vec::<&str>::new());
}
