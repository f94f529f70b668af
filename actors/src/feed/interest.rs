//! What a reader keeps of its decoded rows, and since when. Knows no subscriber.

use std::collections::{BTreeMap, BTreeSet};

use featuregrid_protocol::ids::Offset;
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::range::{RangeId, RangeSet};

use super::coverage::Coverage;

/// The union of all subscribed sets. The ring holds the rows of a range only from the moment it joined.
#[derive(Clone, Debug, Default)]
pub(super) struct Interest {
    since: BTreeMap<RangeId, Offset>,
    coverage: Coverage,
}

impl Interest {
    /// Keeps rows of `set` from the next chunk on, which begins at `head`.
    pub(super) fn join(&mut self, set: &RangeSet, head: Offset) {
        let before = self.since.len();
        for range in set.iter() {
            self.since.entry(range).or_insert(head);
        }
        if self.since.len() != before {
            self.coverage = Coverage::of(self.since.keys().copied());
        }
    }

    /// Forgets ranges that nobody subscribes any more.
    pub(super) fn retain(&mut self, wanted: &BTreeSet<RangeId>) {
        let before = self.since.len();
        self.since.retain(|range, _| wanted.contains(range));
        if self.since.len() != before {
            self.coverage = Coverage::of(self.since.keys().copied());
        }
    }

    /// The reader goes back to `at` and decodes from there with today's union.
    pub(super) fn rewind(&mut self, at: Offset) {
        for since in self.since.values_mut() {
            *since = (*since).min(at);
        }
    }

    /// First offset from which the ring, which begins at `oldest`, holds every row of `set`.
    pub(super) fn included_from(&self, set: &RangeSet, oldest: Offset) -> Offset {
        if plants::on(Plant::A2IncludedFrom) {
            return oldest;
        }
        set.iter().filter_map(|range| self.since.get(&range)).fold(oldest, |from, since| from.max(*since))
    }

    /// The hashes kept.
    pub(super) fn coverage(&self) -> &Coverage {
        &self.coverage
    }
}

#[cfg(test)]
mod tests {
    //! A set is included from where its last range joined.
    use super::*;

    #[test]
    fn a_set_counts_from_its_latest_range() {
        let ranges = RangeId::split_evenly(4);
        let (one, both): (RangeSet, RangeSet) =
            (ranges[..1].iter().copied().collect(), ranges[..2].iter().copied().collect());
        let mut interest = Interest::default();
        interest.join(&one, 10);
        interest.join(&both, 20);
        assert_eq!((interest.included_from(&one, 0), interest.included_from(&both, 0)), (10, 20));
        assert_eq!(interest.included_from(&both, 30), 30, "the ring begins later");
        interest.rewind(15);
        assert_eq!((interest.included_from(&one, 0), interest.included_from(&both, 0)), (10, 15));
        interest.retain(&one.iter().collect());
        interest.join(&both, 40);
        assert_eq!(interest.included_from(&both, 0), 40, "a range that left begins anew");
    }
}
