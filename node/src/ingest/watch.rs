//! Looks at the topics now and then: are they still the ones that were read, and have they new partitions? Reads no
//! record; readers are told, and status shows it.
//!
//! A re-created topic gives the client no error where it holds more records than were read: its records would be taken
//! for those of the old one. So identities are compared, at the start and as often as [`LOOK_EVERY`]; the reader of a
//! Kafka topic notices in between, before it takes a record of the new one, where the brokers fetch by identity.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::range::RangeSet;

use super::progress::Progress;
use super::reader::Listeners;
use super::surroundings::Command;
use super::{Identity, Log, LogError};
use crate::store::begins::Begins;
use crate::store::once::OnceError;
use crate::store::topics::KnownTopics;

/// Two small requests; the time a new partition may wait, and records of a re-created topic may pass for the old one's
/// where brokers before Kafka 3.1 serve them.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A log that does not answer is mentioned this often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(30);

/// Compares the topics that are there with those that were read; a new one is remembered, another one of the same name
/// halts its partitions.
///
/// # Errors
/// When what is remembered cannot be written.
pub async fn identify(
    known: &mut KnownTopics,
    found: Vec<Identity>,
    progress: &Progress,
) -> Result<Vec<Halted>, OnceError> {
    let mut halted = Vec::new();
    for Identity { source, name, id } in found {
        let Some(was) = known.meet(&name, id).await? else { continue };
        for partition in progress.partitions().into_iter().filter(|partition| partition.source() == source) {
            progress.halt(partition, &LogError::recreated(&name, partition, was, id).to_string());
            halted.push(Halted(partition));
        }
    }
    Ok(halted)
}

/// The log must still hold what state is not durable of, from `needed` on; a partition of which it does not halts.
pub fn halt_lost(log: &dyn Log, progress: &Progress, needed: &OffsetVector, earliest: &OffsetVector) {
    for partition in progress.partitions() {
        let (wanted, earliest) = (needed.get(partition), earliest.get(partition));
        if earliest > wanted {
            let topic = log.name(partition).to_owned();
            progress.halt(partition, &LogError::Retention { topic, partition, wanted, earliest }.to_string());
        }
    }
}

/// A partition that was halted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halted(featuregrid_protocol::ids::PartitionId);

/// What is looked at, and who is told.
pub struct Watched {
    /// Which topics, and where to ask.
    pub log: Arc<dyn Log>,
    /// The topics that were read.
    pub known: KnownTopics,
    /// Where new partitions begin.
    pub begins: Begins,
    /// Where halted partitions are shown, and new ones join.
    pub progress: Arc<Progress>,
    /// The readers.
    pub listeners: Listeners,
    /// How many readers there are.
    pub readers: usize,
    /// Every range of the node.
    pub ranges: RangeSet,
}

/// Watches until it is dropped.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watched {
    /// Looks once.
    async fn look(&mut self) -> Result<(), String> {
        let found = self.log.identities().map_err(|error| error.to_string())?;
        for Halted(partition) in
            identify(&mut self.known, found, &self.progress).await.map_err(|error| error.to_string())?
        {
            self.listeners.tell_all(|| Command::Halted(partition));
        }
        for partition in self.log.partitions().map_err(|error| error.to_string())? {
            if self.progress.knows(partition) {
                continue;
            }
            let earliest = self.log.bounds(partition).map_err(|error| error.to_string())?.earliest;
            let begin = self.begins.settle(partition, earliest).await.map_err(|error| error.to_string())?;
            let Some(place) = self.progress.add(partition, begin) else { continue };
            let topic = self.log.name(partition);
            tracing::info!(%partition, topic, begin, "new partition: reading it from its beginning");
            let ranges = self.ranges.clone();
            self.listeners.tell(place % self.readers, Command::Discovered { partition, ranges });
        }
        Ok(())
    }

    /// Looks again and again on a thread of its own.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(mut self) -> std::io::Result<Watch> {
        let stop = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&stop);
        let mut complained: Option<Instant> = None;
        let runtime = tokio::runtime::Handle::current();
        let thread = std::thread::Builder::new().name("topics".to_owned()).spawn(move || {
            loop {
                std::thread::park_timeout(LOOK_EVERY);
                if own.load(Ordering::Relaxed) {
                    return;
                }
                if let Err(error) = runtime.block_on(self.look())
                    && complained.is_none_or(|since| since.elapsed() >= COMPLAIN_EVERY)
                {
                    complained = Some(Instant::now());
                    tracing::warn!(error, "the topics could not be looked at; trying on");
                }
            }
        })?;
        Ok(Watch { stop, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Not joined: a question to brokers that do not answer may last, and holds nothing that anybody needs.
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    //! A topic that is met again is the same or halts; identities read as Kafka's tools print them.
    use featuregrid_protocol::ids::{PartitionId, SourceId, TopicId};

    use super::*;
    use crate::store::local::LocalStore;

    #[tokio::test]
    async fn another_topic_of_the_same_name_halts_its_partitions_alone() {
        let folder = tempfile::tempdir().unwrap();
        let open = || KnownTopics::of(Arc::new(LocalStore::open(folder.path()).unwrap()));
        let other = PartitionId::of(SourceId(1), 0).unwrap();
        let progress = Progress::new([PartitionId(0), PartitionId(1), other].map(|partition| (partition, 0)));
        let found = |id: u8| {
            let identity = |source: u16, name: &str, id| Identity {
                source: SourceId(source),
                name: name.to_owned(),
                id: TopicId([id; 16]),
            };
            vec![identity(0, "payments", id), identity(1, "clicks", 9)]
        };
        let mut known = open();
        assert_eq!(identify(&mut known, found(1), &progress).await.unwrap(), []);
        let mut known = open();
        assert_eq!(identify(&mut known, found(1), &progress).await.unwrap(), []);
        let halted = identify(&mut known, found(2), &progress).await.unwrap();
        assert_eq!(halted, [Halted(PartitionId(0)), Halted(PartitionId(1))]);
        assert!(progress.halted(PartitionId(1)).unwrap().contains("deleted and created again"));
        assert_eq!(progress.halted(other), None);
    }

    #[test]
    fn identities_read_as_kafka_prints_them() {
        let show = |id| LogError::recreated("t", PartitionId(0), id, id).to_string();
        assert!(show(TopicId::default()).contains("its id was AAAAAAAAAAAAAAAAAAAAAA,"));
        assert!(show(TopicId([0xff; 16])).contains("its id was _____________________w,"));
        let bytes = [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8];
        assert!(show(TopicId(bytes)).contains("and is EjRWeJq83vABAgMEBQYHCA)"));
    }
}
