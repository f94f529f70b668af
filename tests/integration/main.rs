//! featuregrid from outside: the real binary and real servers, one test binary. Knows nothing of the code inside.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why and ends")]

mod command_line;
mod demo;
mod digest;
mod eval;
mod harness;
mod kafka;
mod on_demand;
mod ops;
#[cfg(feature = "tls")]
mod secure;
mod store;
mod telemetry;
