//! The whole state of a range at one v, and its bytes. Knows no object store.
//!
//! ```text
//! magic FGRS | version u16 | crc32c of the rest u32 (little-endian), then, integers by value (LEB128, zigzag):
//! range prefix, bits | control index
//! positions: count, then partition, next, max (signed), records, late, dead, tombstones, unmatched, routed,
//!            views: count, then view, rows, rejected
//! rows:      count, then view, applied, duplicate
//! event ids: count of lists, then partition, view, count, then offset (later ones as distance), key hash (u64), ts
//!            (signed), hash of the id (u128); in order of (partition, view), each list in order of offset
//! pages:     count, then view, ladder, key length, key, page length, page; in order of (view, key hash, key, ladder)
//! ```
//!
//! The key hash is not stored: it follows from the key.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_protocol::ids::{ControlIndex, Offset, PartitionId, ViewId};
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::position::{PartitionCounters, PartitionPosition, Positions, ViewCounters};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Timestamp;
use thiserror::Error;

use super::Shard;
use super::digest::PageBytes;
use super::range::{Entry, RowCounts, horizon_of, spread};
use crate::dedup::KnownId;
use crate::entity::{Page, decode, encode, key_in, tail_words};
use crate::varint::{Bytes, Damaged, put, put_signed};

const MAGIC: [u8; 4] = *b"FGRS";
const VERSION: u16 = 3;

/// A range at (control index, positions): canonical, so equal on every node that gets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeSnapshot {
    /// Which range.
    pub range: RangeId,
    /// Whose plan the pages follow.
    pub index: ControlIndex,
    /// v, prefix maxima and accounting.
    pub positions: Positions,
    /// Rows by view; views without any are left out.
    pub rows: BTreeMap<ViewId, RowCounts>,
    /// The event ids that are known here, in order of (partition, view).
    pub ids: Vec<SnapshotIds>,
    /// In order of (view, key hash, key, ladder).
    pub pages: Vec<SnapshotPage>,
}

/// The event ids of one view that came from one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotIds {
    /// The partition.
    pub partition: PartitionId,
    /// The view, which the plan may have no more.
    pub view: ViewId,
    /// In order of offset; never empty.
    pub known: Vec<KnownId>,
}

/// One page of a snapshot.
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

/// Why a snapshot cannot be installed. The shard was not changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InstallError {
    /// Its pages follow another plan than the one handed in.
    #[error("range {range}: the snapshot is of control index {found}, the plan of {plan}; load the plan of {found}")]
    Index {
        /// Which range.
        range: RangeId,
        /// The snapshot's index.
        found: ControlIndex,
        /// The plan's.
        plan: ControlIndex,
    },
    /// The plan has no such view or ladder, although the index is the same.
    #[error(
        "range {range}: the snapshot holds {view} ladder {ladder}, which its plan does not have; restore it from another snapshot or from the log"
    )]
    Unknown {
        /// Which range.
        range: RangeId,
        /// The view.
        view: ViewId,
        /// The ladder.
        ladder: u16,
    },
    /// A key of another range.
    #[error(
        "range {range}: the snapshot holds a key of another range; restore it from another snapshot or from the log"
    )]
    ForeignKey {
        /// Which range.
        range: RangeId,
    },
    /// Bytes that no release writes.
    #[error("range {range}: {damaged}")]
    Damaged {
        /// Which range.
        range: RangeId,
        /// What is wrong.
        damaged: Damaged,
    },
}

impl Shard {
    /// The state of a range, folded to its T(v); `None` if it is not here.
    pub fn snapshot(&mut self, range: RangeId) -> Option<RangeSnapshot> {
        let at = self.find_range(range)?;
        let mut pages = Vec::new();
        for view in self.ranges[at].layout.by_id.clone() {
            self.visit_at(at, view, &mut |page| {
                let (key, bytes) = (page.key.to_vec(), page.bytes.to_vec());
                pages.push(SnapshotPage { view: page.view, ladder: page.ladder, key, bytes });
            });
        }
        let state = &self.ranges[at];
        let mut ids: Vec<SnapshotIds> = Vec::new();
        for (partition, view, known) in state.known_ids(self.frontiers.positions(state.frontier)) {
            match ids.last_mut().filter(|last| (last.partition, last.view) == (partition, view)) {
                Some(last) => last.known.push(known),
                None => ids.push(SnapshotIds { partition, view, known: vec![known] }),
            }
        }
        let mut positions = self.frontiers.positions(state.frontier).clone();
        if plants::on(Plant::TornSnapshot)
            && let Some(position) = positions.values_mut().find(|position| position.next > 0)
        {
            position.next += 1;
        }
        Some(RangeSnapshot { range, index: state.layout.plan.index, positions, rows: state.rows_by_view(), ids, pages })
    }

