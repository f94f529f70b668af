//! The demonstration and its proof: generated records into a log, features out of a node, every value compared with
//! the oracle. Knows no command line.

pub mod play;
pub mod verify;
pub mod workload;

use featuregrid_protocol::ids::SourceId;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_simulations::workload::Produced;

use crate::ingest::{Log, LogError, NewRecord};

/// Records appended at once: a commit of the embedded log, a round of the producer.
pub const APPEND_RECORDS: usize = 4096;

/// Appends all of them to the first source; the next offsets after them.
///
/// # Errors
/// What the log says.
pub fn append(log: &dyn Log, records: &mut dyn Iterator<Item = Produced>) -> Result<OffsetVector, LogError> {
    let mut ends = OffsetVector::default();
    loop {
        let batch: Vec<NewRecord> = records.take(APPEND_RECORDS).map(new_record).collect();
        if batch.is_empty() {
            return Ok(ends);
        }
        for at in log.append(&batch)? {
            let end = ends.0.entry(at.partition).or_default();
            *end = (*end).max(at.offset + 1);
        }
    }
}

fn new_record(record: Produced) -> NewRecord {
    let Produced { key, log_timestamp, payload, .. } = record;
    NewRecord { source: SourceId(0), key: Some(key), timestamp: log_timestamp, admit: false, payload }
}
