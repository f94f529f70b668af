//! A range from its parts: a base, and deltas laid over it in their order. Knows no object store.

use std::sync::Arc;

use featuregrid_protocol::ids::{ControlIndex, ViewId};
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{Positions, offsets};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::varint::Damaged;
use thiserror::Error;

use super::layout::Layout;
use super::range::{Entry, RangeState, find, horizon_of, spread};
use super::slab::Slab;
use super::walk::{FIRST, Mark, Marks};
use super::{RangeSnapshot, Shard};
use crate::entity::{LoosePage, decode, tail_words};

/// Why a part cannot be installed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InstallError {
    /// Its pages follow a plan that is not known.
    #[error(
        "range {range}: a part is of control index {found}, whose plan is not known here; read the control log first"
    )]
    Index {
        /// Which range.
        range: RangeId,
        /// The part's index.
        found: ControlIndex,
    },
    /// The plan has no such view or ladder, although the index is the same.
    #[error(
        "range {range}: a part holds {view} ladder {ladder}, which its plan does not have; restore it from another snapshot or from the log"
    )]
    Unknown {
        /// Which range.
        range: RangeId,
        /// The view.
        view: ViewId,
        /// The ladder.
        ladder: u16,
    },
    /// A key of another range.
    #[error("range {range}: a part holds a key of another range; restore it from another snapshot or from the log")]
    ForeignKey {
        /// Which range.
        range: RangeId,
    },
    /// The first part is a delta, or another one does not follow the part before it.
    #[error(
        "range {range}: part {number} does not follow the one before it; restore it from another snapshot or from the log"
    )]
    Order {
        /// Which range.
        range: RangeId,
        /// Counted from the base, 0.
        number: usize,
    },
    /// Bytes that no release writes.
    #[error("range {range}: {damaged}")]
    Damaged {
        /// Which range.
        range: RangeId,
        /// What is wrong.
        damaged: Damaged,
    },
}

/// A page that was read, and where it goes.
struct Placed {
    ladder: usize,
    hash: KeyHash,
    key: Vec<u8>,
    page: LoosePage,
}

impl Shard {
    /// Takes over the state of a range from its parts, oldest first, each under the plan of its control index; a range that
    /// was here is replaced.
    ///
    /// # Errors
    /// See [`InstallError`]: then the range is not here.
    pub fn install(
        &mut self,
        parts: &[RangeSnapshot],
        plan: impl Fn(ControlIndex) -> Option<Arc<Plan>>,
    ) -> Result<(), InstallError> {
        let Some(range) = parts.first().map(|base| base.head.range) else { return Ok(()) };
        self.remove_range(range);
        let installed = parts.iter().enumerate().try_for_each(|(number, part)| {
            let found = part.head.index;
            let plan = plan(found).filter(|plan| plan.index == found);
            self.lay_over(range, number, part, plan.ok_or(InstallError::Index { range, found })?)
        });
        if installed.is_err() {
            self.remove_range(range);
        }
        installed
    }

    /// A range without news stands at later positions: no row of it lies between.
    pub fn stand_at(&mut self, range: RangeId, positions: &Positions) {
        let Some(at) = self.find_range(range) else { return };
        let frontier = self.frontiers.join(positions.clone());
        let state = &mut self.ranges[at];
        self.frontiers.leave(std::mem::replace(&mut state.frontier, frontier));
        for partition in positions.keys() {
            state.ids.forget(*partition, horizon_of(&state.layout.plan, *partition, positions));
        }
    }

    /// Lays a part over what is here of its range: nothing, where it is a base.
    fn lay_over(
        &mut self,
        range: RangeId,
        number: usize,
        part: &RangeSnapshot,
        plan: Arc<Plan>,
    ) -> Result<(), InstallError> {
        let head = &part.head;
        // What is in force before the part: up to there its event ids are known already.
        let before = self.positions(range).map(offsets).unwrap_or_default();
        let follows = match &head.since {
            None => number == 0,
            Some(since) => number > 0 && before.covers(since) && offsets(&head.positions).covers(&before),
        };
        if head.range != range || !follows || self.index(range).is_some_and(|index| index > head.index) {
            return Err(InstallError::Order { range, number });
        }
        self.remember(Arc::clone(&plan));
        let layout = self.layout_of(Arc::clone(&plan));
        let pages = place(&layout, part)?;
        for list in &head.ids {
            let horizon = horizon_of(&layout.plan, list.partition, &head.positions);
            if list.known.iter().any(|known| !range.contains(known.key)) {
                return Err(InstallError::ForeignKey { range });
            }
            if list.known.iter().any(|known| !horizon.holds(known)) {
                let damaged = Damaged("an event id is kept longer than it is known");
                return Err(InstallError::Damaged { range, damaged });
            }
        }
        if number == 0 {
            self.add_range(range, head.positions.clone());
            let Some(at) = self.find_range(range) else { return Ok(()) };
            let frontier = self.ranges[at].frontier;
            self.ranges[at] = RangeState::new(range, layout, frontier, Marks::at(&head.positions));
        } else {
            self.switch_range(range, plan);
        }
        let Some(at) = self.find_range(range) else { return Ok(()) };
        let state = &mut self.ranges[at];
        pages.into_iter().for_each(|placed| put(state, &mut self.slab, placed));
        for list in &head.ids {
            let fresh = list.known.iter().filter(|known| known.offset >= before.get(list.partition));
            fresh.for_each(|known| state.ids.insert(list.partition, list.view, *known));
        }
        state.set_rows(head.rows.clone());
        state.marks = Marks::at(&head.positions);
        self.stand_at(range, &head.positions);
        Ok(())
    }
}

/// Reads the pages of a part and finds their ladders.
fn place(layout: &Layout, part: &RangeSnapshot) -> Result<Vec<Placed>, InstallError> {
    let range = part.head.range;
    let mut placed = Vec::with_capacity(part.pages.len());
    for page in &part.pages {
        let unknown = InstallError::Unknown { range, view: page.view, ladder: page.ladder };
        let ladders = layout.view(page.view).map(|view| layout.views[view].ladders.clone());
        let ladder = ladders.and_then(|mut ladders| ladders.nth(page.ladder.into())).ok_or(unknown)?;
        let hash = KeyHash::of(&page.key);
        if !range.contains(hash) {
            return Err(InstallError::ForeignKey { range });
        }
        let loose = decode(&layout.shapes[ladder], &page.key, &page.bytes)
            .map_err(|damaged| InstallError::Damaged { range, damaged })?;
        placed.push(Placed { ladder, hash, key: page.key.clone(), page: loose });
    }
    Ok(placed)
}

/// Puts a page where it belongs, in place of an older one.
fn put(state: &mut RangeState, slab: &mut Slab, Placed { ladder, hash, key, page }: Placed) {
    let (table, shape) = (&mut state.tables[ladder], &state.layout.shapes[ladder]);
    let tail = tail_words(shape, &page.words);
    let slot = slab.store(page, tail);
    let mark = Mark::restored(FIRST);
    let older = find(table, shape, slab, hash, &key);
    match older.and_then(|bucket| table.get_bucket_mut(bucket)) {
        Some(entry) => {
            slab.free(entry.slot);
            *entry = Entry { hash: hash.0, slot, mark };
        }
        None => {
            table.insert_unique(spread(hash.0), Entry { hash: hash.0, slot, mark }, |entry| spread(entry.hash));
        }
    }
}
