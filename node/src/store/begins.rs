//! Where partitions begin that no control entry names: objects that are written once, by whoever finds the partition.
//! Knows no log: it is told where one begins now.

use std::sync::Arc;
use std::time::{Duration, Instant};

use featuregrid_actors::ports::write::{Verdict, Write};
use featuregrid_actors::ports::{Key, PutCondition, Requests};
use featuregrid_protocol::codec::{self, CodecError};
use featuregrid_protocol::control::PartitionBegin;
use featuregrid_protocol::ids::{Offset, PartitionId};
use thiserror::Error;

use super::decided::decided;
use super::object::ObjectStore;
use crate::entropy;

/// A store that does not let a write be decided for this long is down: the partition waits for the next look.
const SETTLE_MAX: Duration = Duration::from_secs(10);

/// Why it is not known where a partition begins. None of its records was read.
#[derive(Debug, Error)]
pub enum BeginsError {
    /// The store does not answer; asking again finds out what is there.
    #[error("{0}: the object store does not answer; look at the store, the network or the disk")]
    Unavailable(String),
    /// It does not decode.
    #[error("stored object {0}: {1}; restore it from a copy, or start over with another --store or --data")]
    Damaged(String, CodecError),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Begins(Arc<dyn ObjectStore>);

impl Begins {
    /// Those that a store holds.
    #[must_use]
    pub fn of(store: Arc<dyn ObjectStore>) -> Self {
        Self(store)
    }

    /// Where a partition begins: as it was settled when it was found; now, at the earliest offset of its log, if this is
    /// the first that is heard of it.
    ///
    /// # Errors
    /// See [`BeginsError`].
    pub async fn settle(&self, partition: PartitionId, earliest: Offset) -> Result<Offset, BeginsError> {
        let (key, record) = (Key::Begin(partition), PartitionBegin { partition, begin: earliest });
        let damaged = |error| BeginsError::Damaged(key.path(), error);
        let body = codec::encode(&record).map_err(damaged)?;
        // Whoever finds the same beginning writes the same, so equal bytes are as good as one's own.
        let write = Write::new(key.clone(), body.into(), PutCondition::Absent);
        let mut requests = Requests::new(entropy::number(), 0);
        match decided(&*self.0, &mut requests, write, Instant::now() + SETTLE_MAX).await {
            Some(Verdict::Done { .. }) => Ok(earliest),
            // Whoever was first: this node in an earlier life, or another.
            Some(Verdict::Lost { found: Some(object) }) => {
                codec::decode::<PartitionBegin>(&object.bytes).map(|found| found.begin).map_err(damaged)
            }
            Some(Verdict::Lost { found: None }) | None => Err(BeginsError::Unavailable(key.path())),
        }
    }
}

#[cfg(test)]
mod tests {
    //! The first offset that is heard of stays, whoever asks later.
    use super::*;
    use crate::store::local::LocalStore;

    #[tokio::test]
    async fn a_partition_begins_once() {
        let folder = tempfile::tempdir().unwrap();
        let begins = Begins::of(Arc::new(LocalStore::open(folder.path()).unwrap()));
        assert_eq!(begins.settle(PartitionId(3), 70).await.unwrap(), 70);
        assert_eq!(begins.settle(PartitionId(1 << 20), 0).await.unwrap(), 0);
        let later = Begins::of(Arc::new(LocalStore::open(folder.path()).unwrap()));
        assert_eq!(later.settle(PartitionId(3), 90).await.unwrap(), 70);
        assert_eq!(later.settle(PartitionId(1 << 20), 90).await.unwrap(), 0);
        std::fs::write(folder.path().join(Key::Begin(PartitionId(3)).path()), b"nonsense").unwrap();
        assert!(matches!(later.settle(PartitionId(3), 90).await, Err(BeginsError::Damaged(..))));
    }
}
