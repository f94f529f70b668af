//! One page as a part holds it. Knows not what its bytes say.
//!
//! view | ladder | key length, key | page length, page. The key hash is not stored: it follows from the key.

use crate::ids::ViewId;
use crate::key::KeyHash;
use crate::varint::{Bytes, Damaged, put};

/// One page of a range, by the key it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotPage {
    /// The view.
    pub view: ViewId,
    /// Which of the view's ladders.
    pub ladder: u16,
    /// Canonical key bytes.
    pub key: Vec<u8>,
    /// Canonical page bytes.
    pub bytes: Vec<u8>,
}

impl SnapshotPage {
    /// Its place among the pages of a range: an entity's pages of all views stand side by side.
    #[must_use]
    pub fn order(&self) -> (KeyHash, ViewId, &[u8], u16) {
        (KeyHash::of(&self.key), self.view, &self.key, self.ladder)
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put(out, self.view.0.into());
        put(out, self.ladder.into());
        for bytes in [&self.key, &self.bytes] {
            put(out, bytes.len() as u128);
            out.extend_from_slice(bytes);
        }
    }

    pub(super) fn take(input: &mut Bytes<'_>) -> Result<Self, Damaged> {
        let (view, ladder) = (ViewId(input.small()?), input.small()?);
        let mut part = || {
            let length = input.count()?;
            input.take(length).map(<[u8]>::to_vec)
        };
        Ok(Self { view, ladder, key: part()?, bytes: part()? })
    }
}
