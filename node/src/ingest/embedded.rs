//! The log as a file: a few partitions in redb, for the demo, tests and installs without Kafka. Knows no plan.
//!
//! Layout (version 1): table `meta` holds `version`, `partitions` (of each source) and `topic` (16 random bytes); table
//! `p<N>` of the first source, `s<M>p<N>` of others, maps an offset to a record: log timestamp (i64 little-endian, microseconds), flags (bit 0 payload present, bit 1 admitted,
//! bit 2 key present), length of the key (u32), key, payload. Offsets of a partition are dense here; nothing relies on it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use featuregrid_actors::reader::Record;
use featuregrid_protocol::ids::{Offset, PartitionId, SourceId, TopicId};
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::{Bounds, Log, LogError, LogEvent, LogReader, NewRecord, OpenLog, Origin, POLL_RECORDS_MAX};

/// Partitions of a new log: as many as the reference workload, and enough readers for a small machine.
pub const PARTITIONS: u32 = 4;
const VERSION: u64 = 1;
/// Memory for pages of the file: a log is written and read in order, so little helps.
const CACHE_BYTES: usize = 64 << 20;
const HEADER: usize = 13;
const HAS_PAYLOAD: u8 = 1;
const ADMITTED: u8 = 2;
const HAS_KEY: u8 = 4;

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

fn table(name: &str) -> TableDefinition<'_, u64, &'static [u8]> {
    TableDefinition::new(name)
}

fn table_name(partition: PartitionId) -> String {
    partition.to_string()
}

/// A log in one file.
#[derive(Clone)]
pub struct EmbeddedLog {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    topic: TopicId,
    /// Of each source.
    partitions: u32,
    database: Database,
    /// Held while a transaction is written: offsets are handed out there. Taken before `ends`, which readers look at, so
    /// that nobody waits for a disk to read what is there.
    appending: Mutex<()>,
    /// Next offset per partition, changed after the commit; readers that caught up wait here.
    ends: Mutex<BTreeMap<PartitionId, Offset>>,
    grown: Condvar,
}

impl EmbeddedLog {
    /// Opens the file for so many sources, or creates it with [`PARTITIONS`] partitions for each.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] if the file is damaged, of a newer version, or open elsewhere.
    pub fn open(path: &Path, sources: usize) -> Result<Self, LogError> {
        let wrong = |why: String| LogError::Unavailable { what: format!("log file {}", path.display()), why };
        let database =
            redb::Builder::new().set_cache_size(CACHE_BYTES).create(path).map_err(|e| wrong(e.to_string()))?;
        let (topic, partitions) = genesis(&database).map_err(|e| wrong(e.to_string()))?;
        let log_ends = ends(&database, sources, partitions).map_err(|e| wrong(e.to_string()))?;
        Ok(Self {
            shared: Arc::new(Shared {
                name: path.display().to_string(),
                topic,
                partitions,
                database,
                appending: Mutex::new(()),
                ends: Mutex::new(log_ends),
                grown: Condvar::new(),
            }),
        })
    }
}

impl EmbeddedLog {
    /// The same file with partitions for so many sources.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] if the file cannot be written.
    pub fn with_sources(&self, sources: usize) -> Result<Self, LogError> {
        let _appending = self.shared.appending.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self::ends(&self.shared.database, sources, self.shared.partitions).map_err(|error| {
            LogError::Unavailable { what: format!("log file {}", self.shared.name), why: error.to_string() }
        })?;
        let mut ends = self.shared.ends.lock().unwrap_or_else(PoisonError::into_inner);
        for (partition, end) in found {
            ends.entry(partition).or_insert(end);
        }
        drop(ends);
        Ok(self.clone())
    }

    /// Opens itself for any plan.
    #[must_use]
    pub fn for_plans(self) -> Box<OpenLog> {
        Box::new(move |plan| Ok(Arc::new(self.with_sources(plan.sources.len())?)))
    }

