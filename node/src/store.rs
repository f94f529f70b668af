//! What a node keeps on its disk: one folder, one process. Knows no meaning of what it stores.
//!
//! ```text
//! DIR/LOCK               held while a process uses the folder
//! DIR/log.redb           the embedded log, where there is no Kafka
//! DIR/dead_letters.redb  records that were not taken, with the reason
//! DIR/objects/           the object store, unless another is named: control log, where partitions begin, lease, manifests
//! ```

pub mod begins;
pub mod dead_letters;
pub mod decided;
pub mod local;
pub mod memory;
pub mod meter;
pub mod object;
pub mod once;
pub mod open;
pub mod prices;
mod s3;
pub mod selftest;
pub mod settings;
#[cfg(test)]
mod suite;
pub mod topics;

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Where in a node's folder the object store is, should no other be named.
pub const OBJECTS: &str = "objects";

/// A node's folder, locked for this process.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// The lock lives as long as the file is open.
    _lock: File,
}

/// A folder that was named, or one that is removed at the end.
#[derive(Debug)]
pub enum Folder {
    /// Kept.
    Named(PathBuf),
    /// Removed.
    Passing(PathBuf),
}

impl Folder {
    /// The named folder, or a new one among the system's temporary files.
    ///
    /// # Errors
    /// When the system refuses to make one.
    pub fn open(named: Option<&Path>) -> io::Result<Self> {
        if let Some(path) = named {
            return Ok(Self::Named(path.to_owned()));
        }
        let name = format!("featuregrid-{}", local::hex(&crate::entropy::bytes()));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)?;
        Ok(Self::Passing(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Passing(path) => path,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Self::Passing(path) = self
            && let Err(error) = std::fs::remove_dir_all(&*path)
        {
            tracing::warn!(path = %path.display(), %error, "a temporary folder was left behind");
        }
    }
}

/// Why the folder cannot be used. Nothing in it was changed.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// Another process works in it.
    #[error("{0}: another featuregrid process uses this folder; stop it, or choose another --data")]
    InUse(String),
    /// The disk says no.
    #[error("{path}: {error}; choose a folder that this user may write to")]
    Disk {
        /// The folder.
        path: String,
        /// What the system said.
        error: io::Error,
    },
}

impl DataDir {
    /// Creates the folder where it is missing, and locks it.
    ///
    /// # Errors
    /// See [`DataDirError`].
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let disk = |error| DataDirError::Disk { path: path.display().to_string(), error };
        std::fs::create_dir_all(path).map_err(disk)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("LOCK")).map_err(disk)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(disk(error)),
        }
    }

    /// Where the embedded log stands.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.path.join("log.redb")
    }

    /// Where dead letters stand.
    #[must_use]
    pub fn dead_letters(&self) -> PathBuf {
        self.path.join("dead_letters.redb")
    }

    /// Root of the object store.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.path.join(OBJECTS)
    }
}

#[cfg(test)]
mod tests {
    //! One process, one folder.
    use super::*;

    #[test]
    fn a_second_process_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataDir::open(folder.path()).unwrap();
        assert!(matches!(DataDir::open(folder.path()), Err(DataDirError::InUse(_))));
        drop(first);
        DataDir::open(folder.path()).unwrap();
    }
}
