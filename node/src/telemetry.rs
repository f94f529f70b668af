//! What a node says about itself: metrics for Prometheus, and log lines with spans. Knows no feature's value.
//!
//! ```text
//!   reader --per poll--> [PartitionMeter]   shard --per frame--> [stages, freshness]   request --> [reads, statuses]
//!                              \                   |                                     /
//!   status --at a scrape-->    [Metrics: one registry, handed to the parts] --> GET /metrics
//! ```
//!
//! Nothing here is counted record by record under a lock: readers add the accounting they keep anyway once per poll, and
//! what can be looked up is looked up at the scrape. [`names`] holds every name.

mod histogram;
pub mod http;
mod ingested;
pub mod logs;
pub mod metrics;
pub mod names;
mod sample;

pub use histogram::Histogram;
pub(crate) use ingested::CountedLetters;
pub use ingested::{PartitionMeter, Tally};
pub use metrics::{Cause, Ended, Metrics, Stage};

#[cfg(test)]
mod tests;
