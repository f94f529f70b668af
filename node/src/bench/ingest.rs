//! CPU time per event of a node that reads a topic, beside that of the same client doing nothing with it. Each stage is
//! a process of its own, which does everything up to it; so the share of a stage is a difference, and measuring costs
//! nothing. Knows no command line.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use featuregrid_actors::control::History;
use featuregrid_protocol::ids::{Incarnation, PartitionId, TopicId};
use featuregrid_protocol::position::{OffsetVector, PartitionPosition};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::time::Timestamp;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;
use serde::{Deserialize, Serialize};

use super::cpu;
use crate::ingest::kafka::{Cluster, KafkaLog, Topics};
use crate::ingest::partition::{PartitionFeed, Walk, Want};
use crate::ingest::{Log, LogEvent};

/// How far a process goes with each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Stage {
    /// The limit: a plain loop over the client that XORs every payload byte.
    Limit,
    /// Our way to the client, nothing done.
    Poll,
    /// And decoded, judged, projected: rows in chunks.
    Decode,
    /// And carried through sender and receiver.
    Feed,
    /// A whole node: dead letters written, shards folded.
    Node,
}

/// What a process used.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Used {
    /// Records it read.
    pub events: u64,
    /// CPU microseconds for each.
    pub cpu_us_per_event: f64,
    /// Seconds of the wall.
    pub wall_s: f64,
}

/// Measures CPU and wall between two points.
pub struct Meter {
    cpu: Duration,
    wall: Instant,
}

impl Meter {
    /// From now on.
    #[must_use]
    pub fn start() -> Self {
        Self { cpu: cpu::used(), wall: Instant::now() }
    }

    /// Until now, for so many events.
    #[must_use]
    pub fn used(&self, events: u64) -> Used {
        let spent = cpu::used() - self.cpu;
        Used {
            events,
            cpu_us_per_event: spent.as_secs_f64() * 1e6 / events.max(1) as f64,
            wall_s: self.wall.elapsed().as_secs_f64(),
        }
    }
}

/// Offsets of a topic: where it begins and ends.
fn bounds(log: &KafkaLog) -> anyhow::Result<(Vec<(PartitionId, u64)>, OffsetVector)> {
    let (mut from, mut ends) = (Vec::new(), OffsetVector::default());
    for partition in log.partitions()? {
        let bounds = log.bounds(partition)?;
        from.push((partition, bounds.earliest));
        ends.0.insert(partition, bounds.end);
    }
    Ok((from, ends))
}

/// The plain loop.
///
/// # Errors
/// When the brokers do not answer.
pub fn limit(brokers: &str, topic: &str) -> anyhow::Result<Used> {
    let (from, ends) = bounds(&KafkaLog::new(brokers, Topics::one(topic))?)?;
    let consumer: BaseConsumer = Cluster::from(brokers).consumer().create()?;
    let mut assignment = TopicPartitionList::new();
    for (partition, offset) in &from {
        assignment.add_partition_offset(topic, partition.0 as i32, rdkafka::Offset::Offset(*offset as i64))?;
    }
    let meter = Meter::start();
    consumer.assign(&assignment)?;
    let (mut events, mut open, mut sum) = (0, from.len(), 0_u8);
    while open > 0 {
        match consumer.poll(Duration::from_secs(10)) {
            Some(Ok(message)) => {
                sum ^= message.payload().unwrap_or_default().iter().fold(0, |sum, byte| sum ^ byte);
                events += 1;
            }
            Some(Err(KafkaError::PartitionEOF(_))) => open -= 1,
            Some(Err(error)) => return Err(error).context("the plain loop"),
            None => bail!("the brokers deliver nothing: {} partitions are not at their end of {ends:?}", open),
        }
    }
    std::hint::black_box(sum);
    Ok(meter.used(events))
}

/// Our reading, without shards, up to a stage.
///
/// # Errors
/// When the brokers do not answer, or a feed halts.
pub fn read(brokers: &str, topic: &str, stage: Stage) -> anyhow::Result<Used> {
    let log = KafkaLog::new(brokers, Topics::one(topic))?;
    let (from, ends) = bounds(&log)?;
    let history = Arc::new(History::new(Arc::new(super::plan()?)));
    let all: RangeSet = RangeId::split_evenly(256).into_iter().collect();
    let mut wants = Vec::new();
    let mut lanes: BTreeMap<PartitionId, Lane> = BTreeMap::new();
    for (partition, next) in &from {
        let start = PartitionPosition::start(*next);
        let walk = Walk::new(Arc::clone(&history), *partition, start.clone());
        let groups = vec![(start, all.clone())];
        let me = Incarnation::default();
        let now = Timestamp(0);
        let feed =
            PartitionFeed::new(me, TopicId::default(), *partition, Arc::clone(&history), groups, now, &mut wants);
        lanes.insert(*partition, Lane { walk, feed, next: *next });
    }
    let meter = Meter::start();
    let mut reader = log.open(&from)?;
    let (mut events, mut rows) = (0, 0);
    while lanes.iter().any(|(partition, lane)| lane.next < ends.get(*partition)) {
        reader.poll(Duration::from_millis(100), &mut |event| match event {
            LogEvent::Record(partition, record, _) => {
                events += 1;
                let Some(lane) = lanes.get_mut(&partition) else { return };
                lane.next = record.offset + 1;
                match stage {
                    Stage::Limit | Stage::Poll => {}
                    Stage::Decode => drop(lane.walk.record(&record)),
                    Stage::Feed | Stage::Node => drop(lane.feed.walk().record(&record)),
                }
            }
            LogEvent::End(partition, end) => {
                if let Some(lane) = lanes.get_mut(&partition) {
                    lane.next = end;
                }
            }
        })?;
        for lane in lanes.values_mut() {
            rows += lane.turn(stage, &mut wants)?;
        }
    }
    std::hint::black_box(rows);
    Ok(meter.used(events))
}

struct Lane {
    walk: Walk,
    feed: PartitionFeed,
    next: u64,
}

impl Lane {
    /// Takes what was decoded, and carries it as far as the stage goes; how many rows left.
    fn turn(&mut self, stage: Stage, wants: &mut Vec<Want>) -> anyhow::Result<usize> {
        match stage {
            Stage::Limit | Stage::Poll => return Ok(0),
            Stage::Decode => {
                self.walk.cut();
                return Ok(self.walk.take().iter().map(|chunk| chunk.rows.len()).sum());
            }
            Stage::Feed | Stage::Node => {}
        }
        self.feed.walk().cut();
        for chunk in self.feed.walk().take() {
            self.feed.chunk(Timestamp(0), chunk, wants);
        }
        let mut rows = 0;
        for want in wants.drain(..) {
            match want {
                Want::Apply(frame, _) => rows += frame.rows.len(),
                Want::Halt(why) => bail!(why),
                _ => {}
            }
        }
        Ok(rows)
    }
}
