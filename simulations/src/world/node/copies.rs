//! Copies of ranges on a node: restored, followed, made durable, let go. Knows no rule of ownership; the steward says
//! what each copy is.

use featuregrid_actors::ownership::{CommitError, Role, Snapshot};
use featuregrid_actors::ports::Monotonic;
use featuregrid_actors::shard::{Progress, Shard};
use featuregrid_actors::snapshot::{self, compaction::base_is_due};
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::position::{self, OffsetVector, PartitionPosition, Positions};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Span;
use std::sync::Arc;

use super::{Act, Around, Node};

/// A restore that brought nothing usable is tried again after so long.
const RESTORE_AGAIN: Span = Span::millis(400);

/// One copy of a range.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    /// When it was asked for, while its state is not here.
    restoring: Option<Monotonic>,
    /// When to make it durable next.
    due: Monotonic,
    /// What was made durable last.
    durable: Option<(OffsetVector, ControlIndex)>,
    /// The steward waits for its cut.
    cutting: bool,
    /// Its pages are being encoded.
    walking: bool,
}

impl Node {
    /// Asks for the copies placement and the steward want, lets others go, and makes owned ones durable.
    pub(super) fn look_after_copies(&mut self, around: &mut Around<'_>) {
        for range in self.steward.ranges() {
            let placed = self.placed(range).contains(&self.id);
            let role = self.steward.role(range);
            let leaving = self.steward.tenure(range).is_some_and(|tenure| tenure.giving().is_some());
            if placed || role != Role::None || leaving {
                self.want_copy(around, range);
            } else if self.copies.contains_key(&range) {
                self.drop_copy(around, range);
            }
            if let Some(v) = self.token(range) {
                self.steward.applied(range, v);
            }
        }
        let cutting: Vec<RangeId> =
            self.copies.iter().filter(|(_, copy)| copy.cutting).map(|(range, _)| *range).collect();
        for range in cutting {
            self.cut(around, range);
        }
        let owned: Vec<RangeId> = self.owned().map(|(range, _)| range).collect();
        for range in owned {
            self.make_durable(around, range);
        }
    }

    /// Makes sure that a copy is here or on its way.
    pub(super) fn want_copy(&mut self, around: &mut Around<'_>, range: RangeId) {
        let fresh = Copy { restoring: None, due: around.mono, durable: None, cutting: false, walking: false };
        let copy = self.copies.entry(range).or_insert(fresh);
        let has_state = self.shard.as_ref().is_some_and(|shard| shard.positions(range).is_some());
        if has_state || copy.restoring.is_some_and(|asked| around.mono - asked < Span(RESTORE_AGAIN.0 * 10)) {
            return;
        }
        copy.restoring = Some(around.mono);
        around.acts.push(Act::Mark("restores", 1));
        let effects = self.steward.restore(around.mono, range);
        self.perform(around, effects);
    }

    /// The newest durable state came.
    pub(super) fn on_restored(
        &mut self,
        around: &mut Around<'_>,
        range: RangeId,
        manifest: Option<&Manifest>,
        parts: &[Arc<[u8]>],
    ) {
        let (Some(history), Some(copy)) = (&self.history, self.copies.get_mut(&range)) else { return };
        let newest = history.latest().index;
        if let Some(index) = manifest.map(|manifest| manifest.index).filter(|index| *index > newest) {
            // The state is ahead of what this node knows of the control log: it learns first, and asks again.
            copy.restoring = Some(Monotonic(around.mono.0 - RESTORE_AGAIN.0 * 9));
            let effects = self.steward.saw_index(around.mono, index);
            self.perform(around, effects);
            return;
        }
        copy.restoring = None;
        if self.shard.is_none() {
            let mut shard = Shard::new(Arc::clone(&history.latest().plan));
            history.iter().for_each(|activation| shard.remember(Arc::clone(&activation.plan)));
            self.shard = Some(shard);
        }
        let Some(shard) = &mut self.shard else { return };
        if shard.positions(range).is_some() {
            return;
        }
        let newest = Arc::clone(&history.latest().plan);
        let done = match manifest {
            None => {
                let v0 = history.iter().next().map(|genesis| genesis.at.clone()).unwrap_or_default();
                let start = |(partition, next): (_, &u64)| (partition, PartitionPosition::start(*next));
                let start = v0.0.iter().map(|(partition, next)| start((*partition, next))).collect::<Positions>();
                shard.add_range(range, start);
                Ok(())
            }
            Some(manifest) => {
                let rebuilt = snapshot::rebuild(shard, manifest, parts, |index| history.plan(index).cloned());
                shard.switch_range(range, newest);
                rebuilt
            }
        };
        match done {
            Ok(()) => self.follow(around, range),
            Err(why) => around.acts.push(Act::Halted(format!("range {range} cannot be restored: {why}"))),
        }
    }

    /// Lets a copy go.
    pub(super) fn drop_copy(&mut self, around: &mut Around<'_>, range: RangeId) {
        self.copies.remove(&range);
        self.unfollow(around, range);
        if let Some(shard) = &mut self.shard {
            shard.remove_range(range);
        }
    }

