//! The node: the only floor that touches Kafka, object stores, sockets, disks and clocks.

pub mod assemble;
pub mod bench;
pub mod cli;
pub mod clock;
pub mod config;
#[cfg(feature = "plants")]
pub mod crash;
pub mod demo;
pub mod digest;
pub mod entropy;
pub mod files;
pub mod freshness;
pub mod grid;
pub mod ingest;
pub mod keeper;
mod listening;
pub mod ops;
mod sent;
pub mod serve;
pub mod snapshots;
pub mod status;
pub mod store;
pub mod telemetry;
pub mod training;
