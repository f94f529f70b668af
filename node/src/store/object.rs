//! The object store as the node's shells see it: a request in, one reply out, whichever store it is. Knows no store, and
//! leaves what a reply means to the machines of `actors` that asked.
//!
//! Every implementation keeps the contract of [`featuregrid_actors::ports`]: one reply for each request, within its deadline,
//! with an outcome that is never better known than it is.

use std::fmt::Debug;
use std::pin::Pin;

use featuregrid_actors::ports::{DeleteOutcome, GetOutcome, ListOutcome, PutOutcome, StoreReply, StoreRequest};

use super::meter::Used;

/// What an asynchronous call of a trait object returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Somewhere to keep objects.
pub trait ObjectStore: Send + Sync + Debug {
    /// Performs one request. To be called within a tokio runtime; dropping the future does not take a write back.
    fn perform(&self, request: StoreRequest) -> BoxFuture<'_, StoreReply>;

    /// Where it is, for people: `file:///var/lib/featuregrid/objects`, `s3://bucket/prefix`.
    fn place(&self) -> String;

    /// What it was asked for so far, where that is counted.
    fn used(&self) -> Used {
        Used::default()
    }
}

/// The answer to a request of which nothing is known.
#[must_use]
pub fn unknown(request: &StoreRequest) -> StoreReply {
    let id = request.id();
    match request {
        StoreRequest::Get { .. } => StoreReply::Get { id, outcome: GetOutcome::Unavailable },
        StoreRequest::List { .. } => StoreReply::List { id, outcome: ListOutcome::Unavailable },
        StoreRequest::Put { .. } => StoreReply::Put { id, outcome: PutOutcome::Unknown },
        StoreRequest::Delete { .. } => StoreReply::Delete { id, outcome: DeleteOutcome::Unknown },
    }
}
