//! Which topics this folder's state was made of, kept beside it. Knows no log client: it is told what there is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use featuregrid_protocol::codec::{self, CodecError};
use featuregrid_protocol::ids::TopicId;
use featuregrid_protocol::topics::TopicTable;
use thiserror::Error;

use super::local;

/// Why the table cannot be used. Nothing in it was changed.
#[derive(Debug, Error)]
pub enum TopicsError {
    /// The disk says no.
    #[error("{path}: {error}; free space, or see to the disk")]
    Disk {
        /// The file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// It does not decode.
    #[error("{path}: {error}; restore the folder from a copy, or start over with a new --data")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: CodecError,
    },
}

/// The table and its file.
#[derive(Debug)]
pub struct KnownTopics {
    path: PathBuf,
    table: TopicTable,
}

impl KnownTopics {
    /// The table of a folder; empty where there is none yet.
    ///
    /// # Errors
    /// See [`TopicsError`].
    pub fn open(path: &Path) -> Result<Self, TopicsError> {
        let table = match fs::read(path) {
            Ok(bytes) => codec::decode(&bytes)
                .map_err(|error| TopicsError::Damaged { path: path.display().to_string(), error })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => TopicTable::default(),
            Err(error) => return Err(TopicsError::Disk { path: path.display().to_string(), error }),
        };
        Ok(Self { path: path.to_owned(), table })
    }

    /// A topic of this name and identity is there: the identity that was read under the name, if it is another one. A
    /// name that is met for the first time is remembered.
    ///
    /// # Errors
    /// See [`TopicsError`].
    pub fn meet(&mut self, name: &str, id: TopicId) -> Result<Option<TopicId>, TopicsError> {
        if let Some(known) = self.table.0.get(name) {
            return Ok((*known != id).then_some(*known));
        }
        self.table.0.insert(name.to_owned(), id);
        let path = || self.path.display().to_string();
        let bytes = codec::encode(&self.table).map_err(|error| TopicsError::Damaged { path: path(), error })?;
        local::replace(&self.path, &bytes).map_err(|error| TopicsError::Disk { path: path(), error })?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    //! The first identity of a name stays; damage is noticed.
    use super::*;

    #[test]
    fn the_first_identity_of_a_name_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("topics");
        let mut topics = KnownTopics::open(&path).unwrap();
        assert_eq!(topics.meet("a", TopicId([1; 16])).unwrap(), None);
        assert_eq!(topics.meet("b", TopicId([2; 16])).unwrap(), None);
        let mut again = KnownTopics::open(&path).unwrap();
        for _ in 0..2 {
            assert_eq!(again.meet("a", TopicId([3; 16])).unwrap(), Some(TopicId([1; 16])));
        }
        assert_eq!(again.meet("b", TopicId([2; 16])).unwrap(), None);
        fs::write(&path, b"nonsense").unwrap();
        assert!(matches!(KnownTopics::open(&path), Err(TopicsError::Damaged { .. })));
    }
}
