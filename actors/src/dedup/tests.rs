//! What is a duplicate, against a scan of everything that was applied; memory comes back.

use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::limits::ID_BYTES_MAX;
use featuregrid_protocol::row::{EventId, RowHead, Texts};
use proptest::prelude::*;

use super::*;

const LATENESS: Span = Span(10);

/// Where a record stands: partition, offset, prefix max before it.
type Place = (u32, Offset, i64);

fn admit(ids: &mut KnownIds, (partition, offset, max): Place, view: u64, key: u64, ts: i64, hash: u128) -> bool {
    let head = RowHead {
        hash: KeyHash(key),
        ts: Timestamp(ts),
        offset,
        present: 1,
        bad: 0,
        view: 0,
        key_len: 0,
        number_len: 0,
    };
    let id = EventId { hash, max_before: Timestamp(max) };
    let row = Row { head: &head, key: b"", numbers: &[], texts: Texts::default(), id: Some(&id) };
    ids.admit(PartitionId(partition), ViewId(view), &row, LATENESS)
}

/// How far offsets of a partition go on: mostly to the next one, sometimes almost or just out of reach.
fn gaps() -> impl Strategy<Value = u64> {
    prop_oneof![30 => Just(1u64), 1 => ID_OFFSETS_MAX - 8..ID_OFFSETS_MAX + 2]
}

proptest! {
    #[test]
    fn agrees_with_a_scan(
        steps in prop::collection::vec((0u32..2, 0u64..2, 0u64..3, -12i64..6, 0u128..5, 0usize..4, gaps()), 1..200),
        (forget_every, stands_still) in (1usize..20, any::<bool>()),
    ) {
        let mut ids = KnownIds::default();
        let (mut max, mut next) = ([0i64; 2], [0u64; 2]);
        let mut applied: Vec<(u32, Offset, u64, u64, i64, u128)> = Vec::new();
        for (at, (partition, view, key, by, hash, leap, gap)) in steps.into_iter().enumerate() {
            let (before, offset) = (max[partition as usize], next[partition as usize] + gap - 1);
            let (ts, leap) = if stands_still { (before, 0) } else { (before + by, leap) };
            let is_new = !applied.iter().any(|(p, o, v, k, first, h)| {
                let is_copy = (*p, *v, *k, *h) == (partition, view, key, hash);
                is_copy && before - first <= LATENESS.0 && offset - o <= ID_OFFSETS_MAX
            });
            if is_new {
                applied.push((partition, offset, view, key, ts, hash));
            }
            prop_assert_eq!(admit(&mut ids, (partition, offset, before), view, key, ts, hash), is_new);
            max[partition as usize] = before.max(ts) + leap as i64;
            next[partition as usize] = offset + 1;
            if at % forget_every == 0 {
                let (max, next) = (max[partition as usize], next[partition as usize]);
                ids.forget(PartitionId(partition), Horizon::of(Timestamp(max), next, LATENESS));
            }
        }
        // In order of offset, and only what is known.
        let now = |p: PartitionId| Horizon::of(Timestamp(max[p.0 as usize]), next[p.0 as usize], LATENESS);
        let known: Vec<_> = ids.known(now).collect();
        let mut want: Vec<_> = applied.into_iter().map(|(p, offset, v, key, ts, hash)| {
            (PartitionId(p), ViewId(v), KnownId { key: KeyHash(key), ts: Timestamp(ts), offset, hash })
        }).collect();
        want.retain(|(p, _, known)| {
            max[p.0 as usize] - known.ts.0 <= LATENESS.0 && next[p.0 as usize] - known.offset <= ID_OFFSETS_MAX
        });
        want.sort_by_key(|(p, v, _)| (*p, *v));
        prop_assert_eq!(known, want);
        // What is installed is what was known.
        let mut copy = KnownIds::default();
        ids.known(now).for_each(|(p, v, id)| copy.insert(p, v, id));
        prop_assert!(copy.known(now).eq(ids.known(now)));
        for partition in [0, 1] {
            ids.forget(PartitionId(partition), Horizon::of(Timestamp::MAX, 0, Span(0)));
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
        assert!(admit(&mut ids, (0, event.unsigned_abs(), ts), 0, 7, ts, hash));
        ids.forget(PartitionId(0), Horizon::of(Timestamp(ts), 0, LATENESS));
        if event == 250_000 {
            quarter = ids.bytes();
        }
        most = most.max(ids.bytes());
    }
    assert!(most <= 100_000 && ids.bytes() <= quarter, "{most} {quarter} {}", ids.bytes());
    // A burst leaves no memory behind.
    for event in 0..100_000 {
        assert!(admit(&mut ids, (0, 1_000_000 + event, 20_000), 0, 7, 20_000, spread(event)));
    }
    let each = ids.bytes() / 100_000;
    assert!((40..ID_BYTES_MAX as usize).contains(&each), "{each}");
    assert!(admit(&mut ids, (0, 1_100_000, 30_000), 0, 7, 30_000, 1));
    ids.forget(PartitionId(0), Horizon::of(Timestamp(30_000), 1_100_001, LATENESS));
    assert!(ids.bytes() < 4_000, "{}", ids.bytes());
}

/// Event time stands still, and of a hundred thousand ids a thousand are within reach at a time.
#[test]
fn memory_is_bounded_by_offsets_where_time_stands_still() {
    let mut ids = KnownIds::default();
    let mut most = 0;
    for event in 0..100_000 {
        let offset = event * (ID_OFFSETS_MAX / 1_000);
        assert!(admit(&mut ids, (0, offset, 0), 0, 7, 0, spread(event)));
        ids.forget(PartitionId(0), Horizon::of(Timestamp(0), offset + 1, LATENESS));
        most = most.max(ids.bytes());
    }
    assert!(most <= 120_000, "{most}");
}

fn spread(event: u64) -> u128 {
    u128::from(event) << 64 | u128::from(event.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