    /// Takes over the state of a range under the plan of its control index; a range that was here is replaced.
    ///
    /// # Errors
    /// See [`InstallError`].
    pub fn install(&mut self, snapshot: &RangeSnapshot, plan: Arc<Plan>) -> Result<(), InstallError> {
        let range = snapshot.range;
        if snapshot.index != plan.index {
            return Err(InstallError::Index { range, found: snapshot.index, plan: plan.index });
        }
        self.remember(Arc::clone(&plan));
        let layout = self.layout_of(plan);
        let mut pages = Vec::with_capacity(snapshot.pages.len());
        for page in &snapshot.pages {
            let unknown = InstallError::Unknown { range, view: page.view, ladder: page.ladder };
            let ladders = layout.view(page.view).map(|view| layout.views[view].ladders.clone());
            let ladder = ladders.and_then(|mut ladders| ladders.nth(page.ladder.into())).ok_or(unknown)?;
            let hash = KeyHash::of(&page.key);
            if !range.contains(hash) {
                return Err(InstallError::ForeignKey { range });
            }
            let loose = decode(&layout.shapes[ladder], &page.key, &page.bytes)
                .map_err(|damaged| InstallError::Damaged { range, damaged })?;
            pages.push((ladder, hash, loose));
        }
        for list in &snapshot.ids {
            let horizon = horizon_of(&layout.plan, list.partition, &snapshot.positions);
            if list.known.iter().any(|known| !range.contains(known.key)) {
                return Err(InstallError::ForeignKey { range });
            }
            if list.known.iter().any(|known| !horizon.holds(known)) {
                let damaged = Damaged("an event id is kept longer than it is known");
                return Err(InstallError::Damaged { range, damaged });
            }
        }
        self.add_range(range, snapshot.positions.clone());
        let Some(at) = self.find_range(range) else { return Ok(()) };
        let frontier = self.ranges[at].frontier;
        let mut state = super::RangeState::new(range, Arc::clone(&layout), frontier);
        for (ladder, hash, page) in pages {
            let tail = tail_words(&layout.shapes[ladder], &page.words);
            let slot = self.slab.store(page, tail);
            state.tables[ladder]
                .insert_unique(spread(hash.0), Entry { hash: hash.0, slot }, |entry| spread(entry.hash));
        }
        for list in &snapshot.ids {
            list.known.iter().for_each(|known| state.ids.insert(list.partition, list.view, *known));
        }
        state.set_rows(snapshot.rows.clone());
        self.ranges[at] = state;
        Ok(())
    }

    /// Folds the pages of one view of the range at `at` and shows them in order of (key hash, key, ladder).
    pub(super) fn visit_at(&mut self, at: usize, view: usize, show: &mut dyn FnMut(&PageBytes<'_>)) {
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
            let number = (ladder - view.ladders.start) as u16;
            show(&PageBytes { view: view.id, hash: KeyHash(entry.hash), key: &key, ladder: number, bytes: &bytes });
        }
    }
}

