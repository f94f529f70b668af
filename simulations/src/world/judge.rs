//! The oracle beside the world: told of every record and activation, asked about every answer. Knows no node.

use std::collections::BTreeMap;
use std::sync::Arc;

use featuregrid_oracle::{Answer, AsOf, Oracle, OracleError, Record};
use featuregrid_protocol::ids::{ControlIndex, PartitionId};
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{OffsetVector, PartitionCounters};
use featuregrid_protocol::range::RangeId;

use super::log::LogRecord;

/// The oracle and what it was told.
#[derive(Debug, Default)]
pub struct Judge {
    oracle: Oracle,
    plans: BTreeMap<ControlIndex, Arc<Plan>>,
}

/// What the oracle says about a range at one (control index, offset vector).
pub type RangeTruth = (BTreeMap<PartitionId, PartitionCounters>, Vec<(Arc<str>, u64)>);

impl Judge {
    /// A record was appended.
    ///
    /// # Errors
    /// See [`OracleError`].
    pub fn record(&mut self, partition: PartitionId, record: &LogRecord) -> Result<(), OracleError> {
        let payload = record.payload.as_ref().map(|payload| payload.to_vec());
        let LogRecord { offset, timestamp: log_timestamp, admit, .. } = *record;
        self.oracle.push(partition, Record { offset, log_timestamp, admit, payload })
    }

    /// An entry came into force.
    pub fn activate(&mut self, at: OffsetVector, plan: Arc<Plan>) {
        self.plans.insert(plan.index, Arc::clone(&plan));
        self.oracle.activate(plan.index, at, plan);
    }

    /// The newest plan in force.
    #[must_use]
    pub fn latest(&self) -> Option<&Arc<Plan>> {
        self.plans.values().next_back()
    }

    /// The plan of an entry.
    #[must_use]
    pub fn plan(&self, index: ControlIndex) -> Option<&Arc<Plan>> {
        self.plans.get(&index)
    }

    /// What a read must answer.
    ///
    /// # Errors
    /// See [`OracleError`].
    pub fn read(
        &mut self,
        index: ControlIndex,
        v: &OffsetVector,
        view: &str,
        key: &[u8],
        as_of: AsOf,
    ) -> Result<Answer, OracleError> {
        self.oracle.cut(index, v)?.read(view, key, as_of)
    }

    /// What the accounting and the applied rows of a range must be.
    ///
    /// # Errors
    /// See [`OracleError`].
    pub fn range(&mut self, index: ControlIndex, v: &OffsetVector, range: RangeId) -> Result<RangeTruth, OracleError> {
        let cut = self.oracle.cut(index, v)?;
        let mut rows = Vec::new();
        for view in &cut.plan().views {
            let count = cut.rows(&view.name, |key| range.contains(KeyHash::of(key)))?;
            rows.push((Arc::from(view.name.as_str()), count));
        }
        Ok((cut.accounting(), rows))
    }
}
