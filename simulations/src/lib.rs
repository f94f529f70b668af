//! A deterministic world in which the product's own decisions run under faults. Knows no real clock, socket or disk.
//!
//! ```text
//! seed -> scenario -> plan (JSON) -> world: heap, log, store, net, clocks, nodes -> facts -> invariants -> report
//! ```
//! Reading order: [`plan`], [`scenarios`], [`world`], [`invariants`], [`report`], [`cli`]. [`workload`] makes the records of
//! the ingest figures, [`served`] what training sets are compared with, [`windows`] random definitions and what they answer.

pub mod random;
pub mod plan;
pub mod scenarios;
pub mod world;
pub mod invariants;
pub mod report;
pub mod cli;
pub mod workload;
pub mod served;
pub mod windows;
