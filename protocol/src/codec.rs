//! The one place that turns small records (manifest, lease, control entries, local tables) into bytes and back.
//!
//! Layout: magic `FGR1`, kind u16, version u16, body length u32, crc32c of the body u32 (all little-endian), body in
//! bincode 2 `standard()`. Knows no meaning of what it carries; bincode is never spoken to clients.

use bincode::config;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::control::{ControlEntry, Decision, PartitionBegin};
use crate::lease::Lease;
use crate::limits::OBJECT_BYTES_MAX;
use crate::manifest::Manifest;
use crate::topics::KnownTopic;

const MAGIC: [u8; 4] = *b"FGR1";
const HEADER: usize = 16;

/// A record with a place in stored data: its kind and version never change meaning.
pub trait Stored: Serialize + DeserializeOwned {
    /// Tells kinds apart.
    const KIND: u16;
    /// Rises with every change of layout.
    const VERSION: u16;
    /// For error messages.
    const NAME: &'static str;
}

macro_rules! stored {
    ($($kind:literal $version:literal $type:ty, $name:literal;)*) => {
        $(impl Stored for $type {
            const KIND: u16 = $kind;
            const VERSION: u16 = $version;
            const NAME: &'static str = $name;
        })*
    };
}

stored! {
    1 1 Manifest, "manifest";
    2 1 Lease, "lease";
    3 1 ControlEntry, "control entry";
    4 1 Decision, "control decision";
    5 1 PartitionBegin, "beginning of a partition";
    16 1 KnownTopic, "identity of a topic";
}

/// Why bytes are no record. Nothing was changed; the object is to be read again or treated as damaged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// Shorter than a header, another magic, or a length that does not match.
    #[error("{0}: not a featuregrid object")]
    Foreign(&'static str),
    /// Another kind than asked for.
    #[error("{name}: the object is of kind {found}")]
    Kind {
        /// What was asked for.
        name: &'static str,
        /// What it says it is.
        found: u16,
    },
    /// Written by a newer release.
    #[error("{name}: version {found} is newer than this release reads; upgrade first")]
    Version {
        /// What was asked for.
        name: &'static str,
        /// Its version.
        found: u16,
    },
    /// The checksum does not match: damaged at rest or on the way.
    #[error("{0}: checksum mismatch; the object is damaged")]
    Damaged(&'static str),
    /// The body does not decode, or is larger than allowed.
    #[error("{0}: the body does not decode; the object is damaged")]
    Body(&'static str),
}

/// Bytes of a record.
///
/// # Errors
/// [`CodecError::Body`] if it is larger than [`OBJECT_BYTES_MAX`].
pub fn encode<T: Stored>(record: &T) -> Result<Vec<u8>, CodecError> {
    let body = bincode::serde::encode_to_vec(record, config::standard().with_limit::<OBJECT_BYTES_MAX>())
        .ok()
        .filter(|body| body.len() <= OBJECT_BYTES_MAX)
        .ok_or(CodecError::Body(T::NAME))?;
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&T::KIND.to_le_bytes());
    bytes.extend_from_slice(&T::VERSION.to_le_bytes());
    bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// A record of bytes.
///
/// # Errors
/// See [`CodecError`].
pub fn decode<T: Stored>(bytes: &[u8]) -> Result<T, CodecError> {
    let foreign = CodecError::Foreign(T::NAME);
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| foreign.clone())?;
    let (kind, rest) = rest.split_first_chunk::<2>().ok_or_else(|| foreign.clone())?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(|| foreign.clone())?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(|| foreign.clone())?;
    let (checksum, body) = rest.split_first_chunk::<4>().ok_or_else(|| foreign.clone())?;
    if *magic != MAGIC || u32::from_le_bytes(*length) as usize != body.len() {
        return Err(foreign);
    }
    let (kind, version) = (u16::from_le_bytes(*kind), u16::from_le_bytes(*version));
    if kind != T::KIND {
        return Err(CodecError::Kind { name: T::NAME, found: kind });
    }
    if version > T::VERSION {
        return Err(CodecError::Version { name: T::NAME, found: version });
    }
    if crc32c::crc32c(body) != u32::from_le_bytes(*checksum) {
        return Err(CodecError::Damaged(T::NAME));
    }
    match bincode::serde::decode_from_slice(body, config::standard().with_limit::<OBJECT_BYTES_MAX>()) {
        Ok((record, used)) if used == body.len() => Ok(record),
        _ => Err(CodecError::Body(T::NAME)),
    }
}

#[cfg(test)]
mod tests {
    //! Records read back; every damaged byte is noticed; hostile lengths allocate nothing.
    use proptest::prelude::*;

    use super::*;
    use crate::position::OffsetVector;

    fn decision(offsets: Vec<(u32, u64)>) -> Decision {
        Decision::Active(OffsetVector(offsets.into_iter().map(|(p, o)| (crate::ids::PartitionId(p), o)).collect()))
    }

    #[test]
    fn the_layout_is_fixed() {
        let bytes = encode(&Decision::Aborted).unwrap();
        assert_eq!(bytes[..12], *b"FGR1\x04\0\x01\0\x01\0\0\0");
        assert_eq!(decode::<Lease>(&bytes), Err(CodecError::Kind { name: "lease", found: 4 }));
    }

    proptest! {
        #[test]
        fn records_read_back_and_damage_is_noticed(offsets: Vec<(u32, u64)>, at: usize, flip in 1u8..) {
            let record = decision(offsets);
            let mut bytes = encode(&record).unwrap();
            prop_assert_eq!(decode::<Decision>(&bytes), Ok(record.clone()));
            let at = at % bytes.len();
            bytes[at] ^= flip;
            // A lower version number is the one flip that still reads: old objects stay readable.
            prop_assert!(at == 6 || at == 7 || decode::<Decision>(&bytes).is_err());
        }
    }
}
