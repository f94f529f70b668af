//! Dead letters in a Kafka topic, in the form that Kafka Connect gives them: the record as it was, and headers
//! `__connect.errors.*` that say where it stood and why it was not taken. Knows no reader.
//!
//! At least once: a record that is read again after a crash is written again, under the same topic, partition and
//! offset, by which readers tell copies. Header names: Kafka's `DeadLetterQueueReporter`.

use std::collections::BTreeSet;
use std::time::Duration;

use featuregrid_protocol::ids::{Offset, PartitionId, SourceId};
use featuregrid_protocol::plan::Plan;

use super::{DeadLetter, DeadLetterError, Letters};
use crate::ingest::kafka::{Cluster, KafkaLog, Letter, Topics};
use crate::ingest::{Header, Log, LogError, LogEvent};

const PREFIX: &str = "__connect.errors.";
const TOPIC: &str = "topic";
const PARTITION: &str = "partition";
const OFFSET: &str = "offset";
const SOURCE: &str = "connector.name";
const TASK: &str = "task.id";
const STAGE: &str = "stage";
const CLASS: &str = "class.name";
const EXCEPTION: &str = "exception.class.name";
const MESSAGE: &str = "exception.message";
/// The reason's own name, without Connect's vocabulary.
const CODE: &str = "featuregrid.error.code";
/// Stands in for a payload that the letter's topic refuses for its size: how many bytes it has.
const OMITTED: &str = "featuregrid.payload.omitted.bytes";

/// A poll while letters are read.
const WAIT: Duration = Duration::from_millis(100);

/// A topic of dead letters.
pub struct LetterTopic {
    log: KafkaLog,
    /// Source names and topics, by id.
    sources: Vec<(String, String)>,
}

impl LetterTopic {
    /// The topic `name`, which exists, for the letters of a plan's sources.
    ///
    /// # Errors
    /// [`DeadLetterError::Topic`] if the settings are refused.
    pub fn open(cluster: &Cluster, name: &str, plan: &Plan) -> Result<Self, DeadLetterError> {
        let log = KafkaLog::new(cluster, Topics::one(name))?;
        let sources = plan.sources.iter().map(|source| (source.name.clone(), source.topic.clone())).collect();
        Ok(Self { log, sources })
    }

    fn headers(&self, letter: &DeadLetter, omitted: bool) -> Vec<Header> {
        let none = (String::new(), String::new());
        let (source, topic) = self.sources.get(usize::from(letter.partition.source().0)).unwrap_or(&none);
        let (stage, message) = explain(&letter.reason);
        let mut headers = letter.headers.clone();
        let mut add = |name: String, value: String| {
            // A header that is there stays: a letter of a letter still says where the first one came from.
            if !headers.iter().any(|(known, _)| *known == name) {
                headers.push((name, Some(value.into_bytes())));
            }
        };
        let connect = [
            (TOPIC, topic.clone()),
            (PARTITION, letter.partition.number().to_string()),
            (OFFSET, letter.offset.to_string()),
            (SOURCE, source.clone()),
            (TASK, letter.partition.number().to_string()),
            (STAGE, stage.to_owned()),
            (CLASS, "featuregrid.reader".to_owned()),
            (EXCEPTION, format!("featuregrid.{}", letter.reason)),
            (MESSAGE, message.to_owned()),
        ];
        for (name, value) in connect {
            add(format!("{PREFIX}{name}"), value);
        }
        add(CODE.to_owned(), letter.reason.clone().into_owned());
        if omitted {
            add(OMITTED.to_owned(), letter.payload.as_ref().map_or(0, Vec::len).to_string());
        }
        headers
    }

    fn send(&self, letter: &DeadLetter, omitted: bool) -> Result<(), LogError> {
        let headers = self.headers(letter, omitted);
        let payload = letter.payload.as_deref().filter(|_| !omitted);
        self.log.append_letters(&[Letter { key: letter.key.as_deref(), timestamp: letter.timestamp, payload, headers }])
    }
}

