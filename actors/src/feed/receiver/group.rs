//! Ranges that move together. Knows no other group.

use std::sync::Arc;

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::Offset;
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::range::RangeSet;
use featuregrid_protocol::time::Timestamp;

use crate::feed::throttle::Throttle;

/// One generation's ranges and where they stand.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) set: Arc<RangeSet>,
    pub(super) position: PartitionPosition,
    /// When a frame or an answer of this generation came.
    pub(super) heard: Timestamp,
    /// When it was last subscribed.
    pub(super) spoke: Timestamp,
    /// Where the last gap was reported, and when that may be done again.
    pub(super) gap_at: Offset,
    pub(super) gap_reported: Throttle,
    /// A frame was dropped that has to be sent again.
    pub(super) skipped: bool,
}

impl Group {
    pub(super) fn new(set: Arc<RangeSet>, position: PartitionPosition, now: Timestamp) -> Self {
        let gap_reported = Throttle::default();
        Self { set, gap_at: position.next, position, heard: now, spoke: now, gap_reported, skipped: false }
    }

    /// Moves over a frame.
    pub(super) fn pass(&mut self, frame: &Frame) {
        self.position.next = frame.to;
        self.position.max = frame.max_after;
        self.position.counters += &frame.deltas;
    }
}
