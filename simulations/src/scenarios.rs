//! Named scenarios: each expands a seed to an explicit plan. Knows no world; a plan says everything.
//!
//! [`random`] draws faults from the seed. The others are scripted, one for each trace of PROTOCOLS.md and for each
//! further planted bug: the seed varies only what the trace does not depend on.

mod activation;
mod feed;
mod ownership;
pub mod random;
mod script;
mod values;

use featuregrid_protocol::plants::Plant;

use crate::plan::{Cluster, Fault, FaultKind, RunPlan, Workload};
use crate::random::Random;

/// One scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line for `sim list`.
    pub about: &'static str,
    /// The planted bugs it must catch.
    pub plants: &'static [Plant],
    /// A seed's plan.
    pub expand: fn(u64) -> RunPlan,
}

/// Every scenario, random ones first.
#[must_use]
pub fn all() -> Vec<Scenario> {
    [random::ALL, feed::ALL, activation::ALL, ownership::ALL, values::ALL].concat()
}

/// The scenario of this name.
#[must_use]
pub fn find(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}

/// The scenario that must catch `plant`.
#[must_use]
pub fn of_plant(plant: Plant) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.plants.contains(&plant))
}

/// The random scenario that a bare seed means.
#[must_use]
pub fn random_of(seed: u64) -> Scenario {
    random::ALL[(seed % random::ALL.len() as u64) as usize]
}

/// What `all` runs for a seed: random and scripted ones in turn.
#[must_use]
pub fn of_seed(seed: u64) -> Scenario {
    let all = all();
    let scripted = &all[random::ALL.len()..];
    if seed.is_multiple_of(2) || scripted.is_empty() {
        random_of(seed / 2)
    } else {
        scripted[((seed / 2) % scripted.len() as u64) as usize]
    }
}

/// A plan in the making.
#[derive(Debug)]
pub struct Draft {
    plan: RunPlan,
}

impl Draft {
    /// A healthy grid whose knobs vary with the seed.
    #[must_use]
    pub fn new(scenario: &'static str, seed: u64) -> Self {
        let mut random = Random::new(seed).fork(scenario).fork("shape");
        let cluster = Cluster {
            nodes: random.between(3, 4) as u32,
            spare_nodes: 0,
            partitions: random.between(2, 4) as u32,
            ranges: 8,
            standbys: random.between(0, 2) as u32,
            clock_ppm: Vec::new(),
            turn_ms: *random.pick(&[10, 20, 30]).unwrap_or(&20),
            fetch_records: *random.pick(&[4, 32, 500]).unwrap_or(&32),
            snapshot_ms: *random.pick(&[1_500, 4_000, 9_000]).unwrap_or(&4_000),
            suspect_ms: *random.pick(&[700, 1_500]).unwrap_or(&1_500),
        };
        let workload = Workload {
            events_per_s: random.between(55, 120) as u32,
            reads_per_s: random.between(22, 40) as u32,
            keys: *random.pick(&[12, 60, 200]).unwrap_or(&60),
            disorder_ms: random.between(0, 1_400) as u32,
            odd: random.between(2, 25) as u32,
            holes: random.between(0, 120) as u32,
            repeats: Random::new(seed).fork(scenario).fork("repeats").between(0, 40) as u32,
            leaps: Random::new(seed).fork(scenario).fork("leaps").between(0, 2) as u32,
        };
        let safety_ms = random.between(35_000, 60_000) as u32;
        let plan = RunPlan {
            scenario: scenario.to_owned(),
            seed,
            cluster,
            workload,
            safety_ms,
            liveness_ms: 30_000,
            faults: Vec::new(),
        };
        Self { plan }
    }

    /// A stream for the scenario's own draws.
    #[must_use]
    pub fn random(&self, consumer: &str) -> Random {
        Random::new(self.plan.seed).fork(&self.plan.scenario).fork(consumer)
    }

    /// Adds a fault.
    pub fn at(&mut self, at_ms: u32, kind: FaultKind) {
        self.plan.faults.push(Fault { at_ms, kind });
    }

    /// One more node that does not start with the run.
    pub fn spare(&mut self) -> u32 {
        self.plan.cluster.spare_nodes += 1;
        self.plan.cluster.nodes + self.plan.cluster.spare_nodes - 1
    }

    /// Nodes that start with the run.
    #[must_use]
    pub fn nodes(&self) -> u32 {
        self.plan.cluster.nodes
    }

    /// Ranges of the key space.
    #[must_use]
    pub fn ranges(&self) -> u32 {
        self.plan.cluster.ranges
    }

    /// Source partitions at genesis.
    #[must_use]
    pub fn partitions(&self) -> u32 {
        self.plan.cluster.partitions
    }

    /// Length of the phase with faults.
    #[must_use]
    pub fn safety_ms(&self) -> u32 {
        self.plan.safety_ms
    }

    /// The plan, for what a script pins.
    pub fn plan(&mut self) -> &mut RunPlan {
        &mut self.plan
    }

    /// The plan with its faults in order of time.
    #[must_use]
    pub fn finish(mut self) -> RunPlan {
        self.plan.faults.sort_by_key(|fault| fault.at_ms);
        self.plan
    }
}
