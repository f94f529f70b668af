//! What may be committed, in which order, and what each outcome means; the trace C7.
use featuregrid_protocol::ids::Epoch;
use featuregrid_protocol::position::PartitionPosition;

use super::*;
use crate::ports::script::*;
use crate::ports::{PutOutcome, StoreRequest};

fn positions(at: &[(u32, u64)]) -> Positions {
    at.iter().map(|(p, next)| (PartitionId(*p), PartitionPosition::start(*next))).collect()
}

fn known() -> Known {
    let manifest = Manifest {
        range: RangeId::split_evenly(4)[1],
        epoch: Epoch(3),
        owner: Some(life(1, 1)),
        released_to: None,
        positions: positions(&[(0, 70), (1, 20)]),
        index: ControlIndex(2),
        parts: vec![Part { name: "old".to_owned(), bytes: 4, v: v(&[(0, 70), (1, 20)]) }],
        nonce: Nonce(9),
    };
    Known { manifest, etag: etag(4) }
}

fn snapshot(at: &[(u32, u64)]) -> Snapshot {
    Snapshot { positions: positions(at), index: ControlIndex(2), since: None, part: Arc::from(&b"pages"[..]) }
}

fn begin(change: Change) -> Result<Commit, CommitError> {
    Commit::new(&known(), change, Nonce(0xAB), Nonce(10))
}

fn at(commit: &mut Commit, now: Monotonic, leased: bool) -> Vec<StoreRequest> {
    let mut out = Vec::new();
    commit.advance(now, leased, &mut Requests::new(1, now.0 as u32), &mut out);
    requests(&out)
}

/// Its part is uploaded; what is written over the manifest.
fn uploaded(commit: &mut Commit) -> StoreRequest {
    let part = at(commit, ms(0), true).remove(0);
    assert!(commit.reply(ms(1), &done(&part, 5)));
    at(commit, ms(2), true).remove(0)
}

#[test]
fn the_part_comes_first_then_the_manifest_over_the_version_we_know() {
    let mut commit = begin(Change::State(snapshot(&[(0, 90), (1, 20)]))).unwrap();
    let part = at(&mut commit, ms(0), true).remove(0);
    let (name, body_bytes) = (Key::part_name(Nonce(0xAB)), Arc::from(&b"pages"[..]));
    let want = StoreRequest::Put {
        id: part.id(),
        key: Key::Part(RangeId::split_evenly(4)[1], name.clone()),
        body: body_bytes,
        condition: PutCondition::Absent,
    };
    assert_eq!(part, want);
    assert!(at(&mut commit, ms(0), true).is_empty(), "nothing refers to what may not stand");
    assert!(commit.reply(ms(1), &done(&part, 5)));
    let write = at(&mut commit, ms(2), true).remove(0);
    assert_eq!(condition(&write), PutCondition::Matches(etag(4)));
    let parts = vec![Part { name, bytes: 5, v: v(&[(0, 90), (1, 20)]) }];
    let next = Manifest { positions: positions(&[(0, 90), (1, 20)]), parts, nonce: Nonce(10), ..known().manifest };
    assert_eq!(body::<Manifest>(&write), next);
    assert_eq!(commit.outcome(&mut Vec::new()), None);
    assert!(commit.reply(ms(3), &done(&write, 6)));
    let stands = Known { manifest: next, etag: etag(6) };
    assert_eq!(commit.outcome(&mut Vec::new()), Some(Committed::Done(stands)));
}

#[test]
fn c7_a_state_behind_what_is_durable_is_refused() {
    for at in [&[(0, 69), (1, 20)][..], &[(0, 90)], &[(0, 90), (1, 19), (2, 5)]] {
        let refused = begin(Change::State(snapshot(at)));
        assert!(matches!(refused, Err(CommitError::Behind { .. })), "{at:?}: {refused:?}");
    }
    assert!(begin(Change::State(snapshot(&[(0, 70), (1, 20)]))).is_ok());
}

#[test]
fn a_state_of_an_older_index_is_refused() {
    let old = Snapshot { index: ControlIndex(1), ..snapshot(&[(0, 90), (1, 20)]) };
    let range = known().manifest.range;
    let error = CommitError::OldIndex { range, have: ControlIndex(1), want: ControlIndex(2) };
    assert_eq!(begin(Change::State(old)).err(), Some(error));
}

#[test]
fn a_release_ends_the_ownership_in_the_same_write() {
    let mut commit = begin(Change::Release(snapshot(&[(0, 90), (1, 20)]), life(2, 1))).unwrap();
    assert!(commit.releases());
    let next: Manifest = body(&uploaded(&mut commit));
    assert_eq!((next.owner, next.released_to, next.epoch), (None, Some(life(2, 1)), Epoch(3)));
}

#[test]
fn an_index_alone_keeps_state_and_parts() {
    let mut commit = begin(Change::Index(ControlIndex(5))).unwrap();
    let next: Manifest = body(&at(&mut commit, ms(0), true)[0]);
    assert_eq!(next, Manifest { index: ControlIndex(5), nonce: Nonce(10), ..known().manifest });
}

#[test]
fn the_manifest_is_not_written_without_a_lease_but_a_sent_one_is_followed_up() {
    let mut commit = begin(Change::Index(ControlIndex(5))).unwrap();
    assert!(at(&mut commit, ms(0), false).is_empty() && !commit.was_sent());
    let write = at(&mut commit, ms(1), true).remove(0);
    assert!(commit.was_sent());
    commit.reply(ms(2), &put(&write, PutOutcome::Unknown));
    assert_eq!(commit.outcome(&mut Vec::new()), None);
    assert_eq!(at(&mut commit, ms(200), false).len(), 1);
}

#[test]
fn who_lost_is_told_what_stands() {
    let mut commit = begin(Change::Index(ControlIndex(5))).unwrap();
    let write = at(&mut commit, ms(0), true).remove(0);
    commit.reply(ms(1), &put(&write, PutOutcome::Lost));
    let back = at(&mut commit, ms(2), true).remove(0);
    let stands = Manifest { epoch: Epoch(4), owner: Some(life(2, 1)), ..known().manifest };
    commit.reply(ms(3), &found(&back, &stands, 9));
    let lost = Committed::Lost(Some(Known { manifest: stands, etag: etag(9) }));
    assert_eq!(commit.outcome(&mut Vec::new()), Some(lost));
}

#[test]
fn a_delta_follows_what_is_committed() {
    let known = known();
    let delta = |since: &[(u32, u64)]| Snapshot { since: Some(v(since)), ..snapshot(&[(0, 90), (1, 20)]) };
    let begin = |known: &Known, delta| Commit::new(known, Change::State(delta), Nonce(1), Nonce(2));
    let commit = begin(&known, delta(&[(0, 70), (1, 20)])).unwrap();
    assert_eq!(
        commit.next.parts.iter().map(|part| &*part.name).collect::<Vec<_>>(),
        ["old", &Key::part_name(Nonce(1))]
    );
    // Changes since an older state are more than enough.
    assert!(begin(&known, delta(&[(0, 7), (1, 20)])).is_ok());
    assert!(matches!(begin(&known, delta(&[(0, 71), (1, 20)])), Err(CommitError::Detached(_))));
    let mut empty = known;
    empty.manifest.parts.clear();
    assert!(matches!(begin(&empty, delta(&[(0, 70), (1, 20)])), Err(CommitError::Detached(_))));
}
