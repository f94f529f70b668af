//! A walk over one partition's log: fetches, interprets, and switches plans where an activation says so. Knows no
//! subscriber; live reading and replays walk alike.

use featuregrid_actors::control::History;
use featuregrid_actors::reader::{Chunk, Interpreter, Record};
use featuregrid_protocol::ids::{LeaderEpoch, Offset, PartitionId};
use featuregrid_protocol::position::PartitionPosition;

use crate::world::log::{Fetched, SimLog};

/// Why a walk cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    /// First offset the log still has.
    pub(super) earliest: Offset,
}

/// One walk.
#[derive(Debug)]
pub(super) struct Walk {
    interpreter: Interpreter,
    index: featuregrid_protocol::ids::ControlIndex,
}

impl Walk {
    /// Begins at a whole triple.
    pub(super) fn new(history: &History, partition: PartitionId, start: PartitionPosition) -> Self {
        let plan = history.plan_at(partition, start.next);
        let index = plan.index;
        Self { interpreter: Interpreter::new(plan.clone(), partition, start), index }
    }

    /// Where it stands; the counters are those of the last cut.
    #[must_use]
    pub(super) fn position(&self) -> &PartitionPosition {
        self.interpreter.position()
    }

    /// Reads at most `records` records below `until`, and cuts what was read; which leader answered.
    ///
    /// # Errors
    /// [`Lost`] when the log no longer has what comes next.
    pub(super) fn step(
        &mut self,
        log: &SimLog,
        history: &History,
        records: usize,
        until: Offset,
        chunks: &mut Vec<Chunk>,
    ) -> Result<LeaderEpoch, Lost> {
        let partition = self.interpreter.partition();
        let mut left = records;
        let mut leader = LeaderEpoch(0);
        while self.interpreter.position().next < until {
            let from = self.interpreter.position().next;
            let plan = history.plan_at(partition, from);
            if plan.index != self.index {
                self.index = plan.index;
                chunks.extend(self.interpreter.switch(plan.clone()));
            }
            let switch = history.next_switch(partition, from).map_or(Offset::MAX, |(offset, _)| offset);
            let limit = until.min(switch);
            let (found, next) = match log.fetch(partition, from, left) {
                Fetched::Records { records, next, leader_epoch } => {
                    leader = leader_epoch;
                    (records, next)
                }
                Fetched::OutOfRange { earliest } => return Err(Lost { earliest }),
                Fetched::Unknown => break,
            };
            for record in found.iter().take_while(|record| record.offset < limit) {
                left -= 1;
                self.interpreter.record(&Record {
                    offset: record.offset,
                    log_timestamp: record.timestamp,
                    admit: record.admit,
                    payload: record.payload.as_deref(),
                });
                if self.interpreter.is_full() {
                    chunks.extend(self.interpreter.cut());
                }
            }
            self.interpreter.advance_to(next.min(limit));
            if left == 0 || self.interpreter.position().next < limit || limit == until {
                break;
            }
        }
        chunks.extend(self.interpreter.cut());
        Ok(leader)
    }
}
