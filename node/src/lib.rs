//! The node: the only floor that touches Kafka, object stores, sockets, disks and clocks.

pub mod cli;
pub mod clock;
pub mod entropy;
pub mod files;
pub mod grid;
pub mod ingest;
pub mod store;
pub mod telemetry;
