//! Records that are written once, by whoever is first, and read by everybody after. Knows nothing of what they say.

use std::sync::Arc;
use std::time::{Duration, Instant};

use featuregrid_actors::ports::write::{Verdict, Write};
use featuregrid_actors::ports::{Key, PutCondition, Requests};
use featuregrid_protocol::codec::{self, CodecError, Stored};
use thiserror::Error;

use super::decided::decided;
use super::object::ObjectStore;
use crate::entropy;

/// How long a store may take to decide such a write: a start waits for it, a watch tries again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why it is not known what such a record says.
#[derive(Debug, Error)]
pub enum OnceError {
    /// The store does not answer; asking again finds out what is there.
    #[error("{0}: {1} did not decide in time; look at the store, or for a slow or full disk")]
    Undecided(Key, String),
    /// It does not decode.
    #[error("{0} in {1}: {2}; restore it from a copy of the store, or start over with a new one")]
    Damaged(Key, String, CodecError),
}

/// What stands under `key`: `record`, if this is the first that is heard of it.
///
/// # Errors
/// See [`OnceError`].
pub async fn settle<T: Stored + Clone>(store: &dyn ObjectStore, key: Key, record: &T) -> Result<T, OnceError> {
    let damaged = |error| OnceError::Damaged(key.clone(), store.place(), error);
    let body: Arc<[u8]> = codec::encode(record).map_err(damaged)?.into();
    let write = Write::new(key.clone(), body, PutCondition::Absent);
    let mut requests = Requests::new(entropy::number(), 0);
    match decided(store, &mut requests, write, Instant::now() + PATIENCE).await {
        Some(Verdict::Done { .. }) => Ok(record.clone()),
        Some(Verdict::Lost { found: Some(object) }) => codec::decode(&object.bytes).map_err(damaged),
        Some(Verdict::Lost { found: None }) | None => Err(OnceError::Undecided(key.clone(), store.place())),
    }
}
