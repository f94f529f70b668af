//! Where partitions begin that no control entry names: objects that are written once, by whoever finds the partition.
//! Knows no log: it is told where one begins now.

use std::sync::Arc;

use featuregrid_actors::ports::{GetOutcome, Key, PutCondition, PutOutcome};
use featuregrid_protocol::codec::{self, CodecError};
use featuregrid_protocol::control::PartitionBegin;
use featuregrid_protocol::ids::{Offset, PartitionId};
use thiserror::Error;

use super::local::LocalStore;

/// Why it is not known where a partition begins. None of its records was read.
#[derive(Debug, Error)]
pub enum BeginsError {
    /// The store does not answer; asking again finds out what is there.
    #[error("{0}: the object store does not answer; look for a slow or full disk")]
    Unavailable(String),
    /// It does not decode.
    #[error("stored object {0}: {1}; restore the folder from a copy, or start over with a new --data")]
    Damaged(String, CodecError),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Begins(Arc<LocalStore>);

impl Begins {
    /// Those that a store holds.
    #[must_use]
    pub fn of(store: Arc<LocalStore>) -> Self {
        Self(store)
    }

    /// Where a partition begins: as it was settled when it was found; now, at the earliest offset of its log, if this is
    /// the first that is heard of it.
    ///
    /// # Errors
    /// See [`BeginsError`].
    pub fn settle(&self, partition: PartitionId, earliest: Offset) -> Result<Offset, BeginsError> {
        let (key, record) = (Key::Begin(partition), PartitionBegin { partition, begin: earliest });
        let body = codec::encode(&record).map_err(|error| BeginsError::Damaged(key.path(), error))?;
        match self.0.put(&key, &body, &PutCondition::Absent) {
            PutOutcome::Done(_) => Ok(earliest),
            // Whoever was first: this node in an earlier life, or another.
            PutOutcome::Lost => self.read(&key).map(|found| found.begin),
            PutOutcome::Retry | PutOutcome::Unknown => Err(BeginsError::Unavailable(key.path())),
        }
    }

    fn read(&self, key: &Key) -> Result<PartitionBegin, BeginsError> {
        match self.0.get(key) {
            GetOutcome::Found(object) => {
                codec::decode(&object.bytes).map_err(|error| BeginsError::Damaged(key.path(), error))
            }
            GetOutcome::Absent | GetOutcome::Unavailable => Err(BeginsError::Unavailable(key.path())),
        }
    }
}

#[cfg(test)]
mod tests {
    //! The first offset that is heard of stays, whoever asks later.
    use super::*;

    #[test]
    fn a_partition_begins_once() {
        let folder = tempfile::tempdir().unwrap();
        let begins = Begins::of(Arc::new(LocalStore::open(folder.path()).unwrap()));
        assert_eq!(begins.settle(PartitionId(3), 70).unwrap(), 70);
        assert_eq!(begins.settle(PartitionId(1 << 20), 0).unwrap(), 0);
        let later = Begins::of(Arc::new(LocalStore::open(folder.path()).unwrap()));
        assert_eq!(later.settle(PartitionId(3), 90).unwrap(), 70);
        assert_eq!(later.settle(PartitionId(1 << 20), 90).unwrap(), 0);
        std::fs::write(folder.path().join(Key::Begin(PartitionId(3)).path()), b"nonsense").unwrap();
        assert!(matches!(later.settle(PartitionId(3), 90), Err(BeginsError::Damaged(..))));
    }
}
