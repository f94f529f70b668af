//! The object store as a folder: whole objects, conditional writes under one lock, on disk before they are answered.
//! Performs what `actors::ports` asks for; decides nothing.
//!
//! A write goes to a file of its own, is synced, and takes its place by a rename; so an object is whole or absent after
//! any crash. An etag is the hash of the content: writes of equal bytes are told apart by the nonce inside them.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use featuregrid_actors::ports::{
    Etag, GetOutcome, Key, ListOutcome, Object, Prefix, PutCondition, PutOutcome, StoreReply, StoreRequest,
};
use featuregrid_protocol::limits::OBJECT_BYTES_MAX;
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
            StoreRequest::Get { id, key } => StoreReply::Get { id, outcome: self.get(&key) },
            StoreRequest::List { id, prefix } => StoreReply::List { id, outcome: self.list(prefix) },
            StoreRequest::Put { id, key, body, condition } => {
                StoreReply::Put { id, outcome: self.put(&key, &body, &condition) }
            }
        }
    }

    pub(super) fn get(&self, key: &Key) -> GetOutcome {
        match read(&self.root.join(key.path())) {
            Ok(Some(object)) => GetOutcome::Found(object),
            Ok(None) => GetOutcome::Absent,
            Err(error) => {
                tracing::error!(%key, %error, "the object store does not read");
                GetOutcome::Unavailable
            }
        }
    }

    fn list(&self, prefix: Prefix) -> ListOutcome {
        let mut keys = Vec::new();
        match walk(&self.root, Path::new(prefix.path().trim_end_matches('/')), &mut keys) {
            Ok(()) => {
                keys.sort_by_cached_key(Key::path);
                ListOutcome::Keys(keys)
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

fn walk(root: &Path, below: &Path, keys: &mut Vec<Key>) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(below)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            walk(root, &path, keys)?;
        } else if let Some(key) = path.to_str().and_then(Key::parse) {
            keys.push(key);
        }
    }
    Ok(())
}

/// The store as a shared handle.
pub type SharedStore = Arc<LocalStore>;

#[cfg(test)]
mod tests;
