//! One subscription as the reader keeps it. Knows no ring.

use std::collections::VecDeque;

use featuregrid_protocol::ids::{Incarnation, Offset};
use featuregrid_protocol::limits::FRAME_CREDITS;
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::range::RangeSet;
use featuregrid_protocol::time::Timestamp;

use super::effect::ReplayId;
use crate::feed::coverage::Coverage;

/// Where its next frame comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// From the ring.
    Live,
    /// From nowhere yet: the subscriber is ahead of this reader.
    Ahead,
    /// From the log, as soon as a replay may be opened.
    Queued,
    /// From the log.
    Replay {
        /// Which replay.
        id: ReplayId,
        /// Where it ends.
        until: Offset,
        /// A chunk was asked for and has not come.
        pulled: bool,
    },
    /// From nowhere until the hold ends.
    Parked,
}

/// One subscription.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) subscriber: Incarnation,
    pub(super) set: RangeSet,
    pub(super) coverage: Coverage,
    /// The triple after the last frame sent.
    pub(super) cursor: PartitionPosition,
    pub(super) stage: Stage,
    /// Ends of the frames sent and not acknowledged; at most [`FRAME_CREDITS`].
    pub(super) outstanding: VecDeque<Offset>,
    /// The subscriber is at least here.
    pub(super) acked: Offset,
    pub(super) heard: Timestamp,
    pub(super) sent: Timestamp,
}

impl Subscription {
    pub(super) fn new(subscriber: Incarnation, set: RangeSet, cursor: PartitionPosition, now: Timestamp) -> Self {
        Self {
            subscriber,
            coverage: Coverage::of(set.iter()),
            set,
            acked: cursor.next,
            cursor,
            stage: Stage::Queued,
            outstanding: VecDeque::with_capacity(FRAME_CREDITS),
            heard: now,
            sent: now,
        }
    }

    pub(super) fn has_credit(&self) -> bool {
        self.outstanding.len() < FRAME_CREDITS
    }

    /// The subscriber stands at `next`.
    pub(super) fn acknowledge(&mut self, next: Offset) {
        self.acked = self.acked.max(next);
        while self.outstanding.front().is_some_and(|to| *to <= next) {
            self.outstanding.pop_front();
        }
    }
}
