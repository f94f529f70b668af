//! The bystander: shows facts to every invariant, counts marks, keeps the trace and its hash. The first violation ends
//! a run.

use std::fmt::Write as _;

use xxhash_rust::xxh3::Xxh3;

use super::heap::Micros;
use crate::invariants::{self, Fact, Invariant};
use crate::report::{RunReport, Violation};

/// What a run has shown so far.
pub struct Watch<'t> {
    /// The report in the making.
    pub report: RunReport,
    invariants: Vec<Box<dyn Invariant>>,
    hasher: Xxh3,
    trace: Option<&'t mut String>,
}

impl<'t> Watch<'t> {
    /// A fresh bystander; `trace` takes a line per event.
    #[must_use]
    pub fn new(trace: Option<&'t mut String>) -> Self {
        Self { report: RunReport::default(), invariants: invariants::all(), hasher: Xxh3::new(), trace }
    }

    /// A place was reached.
    pub fn mark(&mut self, name: &'static str) {
        self.mark_many(name, 1);
    }

    /// A place was reached so many times.
    pub fn mark_many(&mut self, name: &'static str, times: u64) {
        if times > 0 {
            *self.report.marks.entry(name).or_default() += times;
        }
    }

    /// Shows a fact to every invariant.
    pub fn observe(&mut self, at: Micros, fact: &Fact<'_>) {
        if self.report.violation.is_some() {
            return;
        }
        for invariant in &mut self.invariants {
            if let Err(found) = invariant.observe(at, fact) {
                match fact {
                    Fact::Read { .. } => self.report.differing += 1,
                    Fact::State { rows, .. } => {
                        self.report.rows_lost +=
                            rows.iter().map(|(_, here, oracle)| here.abs_diff(*oracle)).sum::<u64>();
                    }
                    _ => {}
                }
                self.report.violation =
                    Some(Violation { invariant: invariant.name(), at_ms: (at / 1_000) as u64, found });
                return;
            }
        }
    }

    /// Something happened: part of the trace's hash, and a line of the trace if one is kept.
    pub fn note(&mut self, at: Micros, node: u32, kind: &'static str, detail: u64, text: impl FnOnce() -> String) {
        let mut bytes = [0u8; 20];
        bytes[..8].copy_from_slice(&at.to_le_bytes());
        bytes[8..12].copy_from_slice(&node.to_le_bytes());
        bytes[12..].copy_from_slice(&detail.to_le_bytes());
        self.hasher.update(&bytes);
        self.hasher.update(kind.as_bytes());
        if let Some(trace) = self.trace.as_deref_mut() {
            let _ = writeln!(trace, "{:>10.3} n{node} {kind} {}", at as f64 / 1_000.0, text());
        }
    }

    /// Whether an invariant broke.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.report.violation.is_some()
    }

    /// The report, with the trace's hash.
    #[must_use]
    pub fn finish(mut self) -> RunReport {
        self.report.trace_hash = self.hasher.digest();
        self.report
    }
}
