//! What every test needs: the binary, a scratch folder, one shared Kafka. Knows no single test.

mod kafka;
mod program;
mod s3;
mod scratch;
mod topic;

pub(crate) use kafka::brokers;
#[cfg(feature = "tls")]
pub(crate) use kafka::secure_brokers;
pub(crate) use program::{Program, Run};
pub(crate) use s3::{Careless, S3};
pub(crate) use scratch::Scratch;
pub(crate) use topic::{Line, Topic};