    /// The steward wants the state at the cut of a planned move.
    pub(super) fn begin_cut(&mut self, around: &mut Around<'_>, range: RangeId) {
        if let Some(copy) = self.copies.get_mut(&range) {
            copy.cutting = true;
        }
        self.cut(around, range);
    }

    /// The move ended, one way or the other.
    pub(super) fn end_cut(&mut self, range: RangeId) {
        if let Some(copy) = self.copies.get_mut(&range) {
            copy.cutting = false;
        }
    }

    fn cut(&mut self, around: &mut Around<'_>, range: RangeId) {
        let Some(snapshot) = self.snapshot(range) else { return };
        match self.steward.cut(around.mono, range, snapshot) {
            Ok(effects) => {
                self.end_cut(range);
                self.perform(around, effects);
            }
            Err(CommitError::NotOwner(_)) => self.end_cut(range),
            Err(_) => {}
        }
    }

    /// The state at once: what changed since the manifest, or all of it.
    fn snapshot(&mut self, range: RangeId) -> Option<Snapshot> {
        let since = self.since(range);
        let shard = self.shard.as_mut()?;
        shard.give_up_walk(range);
        shard.begin_walk(range, since.as_ref())?;
        while shard.walk(range, usize::MAX) == Some(Progress::More) {}
        let state = shard.take_walk(range)?.into_snapshot();
        Snapshot::of(&state).ok()
    }

    /// Since when changes are asked for; `None` where a base is due.
    fn since(&self, range: RangeId) -> Option<OffsetVector> {
        let manifest = self.steward.manifest(range).filter(|manifest| !base_is_due(&manifest.parts))?;
        Some(manifest.parts_v())
    }

    /// Moves the manifest of a range without news; whether it has none.
    fn stand(&mut self, around: &mut Around<'_>, range: RangeId, at: (Positions, ControlIndex)) -> bool {
        let Some(durable) = self.steward.manifest(range).map(Manifest::parts_v) else {
            return false;
        };
        if self.shard.as_ref().and_then(|shard| shard.has_changed_since(range, &durable)) != Some(false) {
            return false;
        }
        if let Ok(effects) = self.steward.stand(around.mono, range, at) {
            around.acts.push(Act::Mark("quiet_commits", 1));
            self.perform(around, effects);
        }
        true
    }

    /// Goes on with a walk; what it brought is committed.
    fn walk(&mut self, around: &mut Around<'_>, range: RangeId) {
        let words = self.random.between(1, 400) as usize;
        let Some(shard) = &mut self.shard else { return };
        if shard.walk(range, words) != Some(Progress::Done) {
            return;
        }
        let Some(walked) = shard.take_walk(range) else { return };
        if let Some(copy) = self.copies.get_mut(&range) {
            copy.walking = false;
        }
        let is_delta = walked.head().since.is_some();
        let Ok(snapshot) = Snapshot::of(&walked.into_snapshot()) else { return };
        match self.steward.commit(around.mono, range, snapshot) {
            Ok(effects) => {
                around.acts.push(Act::Mark(if is_delta { "deltas" } else { "bases" }, 1));
                around.acts.push(Act::Mark("commits", 1));
                self.perform(around, effects);
            }
            Err(CommitError::Behind { .. } | CommitError::OldIndex { .. } | CommitError::Detached(_)) => {
                around.acts.push(Act::Mark("commits_behind", 1));
            }
            Err(_) => {}
        }
    }

    fn make_durable(&mut self, around: &mut Around<'_>, range: RangeId) {
        let Some(copy) = self.copies.get(&range) else { return };
        if copy.walking {
            return self.walk(around, range);
        }
        let Some(shard) = &self.shard else { return };
        let (Some(positions), Some(index)) = (shard.positions(range), shard.index(range)) else { return };
        let positions = positions.clone();
        let state = (position::offsets(&positions), index);
        let unchanged = copy.durable.as_ref() == Some(&state);
        if copy.due > around.mono || copy.cutting {
            return;
        }
        let every = Span::millis(i64::from(around.cluster.snapshot_ms));
        let jitter = Span(self.random.between(0, every.0 / 4));
        if let Some(copy) = self.copies.get_mut(&range) {
            copy.due = around.mono + every + jitter;
        }
        if unchanged {
            return;
        }
        if self.stand(around, range, (positions, index)) {
            return;
        }
        let since = self.since(range);
        let begun = self.shard.as_mut().is_some_and(|shard| shard.begin_walk(range, since.as_ref()).is_some());
        if let Some(copy) = self.copies.get_mut(&range) {
            copy.walking = begun;
        }
    }

    /// The steward knows that a state is durable.
    pub(super) fn on_committed(&mut self, range: RangeId, v: OffsetVector) {
        let index = self.shard.as_ref().and_then(|shard| shard.index(range));
        if let (Some(copy), Some(index)) = (self.copies.get_mut(&range), index) {
            copy.durable = Some((v, index));
        }
    }

    /// State folded without a lease is worth nothing.
    pub(super) fn drop_everything(&mut self) {
        self.shard = None;
        self.copies.clear();
        self.receivers.clear();
        self.readings.clear();
    }
}
