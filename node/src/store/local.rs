//! The object store as a folder: whole objects, conditional writes under one lock, on disk before they are answered.
//! Performs what `actors::ports` asks for; decides nothing.
//!
//! A write goes to a file of its own, is synced, and takes its place by a rename; so an object is whole or absent after
//! any crash. Processes of one machine may share a folder: the lock is theirs together. An etag is the hash of the content
//! (writes of equal bytes are told apart by the nonce inside them); for data, which is large and never written twice, it is
//! what the disk says of the file, so that reading a part does not mean reading all.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use featuregrid_actors::ports::{
    DeleteOutcome, Etag, GetOutcome, Key, ListOutcome, Listed, Object, Prefix, PutCondition, PutOutcome, StoreReply,
    StoreRequest,
};
use featuregrid_protocol::limits::{OBJECT_BYTES_MAX, PART_BYTES_MAX};
use featuregrid_protocol::time::Span;
use sha2::{Digest, Sha256};

use super::object::{BoxFuture, ObjectStore, unknown};

/// Held by whoever writes; no key is spelt like it.
const LOCK: &str = "LOCK";

/// A folder of objects. Clones are the same store.
#[derive(Clone, Debug)]
pub struct LocalStore(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    root: PathBuf,
    /// Held from the check of a condition to the end of its write: by the mutex within this process, by the file's lock
    /// among all.
    writing: Mutex<File>,
}

impl LocalStore {
    /// Creates the folder where it is missing.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(root.join(LOCK))?;
        Ok(Self(Arc::new(Folder { root: root.to_owned(), writing: Mutex::new(lock) })))
    }
}

impl ObjectStore for LocalStore {
    fn perform(&self, request: StoreRequest) -> BoxFuture<'_, StoreReply> {
        let folder = Arc::clone(&self.0);
        let (late, deadline) = (unknown(&request), request.deadline());
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(move || folder.perform(request));
            let deadline = Duration::from_micros(deadline.0.unsigned_abs());
            match tokio::time::timeout(deadline, done).await {
                Ok(Ok(reply)) => reply,
                // The thread ended by a panic, or the disk hangs: the write may still land.
                Ok(Err(_)) | Err(_) => late,
            }
        })
    }

    fn place(&self) -> String {
        format!("file://{}", std::path::absolute(&self.0.root).unwrap_or_else(|_| self.0.root.clone()).display())
    }
}

impl Folder {
    fn perform(&self, request: StoreRequest) -> StoreReply {
        match request {
            StoreRequest::Get { id, key, bytes } => StoreReply::Get { id, outcome: self.get(&key, bytes) },
            StoreRequest::List { id, prefix } => StoreReply::List { id, outcome: self.list(prefix) },
            StoreRequest::Put { id, key, body, condition } => {
                StoreReply::Put { id, outcome: self.put(&key, &body, &condition) }
            }
            StoreRequest::Delete { id, key } => StoreReply::Delete { id, outcome: self.delete(&key) },
        }
    }

    fn get(&self, key: &Key, range: Option<Range<u64>>) -> GetOutcome {
        match read(&self.root, key, range) {
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

    fn put(&self, key: &Key, body: &[u8], condition: &PutCondition) -> PutOutcome {
        let path = self.root.join(key.path());
        let written = self.locked(|| {
            let found = version(&path, key)?;
            let holds = match (condition, found) {
                (PutCondition::Absent, found) => found.is_none(),
                (PutCondition::Matches(etag), found) => found.is_some_and(|found| found == *etag),
            };
            if !holds {
                return Ok(PutOutcome::Lost);
            }
            match replace(&path, body).and_then(|()| version(&path, key)) {
                Ok(Some(etag)) => Ok(PutOutcome::Done(etag)),
                Ok(None) => Ok(PutOutcome::Unknown),
                Err(error) => {
                    tracing::error!(%key, %error, "the object store does not write");
                    Ok(PutOutcome::Unknown)
                }
            }
        });
        // What fails before the write has changed nothing.
        written.unwrap_or_else(|error| {
            tracing::error!(%key, %error, "the object store does not read");
            PutOutcome::Retry
        })
    }

    fn delete(&self, key: &Key) -> DeleteOutcome {
        match self.locked(|| fs::remove_file(self.root.join(key.path()))) {
            Ok(()) => DeleteOutcome::Done,
            Err(error) if error.kind() == io::ErrorKind::NotFound => DeleteOutcome::Done,
            Err(error) => {
                tracing::error!(%key, %error, "the object store does not remove");
                DeleteOutcome::Unknown
            }
        }
    }

    /// Does something while nobody else writes, in this process or another.
    fn locked<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let file = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        file.lock()?;
        let done = act();
        file.unlock()?;
        done
    }
}

fn hash(body: &[u8]) -> Etag {
    Etag(hex(&Sha256::digest(body)[..16]))
}

/// The version of a data object: each write makes a new file.
fn stamp(metadata: &Metadata) -> Etag {
    let (seconds, nanos) = (metadata.mtime(), metadata.mtime_nsec());
    Etag(format!("{:x}-{seconds:x}.{nanos:x}-{:x}", metadata.ino(), metadata.len()))
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The version of what stands at a path.
fn version(path: &Path, key: &Key) -> io::Result<Option<Etag>> {
    let Some(mut file) = existing(path)? else { return Ok(None) };
    let metadata = file.metadata()?;
    if let Key::Part(..) = key {
        return Ok(Some(stamp(&metadata)));
    }
    Ok(Some(hash(&all(&mut file, &metadata, OBJECT_BYTES_MAX)?)))
}

/// An object, or as many of the bytes asked for as it has; its version is that of the whole.
fn read(root: &Path, key: &Key, range: Option<Range<u64>>) -> io::Result<Option<Object>> {
    let Some(mut file) = existing(&root.join(key.path()))? else { return Ok(None) };
    let metadata = file.metadata()?;
    let Key::Part(..) = key else {
        let bytes = all(&mut file, &metadata, OBJECT_BYTES_MAX)?;
        let etag = hash(&bytes);
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let range = range.map_or(0..bytes.len(), |range| within(range.start)..within(range.end));
        return Ok(Some(Object { bytes: bytes.get(range).unwrap_or_default().into(), etag }));
    };
    let etag = stamp(&metadata);
    let Some(range) = range else {
        return Ok(Some(Object { bytes: all(&mut file, &metadata, PART_BYTES_MAX)?.into(), etag }));
    };
    let (from, to) = (range.start.min(metadata.len()), range.end.min(metadata.len()));
    let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX).min(PART_BYTES_MAX)];
    file.seek(SeekFrom::Start(from))?;
    file.read_exact(&mut bytes)?;
    Ok(Some(Object { bytes: bytes.into(), etag }))
}

fn existing(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn all(file: &mut File, metadata: &Metadata, most: usize) -> io::Result<Vec<u8>> {
    if metadata.len() > most as u64 {
        return Err(io::Error::other("the object is too large"));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Puts a file in place, whole and on disk.
pub(super) fn replace(path: &Path, body: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Under the lock one name is enough; no key ends like this, so a listing skips what a crash left.
    let part = path.with_extension("writing");
    let mut file = File::create(&part)?;
    let written = file.write_all(body).and_then(|()| file.sync_all());
    if let Err(error) = written.and_then(|()| fs::rename(&part, path)) {
        // On a full disk the half would keep what the next try needs; that it cannot be removed is no news then.
        drop(fs::remove_file(&part));
        return Err(error);
    }
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

#[cfg(test)]
mod tests;
