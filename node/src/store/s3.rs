//! The object store in a bucket of S3, or of whoever speaks its protocol: each request of the port as calls of the SDK.
//! Decides nothing about leases, manifests or parts, and keeps nothing.
//!
//! **Conditional writes are sent once.** The SDK's own retries are off for every call: after a lost answer it would send
//! a write again and report its own success as a 412. Reads, listings and removals, which do no harm twice, are tried
//! again here, with jitter, for as long as the request's deadline allows ([`retry`]).

mod complaints;
mod connect;
mod failure;
mod multipart;
mod read;
mod retry;
mod wire;
mod write;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use featuregrid_actors::ports::{Key, StoreReply, StoreRequest};
use tokio::time::Instant;

use self::complaints::Complaints;
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
    complaints: Arc<Complaints>,
}

impl S3Store {
    fn name(&self, key: &Key) -> String {
        format!("{}{key}", self.prefix)
    }

    async fn answer(&self, request: &StoreRequest, until: Instant) -> Result<StoreReply, Failure> {
        Ok(match request {
            StoreRequest::Put { id, key, body, condition } => {
                StoreReply::Put { id: *id, outcome: self.put(key, body, condition, until).await }
            }
            StoreRequest::Get { id, key, bytes } => {
                let outcome = retry::until(until, || self.get(key, bytes.as_ref())).await?;
                StoreReply::Get { id: *id, outcome }
            }
            StoreRequest::List { id, prefix } => {
                StoreReply::List { id: *id, outcome: self.list(*prefix, until).await? }
            }
            StoreRequest::Delete { id, key } => {
                StoreReply::Delete { id: *id, outcome: retry::until(until, || self.delete(key)).await? }
            }
        })
    }
}

impl ObjectStore for S3Store {
    fn perform(&self, request: StoreRequest) -> BoxFuture<'_, StoreReply> {
        let until = Instant::now() + Duration::from_micros(request.deadline().0.unsigned_abs());
        Box::pin(async move {
            let answer = tokio::time::timeout_at(until, self.answer(&request, until)).await;
            answer.unwrap_or_else(|_| Err(Failure::passing("no answer in time"))).unwrap_or_else(|failure| {
                self.complaints.say(&self.place(), &failure, "the object store does not answer");
                unknown(&request)
            })
        })
    }

    fn place(&self) -> String {
        Place::Bucket { bucket: self.bucket.clone(), prefix: self.prefix.clone() }.to_string()
    }
}

#[cfg(test)]
mod tests;
