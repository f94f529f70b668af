//! One number for all state: sha256 over canonical pages in order of (view, key hash, key, ladder). Equal whatever the
//! number of ranges, their distribution and the order of consumption. Knows no v: whoever compares digests compares it.
//!
//! The event ids of a key hash are shown as a page, too: before its others, with no key and ladder [`IDS`].

use std::collections::BTreeMap;

use featuregrid_protocol::ids::ViewId;
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::range::RangeId;
use sha2::{Digest as _, Sha256};

use super::Shard;
use featuregrid_protocol::varint::{put, put_signed};

/// What event ids are shown as; no ladder has this number.
pub const IDS: u16 = u16::MAX;

/// A page as digests see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageBytes<'a> {
    /// The view.
    pub view: ViewId,
    /// Hash of the key.
    pub hash: KeyHash,
    /// Canonical key bytes.
    pub key: &'a [u8],
    /// Which of the view's ladders.
    pub ladder: u16,
    /// Canonical page bytes.
    pub bytes: &'a [u8],
}

/// The digest of some pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// sha256.
    pub sha256: [u8; 32],
    /// How many pages.
    pub pages: u64,
}

/// A digest under way: pages come in order.
#[derive(Clone, Debug, Default)]
pub struct DigestBuilder {
    hasher: Sha256,
    pages: u64,
}

impl DigestBuilder {
    /// Adds the next page.
    pub fn add(&mut self, page: &PageBytes<'_>) {
        self.hasher.update(page.view.0.to_le_bytes());
        self.hasher.update(page.hash.0.to_le_bytes());
        self.hasher.update((page.key.len() as u64).to_le_bytes());
        self.hasher.update(page.key);
        self.hasher.update(page.ladder.to_le_bytes());
        self.hasher.update((page.bytes.len() as u64).to_le_bytes());
        self.hasher.update(page.bytes);
        self.pages += 1;
    }

    /// The digest of what was added.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest { sha256: self.hasher.finalize().into(), pages: self.pages }
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.sha256.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Shard {
    /// The digest of everything here. Several shards are digested together by calling [`Shard::visit`] view by view
    /// (in order of id) and range by range.
    pub fn digest(&mut self) -> Digest {
        let mut views: Vec<ViewId> = self.layout.views.iter().map(|view| view.id).collect();
        views.sort();
        let ranges: Vec<RangeId> = self.ranges().collect();
        let mut builder = DigestBuilder::default();
        for view in views {
            for range in &ranges {
                self.visit(view, *range, &mut |page| builder.add(page));
            }
        }
        builder.finish()
    }

    /// Shows the canonical pages of one view of one range, in order of (key hash, key, ladder).
    pub fn visit(&mut self, view: ViewId, range: RangeId, show: &mut dyn FnMut(&PageBytes<'_>)) {
        let Some(at) = self.find_range(range) else { return };
        let Some(index) = self.ranges[at].layout.view(view) else { return };
        let mut ids = self.ids_by_key(at, view);
        let show_ids = |hash: KeyHash, bytes: &[u8], show: &mut dyn FnMut(&PageBytes<'_>)| {
            show(&PageBytes { view, hash, key: &[], ladder: IDS, bytes });
        };
        self.visit_at(at, index, &mut |page| {
            while let Some(first) = ids.first_entry().filter(|first| *first.key() <= page.hash) {
                let (hash, bytes) = first.remove_entry();
                show_ids(hash, &bytes, show);
            }
            show(page);
        });
        ids.into_iter().for_each(|(hash, bytes)| show_ids(hash, &bytes, show));
    }

    /// The ids of a view that are known, by key hash: partition, offset, event time (signed) and hash of each, in order of
    /// (partition, offset).
    fn ids_by_key(&self, at: usize, view: ViewId) -> BTreeMap<KeyHash, Vec<u8>> {
        let state = &self.ranges[at];
        let mut ids: BTreeMap<KeyHash, Vec<u8>> = BTreeMap::new();
        let known = state.known_ids(self.frontiers.positions(state.frontier));
        for (partition, _, known) in known.filter(|(_, of, _)| *of == view) {
            let bytes = ids.entry(known.key).or_default();
            put(bytes, partition.0.into());
            put(bytes, known.offset.into());
            put_signed(bytes, known.ts.0.into());
            bytes.extend_from_slice(&known.hash.to_le_bytes());
        }
        ids
    }
}
