//! Asks where partitions begin and end. Knows no record.

use std::time::{Duration, Instant};

use featuregrid_protocol::ids::{Offset, PartitionId};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use super::{ASK, unavailable};
use crate::ingest::{Bounds, LogError};

/// Between two questions for a leader that is being chosen.
const PAUSE: Duration = Duration::from_millis(50);

/// What the leader of a partition says; blocks meanwhile. A topic that was just created, or a broker that went away, has
/// its leaders elsewhere than the client believes: it then asks for them, and them, for as long as one question may take.
///
/// # Errors
/// [`LogError::Unavailable`].
pub(super) fn bounds(client: &BaseConsumer, topic: &str, partition: PartitionId) -> Result<Bounds, LogError> {
    let until = Instant::now() + ASK;
    loop {
        let error = match client.fetch_watermarks(topic, partition.number() as i32, ASK) {
            Ok((low, high)) => return Ok(Bounds { earliest: low.max(0) as Offset, end: high.max(0) as Offset }),
            Err(error) => error,
        };
        let is_moving = matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::NotLeaderForPartition | RDKafkaErrorCode::LeaderNotAvailable)
        );
        if !is_moving || Instant::now() >= until {
            return Err(unavailable(|| format!("offsets of {partition} of `{topic}`"))(error));
        }
        std::thread::park_timeout(PAUSE);
        client.fetch_metadata(Some(topic), ASK).map_err(unavailable(|| format!("the leaders of `{topic}`")))?;
    }
}
