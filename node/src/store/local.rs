//! The object store as a folder: whole objects, conditional writes under one lock, on disk before they are answered.
//! Performs what `actors::ports` asks for; decides nothing.
//!
//! A write goes to a file of its own, is synced, and takes its place by a rename; so an object is whole or absent after
//! any crash. An etag is the hash of the content: writes of equal bytes are told apart by the nonce inside them.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use featuregrid_actors::ports::{
    DeleteOutcome, Etag, GetOutcome, Key, ListOutcome, Listed, Object, Prefix, PutCondition, PutOutcome, StoreReply,
    StoreRequest,
};
use featuregrid_protocol::limits::OBJECT_BYTES_MAX;
use featuregrid_protocol::time::Span;
use sha2::{Digest, Sha256};

/// A folder of objects.
#[derive(Debug)]
pub struct LocalStore {
    root: PathBuf,
    /// Held from the check of a condition to the end of its write.
    writing: Mutex<()>,
}

impl LocalStore {
    /// Creates the folder where it is missing.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        Ok(Self { root: root.to_owned(), writing: Mutex::new(()) })
    }

    /// Performs one request. Blocks on the disk.
    pub fn perform(&self, request: StoreRequest) -> StoreReply {
        match request {
            StoreRequest::Get { id, key, bytes } => StoreReply::Get { id, outcome: self.get_range(&key, bytes) },
            StoreRequest::List { id, prefix } => StoreReply::List { id, outcome: self.list(prefix) },
            StoreRequest::Put { id, key, body, condition } => {
                StoreReply::Put { id, outcome: self.put(&key, &body, &condition) }
            }
            StoreRequest::Delete { id, key } => StoreReply::Delete { id, outcome: self.delete(&key) },
        }
    }

    pub(super) fn get(&self, key: &Key) -> GetOutcome {
        self.found(key, read(&self.root.join(key.path())))
    }

    /// Some of an object's bytes; its version is that of the whole.
    fn get_range(&self, key: &Key, range: Option<Range<u64>>) -> GetOutcome {
        let found = read(&self.root.join(key.path())).map(|object| {
            object.map(|Object { bytes, etag }| {
                let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                let range = range.map_or(0..bytes.len(), |range| within(range.start)..within(range.end));
                Object { bytes: bytes.get(range).unwrap_or_default().into(), etag }
            })
        });
        self.found(key, found)
    }

    fn found(&self, key: &Key, found: io::Result<Option<Object>>) -> GetOutcome {
        match found {
            Ok(Some(object)) => GetOutcome::Found(object),
            Ok(None) => GetOutcome::Absent,
            Err(error) => {
                tracing::error!(%key, %error, "the object store does not read");
                GetOutcome::Unavailable
            }
        }
    }

    fn list(&self, prefix: Prefix) -> ListOutcome {
        let mut listed = Vec::new();
        match walk(&self.root, Path::new(prefix.path().trim_end_matches('/')), &mut listed) {
            Ok(()) => {
                listed.sort_by_cached_key(|listed| listed.key.path());
                ListOutcome::Objects(listed)
            }
            Err(error) => {
                tracing::error!(prefix = prefix.path(), %error, "the object store does not list");
                ListOutcome::Unavailable
            }
        }
    }

    pub(super) fn put(&self, key: &Key, body: &[u8], condition: &PutCondition) -> PutOutcome {
        let path = self.root.join(key.path());
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match read(&path) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%key, %error, "the object store does not read");
                return PutOutcome::Retry;
            }
        };
        let holds = match (condition, &found) {
            (PutCondition::Absent, found) => found.is_none(),
            (PutCondition::Matches(etag), Some(object)) => object.etag == *etag,
            (PutCondition::Matches(_), None) => false,
        };
        if !holds {
            return PutOutcome::Lost;
        }
        match replace(&path, body) {
            Ok(()) => PutOutcome::Done(etag(body)),
            Err(error) => {
                tracing::error!(%key, %error, "the object store does not write");
                PutOutcome::Unknown
            }
        }
    }
}

impl LocalStore {
    fn delete(&self, key: &Key) -> DeleteOutcome {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match fs::remove_file(self.root.join(key.path())) {
            Ok(()) => DeleteOutcome::Done,
            Err(error) if error.kind() == io::ErrorKind::NotFound => DeleteOutcome::Done,
            Err(error) => {
                tracing::error!(%key, %error, "the object store does not remove");
                DeleteOutcome::Unknown
            }
        }
    }
}

fn etag(body: &[u8]) -> Etag {
    Etag(hex(&Sha256::digest(body)[..16]))
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(path: &Path) -> io::Result<Option<Object>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > OBJECT_BYTES_MAX as u64 => Err(io::Error::other("the object is too large")),
        Ok(_) => fs::read(path).map(|bytes| Some(Object { etag: etag(&bytes), bytes: bytes.into() })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts a file in place, whole and on disk.
pub(super) fn replace(path: &Path, body: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Under the lock one name is enough; no key ends like this, so a listing skips what a crash left.
    let part = path.with_extension("writing");
    let mut file = File::create(&part)?;
    file.write_all(body)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    File::open(folder)?.sync_all()
}

fn walk(root: &Path, below: &Path, listed: &mut Vec<Listed>) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(below)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            walk(root, &path, listed)?;
        } else if let Some(key) = path.to_str().and_then(Key::parse) {
            let metadata = entry.metadata()?;
            let age = metadata.modified()?.elapsed().unwrap_or_default();
            listed.push(Listed { key, bytes: metadata.len(), age: Span(age.as_micros() as i64) });
        }
    }
    Ok(())
}

/// The store as a shared handle.
pub type SharedStore = Arc<LocalStore>;

#[cfg(test)]
mod tests;
