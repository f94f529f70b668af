//! The object store in memory: what tests and simulations give the real shells of a node. Knows no fault, and is gone with
//! its process.

use std::sync::{Mutex, PoisonError};

use featuregrid_actors::ports::objects::Objects;
use featuregrid_actors::ports::{StoreReply, StoreRequest};

use super::object::{BoxFuture, ObjectStore};
use crate::clock;

/// Objects in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Objects>);

impl ObjectStore for MemoryStore {
    fn perform(&self, request: StoreRequest) -> BoxFuture<'_, StoreReply> {
        let mut objects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = objects.perform(clock::monotonic(), &request);
        Box::pin(std::future::ready(reply))
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}
