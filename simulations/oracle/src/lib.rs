//! What every value must be: a slow, obviously correct fold over the whole log. Depends on nothing of the actors.
//!
//! It shares the *meaning* of definitions with the product (a [`Plan`] says which fields, filters and windows a text
//! names) and nothing of its working: it keeps every record, reads JSON, numbers and instants by itself, judges
//! lateness record by record, keeps no tiles, and answers by looking at every row of the key. Planted bugs of the
//! product therefore cannot reach it.
//!
//! Reading order: [`log`], [`judge`] (with [`json`], [`instant`], [`number`], [`field`], [`item`]), [`fold`], [`cut`]
//! (with [`window`], [`session`], [`derived`], [`expression`]), [`feature`] (with [`statistics`], [`decay`], [`percentile`],
//! [`anomaly`], [`distinct`], [`list`], [`category`]).
//!
//! | question | answer |
//! |---|---|
//! | what is the state of the grid at (control index, token)? | [`Oracle::cut`] |
//! | what must this read answer there? | [`Cut::read`] |
//! | which keys have rows there? | [`Cut::keys`] |
//! | where did every record go? | [`Cut::accounting`] |

mod log;
mod json;
mod instant;
mod number;
mod field;
mod item;
mod judge;
mod fold;
mod statistics;
mod percentile;
mod decay;
mod anomaly;
mod distinct;
mod list;
mod category;
mod feature;
mod calendar;
mod session;
mod window;
mod derived;
pub mod expression;
mod cut;
#[cfg(test)]
mod examples;

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_protocol::ids::{ControlIndex, Offset, PartitionId};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::OffsetVector;
use thiserror::Error;

pub use cut::{Answer, AsOf, Cut};
pub use log::Record;

use fold::Fold;

/// Why the oracle cannot take a record or answer a question; its state is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OracleError {
    /// Records of a partition must arrive in the order of the log.
    #[error("offset {offset} of {partition} follows offset {last}; push each record of a partition once, in order")]
    OutOfOrder {
        /// The partition.
        partition: PartitionId,
        /// The record pushed.
        offset: Offset,
        /// The record before it.
        last: Offset,
    },
    /// Genesis, or the entry asked for, was never activated.
    #[error("control index {0} is not active; call activate with its offsets and plan first")]
    UnknownIndex(ControlIndex),
    /// The plan has no such view.
    #[error("control index {index} has no feature view `{view}`")]
    UnknownView {
        /// The index asked for.
        index: ControlIndex,
        /// The view asked for.
        view: String,
    },
}

/// Every record of a log, every activation, and what follows from them.
#[derive(Debug, Default)]
pub struct Oracle {
    partitions: BTreeMap<PartitionId, Vec<Record>>,
    control: BTreeMap<ControlIndex, Activation>,
    /// Per control index asked for: the log judged as if no later entry existed.
    folds: BTreeMap<ControlIndex, Fold>,
}

/// An ACTIVE entry of the control log.
#[derive(Clone, Debug)]
struct Activation {
    at: OffsetVector,
    plan: Arc<Plan>,
}

impl Oracle {
    /// An empty log without definitions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a record to the log; offsets may have holes.
    ///
    /// # Errors
    /// [`OracleError::OutOfOrder`] when the partition already holds this offset or a later one.
    pub fn push(&mut self, partition: PartitionId, record: Record) -> Result<(), OracleError> {
        let records = self.partitions.entry(partition).or_default();
        if let Some(last) = records.last().map(|last| last.offset).filter(|last| *last >= record.offset) {
            return Err(OracleError::OutOfOrder { partition, offset: record.offset, last });
        }
        records.push(record);
        Ok(())
    }

    /// Entry `index` is ACTIVE from `at` on; the first one (genesis) also says where the log begins.
    pub fn activate(&mut self, index: ControlIndex, at: OffsetVector, plan: impl Into<Arc<Plan>>) {
        self.control.insert(index, Activation { at, plan: plan.into() });
        self.folds.retain(|folded, _| *folded < index);
    }

    /// The plans activated so far, by index.
    pub fn plans(&self) -> impl Iterator<Item = (ControlIndex, &Arc<Plan>)> {
        self.control.iter().map(|(index, activation)| (*index, &activation.plan))
    }

    /// F(control log cut at `index`, `v`): the state of the grid there.
    ///
    /// # Errors
    /// [`OracleError::UnknownIndex`] when the entry is not active.
    pub fn cut(&mut self, index: ControlIndex, v: &OffsetVector) -> Result<Cut<'_>, OracleError> {
        let plan = &self.control.get(&index).ok_or(OracleError::UnknownIndex(index))?.plan;
        let control = &self.control;
        let fold = self.folds.entry(index).or_insert_with(|| {
            Fold::new(control.range(..=index).map(|(index, activation)| (*index, activation.clone())).collect())
        });
        for (partition, records) in &self.partitions {
            fold.advance(*partition, records, v.get(*partition));
        }
        Ok(Cut::new(plan, fold, v.clone()))
    }
}
