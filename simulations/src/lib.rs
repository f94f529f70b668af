//! A deterministic world in which the product's own decisions run under faults. Knows no real clock, socket or disk.

pub mod random;
pub mod workload;
