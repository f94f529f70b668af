//! What windows cost, each beside a loop that does only what must be done. CPU time, the median of several runs. Knows no
//! command line.
//!
//! ```text
//! read         six windows x five statistics over a full ladder, beside merging as many words
//! measures     thirty distinct measures of an event, beside three
//! expressions  an expression of a row, beside the same written in Rust
//! ```

mod expressions;
mod measures;
mod read;

use std::time::Duration;

use featuregrid_protocol::definition::Mistakes;

use super::cpu;

/// Runs of each loop; odd, so that one is in the middle.
const RUNS: usize = 5;

/// A figure and the limit of the same run.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its name.
    pub case: &'static str,
    /// What was done.
    pub workload: String,
    /// What it cost, in [`Case::UNIT`].
    pub value: f64,
    /// What the limit cost.
    pub limit: f64,
}

impl Case {
    /// Of both figures.
    pub const UNIT: &str = "cpu ns";
}

/// Every case; `scale` in thousandths makes them shorter.
///
/// # Errors
/// Never, unless definitions of this module and this release disagree.
pub fn windows(scale: u64) -> Result<Vec<Case>, Mistakes> {
    let mut cases = vec![read::case(scale)?, measures::case(scale)?];
    cases.extend(expressions::cases(scale));
    Ok(cases)
}

/// CPU nanoseconds for one of `count`, of the run in the middle. What `prepare` makes is not counted.
fn median<T>(count: u64, mut prepare: impl FnMut() -> T, mut run: impl FnMut(T)) -> f64 {
    let mut runs: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let prepared = prepare();
            let before = cpu::used();
            run(prepared);
            cpu::used() - before
        })
        .collect();
    runs.sort_unstable();
    runs[RUNS / 2].as_nanos() as f64 / count.max(1) as f64
}

/// So many thousandths of a number, at least one.
fn scaled(number: u64, scale: u64) -> u64 {
    (number * scale / 1_000).max(1)
}

#[cfg(test)]
mod tests {
    //! Every case runs and has its limit.
    use super::*;

    #[test]
    fn every_case_has_a_limit() {
        let cases = windows(1).unwrap();
        let names: Vec<&str> = cases.iter().map(|case| case.case).collect();
        assert_eq!(names, ["read", "measures", "filter", "arithmetic", "buckets"]);
    }
}
