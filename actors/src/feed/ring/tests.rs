//! What the ring finds, forgets and gives up.

use super::*;
use crate::feed::tests::chunk;

fn filled(chunks: u64) -> Ring {
    let mut ring = Ring::new(PartitionPosition::start(0));
    for n in 0..chunks {
        ring.push(Arc::new(chunk(n * 10, n * 10 + 10, n as i64, n as i64 + 1)));
    }
    ring
}

#[test]
fn finds_beginnings_and_insides() {
    let ring = filled(3);
    assert_eq!(ring.at(10).map(|chunk| chunk.to), Some(20));
    assert_eq!(ring.at(11), None);
    assert_eq!((ring.end_around(10), ring.end_around(11), ring.end_around(19)), (None, Some(20), Some(20)));
    assert_eq!((ring.end_around(30), ring.end_around(31)), (None, None));
    assert_eq!((ring.max_at(20), ring.max_at(30), ring.max_at(25)), (Some(Timestamp(2)), Some(Timestamp(3)), None));
}

#[test]
fn the_oldest_leaves_and_the_tail_keeps_the_triple() {
    let mut ring = filled(RING_CHUNKS_MAX as u64);
    assert_eq!((ring.tail(), ring.tail_after_push()), (0, 10));
    ring.push(Arc::new(chunk(2560, 2570, 256, 257)));
    assert_eq!((ring.tail(), ring.tail.max, ring.tail.counters.records), (10, Timestamp(1), 10));
    assert_eq!((ring.head.next, ring.head.counters.records), (2570, 2570));
}

#[test]
fn truncation_drops_whole_chunks() {
    let mut ring = filled(3);
    assert!(!ring.truncate(30));
    assert!(ring.truncate(25));
    assert_eq!((ring.head.next, ring.head.max, ring.head.counters.records), (20, Timestamp(2), 20));
    let mut ring = filled(RING_CHUNKS_MAX as u64 + 3);
    assert!(ring.truncate(5));
    assert_eq!((ring.tail(), ring.head.next, ring.chunks.len()), (30, 30, 0), "the tail is as far back as it can go");
}
