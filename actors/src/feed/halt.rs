//! Why a partition stops, for people: what was seen, and what to do. Knows no recovery: only an operator ends a halt.

use featuregrid_protocol::ids::{LeaderEpoch, Offset, PartitionId, TopicId};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Timestamp;
use thiserror::Error;

/// A partition can no longer be followed without guessing. State and reads stay as they are; nothing more is applied.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HaltReason {
    /// The topic was deleted and created again under its name.
    #[error("{partition}: the topic was re-created: its id was {} and is now {}; {}", hex(expected), hex(found), self.advice())]
    TopicRecreated {
        /// Which partition.
        partition: PartitionId,
        /// The id the state was built from.
        expected: TopicId,
        /// The id two readers see.
        found: TopicId,
    },
    /// Two readers agree that the prefix differs from ours.
    #[error("{partition}: before offset {next} our prefix max is {expected}, two readers find {found}; {}", self.advice())]
    PrefixDiffers {
        /// Which partition.
        partition: PartitionId,
        /// Our next offset.
        next: Offset,
        /// Our prefix max.
        expected: Timestamp,
        /// That of the readers.
        found: Timestamp,
    },
    /// Two of our own ranges stand at one offset and disagree about what lies before it.
    #[error("{partition}: ranges {one} and {other} stand at offset {next} with different prefixes; {}", self.advice())]
    PositionsDiffer {
        /// Which partition.
        partition: PartitionId,
        /// The common next offset.
        next: Offset,
        /// A range of one side.
        one: RangeId,
        /// A range of the other.
        other: RangeId,
    },
    /// A new leader's log ends before what was applied.
    #[error("{partition}: leader {leader} has the log only up to {end}, offsets up to {next} were applied; {}", self.advice())]
    Truncated {
        /// Which partition.
        partition: PartitionId,
        /// The new leader.
        leader: LeaderEpoch,
        /// Where the common log ends.
        end: Offset,
        /// Our next offset.
        next: Offset,
    },
    /// The log no longer has what comes next.
    #[error("{partition}: the next offset is {next}, but the log begins at {earliest}; {}", self.advice())]
    RetentionPassed {
        /// Which partition.
        partition: PartitionId,
        /// Our next offset.
        next: Offset,
        /// First offset the log still has.
        earliest: Offset,
    },
}

impl HaltReason {
    /// What an operator does next.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::TopicRecreated { .. } => "restore the old topic, or start a new grid on the new one",
            Self::PrefixDiffers { .. } => {
                "compare the partition with its replicas, then rebuild the ranges from a manifest before this offset"
            }
            Self::PositionsDiffer { .. } => "rebuild the ranges of this node from their manifests",
            Self::Truncated { .. } => {
                "records were lost by an unclean leader election: rebuild from manifests at or before the end, or restore the log"
            }
            Self::RetentionPassed { .. } => {
                "restore the range from a newer manifest, or start a new grid from the log's begin"
            }
        }
    }
}

fn hex(topic: &TopicId) -> String {
    topic.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    //! A halt names the place, what was seen, and what to do.
    use super::*;

    #[test]
    fn a_halt_says_what_and_what_next() {
        let halt = HaltReason::RetentionPassed { partition: PartitionId(3), next: 7, earliest: 9 };
        assert_eq!(
            halt.to_string(),
            "p3: the next offset is 7, but the log begins at 9; restore the range from a newer manifest, or start a new grid from the log's begin"
        );
    }
}