impl RangeSnapshot {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        put(&mut body, self.range.prefix.into());
        put(&mut body, self.range.bits.into());
        put(&mut body, self.index.0.into());
        put(&mut body, self.positions.len() as u128);
        for (partition, position) in &self.positions {
            put(&mut body, partition.0.into());
            put(&mut body, position.next.into());
            put_signed(&mut body, position.max.0.into());
            put_counters(&mut body, &position.counters);
        }
        put(&mut body, self.rows.len() as u128);
        for (view, rows) in &self.rows {
            put(&mut body, view.0.into());
            put(&mut body, rows.applied.into());
            put(&mut body, rows.duplicate.into());
        }
        put(&mut body, self.ids.len() as u128);
        for list in &self.ids {
            put(&mut body, list.partition.0.into());
            put(&mut body, list.view.0.into());
            put(&mut body, list.known.len() as u128);
            let mut last = 0;
            for known in &list.known {
                put_known(&mut body, known, std::mem::replace(&mut last, known.offset));
            }
        }
        put(&mut body, self.pages.len() as u128);
        for page in &self.pages {
            put(&mut body, page.view.0.into());
            put(&mut body, page.ladder.into());
            for bytes in [&page.key, &page.bytes] {
                put(&mut body, bytes.len() as u128);
                body.extend_from_slice(bytes);
            }
        }
        let mut bytes = Vec::with_capacity(body.len() + 10);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }

    /// A snapshot of bytes; its pages are checked when they are installed.
    ///
    /// # Errors
    /// [`Damaged`] where the bytes are not what [`RangeSnapshot::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut input = Bytes(bytes);
        if input.take(4)? != MAGIC {
            return Err(Damaged("it is no range snapshot"));
        }
        if input.take(2)? != VERSION.to_le_bytes() {
            return Err(Damaged("it is of an unknown version"));
        }
        if input.take(4)? != crc32c::crc32c(&bytes[10..]).to_le_bytes() {
            return Err(Damaged("its checksum does not match"));
        }
        let range = RangeId { prefix: input.small()?, bits: input.small()? };
        if range.bits > 63 || !range.contains(KeyHash(range.prefix)) {
            return Err(Damaged("its range does not exist"));
        }
        let index = ControlIndex(input.small()?);
        let mut positions = Positions::new();
        for _ in 0..input.count()? {
            let partition = PartitionId(input.small()?);
            let (next, max) = (input.small()?, Timestamp(input.word()?));
            positions.insert(partition, PartitionPosition { next, max, counters: take_counters(&mut input)? });
        }
        let mut rows = BTreeMap::new();
        for _ in 0..input.count()? {
            let view = ViewId(input.small()?);
            rows.insert(view, RowCounts { applied: input.small()?, duplicate: input.small()? });
        }
        let ids = take_ids(&mut input)?;
        let mut pages = Vec::new();
        for _ in 0..input.count()? {
            let (view, ladder) = (ViewId(input.small()?), input.small()?);
            let mut part = || {
                let length = input.count()?;
                input.take(length).map(<[u8]>::to_vec)
            };
            pages.push(SnapshotPage { view, ladder, key: part()?, bytes: part()? });
        }
        if !input.0.is_empty() {
            return Err(Damaged("it is followed by something else"));
        }
        Ok(Self { range, index, positions, rows, ids, pages })
    }
}

/// Hashes have no short form; the id before it stands at `last`.
fn put_known(out: &mut Vec<u8>, known: &KnownId, last: Offset) {
    put(out, known.offset.wrapping_sub(last).into());
    out.extend_from_slice(&known.key.0.to_le_bytes());
    put_signed(out, known.ts.0.into());
    out.extend_from_slice(&known.hash.to_le_bytes());
}

fn take_ids(input: &mut Bytes<'_>) -> Result<Vec<SnapshotIds>, Damaged> {
    let mut lists: Vec<SnapshotIds> = Vec::new();
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
        lists.push(SnapshotIds { partition, view, known });
    }
    Ok(lists)
}

fn put_counters(out: &mut Vec<u8>, counters: &PartitionCounters) {
    let PartitionCounters { records, late, dead_lettered, tombstones, unmatched, routed, views } = counters;
    for count in [records, late, dead_lettered, tombstones, unmatched, routed] {
        put(out, (*count).into());
    }
    put(out, views.len() as u128);
    for (view, counters) in views {
        put(out, view.0.into());
        put(out, counters.rows.into());
        put(out, counters.rejected.into());
    }
}

fn take_counters(input: &mut Bytes<'_>) -> Result<PartitionCounters, Damaged> {
    let mut counters = PartitionCounters {
        records: input.small()?,
        late: input.small()?,
        dead_lettered: input.small()?,
        tombstones: input.small()?,
        unmatched: input.small()?,
        routed: input.small()?,
        views: BTreeMap::new(),
    };
    for _ in 0..input.count()? {
        let view = ViewId(input.small()?);
        counters.views.insert(view, ViewCounters { rows: input.small()?, rejected: input.small()? });
    }
    Ok(counters)
}
