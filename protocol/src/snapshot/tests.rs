//! Parts read back as a whole and by block; whatever is damaged is noticed; hostile bytes neither panic nor allocate.
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ids::{ControlIndex, PartitionId, ViewId};
use crate::key::KeyHash;
use crate::position::{OffsetVector, PartitionCounters, PartitionPosition, ViewCounters};
use crate::range::RangeId;
use crate::time::Timestamp;

const RANGE: RangeId = RangeId { prefix: 1 << 63, bits: 1 };

fn heads() -> impl Strategy<Value = RangeHead> {
    let position = (any::<u64>(), any::<i64>(), any::<u64>(), any::<u64>()).prop_map(|(next, max, late, rows)| {
        let views = BTreeMap::from([(ViewId(late), ViewCounters { rows, rejected: 1 })]);
        let counters = PartitionCounters { records: next, late, views, ..PartitionCounters::default() };
        PartitionPosition { next, max: Timestamp(max), counters }
    });
    let since = prop::option::of(prop::collection::btree_map(any::<u32>().prop_map(PartitionId), any::<u64>(), 0..4));
    let rows = prop::collection::btree_map(any::<u64>().prop_map(ViewId), any::<(u64, u64)>(), 0..4);
    let ids = prop::collection::btree_map(
        any::<(u32, u64)>(),
        prop::collection::btree_map(any::<u64>(), any::<(u64, i64, u128)>(), 1..9),
        0..4,
    );
    let positions = prop::collection::btree_map(any::<u32>().prop_map(PartitionId), position, 0..4);
    (any::<u64>(), positions, since, rows, ids).prop_map(|(index, positions, since, rows, ids)| RangeHead {
        range: RANGE,
        index: ControlIndex(index),
        positions,
        since: since.map(OffsetVector),
        rows: rows.into_iter().map(|(view, (applied, duplicate))| (view, RowCounts { applied, duplicate })).collect(),
        ids: ids
            .into_iter()
            .map(|((partition, view), known)| {
                let known = known.into_iter().map(|(offset, (key, ts, hash))| KnownId {
                    key: KeyHash(key),
                    ts: Timestamp(ts),
                    offset,
                    hash,
                });
                IdList { partition: PartitionId(partition), view: ViewId(view), known: known.collect() }
            })
            .collect(),
    })
}

/// Pages of keys of [`RANGE`], in order: now and then several of one key, some as large as a block.
fn pages() -> impl Strategy<Value = Vec<SnapshotPage>> {
    let size = prop_oneof![20 => 0usize..300, 1 => 60_000usize..90_000];
    let page = (0u16..400, 0u64..3, 0u16..3, any::<u8>(), size);
    prop::collection::vec(page, 0..120).prop_map(|drawn| {
        let pages = drawn.into_iter().map(|(key, view, ladder, byte, size)| SnapshotPage {
            view: ViewId(view),
            ladder,
            key: key.to_le_bytes().to_vec(),
            bytes: (0..size).map(|at| byte.wrapping_mul(at as u8 | 1)).collect(),
        });
        let mut pages: Vec<SnapshotPage> = pages.filter(|page| RANGE.contains(KeyHash::of(&page.key))).collect();
        pages.sort_by(|a, b| a.order().cmp(&b.order()));
        pages.dedup_by(|a, b| a.order() == b.order());
        pages
    })
}

fn write(head: &RangeHead, pages: &[SnapshotPage]) -> Vec<u8> {
    let mut writer = PartWriter::default();
    pages.iter().for_each(|page| writer.push(page).unwrap());
    writer.finish(head).unwrap()
}

fn slice(bytes: &[u8], range: std::ops::Range<u64>) -> &[u8] {
    &bytes[range.start as usize..range.end as usize]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_part_reads_back_as_a_whole_and_by_range(head in heads(), pages in pages()) {
        let bytes = write(&head, &pages);
        prop_assert_eq!(read_part(&bytes), Ok((head.clone(), pages.clone())));
        let end = bytes.len() as u64;
        let footer = Footer::read(slice(&bytes, end - FOOTER_BYTES..end), end).unwrap();
        let index = PartIndex::read(&footer, slice(&bytes, footer.index())).unwrap();
        prop_assert_eq!(&index.head, &head);
        for page in &pages {
            let number = index.find(KeyHash::of(&page.key)).unwrap();
            let block = index.read_block(number, slice(&bytes, index.blocks[number].stored.clone())).unwrap();
            prop_assert!(block.contains(page));
            // All pages of one key stand in one block.
            let of_key = |all: &[SnapshotPage]| all.iter().filter(|other| other.key == page.key).count();
            prop_assert_eq!(of_key(&block), of_key(&pages));
        }
    }

    #[test]
    fn damage_is_noticed(head in heads(), pages in pages(), at: prop::sample::Index, flip in 1u8.., cut: prop::sample::Index) {
        let mut bytes = write(&head, &pages);
        let cut = cut.index(bytes.len());
        prop_assert!(read_part(&bytes[..cut]).is_err());
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(read_part(&bytes).is_err());
    }

    #[test]
    fn noise_is_refused(noise in prop::collection::vec(any::<u8>(), 0..200), lengths: [u32; 5]) {
        prop_assert!(read_part(&noise).is_err());
        // The same with a footer that says anything.
        let fields = lengths.iter().flat_map(|length| length.to_le_bytes());
        let bytes: Vec<u8> = b"FGRP".iter().copied().chain(noise).chain(fields).chain(*b"\x01\0\0\0FGRP").collect();
        prop_assert!(read_part(&bytes).is_err());
    }
}

#[test]
fn a_newer_part_says_so() {
    let head = RangeHead {
        range: RANGE,
        index: ControlIndex(0),
        positions: BTreeMap::new(),
        since: None,
        rows: BTreeMap::new(),
        ids: Vec::new(),
    };
    let mut bytes = write(&head, &[]);
    let version = bytes.len() - 8;
    bytes[version] = 2;
    assert_eq!(read_part(&bytes), Err(PartError::Version(2)));
}
