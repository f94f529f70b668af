//! A shard, and frames of rows made without a log, for benches of what comes after the reader. Knows no payload.

use std::sync::Arc;

use featuregrid_actors::entity::PageFacts;
use featuregrid_actors::shard::Shard;
use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::{Generation, LeaderEpoch, PartitionId, TopicId};
use featuregrid_protocol::key::{self, KeyHash};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{PartitionCounters, PartitionPosition, Positions};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::row::{EventId, RowBatch, RowHead};
use featuregrid_protocol::time::{Span, Timestamp};

/// The one partition they come from.
pub(super) const PARTITION: PartitionId = PartitionId(0);

/// A shard of so many ranges (a power of two), all empty.
pub(super) fn shard(plan: &Arc<Plan>, ranges: u32) -> (Shard, RangeSet) {
    let ranges: RangeSet = RangeId::split_evenly(ranges).into_iter().collect();
    let mut shard = Shard::new(Arc::clone(plan));
    for range in ranges.iter() {
        shard.add_range(range, Positions::from([(PARTITION, PartitionPosition::start(0))]));
    }
    (shard, ranges)
}

/// Rows of the first view of a plan, every measure present; each has an event id of its own if the source has ids.
pub(super) struct Frames {
    has_ids: bool,
    present: u64,
    numbers: Vec<i64>,
    index: featuregrid_protocol::ids::ControlIndex,
    next: u64,
    max: Timestamp,
    key: Vec<u8>,
}

impl Frames {
    pub(super) fn new(plan: &Plan) -> Self {
        let measures = plan.views.first().map_or(&[][..], |view| view.measures.as_slice());
        let present = if measures.len() < 64 { (1 << measures.len()) - 1 } else { u64::MAX };
        let numbers = measures.iter().filter_map(|measure| measure.value.as_ref()).map(|_| 0).collect();
        let has_ids = plan.sources.first().is_some_and(|source| source.event_id.is_some());
        Self { has_ids, present, numbers, index: plan.index, next: 0, max: Timestamp::MIN, key: Vec::new() }
    }

    /// A frame with a row for each (user, event time, amount).
    pub(super) fn frame(&mut self, events: impl Iterator<Item = (u64, Timestamp, i64)>) -> Frame {
        let (from, max_before) = (self.next, self.max);
        let mut rows = RowBatch::default();
        for (user, ts, amount) in events {
            encode(user, &mut self.key);
            self.numbers.fill(amount);
            let head = RowHead {
                hash: KeyHash::of(&self.key),
                ts,
                offset: self.next,
                present: self.present,
                bad: 0,
                view: 0,
                key_len: 0,
                number_len: 0,
            };
            rows.push(head, &self.key, &self.numbers);
            if self.has_ids {
                rows.identify(EventId::of(&format!("evt-{}", self.next), self.max));
            }
            self.next += 1;
            self.max = self.max.max(ts);
        }
        Frame {
            topic: TopicId::default(),
            partition: PARTITION,
            leader_epoch: LeaderEpoch(0),
            index: self.index,
            generation: Generation::default(),
            from,
            to: self.next,
            max_before,
            max_after: self.max,
            deltas: PartitionCounters::default(),
            rows,
        }
    }
}

/// The canonical bytes of a user's key, in the place of what is in `bytes`.
pub(super) fn encode(user: u64, bytes: &mut Vec<u8>) {
    bytes.clear();
    key::encode([format!("u{user}").as_str()], bytes);
}

/// What a user's pages of the first view hold.
pub(super) fn pages(shard: &mut Shard, user: u64) -> impl Iterator<Item = PageFacts> + use<> {
    let mut key = Vec::new();
    encode(user, &mut key);
    shard.inspect(0, &key).into_iter().flat_map(|facts| facts.ladders).flatten()
}

/// When the first event happens.
pub(super) const START: Timestamp = Timestamp(1_767_225_600_000_000);
/// How far events lie behind one another, as in W1.
pub(super) const DISORDER: Span = Span::seconds(2);
