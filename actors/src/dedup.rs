//! Which event ids a range knows, so that a copy of an event counts once. Knows neither page nor plan.
//!
//! Within one key of a view and one partition, the first offset of an id counts. An id is known as long as a record with
//! the same event time would not be late: until the partition's prefix max has passed it by more than its source's
//! `ids_known_for`; and to the next [`ID_OFFSETS_MAX`] offsets at most, so that a clock that stands still does not keep all of
//! them. Which ids are known is therefore a function of the partition's prefix, and so is what is a duplicate.
//!
//! Ids stand beside the pages of a range and not in them. A view has several ladders, which begin at different entries
//! of the control log and may go again, and a duplicate is one for all of them; and the ids of a key that nobody
//! mentions again go as soon as its partition has gone on. An id takes 48 to 100 bytes (40, and an index, both with room to
//! grow), those within one horizon are there at a time: what a partition appends while its event time passes the allowed
//! lateness.

mod list;

use std::collections::BTreeMap;

use featuregrid_protocol::ids::{Offset, PartitionId, ViewId};
use featuregrid_protocol::limits::ID_OFFSETS_MAX;
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::row::Row;
use featuregrid_protocol::snapshot::KnownId;
use featuregrid_protocol::time::{Span, Timestamp};

use self::list::List;

/// The event ids of some keys.
#[derive(Debug, Default)]
pub struct KnownIds {
    lists: BTreeMap<(PartitionId, ViewId), List>,
    bytes: usize,
}

/// How far back ids of a partition are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Horizon {
    /// The oldest event time.
    pub(crate) ts: Timestamp,
    /// The first offset.
    pub(crate) offset: Offset,
}

impl Horizon {
    /// Of a record at `offset` that follows a prefix of this max; and of a prefix that ends before `offset`.
    pub(crate) fn of(max: Timestamp, offset: Offset, known_for: Span) -> Self {
        let ts = if plants::on(Plant::IdKeptTooShort) { max } else { max - known_for };
        Self { ts, offset: offset.saturating_sub(ID_OFFSETS_MAX) }
    }

    /// Whether an id is known.
    pub(crate) fn holds(&self, known: &KnownId) -> bool {
        known.ts >= self.ts && known.offset >= self.offset
    }
}

impl KnownIds {
    /// Whether a row of `view` counts: it has no id, or is the first with its id, which is known from now on. Rows of a
    /// partition come in order of offset.
    pub fn admit(&mut self, partition: PartitionId, view: ViewId, row: &Row<'_>, known_for: Span) -> bool {
        let Some(id) = row.id else { return true };
        let mut horizon = Horizon::of(id.max_before, row.head.offset, known_for);
        if plants::on(Plant::IdKeptByArrival) {
            horizon.offset = 0;
        }
        let known = KnownId { key: row.head.hash, ts: row.head.ts, offset: row.head.offset, hash: id.hash };
        let list = self.lists.get(&(partition, view));
        if list.is_some_and(|list| list.contains(&known, horizon)) {
            return false;
        }
        // An event admitted although it is late is older than anything that is known.
        if horizon.holds(&known) {
            self.insert(partition, view, known);
        }
        true
    }

    /// From now on the id is known.
    pub(crate) fn insert(&mut self, partition: PartitionId, view: ViewId, known: KnownId) {
        let list = self.lists.entry((partition, view)).or_insert_with(|| {
            self.bytes += List::EMPTY_BYTES;
            List::default()
        });
        let before = list.bytes();
        list.push(known);
        self.bytes += list.bytes() - before;
    }

    /// Forgets ids of a partition that lie before `horizon`. One whose event is old but stands behind a younger one may
    /// stay for a while; it is not known any more all the same.
    pub(crate) fn forget(&mut self, partition: PartitionId, horizon: Horizon) {
        let mut empty = Vec::new();
        let all = (partition, ViewId(u64::MIN))..=(partition, ViewId(u64::MAX));
        for (place, list) in self.lists.range_mut(all) {
            let before = list.bytes();
            if list.forget(horizon) {
                self.bytes -= before - list.bytes();
            }
            if list.is_empty() {
                empty.push(*place);
            }
        }
        for place in empty {
            if let Some(list) = self.lists.remove(&place) {
                self.bytes -= list.bytes() + List::EMPTY_BYTES;
            }
        }
    }

    /// The ids that are known, in order of offset for each partition and view; `horizon_of` a partition.
    pub(crate) fn known(
        &self,
        horizon_of: impl Fn(PartitionId) -> Horizon,
    ) -> impl Iterator<Item = (PartitionId, ViewId, KnownId)> {
        self.lists.iter().flat_map(move |((partition, view), list)| {
            let horizon = horizon_of(*partition);
            list.iter().filter(move |known| horizon.holds(known)).map(|known| (*partition, *view, *known))
        })
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Bytes taken from the allocator.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests;
