//! Records that were not taken, kept with the reason: late ones, and dead ones. Knows no policy.
//!
//! Layout (version 1): table `letters` maps (partition, offset) to the reason's name, a zero byte, and the payload. A
//! record that is read again writes the same row again, so replays change nothing.

use std::path::Path;

use featuregrid_protocol::ids::{Offset, PartitionId};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use thiserror::Error;

/// Memory for pages of the file: it is written in order and read by people.
const CACHE_BYTES: usize = 16 << 20;
const LETTERS: TableDefinition<'_, (u32, u64), &[u8]> = TableDefinition::new("letters");

/// The file cannot be written or read. The records are still in the log; the partition must not move past them.
#[derive(Debug, Error)]
#[error("dead letters in {path}: {error}; free the disk or its permissions, then restart")]
pub struct DeadLetterError {
    path: String,
    error: redb::Error,
}

/// One record that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it stands in the log.
    pub partition: PartitionId,
    /// Where it stands in the partition.
    pub offset: Offset,
    /// `late`, or the name of the reason it is dead.
    pub reason: &'static str,
    /// Its bytes.
    pub payload: Vec<u8>,
}

/// The file of dead letters.
#[derive(Debug)]
pub struct DeadLetters {
    path: String,
    database: Database,
}

impl DeadLetters {
    /// Opens or creates the file.
    ///
    /// # Errors
    /// [`DeadLetterError`].
    pub fn open(path: &Path) -> Result<Self, DeadLetterError> {
        let path_text = path.display().to_string();
        let open = || -> Result<Database, redb::Error> {
            let database = redb::Builder::new().set_cache_size(CACHE_BYTES).create(path)?;
            let transaction = database.begin_write()?;
            transaction.open_table(LETTERS)?;
            transaction.commit()?;
            Ok(database)
        };
        match open() {
            Ok(database) => Ok(Self { path: path_text, database }),
            Err(error) => Err(DeadLetterError { path: path_text, error }),
        }
    }

    /// Writes letters in one durable transaction.
    ///
    /// # Errors
    /// [`DeadLetterError`]: then none of them was written.
    pub fn write(&self, letters: &[DeadLetter]) -> Result<(), DeadLetterError> {
        let write = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                let mut table = transaction.open_table(LETTERS)?;
                for letter in letters {
                    let length = letter.reason.len() + 1 + letter.payload.len();
                    let mut value = table.insert_reserve((letter.partition.0, letter.offset), length)?;
                    let (reason, rest) = value.as_mut().split_at_mut(letter.reason.len());
                    reason.copy_from_slice(letter.reason.as_bytes());
                    rest[0] = 0;
                    rest[1..].copy_from_slice(&letter.payload);
                }
            }
            transaction.commit()?;
            Ok(())
        };
        write().map_err(|error| self.wrong(error))
    }

    /// How many letters there are.
    ///
    /// # Errors
    /// [`DeadLetterError`].
    pub fn len(&self) -> Result<u64, DeadLetterError> {
        let count = || -> Result<u64, redb::Error> { Ok(self.database.begin_read()?.open_table(LETTERS)?.len()?) };
        count().map_err(|error| self.wrong(error))
    }

    /// Whether there are none.
    ///
    /// # Errors
    /// [`DeadLetterError`].
    pub fn is_empty(&self) -> Result<bool, DeadLetterError> {
        Ok(self.len()? == 0)
    }

    /// Hands on every letter: partition, offset, reason, payload.
    ///
    /// # Errors
    /// [`DeadLetterError`].
    pub fn each(&self, mut take: impl FnMut(PartitionId, Offset, &str, &[u8])) -> Result<(), DeadLetterError> {
        let mut each = || -> Result<(), redb::Error> {
            let table = self.database.begin_read()?.open_table(LETTERS)?;
            for row in table.iter()? {
                let (key, value) = row?;
                let ((partition, offset), value) = (key.value(), value.value());
                let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
                let reason = String::from_utf8_lossy(&value[..end]);
                take(PartitionId(partition), offset, &reason, value.get(end + 1..).unwrap_or_default());
            }
            Ok(())
        };
        each().map_err(|error| self.wrong(error))
    }

    fn wrong(&self, error: redb::Error) -> DeadLetterError {
        DeadLetterError { path: self.path.clone(), error }
    }
}

#[cfg(test)]
mod tests {
    //! Letters read back, and a replay writes them once.
    use super::*;

    #[test]
    fn a_replay_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = DeadLetters::open(&folder.path().join("letters")).unwrap();
        let letter =
            |offset, reason| DeadLetter { partition: PartitionId(1), offset, reason, payload: b"{\0".to_vec() };
        let letters = [letter(9, "late"), letter(3, "undecodable")];
        file.write(&letters).unwrap();
        file.write(&letters).unwrap();
        assert_eq!(file.len().unwrap(), 2);
        let mut read = Vec::new();
        file.each(|partition, offset, reason, payload| {
            read.push((partition, offset, reason.to_owned(), payload.to_vec()));
        })
        .unwrap();
        assert_eq!(read[0], (PartitionId(1), 3, "undecodable".to_owned(), b"{\0".to_vec()));
    }
}
