//! What a run or many runs came to: counts, marks and the trace's hash. Knows no invariant.

use std::collections::BTreeMap;

use serde::Serialize;

/// The first invariant that broke, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Its name.
    pub invariant: &'static str,
    /// Simulated milliseconds since the run began.
    pub at_ms: u64,
    /// What was found.
    pub found: String,
}

/// What one run came to.
#[derive(Clone, Debug, Default)]
pub struct RunReport {
    /// What broke, if anything.
    pub violation: Option<Violation>,
    /// Rows that an owner's state lacks or has twice, as counted by the accounting.
    pub rows_lost: u64,
    /// Readings that differ from the oracle's.
    pub differing: u64,
    /// Simulated milliseconds.
    pub simulated_ms: u64,
    /// Records appended to the log.
    pub events: u64,
    /// Reads answered and compared.
    pub reads: u64,
    /// Faults begun, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Places reached, by name.
    pub marks: BTreeMap<&'static str, u64>,
    /// Hash of everything that happened, in order.
    pub trace_hash: u64,
}

/// What many runs came to; the keys of `--report json`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Runs.
    pub seeds: u64,
    /// Runs in which an invariant broke.
    pub violations: u64,
    /// Sum over the runs.
    pub rows_lost: u64,
    /// Sum over the runs.
    pub differing: u64,
    /// Sum over the runs.
    pub simulated_hours: f64,
    /// Processor time of the runs, as wall time of busy threads.
    pub core_hours: f64,
    /// What happened per simulated time.
    pub density: Density,
    /// Faults begun, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Places reached, by name.
    pub marks: BTreeMap<&'static str, u64>,
    /// Hash over the runs' hashes in order of seed.
    pub trace_hash: String,
}

/// What happened per simulated time: a run below DESIGN 12's figures is idling.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Density {
    /// Records per second.
    pub events_per_s: f64,
    /// Compared reads per second.
    pub reads_per_s: f64,
    /// Faults per hour.
    pub faults_per_h: f64,
    /// Changes of a range's owner per hour.
    pub moves_per_h: f64,
}

/// Adds runs up, in order of seed.
#[derive(Debug, Default)]
pub struct Adder {
    summary: Summary,
    simulated_ms: u64,
    events: u64,
    reads: u64,
    hash: u64,
}

impl Adder {
    /// Counts one run.
    pub fn add(&mut self, run: &RunReport) {
        let summary = &mut self.summary;
        summary.seeds += 1;
        summary.violations += u64::from(run.violation.is_some());
        summary.rows_lost += run.rows_lost;
        summary.differing += run.differing;
        for (name, count) in &run.faults {
            *summary.faults.entry(name).or_default() += count;
        }
        for (name, count) in &run.marks {
            *summary.marks.entry(name).or_default() += count;
        }
        self.simulated_ms += run.simulated_ms;
        self.events += run.events;
        self.reads += run.reads;
        self.hash = xxhash_rust::xxh3::xxh3_64_with_seed(&run.trace_hash.to_le_bytes(), self.hash);
    }

    /// The sum.
    #[must_use]
    pub fn finish(mut self, core_seconds: f64) -> Summary {
        let hours = self.simulated_ms as f64 / 3_600_000.0;
        let per = |count: u64, time: f64| if time > 0.0 { (count as f64 / time * 100.0).round() / 100.0 } else { 0.0 };
        let moves = self.summary.marks.get("owner_changes").copied().unwrap_or(0);
        self.summary.density = Density {
            events_per_s: per(self.events, hours * 3_600.0),
            reads_per_s: per(self.reads, hours * 3_600.0),
            faults_per_h: per(self.summary.faults.values().sum(), hours),
            moves_per_h: per(moves, hours),
        };
        self.summary.simulated_hours = hours;
        self.summary.core_hours = core_seconds / 3_600.0;
        self.summary.trace_hash = format!("{:016x}", self.hash);
        self.summary
    }
}
