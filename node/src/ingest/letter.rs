//! What is kept of a record that was not taken. Knows no store.

use featuregrid_actors::reader::{Outcome, Record};
use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::plan::LatePolicy;

use super::{Header, Origin};
use crate::store::dead_letters::DeadLetter;

/// Bytes of a key, and of all headers, that a dead letter keeps; larger ones are left in the log.
const BESIDE_BYTES_MAX: usize = 1 << 20;

/// The letter of a record with this outcome, if it gets one.
pub(super) fn letter(
    partition: PartitionId,
    record: &Record<'_>,
    origin: Origin<'_>,
    outcome: Outcome,
    late: LatePolicy,
) -> Option<DeadLetter> {
    let reason = match (outcome, late) {
        (Outcome::Late, LatePolicy::DeadLetter | LatePolicy::SideOutput) => "late",
        (Outcome::Dead(reason), _) => reason.name(),
        (Outcome::Late, LatePolicy::Drop) | (Outcome::Routed(_) | Outcome::Unmatched | Outcome::Tombstone, _) => {
            return None;
        }
    };
    let beside = |header: &Header| header.0.len() + header.1.as_ref().map_or(0, Vec::len);
    let mut headers = origin.headers();
    if headers.iter().map(beside).sum::<usize>() > BESIDE_BYTES_MAX {
        headers.clear();
    }
    Some(DeadLetter {
        partition,
        offset: record.offset,
        reason: reason.into(),
        timestamp: record.log_timestamp,
        key: origin.key().filter(|key| key.len() <= BESIDE_BYTES_MAX).map(<[u8]>::to_vec),
        headers,
        payload: record.payload.map(<[u8]>::to_vec),
    })
}

#[cfg(test)]
mod tests {
    //! The policy decides about late records and about no other.
    use featuregrid_actors::reader::DeadReason;
    use featuregrid_protocol::time::Timestamp;

    use super::*;

    #[test]
    fn only_late_records_follow_the_policy() {
        let record = Record { offset: 7, log_timestamp: Timestamp(0), admit: false, payload: Some(b"{}") };
        let reason = |outcome, late| {
            let letter = letter(PartitionId(0), &record, Origin::new(None, None), outcome, late);
            letter.map(|letter| letter.reason.to_string())
        };
        let late = Some("late".to_owned());
        let policies = [LatePolicy::DeadLetter, LatePolicy::SideOutput, LatePolicy::Drop];
        assert_eq!(policies.map(|policy| reason(Outcome::Late, policy)), [late.clone(), late, None]);
        for policy in policies {
            assert_eq!(reason(Outcome::Dead(DeadReason::Future), policy).as_deref(), Some("future"));
            assert_eq!(reason(Outcome::Routed(1), policy), None);
            assert_eq!(reason(Outcome::Tombstone, policy), None);
        }
    }
}
