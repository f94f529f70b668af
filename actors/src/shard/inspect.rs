//! One entity of one view, for people who look at it: what is there, and where. Knows no value.

use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::position::{OffsetVector, offsets};
use featuregrid_protocol::range::RangeId;

use super::Shard;
use super::frontier::t_of;
use crate::entity::{Page, PageFacts};

/// One view of one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorFacts {
    /// The range it lies in.
    pub range: RangeId,
    /// The control entry in force there.
    pub index: ControlIndex,
    /// Where the range stands.
    pub v: OffsetVector,
    /// Its pages, one for each ladder of the view: `None` where nothing of it is visible.
    pub ladders: Vec<Option<PageFacts>>,
}

impl Shard {
    /// What is kept of the entity with these canonical key bytes for view `view` (an index into the plan of the key's
    /// range); `None` where the range is not here or has no such view.
    pub fn inspect(&mut self, view: usize, key: &[u8]) -> Option<ActorFacts> {
        let hash = KeyHash::of(key);
        let at = self.find(hash)?;
        let layout = std::sync::Arc::clone(&self.ranges[at].layout);
        let plan = layout.views.get(view)?;
        let t_max = t_of(self.frontiers.clocks(self.ranges[at].frontier), plan.source);
        layout.bounds_of(plan, t_max, &mut self.scratch.bounds);
        self.fold_entity(at, &layout, plan, hash, key);
        let mut ladders = Vec::with_capacity(plan.ladders.len());
        for (ladder, bucket) in plan.ladders.clone().zip(&self.scratch.buckets) {
            let shape = &layout.shapes[ladder];
            let entry = bucket.and_then(|bucket| self.ranges[at].tables[ladder].get_bucket_mut(bucket));
            ladders.push(entry.and_then(|entry| {
                let mut memory = self.slab.lend(&mut entry.slot);
                let page = Page::open(shape, &mut memory);
                // A page of which nothing is left is the same as none; when it goes is nobody's business.
                (!page.is_empty()).then(|| page.inspect())
            }));
        }
        let range = self.ranges[at].range;
        let v = self.positions(range).map(offsets).unwrap_or_default();
        Some(ActorFacts { range, index: layout.plan.index, v, ladders })
    }
}
