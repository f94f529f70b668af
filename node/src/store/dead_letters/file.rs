//! Dead letters in a file, and which of them were replayed. Knows no topic.
//!
//! Layout (version 1): table `letters` maps (partition, offset) to a bincode record in the envelope of the codec; table
//! `replayed` holds (partition, offset). A record that is read again writes the same row again, so replays change nothing.

use std::path::Path;

use featuregrid_protocol::codec::{self, CodecError, Stored};
use featuregrid_protocol::ids::{Offset, PartitionId};
use featuregrid_protocol::time::Timestamp;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use super::{DeadLetter, DeadLetterError, Letters};
use crate::ingest::Header;

/// Memory for pages of the file: it is written in order and read by people.
const CACHE_BYTES: usize = 16 << 20;
const LETTERS: TableDefinition<'_, (u32, u64), &[u8]> = TableDefinition::new("letters");
const REPLAYED: TableDefinition<'_, (u32, u64), ()> = TableDefinition::new("replayed");

/// All of a letter but its place and its payload, which follow it in the row.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    reason: String,
    timestamp: Timestamp,
    key: Option<Vec<u8>>,
    headers: Vec<Header>,
    has_payload: bool,
}

impl Stored for Head {
    const KIND: u16 = 5;
    const VERSION: u16 = 1;
    const NAME: &'static str = "dead letter";
}

/// The file of dead letters.
#[derive(Debug)]
pub struct LetterFile {
    path: String,
    database: Database,
}

impl LetterFile {
    /// Opens or creates the file.
    ///
    /// # Errors
    /// [`DeadLetterError::File`].
    pub fn open(path: &Path) -> Result<Self, DeadLetterError> {
        let path_text = path.display().to_string();
        let open = || -> Result<Database, redb::Error> {
            let database = redb::Builder::new().set_cache_size(CACHE_BYTES).create(path)?;
            let transaction = database.begin_write()?;
            transaction.open_table(LETTERS)?;
            transaction.open_table(REPLAYED)?;
            transaction.commit()?;
            Ok(database)
        };
        match open() {
            Ok(database) => Ok(Self { path: path_text, database }),
            Err(error) => Err(DeadLetterError::File { path: path_text, error }),
        }
    }

    /// Whether a letter was replayed, from here or from a topic.
    ///
    /// # Errors
    /// [`DeadLetterError::File`].
    pub fn is_replayed(&self, partition: PartitionId, offset: Offset) -> Result<bool, DeadLetterError> {
        let find = || -> Result<bool, redb::Error> {
            let table = self.database.begin_read()?.open_table(REPLAYED)?;
            Ok(table.get((partition.0, offset))?.is_some())
        };
        find().map_err(|error| self.wrong(error))
    }

    /// Remembers that letters were replayed.
    ///
    /// # Errors
    /// [`DeadLetterError::File`].
    pub fn set_replayed(&self, letters: &[(PartitionId, Offset)]) -> Result<(), DeadLetterError> {
        let write = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                let mut table = transaction.open_table(REPLAYED)?;
                for (partition, offset) in letters {
                    table.insert((partition.0, *offset), ())?;
                }
            }
            transaction.commit()?;
            Ok(())
        };
        write().map_err(|error| self.wrong(error))
    }

    fn wrong(&self, error: redb::Error) -> DeadLetterError {
        DeadLetterError::File { path: self.path.clone(), error }
    }
}

impl Letters for LetterFile {
    fn write(&self, letters: &[DeadLetter]) -> Result<(), DeadLetterError> {
        let write = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                let mut table = transaction.open_table(LETTERS)?;
                for letter in letters {
                    let head = Head {
                        reason: letter.reason.clone().into_owned(),
                        timestamp: letter.timestamp,
                        key: letter.key.clone(),
                        headers: letter.headers.clone(),
                        has_payload: letter.payload.is_some(),
                    };
                    let head = codec::encode(&head).map_err(damaged)?;
                    let payload = letter.payload.as_deref().unwrap_or_default();
                    let length = HEAD_LENGTH + head.len() + payload.len();
                    let mut value = table.insert_reserve((letter.partition.0, letter.offset), length)?;
                    let (own_length, rest) = value.as_mut().split_at_mut(HEAD_LENGTH);
                    own_length.copy_from_slice(&(head.len() as u32).to_le_bytes());
                    let (own_head, own_payload) = rest.split_at_mut(head.len());
                    own_head.copy_from_slice(&head);
                    own_payload.copy_from_slice(payload);
                }
            }
            transaction.commit()?;
            Ok(())
        };
        write().map_err(|error| self.wrong(error))
    }

    fn each(&self, take: &mut dyn FnMut(DeadLetter) -> bool) -> Result<(), DeadLetterError> {
        let mut each = || -> Result<(), redb::Error> {
            let table = self.database.begin_read()?.open_table(LETTERS)?;
            for row in table.iter()? {
                let (key, value) = row?;
                let (partition, offset) = key.value();
                if !take(decode(PartitionId(partition), offset, value.value())?) {
                    break;
                }
            }
            Ok(())
        };
        each().map_err(|error| self.wrong(error))
    }
}

/// Bytes of the length before a head.
const HEAD_LENGTH: usize = 4;

fn decode(partition: PartitionId, offset: Offset, value: &[u8]) -> Result<DeadLetter, redb::Error> {
    let short = || redb::Error::Corrupted(format!("the letter of {partition} {offset} is shorter than its head"));
    let (length, rest) = value.split_first_chunk::<HEAD_LENGTH>().ok_or_else(short)?;
    let (head, payload) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(short)?;
    let Head { reason, timestamp, key, headers, has_payload } = codec::decode(head).map_err(damaged)?;
    let payload = has_payload.then(|| payload.to_vec());
    Ok(DeadLetter { partition, offset, reason: reason.into(), timestamp, key, headers, payload })
}

fn damaged(error: CodecError) -> redb::Error {
    redb::Error::Corrupted(error.to_string())
}

#[cfg(test)]
mod tests {
    //! Letters read back whole, a replay writes them once, and who was replayed is remembered.
    use super::*;

    #[test]
    fn a_replay_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = LetterFile::open(&folder.path().join("letters")).unwrap();
        let letter = |offset, reason: &'static str, payload: Option<&[u8]>| DeadLetter {
            partition: PartitionId(1),
            offset,
            reason: reason.into(),
            timestamp: Timestamp(5),
            key: Some(b"u1".to_vec()),
            headers: vec![("traceparent".to_owned(), None), ("x".to_owned(), Some(vec![1]))],
            payload: payload.map(<[u8]>::to_vec),
        };
        let letters = [letter(9, "late", Some(b"{}")), letter(3, "undecodable", None)];
        file.write(&letters).unwrap();
        file.write(&letters).unwrap();
        let mut read = Vec::new();
        file.each(&mut |letter| {
            read.push(letter);
            true
        })
        .unwrap();
        assert_eq!(read, [letters[1].clone(), letters[0].clone()]);
        assert!(!file.is_replayed(PartitionId(1), 9).unwrap());
        file.set_replayed(&[(PartitionId(1), 9)]).unwrap();
        assert!(file.is_replayed(PartitionId(1), 9).unwrap());
    }
}
