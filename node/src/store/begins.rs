//! Where partitions begin that no control entry names: objects that are written once, by whoever finds the partition.
//! Knows no log: it is told where one begins now.

use std::sync::Arc;

use featuregrid_actors::ports::Key;
use featuregrid_protocol::control::PartitionBegin;
use featuregrid_protocol::ids::{Offset, PartitionId};

use super::object::ObjectStore;
use super::once::{OnceError, settle};

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
    /// See [`OnceError`]. None of its records was read.
    pub async fn settle(&self, partition: PartitionId, earliest: Offset) -> Result<Offset, OnceError> {
        let record = PartitionBegin { partition, begin: earliest };
        settle(&*self.0, Key::Begin(partition), &record).await.map(|found| found.begin)
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
        assert!(matches!(later.settle(PartitionId(3), 90).await, Err(OnceError::Damaged(..))));
    }
}
