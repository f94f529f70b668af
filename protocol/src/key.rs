//! The key of an entity: its canonical bytes and their hash. Knows no partitioner of any log.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// Hash of an entity's key bytes: decides its range. Fixed for ever at genesis (xxh3-64, seed 0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyHash(pub u64);

impl KeyHash {
    /// Hash of canonical key bytes, as [`encode`] makes them.
    #[must_use]
    pub fn of(key: &[u8]) -> Self {
        Self(xxh3_64(key))
    }
}

/// Appends the canonical bytes of join key values, in the entity's order: each part as a little-endian
/// u16 length and its text, so that no two lists of parts share bytes.
///
/// Parts longer than [`crate::limits::KEY_PART_BYTES_MAX`] must have been refused before.
pub fn encode<'a>(parts: impl IntoIterator<Item = &'a str>, out: &mut Vec<u8>) {
    for part in parts {
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(part.as_bytes());
    }
}

/// The parts of canonical key bytes, for people; bytes that [`encode`] did not make end the list.
pub fn parts(mut key: &[u8]) -> Vec<String> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = key.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length));
        if rest.len() < length {
            break;
        }
        let (part, rest) = rest.split_at(length);
        parts.push(String::from_utf8_lossy(part).into_owned());
        key = rest;
    }
    parts
}

#[cfg(test)]
mod tests {
    //! Key bytes are unambiguous and read back.
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let bytes = |list: &[&str]| {
            let mut out = Vec::new();
            encode(list.iter().copied(), &mut out);
            out
        };
        assert_ne!(bytes(&["ab", "c"]), bytes(&["a", "bc"]));
        assert_eq!(parts(&bytes(&["ab", ""])), ["ab", ""]);
    }
}
