//! Ids in order of offset, and an index over them. Knows no partition and no rule.
//!
//! The oldest goes first, so that forgetting costs the same for each id, whatever the rate and however hot a key is. An
//! id goes at the latest when the prefix max has passed what it was when the id came, by the allowed lateness, or when its
//! partition has gone on by as many offsets as ids are known to.

use std::collections::VecDeque;

use hashbrown::HashTable;

use super::{Horizon, KnownId};

/// Below so many ids memory is not given back: there is little.
const SMALL: usize = 64;

#[derive(Debug, Default)]
pub(super) struct List {
    known: VecDeque<KnownId>,
    /// The number of the first of them; each has the next, and after the last comes 0.
    first: u32,
    /// Numbers by hash of the id.
    index: HashTable<u32>,
}

impl List {
    /// What a list takes before its first id, with its share of the map it stands in.
    pub(super) const EMPTY_BYTES: usize = size_of::<Self>() + 16;

    /// Whether the id of this key is here and within `horizon`.
    pub(super) fn contains(&self, id: &KnownId, horizon: Horizon) -> bool {
        let is_it = |number: &u32| {
            let known = &self.known[number.wrapping_sub(self.first) as usize];
            known.hash == id.hash && known.key == id.key && horizon.holds(known)
        };
        self.index.find(place(id), is_it).is_some()
    }

    pub(super) fn push(&mut self, id: KnownId) {
        let number = self.first.wrapping_add(self.known.len() as u32);
        self.known.push_back(id);
        let (known, first) = (&self.known, self.first);
        self.index.insert_unique(place(&id), number, |number| place(&known[number.wrapping_sub(first) as usize]));
    }

    /// Forgets the oldest ids as long as they lie before `horizon`; whether there was one.
    pub(super) fn forget(&mut self, horizon: Horizon) -> bool {
        let before = self.known.len();
        while let Some(oldest) = self.known.front().filter(|oldest| !horizon.holds(oldest)) {
            if let Ok(entry) = self.index.find_entry(place(oldest), |number| *number == self.first) {
                entry.remove();
            }
            self.known.pop_front();
            self.first = self.first.wrapping_add(1);
        }
        let len = self.known.len();
        if len < before && self.known.capacity() > SMALL.max(len * 4) {
            self.known.shrink_to(len * 2);
            let (known, first) = (&self.known, self.first);
            self.index.shrink_to(len * 2, |number| place(&known[number.wrapping_sub(first) as usize]));
        }
        len < before
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &KnownId> {
        self.known.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Bytes taken by its ids.
    pub(super) fn bytes(&self) -> usize {
        self.known.capacity() * size_of::<KnownId>() + self.index.allocation_size()
    }
}

/// Where the index looks first. Of both, because ids may be numbered anew for each key; keys of a range share their
/// leading bits, which are turned away from those that the index begins with.
fn place(id: &KnownId) -> u64 {
    id.hash as u64 ^ id.key.0.rotate_left(32)
}

#[cfg(test)]
mod tests {
    //! Ids and keys both tell places apart.
    use std::collections::BTreeSet;

    use featuregrid_protocol::key::KeyHash;
    use featuregrid_protocol::time::Timestamp;
    use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

    use super::*;

    #[test]
    fn one_id_of_many_keys_has_many_places() {
        let known = |key: u64, id: u64| {
            // All of one small range.
            let key = KeyHash(xxh3_64(&key.to_le_bytes()) >> 5);
            KnownId { key, ts: Timestamp(0), offset: 0, hash: xxh3_128(&id.to_le_bytes()) }
        };
        let buckets = |ids: &[KnownId]| ids.iter().map(|id| place(id) % 1024).collect::<BTreeSet<_>>().len();
        for ids in [(0..1024).map(|n| known(n, 1)).collect::<Vec<_>>(), (0..1024).map(|n| known(1, n)).collect()] {
            // A fair draw meets 1024 * (1 - 1/e) = 647 of them.
            assert!(buckets(&ids) > 600, "{}", buckets(&ids));
        }
    }
}
