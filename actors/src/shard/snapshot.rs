//! The whole state of a range at one v, or what changed of it since another. Knows no object store.

use std::io;
use std::sync::Arc;

use featuregrid_protocol::ids::ViewId;
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::snapshot::{PartError, PartWriter, RangeHead, SnapshotPage, read_part};

use super::Shard;
use super::digest::PageBytes;
use super::range::Entry;
use crate::entity::{Page, encode, key_in};

/// A range at (control index, positions): canonical, so equal on every node that gets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeSnapshot {
    /// Everything but the pages.
    pub head: RangeHead,
    /// In [`SnapshotPage::order`]. Those of a delta are laid over those of the parts before it.
    pub pages: Vec<SnapshotPage>,
}

impl RangeSnapshot {
    /// Its bytes as a part.
    ///
    /// # Errors
    /// When memory for compression runs out.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        let mut writer = PartWriter::default();
        self.pages.iter().try_for_each(|page| writer.push(page))?;
        writer.finish(&self.head)
    }

    /// A snapshot of a part's bytes; its pages are checked when they are installed.
    ///
    /// # Errors
    /// See [`PartError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PartError> {
        read_part(bytes).map(|(head, pages)| Self { head, pages })
    }
}

impl Shard {
    /// The state of a range at once, folded to its T(v); `None` if it is not here.
    pub fn snapshot(&mut self, range: RangeId) -> Option<RangeSnapshot> {
        let at = self.find_range(range)?;
        // A walk under way keeps what it has found.
        self.hurry_walk(at);
        let under_way = self.ranges[at].walk.take();
        self.begin_walk(range, None)?;
        self.hurry_walk(at);
        let walked = self.take_walk(range);
        self.ranges[at].walk = under_way;
        walked.map(super::Walked::into_snapshot)
    }

    /// Folds the pages of one view of the range at `at` and shows them in order of (key hash, key, ladder).
    pub(super) fn visit_at(&mut self, at: usize, view: usize, show: &mut dyn FnMut(&PageBytes<'_>)) {
        self.hurry_walk(at);
        let layout = Arc::clone(&self.ranges[at].layout);
        let view = &layout.views[view];
        layout.bounds(self.frontiers.clocks(self.ranges[at].frontier), &mut self.scratch.bounds);
        let mut entries = Vec::new();
        for ladder in view.ladders.clone() {
            let (bounds, leaving) = (&self.scratch.bounds[ladder], &mut self.scratch.leaving);
            self.ranges[at].sweep(ladder, bounds, &mut self.slab, leaving);
            entries.extend(self.ranges[at].tables[ladder].iter().map(|entry| (*entry, ladder)));
        }
        // Equal hashes are rare: their keys are looked at only then.
        entries.sort_unstable_by(|(a, left), (b, right)| {
            let key = |entry: &Entry, ladder: usize| key_in(&layout.shapes[ladder], self.slab.words(entry.slot));
            a.hash.cmp(&b.hash).then_with(|| key(a, *left).cmp(&key(b, *right))).then(left.cmp(right))
        });
        let mut bytes = Vec::new();
        for (mut entry, ladder) in entries {
            let shape = &layout.shapes[ladder];
            let mut memory = self.slab.lend(&mut entry.slot);
            let page = Page::open(shape, &mut memory);
            bytes.clear();
            encode(&page, &mut bytes);
            let key = page.key();
            let (id, number): (ViewId, u16) = layout.places[ladder];
            show(&PageBytes { view: id, hash: KeyHash(entry.hash), key: &key, ladder: number, bytes: &bytes });
        }
    }
}
