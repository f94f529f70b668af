//! Second walks over the log, for ranges that are behind. Knows no protocol: opened, pulled and closed as told.
//!
//! Dead letters are not written again: the walk that passed here first wrote them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use featuregrid_actors::feed::ReplayId;
use featuregrid_actors::reader::Chunk;
use featuregrid_protocol::ids::{Offset, PartitionId};
use featuregrid_protocol::position::PartitionPosition;

use super::partition::Walk;
use super::surroundings::Surroundings;
use super::{LogError, LogEvent, LogReader};

/// One poll waits this long: the live walk of the same thread goes on in between.
const WAIT: Duration = Duration::from_millis(5);

struct Replay {
    reader: Box<dyn LogReader>,
    walk: Walk,
    until: Offset,
    ready: VecDeque<Chunk>,
    wanted: bool,
}

/// A chunk, or the offset at which the log begins, after what was needed.
pub(super) type Pulled = (PartitionId, ReplayId, Result<Chunk, Offset>);

/// The replays of one thread.
#[derive(Default)]
pub(super) struct Replays {
    running: BTreeMap<(PartitionId, ReplayId), Replay>,
    lost: Vec<Pulled>,
}

impl Replays {
    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    pub(super) fn open(
        &mut self,
        around: &Surroundings,
        partition: PartitionId,
        id: ReplayId,
        from: PartitionPosition,
        until: Offset,
    ) {
        tracing::info!(%partition, from = from.next, until, "replaying ranges that are behind");
        match around.log.open(&[(partition, from.next)]) {
            Ok(reader) => {
                let walk = Walk::new(Arc::clone(&around.history), partition, from);
                let replay = Replay { reader, walk, until, ready: VecDeque::new(), wanted: false };
                self.running.insert((partition, id), replay);
            }
            Err(error) => self.fail(around, partition, id, &error),
        }
    }

    pub(super) fn want(&mut self, partition: PartitionId, id: ReplayId) {
        if let Some(replay) = self.running.get_mut(&(partition, id)) {
            replay.wanted = true;
        }
    }

    pub(super) fn close(&mut self, partition: PartitionId, id: ReplayId) {
        self.running.remove(&(partition, id));
    }

    /// Chunks that were asked for and are there now.
    pub(super) fn pull(&mut self, around: &Surroundings) -> Vec<Pulled> {
        let mut pulled = std::mem::take(&mut self.lost);
        let mut failed = Vec::new();
        for ((partition, id), replay) in self.running.iter_mut().filter(|(_, replay)| replay.wanted) {
            if replay.ready.is_empty()
                && let Err(error) = replay.decode()
            {
                failed.push((*partition, *id, error));
            }
            if let Some(chunk) = replay.ready.pop_front() {
                replay.wanted = false;
                pulled.push((*partition, *id, Ok(chunk)));
            }
        }
        for (partition, id, error) in failed {
            self.fail(around, partition, id, &error);
        }
        pulled
    }

    fn fail(&mut self, around: &Surroundings, partition: PartitionId, id: ReplayId, error: &LogError) {
        match error {
            LogError::Retention { earliest, .. } => {
                self.running.remove(&(partition, id));
                self.lost.push((partition, id, Err(*earliest)));
            }
            LogError::Truncated { .. } | LogError::Recreated { .. } => {
                around.progress.halt(partition, &error.to_string())
            }
            LogError::TooLarge { .. } | LogError::Unavailable { .. } => {
                tracing::warn!(%error, "a replay does not get on; trying on")
            }
        }
    }
}

impl Replay {
    fn decode(&mut self) -> Result<(), LogError> {
        let Self { reader, walk, until, ready, .. } = self;
        let until = *until;
        reader.poll(WAIT, &mut |event| match event {
            LogEvent::Record(_, record, _) if record.offset < until => {
                walk.record(&record);
            }
            // Whatever lies between the last record and here is a hole.
            LogEvent::Record(..) => walk.advance_to(until),
            LogEvent::End(_, end) => walk.advance_to(end.min(until)),
        })?;
        walk.cut();
        ready.extend(walk.take());
        Ok(())
    }
}
