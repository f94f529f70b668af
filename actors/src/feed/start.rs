//! Where a reader begins. Knows no log.

use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::position::PartitionPosition;

/// A reader, live, of a replay or asked second, begins at a whole triple of a receiver or a manifest: an offset alone
/// says nothing about which records are late (trace A5).
#[must_use]
pub fn start_of(triple: &PartitionPosition) -> PartitionPosition {
    if plants::on(Plant::A5NoPrefixMax) {
        return PartitionPosition::start(triple.next);
    }
    triple.clone()
}
