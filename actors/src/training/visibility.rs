//! What of one partition was visible at each mark: noted while its records pass, so that nothing else of them is kept.
//! Knows no row.

use std::sync::Arc;

use featuregrid_protocol::ids::Offset;
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::time::{Span, Timestamp};

/// Where a reader of a partition stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    /// What lies below was visible.
    pub(super) next: Offset,
    /// The prefix max there.
    pub(super) max: Timestamp,
}

/// The marks of one partition.
#[derive(Debug)]
pub(super) struct Marks {
    /// Ascending.
    offsets: Vec<Offset>,
    /// Ascending; the same for all partitions.
    instants: Arc<[Timestamp]>,
    /// The prefix max at each of the first offsets.
    max_at: Vec<Timestamp>,
    /// Where the partition stood at each of the first instants.
    stood_at: Vec<Stand>,
    /// When the last record became visible.
    applied_at: Timestamp,
}

/// A record became visible before one in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unordered {
    pub(super) before: Timestamp,
}

impl Marks {
    pub(super) fn new(offsets: Vec<Offset>, instants: Arc<[Timestamp]>) -> Self {
        Self { offsets, instants, max_at: Vec::new(), stood_at: Vec::new(), applied_at: Timestamp::MIN }
    }

    /// Bytes that it takes once every mark is passed, what is shared left out.
    pub(super) fn bytes(&self) -> usize {
        self.offsets.len() * size_of::<(Offset, Timestamp)>() + self.instants.len() * size_of::<Stand>()
    }

    /// Whether it matters when records became visible.
    pub(super) fn need_instants(&self) -> bool {
        !self.instants.is_empty()
    }

    /// A record at `offset` comes next, visible from `applied_at` on; before it the partition stands at `stand`.
    pub(super) fn pass(&mut self, stand: Stand, offset: Offset, applied_at: Timestamp) -> Result<(), Unordered> {
        while self.offsets.get(self.max_at.len()).is_some_and(|mark| *mark <= offset) {
            self.max_at.push(stand.max);
        }
        if applied_at < self.applied_at {
            return Err(Unordered { before: self.applied_at });
        }
        self.applied_at = applied_at;
        let last_without = if plants::on(Plant::TrainingSeesLater) { applied_at - Span::TICK } else { applied_at };
        while self.instants.get(self.stood_at.len()).is_some_and(|mark| *mark < last_without) {
            self.stood_at.push(stand);
        }
        Ok(())
    }

    /// No record comes any more.
    pub(super) fn finish(&mut self, stand: Stand) {
        self.max_at.resize(self.offsets.len(), stand.max);
        self.stood_at.resize(self.instants.len(), stand);
    }

    /// Where a reader stood whose token says `next`, one of the marks.
    pub(super) fn at_offset(&self, next: Offset) -> Stand {
        let mark = self.offsets.binary_search(&next).ok();
        let max = mark.and_then(|mark| self.max_at.get(mark)).copied().unwrap_or(Timestamp::MIN);
        Stand { next, max }
    }

    /// Where the node stood at an instant, by its number among the marks.
    pub(super) fn at_instant(&self, instant: usize) -> Stand {
        self.stood_at.get(instant).copied().unwrap_or(Stand { next: 0, max: Timestamp::MIN })
    }
}

#[cfg(test)]
mod tests {
    //! What was visible, at marks before, between and after records.
    use super::*;

    #[test]
    fn marks_say_where_a_reader_stood() {
        let instants: Arc<[Timestamp]> = [5, 10, 15, 99].map(Timestamp).into();
        let mut marks = Marks::new(vec![0, 3, 4, 9], instants);
        let stand = |next, max| Stand { next, max: Timestamp(max) };
        assert_eq!(marks.pass(stand(0, i64::MIN), 0, Timestamp(10)), Ok(()));
        assert_eq!(marks.pass(stand(1, 100), 3, Timestamp(10)), Ok(()));
        assert_eq!(marks.pass(stand(4, 200), 4, Timestamp(15)), Ok(()));
        let early = marks.pass(stand(5, 200), 5, Timestamp(14));
        assert_eq!(early, Err(Unordered { before: Timestamp(15) }));
        marks.finish(stand(5, 300));
        let offsets = [0, 3, 4, 9].map(|offset| marks.at_offset(offset));
        assert_eq!(offsets, [stand(0, i64::MIN), stand(3, 100), stand(4, 200), stand(9, 300)]);
        let instants = [0, 1, 2, 3].map(|instant| marks.at_instant(instant));
        assert_eq!(instants, [stand(0, i64::MIN), stand(4, 200), stand(5, 300), stand(5, 300)]);
    }
}
