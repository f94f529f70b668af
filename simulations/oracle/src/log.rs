//! A record as the log holds it. Knows no field.

use featuregrid_protocol::ids::Offset;
use featuregrid_protocol::time::Timestamp;

/// One record of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the partition.
    pub offset: Offset,
    /// CreateTime, or append time where the topic says so.
    pub log_timestamp: Timestamp,
    /// The header `featuregrid-admit`: lateness does not apply.
    pub admit: bool,
    /// `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
}
