//! What is shown of one entity: what was applied to it, where it stands, and nothing of others.

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::time::Timestamp;

use super::memory::w1;
use super::support::{Event, Log, SECOND, key_bytes, shard};

#[test]
fn an_entity_shows_its_tiles_and_the_last_records_applied() {
    let plan = w1();
    let (mut shard, set) = shard(&plan, 16);
    let start = 1_767_268_800 * SECOND;
    let event = |offset: u64, key: Option<u8>| Event {
        partition: 0,
        offset,
        ts: Timestamp(start + offset as i64 * 60 * SECOND),
        key,
        present: 1,
        bad: 0,
        numbers: [0; 6],
        id: None,
    };
    // Ten of user 1, then others that only move T.
    let list: Vec<Event> = (0..30).map(|offset| event(offset, if offset < 10 { Some(1) } else { Some(2) })).collect();
    shard.apply(&Log::new(&list).frame(&plan, 0, 0, 30), &set);

    let facts = shard.inspect(0, &key_bytes(1)).unwrap();
    assert!(facts.range.contains(KeyHash::of(&key_bytes(1))));
    assert_eq!((facts.v.get(PartitionId(0)), facts.index), (30, plan.index));
    let [Some(page)] = &facts.ladders[..] else { panic!("{facts:?}") };
    let last: Vec<(u32, u64, Timestamp)> =
        page.positions.iter().map(|last| (last.position.partition.0, last.position.offset, last.newest)).collect();
    assert_eq!(last, [(0, 9, Timestamp(start + 540 * SECOND))]);
    assert_eq!((page.newest, page.raw_rows, page.lifetime), (Timestamp(start + 540 * SECOND), 0, false));
    let spans: Vec<i64> = page.levels.iter().map(|level| level.span.0 / SECOND).collect();
    assert_eq!(spans, [300, 3600, 86_400]);
    assert_eq!(page.levels.iter().map(|level| level.tiles).sum::<usize>(), 10);
    assert!(page.bytes > 0 && page.bytes <= shard.bytes());

    // Looking makes nobody: neither an entity nor a view that is not there.
    let entities = shard.entities();
    assert_eq!(shard.inspect(0, &key_bytes(9)).unwrap().ladders, [None]);
    assert_eq!(shard.inspect(7, &key_bytes(1)), None);
    assert_eq!(shard.entities(), entities);
}
