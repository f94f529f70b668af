//! The source's log: partitions of records with sparse offsets, leader epochs and retention. Knows nothing of who
//! reads it; fetch delays belong to the world.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_protocol::ids::{LeaderEpoch, Offset, PartitionId, TopicId};
use featuregrid_protocol::time::Timestamp;

/// One record as it stands in the log.
#[derive(Clone, Debug)]
pub struct LogRecord {
    /// Its offset; the next record's is larger by one or more.
    pub offset: Offset,
    /// CreateTime.
    pub timestamp: Timestamp,
    /// Header `featuregrid-admit`: lateness does not apply.
    pub admit: bool,
    /// `None` is a tombstone.
    pub payload: Option<Arc<[u8]>>,
}

/// What a fetch answers.
#[derive(Clone, Debug)]
pub enum Fetched<'a> {
    /// Records from the offset asked for, and the offset to ask for next (holes included).
    Records {
        /// In order of offset.
        records: &'a [LogRecord],
        /// Where the next fetch begins.
        next: Offset,
        /// The leader that answered.
        leader_epoch: LeaderEpoch,
    },
    /// The log no longer begins that early: retention has passed.
    OutOfRange {
        /// Its first offset now.
        earliest: Offset,
    },
    /// No such partition.
    Unknown,
}

/// One partition.
#[derive(Clone, Debug, Default)]
pub struct Partition {
    records: Vec<LogRecord>,
    /// Records before this index were deleted by retention.
    dropped: usize,
    earliest: Offset,
    next: Offset,
    leader_epoch: LeaderEpoch,
}

impl Partition {
    /// First offset that can still be read.
    #[must_use]
    pub fn earliest(&self) -> Offset {
        self.earliest
    }

    /// The offset the next record will at least have: the end of the log.
    #[must_use]
    pub fn end(&self) -> Offset {
        self.next
    }

    /// Everything ever appended, retention or not: what the oracle folds.
    #[must_use]
    pub fn history(&self) -> &[LogRecord] {
        &self.records
    }
}

/// The log of one topic.
#[derive(Clone, Debug, Default)]
pub struct SimLog {
    topic: TopicId,
    partitions: BTreeMap<PartitionId, Partition>,
}

impl SimLog {
    /// A topic with `partitions` empty partitions.
    #[must_use]
    pub fn new(topic: TopicId, partitions: u32) -> Self {
        Self { topic, partitions: (0..partitions).map(|p| (PartitionId(p), Partition::default())).collect() }
    }

    /// The topic's identity.
    #[must_use]
    pub fn topic(&self) -> TopicId {
        self.topic
    }

    /// Every partition.
    #[must_use]
    pub fn partitions(&self) -> &BTreeMap<PartitionId, Partition> {
        &self.partitions
    }

    /// Adds an empty partition, as an operator who raises the count does.
    pub fn add_partition(&mut self) -> PartitionId {
        let partition = PartitionId(self.partitions.len() as u32);
        self.partitions.insert(partition, Partition::default());
        partition
    }

    /// Appends a record after `hole` offsets that will never hold one (transaction markers, compaction).
    pub fn append(
        &mut self,
        partition: PartitionId,
        hole: u64,
        timestamp: Timestamp,
        payload: Option<Arc<[u8]>>,
    ) -> Option<Offset> {
        let log = self.partitions.get_mut(&partition)?;
        let offset = log.next + hole;
        log.records.push(LogRecord { offset, timestamp, admit: false, payload });
        log.next = offset + 1;
        Some(offset)
    }

    /// Moves the end of the log without a record, as a transaction marker does.
    pub fn append_marker(&mut self, partition: PartitionId) {
        if let Some(log) = self.partitions.get_mut(&partition) {
            log.next += 1;
        }
    }

    /// Another broker leads the partition from now on.
    pub fn change_leader(&mut self, partition: PartitionId) {
        if let Some(log) = self.partitions.get_mut(&partition) {
            log.leader_epoch.0 += 1;
        }
    }

    /// Deletes records below `earliest`.
    pub fn retain_from(&mut self, partition: PartitionId, earliest: Offset) {
        if let Some(log) = self.partitions.get_mut(&partition) {
            log.earliest = log.earliest.max(earliest.min(log.next));
            log.dropped = log.records.partition_point(|record| record.offset < log.earliest);
        }
    }

    /// Up to `max` records at or after `from`.
    #[must_use]
    pub fn fetch(&self, partition: PartitionId, from: Offset, max: usize) -> Fetched<'_> {
        let Some(log) = self.partitions.get(&partition) else { return Fetched::Unknown };
        if from < log.earliest {
            return Fetched::OutOfRange { earliest: log.earliest };
        }
        let kept = &log.records[log.dropped..];
        let first = kept.partition_point(|record| record.offset < from);
        let records = &kept[first..kept.len().min(first + max)];
        let all = first + records.len() == kept.len();
        let next = match records.last() {
            _ if all => log.next.max(from),
            Some(last) => last.offset + 1,
            None => from,
        };
        Fetched::Records { records, next, leader_epoch: log.leader_epoch }
    }
}

#[cfg(test)]
mod tests {
    //! Holes are stepped over, and retention is said, never skipped.
    use super::*;

    const P: PartitionId = PartitionId(0);

    #[test]
    fn a_fetch_steps_over_holes_and_names_retention() {
        let mut log = SimLog::new(TopicId([1; 16]), 1);
        for hole in [0, 2, 0] {
            log.append(P, hole, Timestamp(0), None);
        }
        log.append_marker(P);
        let Fetched::Records { records, next, .. } = log.fetch(P, 1, 1) else { panic!("records") };
        assert_eq!((records[0].offset, next), (3, 4));
        let Fetched::Records { records, next, .. } = log.fetch(P, next, 10) else { panic!("records") };
        assert_eq!((records[0].offset, next), (4, 6));
        log.retain_from(P, 4);
        assert!(matches!(log.fetch(P, 3, 1), Fetched::OutOfRange { earliest: 4 }));
    }
}
