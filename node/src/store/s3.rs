//! The object store in a bucket of S3, or of whoever speaks its protocol: each request of the port as calls of the SDK.
//! Decides nothing about leases, manifests or parts, and keeps nothing.
//!
//! **Conditional writes are sent once.** The SDK's own retries are off for every call: after a lost answer it would send
//! a write again and report its own success as a 412. Reads, listings and removals, which do no harm twice, are tried
//! again here, with jitter, for as long as the request's deadline allows ([`retry`]).

mod connect;
mod failure;
mod multipart;
mod read;
mod retry;
mod wire;
mod write;

use std::time::Duration;

use aws_sdk_s3::Client;
use featuregrid_actors::ports::{Key, StoreReply, StoreRequest};
use tokio::time::Instant;

pub(super) use self::connect::connect;
pub(super) use self::failure::Failure;
use super::object::{BoxFuture, ObjectStore, unknown};
use super::settings::{Encryption, Place};

/// A bucket, and where in it.
#[derive(Clone, Debug)]
pub(super) struct S3Store {
    client: Client,
    bucket: String,
    /// Empty, or ends with a slash.
    prefix: String,
    encryption: Encryption,
    /// Whether somebody else already vouches for the body on its way (TLS): then its hash need not be signed too.
    is_private: bool,
}

impl S3Store {
    fn name(&self, key: &Key) -> String {
        format!("{}{key}", self.prefix)
    }
}

impl ObjectStore for S3Store {
    fn perform(&self, request: StoreRequest) -> BoxFuture<'_, StoreReply> {
        let until = Instant::now() + Duration::from_micros(request.deadline().0.unsigned_abs());
        Box::pin(async move {
            let done = async {
                match &request {
                    StoreRequest::Put { id, key, body, condition } => {
                        let outcome = self.put(key, body, condition, until).await;
                        Ok(StoreReply::Put { id: *id, outcome })
                    }
                    StoreRequest::Get { id, key, bytes } => {
                        let outcome = retry::until(until, || self.get(key, bytes.as_ref())).await?;
                        Ok(StoreReply::Get { id: *id, outcome })
                    }
                    StoreRequest::List { id, prefix } => {
                        Ok(StoreReply::List { id: *id, outcome: self.list(*prefix, until).await? })
                    }
                    StoreRequest::Delete { id, key } => {
                        let outcome = retry::until(until, || self.delete(key)).await?;
                        Ok(StoreReply::Delete { id: *id, outcome })
                    }
                }
            };
            match tokio::time::timeout_at(until, done).await {
                Ok(Ok(reply)) => reply,
                Ok(Err(error)) => {
                    let error: Failure = error;
                    error.log(&self.place(), "the object store does not answer");
                    unknown(&request)
                }
                Err(_) => {
                    tracing::warn!(store = self.place(), "the object store did not answer in time");
                    unknown(&request)
                }
            }
        })
    }

    fn place(&self) -> String {
        Place::Bucket { bucket: self.bucket.clone(), prefix: self.prefix.clone() }.to_string()
    }
}

#[cfg(test)]
mod tests;