    /// Next offset of every partition.
    #[must_use]
    pub fn ends(&self) -> OffsetVector {
        OffsetVector(self.shared.ends.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Shared {
    /// Writes in one durable transaction; `ends` move after it.
    fn write(&self, records: &[NewRecord]) -> Result<Vec<Position>, redb::Error> {
        let _appending = self.appending.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut places = Vec::with_capacity(records.len());
        let mut by_partition: BTreeMap<PartitionId, Vec<&NewRecord>> = BTreeMap::new();
        let mut next = ends.clone();
        for record in records {
            let partition = PartitionId::of(record.source, record.partition(self.partitions));
            let known = partition.and_then(|partition| Some((partition, next.get_mut(&partition)?)));
            let Some((partition, end)) = known else {
                return Err(redb::Error::Corrupted(format!("no partition of {} in this log", record.source)));
            };
            places.push(Position { partition, offset: *end });
            *end += 1;
            by_partition.entry(partition).or_default().push(record);
        }
        let transaction = self.database.begin_write()?;
        for (partition, records) in by_partition {
            let name = table_name(partition);
            let mut rows = transaction.open_table(table(&name))?;
            let first = ends.get(&partition).copied().unwrap_or(0);
            for (offset, record) in (first..).zip(records) {
                let (key, payload) = (record.key.as_deref(), record.payload.as_deref());
                let length = HEADER + key.map_or(0, <[u8]>::len) + payload.map_or(0, <[u8]>::len);
                let mut value = rows.insert_reserve(offset, length)?;
                let (head, body) = value.as_mut().split_at_mut(HEADER);
                let (own_key, own_payload) = body.split_at_mut(key.map_or(0, <[u8]>::len));
                head[..8].copy_from_slice(&record.timestamp.0.to_le_bytes());
                let flags = [(payload.is_some(), HAS_PAYLOAD), (record.admit, ADMITTED), (key.is_some(), HAS_KEY)];
                head[8] = flags.iter().filter(|(holds, _)| *holds).fold(0, |all, (_, flag)| all | flag);
                head[9..].copy_from_slice(&(own_key.len() as u32).to_le_bytes());
                own_key.copy_from_slice(key.unwrap_or_default());
                own_payload.copy_from_slice(payload.unwrap_or_default());
            }
        }
        transaction.commit()?;
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(places)
    }

    fn end(&self, partition: PartitionId) -> Offset {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.get(&partition).copied().unwrap_or(0)
    }
}

/// Identity and shape of the log, written when the file is new.
fn genesis(database: &Database) -> Result<(TopicId, u32), redb::Error> {
    let transaction = database.begin_write()?;
    let shape = {
        let mut meta = transaction.open_table(META)?;
        if meta.get("version")?.is_none() {
            meta.insert("topic", crate::entropy::bytes().as_slice())?;
            meta.insert("partitions", PARTITIONS.to_le_bytes().as_slice())?;
            meta.insert("version", VERSION.to_le_bytes().as_slice())?;
        }
        let fixed = |name: &str| -> Result<Vec<u8>, redb::Error> {
            Ok(meta.get(name)?.map(|bytes| bytes.value().to_vec()).unwrap_or_default())
        };
        let version = fixed("version")?;
        let damaged = |what: &str| redb::Error::Corrupted(what.to_owned());
        if version != VERSION.to_le_bytes() {
            return Err(damaged("the log is of another version; upgrade first"));
        }
        let topic = fixed("topic")?.try_into().map_err(|_| damaged("topic id"))?;
        let partitions = fixed("partitions")?.try_into().map_err(|_| damaged("number of partitions"))?;
        (TopicId(topic), u32::from_le_bytes(partitions))
    };
    transaction.commit()?;
    Ok(shape)
}

fn ends(database: &Database, sources: usize, partitions: u32) -> Result<BTreeMap<PartitionId, Offset>, redb::Error> {
    let transaction = database.begin_write()?;
    let mut ends = BTreeMap::new();
    let all = (0..sources).flat_map(|source| (0..partitions).map(move |number| (SourceId(source as u16), number)));
    for partition in all.filter_map(|(source, number)| PartitionId::of(source, number)) {
        let name = table_name(partition);
        let rows = transaction.open_table(table(&name))?;
        let end = rows.last()?.map_or(0, |(offset, _)| offset.value() + 1);
        ends.insert(partition, end);
    }
    transaction.commit()?;
    Ok(ends)
}

impl Log for EmbeddedLog {
    fn name(&self, _: PartitionId) -> &str {
        &self.shared.name
    }

    fn topic(&self, _: PartitionId) -> TopicId {
        self.shared.topic
    }

    fn partitions(&self) -> Result<Vec<PartitionId>, LogError> {
        Ok(self.ends().0.into_keys().collect())
    }

    fn bounds(&self, partition: PartitionId) -> Result<Bounds, LogError> {
        Ok(Bounds { earliest: 0, end: self.shared.end(partition) })
    }

    fn open(&self, from: &[(PartitionId, Offset)]) -> Result<Box<dyn LogReader>, LogError> {
        for (partition, wanted) in from.iter().copied() {
            let end = self.shared.end(partition);
            if wanted > end {
                return Err(LogError::Truncated { topic: self.shared.name.clone(), partition, wanted, end });
            }
        }
        let next = from.iter().map(|(partition, next)| (*partition, *next, None)).collect();
        Ok(Box::new(EmbeddedReader { shared: Arc::clone(&self.shared), next, turn: 0, paused: false }))
    }

    fn append(&self, records: &[NewRecord]) -> Result<Vec<Position>, LogError> {
        let shared = &self.shared;
        let places = shared.write(records).map_err(|error| LogError::Unavailable {
            what: format!("append to {}", shared.name),
            why: error.to_string(),
        })?;
        shared.grown.notify_all();
        Ok(places)
    }
}

struct EmbeddedReader {
    shared: Arc<Shared>,
    /// Partition, next offset, and the end last told.
    next: Vec<(PartitionId, Offset, Option<Offset>)>,
    turn: usize,
    paused: bool,
}

impl EmbeddedReader {
    fn read(
        &self,
        partition: PartitionId,
        from: Offset,
        sink: &mut dyn FnMut(LogEvent<'_>),
    ) -> Result<Offset, redb::Error> {
        let transaction = self.shared.database.begin_read()?;
        let name = table_name(partition);
        let rows = transaction.open_table(table(&name))?;
        let mut next = from;
        for row in rows.range(from..)?.take(POLL_RECORDS_MAX) {
            let (offset, value) = row?;
            let offset = offset.value();
            let (record, key) = decode(offset, value.value()).ok_or_else(|| {
                redb::Error::Corrupted(format!("record {offset} of {partition} is shorter than its header"))
            })?;
            sink(LogEvent::Record(partition, record, Origin::new(key, None)));
            next = offset + 1;
        }
        Ok(next)
    }
}

fn decode(offset: Offset, value: &[u8]) -> Option<(Record<'_>, Option<&[u8]>)> {
    let (timestamp, rest) = value.split_first_chunk::<8>()?;
    let (flags, rest) = rest.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (key, payload) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let record = Record {
        offset,
        log_timestamp: Timestamp(i64::from_le_bytes(*timestamp)),
        admit: flags & ADMITTED != 0,
        payload: (flags & HAS_PAYLOAD != 0).then_some(payload),
    };
    Some((record, (flags & HAS_KEY != 0).then_some(key)))
}

impl LogReader for EmbeddedReader {
    fn poll(&mut self, wait: Duration, sink: &mut dyn FnMut(LogEvent<'_>)) -> Result<(), LogError> {
        let all = self.next.len();
        for step in 0..all {
            let at = (self.turn + step) % all;
            let (partition, next, told) = self.next[at];
            let end = self.shared.end(partition);
            if next < end && !self.paused {
                let read = self.read(partition, next, sink);
                self.next[at].1 = read.map_err(|error| LogError::Unavailable {
                    what: format!("{partition} of {}", self.shared.name),
                    why: error.to_string(),
                })?;
                self.turn = (at + 1) % all; // one partition does not starve the others
                return Ok(());
            }
            if next >= end && told != Some(end) {
                self.next[at].2 = Some(end);
                sink(LogEvent::End(partition, end));
            }
        }
        let ends = self.shared.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let news = self.next.iter().any(|(partition, next, _)| ends.get(partition).is_some_and(|end| end > next));
        if !news || self.paused {
            // Woken by an append, by time, or for nothing: the caller polls again anyway.
            drop(self.shared.grown.wait_timeout(ends, wait));
        }
        Ok(())
    }

    fn pause(&mut self, paused: bool) -> Result<(), LogError> {
        self.paused = paused;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
