//! The gRPC wire `featuregrid.v1`: messages, client and server trait, generated from `proto/`, and columns of values.

mod column;
mod request;

/// Version 1.
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
pub mod v1 {
    tonic::include_proto!("featuregrid.v1");
}

/// Encoded descriptors, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/featuregrid.bin"));
