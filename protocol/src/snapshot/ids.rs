//! Event ids that a range knows, as they are stored. Knows not when one is forgotten.

use crate::ids::{Offset, PartitionId, ViewId};
use crate::key::KeyHash;
use crate::time::Timestamp;
use crate::varint::{Bytes, Damaged, put, put_signed};

/// The id of an event that was applied. Packed, because the alignment of a `u128` would cost eight bytes of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C, packed(8))]
pub struct KnownId {
    /// Whose event it was.
    pub key: KeyHash,
    /// When it happened.
    pub ts: Timestamp,
    /// Where its record stands.
    pub offset: Offset,
    /// Of its id.
    pub hash: u128,
}

/// The event ids of one view that came from one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdList {
    /// The partition.
    pub partition: PartitionId,
    /// The view, which the plan may have no more.
    pub view: ViewId,
    /// In order of offset; never empty.
    pub known: Vec<KnownId>,
}

/// Lists in order of (partition, view): count, then partition, view, count, then of each id offset (of later ones the distance),
/// key hash (u64), event time (signed), hash (u128). Hashes have no short form.
pub(super) fn put_lists(out: &mut Vec<u8>, lists: &[IdList]) {
    put(out, lists.len() as u128);
    for list in lists {
        put(out, list.partition.0.into());
        put(out, list.view.0.into());
        put(out, list.known.len() as u128);
        let mut last = 0;
        for known in &list.known {
            put(out, known.offset.wrapping_sub(std::mem::replace(&mut last, known.offset)).into());
            out.extend_from_slice(&known.key.0.to_le_bytes());
            put_signed(out, known.ts.0.into());
            out.extend_from_slice(&known.hash.to_le_bytes());
        }
    }
}

pub(super) fn take_lists(input: &mut Bytes<'_>) -> Result<Vec<IdList>, Damaged> {
    let mut lists: Vec<IdList> = Vec::new();
    for _ in 0..input.count()? {
        let (partition, view) = (PartitionId(input.small()?), ViewId(input.small()?));
        if lists.last().is_some_and(|last| (last.partition, last.view) >= (partition, view)) {
            return Err(Damaged("lists of event ids are out of order"));
        }
        let mut last: Option<Offset> = None;
        let known = (0..input.count()?).map(|_| {
            let distance: Offset = input.small()?;
            let offset = match last {
                None => Some(distance),
                Some(last) => last.checked_add(distance).filter(|_| distance > 0),
            };
            last = offset;
            let offset = offset.ok_or(Damaged("event ids are out of order"))?;
            let key = KeyHash(u64::from_le_bytes(input.array()?));
            Ok(KnownId { key, ts: Timestamp(input.word()?), offset, hash: u128::from_le_bytes(input.array()?) })
        });
        let known = known.collect::<Result<Vec<KnownId>, Damaged>>()?;
        if known.is_empty() {
            return Err(Damaged("a list of event ids is empty"));
        }
        lists.push(IdList { partition, view, known });
    }
    Ok(lists)
}
