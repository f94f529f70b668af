//! What is a duplicate, against a scan of everything that was applied; memory comes back.

use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::row::{EventId, RowHead};
use proptest::prelude::*;

use super::*;

const LATENESS: Span = Span(10);

fn admit(ids: &mut KnownIds, partition: u32, view: u64, key: u64, ts: i64, hash: u128, max_before: i64) -> bool {
    let head = RowHead {
        hash: KeyHash(key),
        ts: Timestamp(ts),
        offset: 0,
        present: 1,
        bad: 0,
        view: 0,
        key_len: 0,
        number_len: 0,
    };
    let id = EventId { hash, max_before: Timestamp(max_before) };
    let row = Row { head: &head, key: b"", numbers: &[], id: Some(&id) };
    ids.admit(PartitionId(partition), ViewId(view), &row, LATENESS)
}

proptest! {
    #[test]
    fn agrees_with_a_scan(
        steps in prop::collection::vec((0u32..2, 0u64..2, 0u64..3, -12i64..6, 0u128..5, 0usize..4), 1..200),
        forget_every in 1usize..20,
    ) {
        let mut ids = KnownIds::default();
        let mut max = [0i64; 2];
        let mut applied: Vec<(u32, u64, u64, i64, u128)> = Vec::new();
        for (at, (partition, view, key, by, hash, leap)) in steps.into_iter().enumerate() {
            let before = max[partition as usize];
            let ts = before + by;
            let is_new = !applied.iter().any(|(p, v, k, first, h)| {
                (*p, *v, *k, *h) == (partition, view, key, hash) && before - first <= LATENESS.0
            });
            if is_new {
                applied.push((partition, view, key, ts, hash));
            }
            prop_assert_eq!(admit(&mut ids, partition, view, key, ts, hash, before), is_new);
            max[partition as usize] = before.max(ts) + leap as i64;
            if at % forget_every == 0 {
                ids.forget(PartitionId(partition), horizon(Timestamp(max[partition as usize]), LATENESS));
            }
        }
        // In order of offset, and only what is known.
        let now = |p: PartitionId| horizon(Timestamp(max[p.0 as usize]), LATENESS);
        let known: Vec<_> = ids.known(now).collect();
        let mut want: Vec<_> = applied.into_iter().filter(|(p, _, _, ts, _)| now(PartitionId(*p)).0 <= *ts).collect();
        want.sort_by_key(|(p, v, ..)| (*p, *v));
        let want: Vec<_> = want.into_iter().map(|(p, v, key, ts, hash)| {
            (PartitionId(p), ViewId(v), KnownId { key: KeyHash(key), ts: Timestamp(ts), hash })
        }).collect();
        prop_assert_eq!(known, want);
        // What is installed is what was known.
        let mut copy = KnownIds::default();
        ids.known(now).for_each(|(p, v, id)| copy.insert(p, v, id));
        prop_assert!(copy.known(now).eq(ids.known(now)));
        for partition in [0, 1] {
            ids.forget(PartitionId(partition), Timestamp::MAX);
        }
        prop_assert_eq!(ids.bytes(), 0);
    }
}

/// A million ids, a thousand of them known at a time.
#[test]
fn memory_is_bounded_by_the_horizon() {
    let mut ids = KnownIds::default();
    let (mut quarter, mut most) = (0, 0);
    for event in 0..1_000_000i64 {
        let (ts, hash) =
            (event / 100, u128::from(event.unsigned_abs()).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834));
        assert!(admit(&mut ids, 0, 0, 7, ts, hash, ts));
        ids.forget(PartitionId(0), horizon(Timestamp(ts), LATENESS));
        if event == 250_000 {
            quarter = ids.bytes();
        }
        most = most.max(ids.bytes());
    }
    assert!(most <= 100_000 && ids.bytes() <= quarter, "{most} {quarter} {}", ids.bytes());
    // A burst leaves no memory behind.
    for event in 0..100_000u128 {
        assert!(admit(&mut ids, 0, 0, 7, 20_000, event << 64 | event.wrapping_mul(0x9e37_79b9_7f4a_7c15), 20_000));
    }
    assert!(ids.bytes() > 3_000_000);
    assert!(admit(&mut ids, 0, 0, 7, 30_000, 1, 30_000));
    ids.forget(PartitionId(0), horizon(Timestamp(30_000), LATENESS));
    assert!(ids.bytes() < 4_000, "{}", ids.bytes());
}
