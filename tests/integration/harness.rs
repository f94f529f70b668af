//! What every test needs: the binary, a scratch folder, one shared Kafka. Knows no single test.

mod kafka;
mod program;
mod scratch;

pub(crate) use kafka::brokers;
pub(crate) use program::{Program, Run};
pub(crate) use scratch::Scratch;
