//! Random definitions over random logs, the product's record path against the oracle, until enough values were compared.
//! Knows no network and no faults: the simulated world adds those.
//!
//! ```text
//! seed, number -> case: extent -> plans that follow one another, a log -> delivery: partitions ahead of others, changes of
//!                 definitions, state through its bytes -> reads at chosen instants -> the oracle's answers
//! ```
//! Reading order: [`log`] (with [`payloads`]), [`plans`], [`product`], [`case`], [`training`], [`tally`]; [`golden`] stands beside them. Every record's fate,
//! every partition's accounting and every value must be equal at any offsets and under every definitions.

pub mod log;
pub mod payloads;
pub mod plans;
pub mod product;
pub mod case;
pub mod training;
pub mod tally;
pub mod golden;
mod trace;

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

use case::{Case, Difference};
use tally::{Counted, Tally};

/// Cases that may differ before a run ends: more say the same.
const DIFFERING_CASES_MAX: usize = 20;
/// Every so many cases, training sets are asked for what was served too.
const TRAINED_EVERY: u64 = 16;

/// What a run came to; the keys of `--report json`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Of the run.
    pub seed: u64,
    /// How many cases there were.
    pub cases: u64,
    /// Values that were compared, where there was something to tell of at an instant that can be told of.
    pub compared: u64,
    /// Values that were compared and are not there: no row in the longest window, or an instant too far back.
    pub absent: u64,
    /// Of both, how many differ; anything else of a case's state that differs counts as one.
    pub differing: u64,
    /// Over everything drawn and read, in order: the same for every build.
    pub trace_hash: String,
    /// What was met.
    pub drawn: Tally,
    /// What differs.
    #[serde(skip)]
    pub differences: Vec<Difference>,
}

/// Runs the cases of a seed until so many values were compared, or too many cases differ.
#[must_use]
pub fn compare(seed: u64, values: u64) -> Report {
    let mut run = Run::new(seed);
    while run.counted.compared < values && run.differing_cases < DIFFERING_CASES_MAX {
        run.case(run.cases);
    }
    run.finish()
}

/// Runs one case of a seed alone.
#[must_use]
pub fn one(case: Case) -> Report {
    let mut run = Run::new(case.seed);
    run.case(case.number);
    run.finish()
}

/// What the product says must be what the oracle says.
///
/// # Errors
/// Both, where they differ.
pub fn agree<T: PartialEq + Debug>(got: T, want: T, context: impl FnOnce() -> String) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{}\n  got {got:?}\n want {want:?}", context())) }
}

struct Run {
    seed: u64,
    cases: u64,
    differing_cases: usize,
    counted: Counted,
    tally: Tally,
    hash: u64,
    differences: Vec<Difference>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let (counted, tally, differences) = Default::default();
        Self { seed, cases: 0, differing_cases: 0, counted, tally, hash: 0, differences }
    }

    fn case(&mut self, number: u64) {
        let case = Case { seed: self.seed, number };
        let (tally, counted) = (&mut self.tally, &mut self.counted);
        // A panic is a difference like any other.
        let run = catch_unwind(AssertUnwindSafe(|| {
            let (hash, mut differences) = case.run(tally, counted);
            if number % TRAINED_EVERY == TRAINED_EVERY - 1 {
                let mut trained = training::Tally::default();
                let checked = training::check(case, &mut trained);
                tally.trained(&trained);
                differences.extend(checked.err().map(|line| Difference { case, line }));
            }
            (hash, differences)
        }));
        let (hash, differences) = run.unwrap_or_else(|cause| {
            let text = cause.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("no message");
            (0, vec![Difference { case, line: format!("panic: {text}") }])
        });
        self.cases += 1;
        self.differing_cases += usize::from(!differences.is_empty());
        self.differences.extend(differences);
        self.hash = xxhash_rust::xxh3::xxh3_64_with_seed(&hash.to_le_bytes(), self.hash);
    }

    fn finish(mut self) -> Report {
        self.tally.read(&self.counted);
        Report {
            seed: self.seed,
            cases: self.cases,
            compared: self.counted.compared,
            absent: self.counted.absent,
            differing: self.differences.len() as u64,
            trace_hash: format!("{:016x}", self.hash),
            drawn: self.tally,
            differences: self.differences,
        }
    }
}