impl Letters for LetterTopic {
    fn write(&self, letters: &[DeadLetter]) -> Result<(), DeadLetterError> {
        let whole: Vec<Letter<'_>> = letters
            .iter()
            .map(|letter| Letter {
                key: letter.key.as_deref(),
                timestamp: letter.timestamp,
                payload: letter.payload.as_deref(),
                headers: self.headers(letter, false),
            })
            .collect();
        match self.log.append_letters(&whole) {
            Err(LogError::TooLarge { .. }) => {}
            done => return Ok(done?),
        }
        // Some record is larger than this topic takes; its topic still has it.
        for letter in letters {
            match self.send(letter, false) {
                Err(LogError::TooLarge { .. }) => self.send(letter, true)?,
                done => done?,
            }
        }
        Ok(())
    }

    fn each(&self, take: &mut dyn FnMut(DeadLetter) -> bool) -> Result<(), DeadLetterError> {
        let mut seen: BTreeSet<(PartitionId, Offset)> = BTreeSet::new();
        for partition in self.log.partitions()? {
            let bounds = self.log.bounds(partition)?;
            let mut reader = self.log.open(&[(partition, bounds.earliest)])?;
            let (mut next, mut enough) = (bounds.earliest, false);
            while next < bounds.end && !enough {
                reader.poll(WAIT, &mut |event| match event {
                    LogEvent::Record(_, record, origin) => {
                        next = record.offset + 1;
                        let headers = origin.headers();
                        let Some((partition, offset, reason)) = self.parse(&headers) else { return };
                        if enough || !seen.insert((partition, offset)) {
                            return;
                        }
                        enough = !take(DeadLetter {
                            partition,
                            offset,
                            reason: reason.into(),
                            timestamp: record.log_timestamp,
                            key: origin.key().map(<[u8]>::to_vec),
                            payload: record.payload.map(<[u8]>::to_vec),
                            headers: own(headers),
                        });
                    }
                    LogEvent::End(_, end) => next = next.max(end),
                })?;
            }
            if enough {
                break;
            }
        }
        Ok(())
    }
}

impl LetterTopic {
    /// Where the record stood, and the reason; `None` where somebody else wrote it.
    fn parse(&self, headers: &[Header]) -> Option<(PartitionId, Offset, String)> {
        let text = |name: &str| {
            let (_, value) = headers.iter().find(|(known, _)| known == name)?;
            String::from_utf8(value.clone()?).ok()
        };
        let topic = text(&format!("{PREFIX}{TOPIC}"))?;
        let source = self.sources.iter().position(|(_, known)| *known == topic)?;
        let number = text(&format!("{PREFIX}{PARTITION}"))?.parse().ok()?;
        let partition = PartitionId::of(SourceId(source as u16), number)?;
        Some((partition, text(&format!("{PREFIX}{OFFSET}"))?.parse().ok()?, text(CODE)?))
    }
}

/// The record's own headers.
fn own(mut headers: Vec<Header>) -> Vec<Header> {
    headers.retain(|(name, _)| !name.starts_with(PREFIX) && name != CODE && name != OMITTED);
    headers
}

/// Which step refused a record, and why in a sentence.
#[must_use]
pub fn explain(reason: &str) -> (&'static str, &'static str) {
    match reason {
        "late" => ("LATE", "the event time is further behind its partition's newest than allowed_lateness"),
        "future" => ("LATE", "the event time is further ahead of the record's timestamp than max_skew"),
        "too_large" => ("DESERIALIZE", "the record is larger than 10 MiB"),
        "undecodable" => ("DESERIALIZE", "the payload is not one JSON object"),
        "no_timestamp" => ("DESERIALIZE", "the event timestamp is missing or cannot be read"),
        "rejected" => {
            ("ROUTE", "every view that matches the record rejects it: a null join key or a field of the wrong type")
        }
        _ => ("APPLY", "the record was not taken"),
    }
}
