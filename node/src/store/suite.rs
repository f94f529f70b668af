//! What every object store must do, whatever it is made of: one suite for all of them. Knows no store.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use featuregrid_actors::ports::{
    DeleteOutcome, Etag, GetOutcome, Key, ListOutcome, Listed, Object, Prefix, PutCondition, PutOutcome, RequestId,
    StoreReply, StoreRequest,
};
use featuregrid_protocol::ids::{ControlIndex, Incarnation, NodeId, PartitionId};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Span;
use tokio::task::JoinSet;

use super::object::ObjectStore;
use super::selftest::{Trial, run, trial};

const ID: RequestId = RequestId { life: 1, lane: 2, count: 3 };

/// A store, and a way to put a name there that is not the grid's.
pub(super) struct Tried<'a> {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) intrude: Option<&'a (dyn Fn(&str) + Sync)>,
}

/// All of it, in an empty store; leaves it empty but for intruders.
pub(super) async fn holds(tried: &Tried<'_>) {
    let store = &tried.store;
    conditions(&**store).await;
    ranges(&**store).await;
    listings(tried).await;
    large(&**store).await;
    winners(store).await;
    let left = list(&**store, Prefix::Parts).await;
    assert_eq!(left, [], "the suite cleans up");
}

async fn put(store: &dyn ObjectStore, key: &Key, body: impl Into<Arc<[u8]>>, condition: PutCondition) -> PutOutcome {
    let request = StoreRequest::Put { id: ID, key: key.clone(), body: body.into(), condition };
    match store.perform(request).await {
        StoreReply::Put { id: ID, outcome } => outcome,
        other => panic!("{other:?}"),
    }
}

async fn create(store: &dyn ObjectStore, key: &Key, body: impl Into<Arc<[u8]>>) -> Etag {
    match put(store, key, body, PutCondition::Absent).await {
        PutOutcome::Done(etag) => etag,
        other => panic!("{key}: {other:?}"),
    }
}

async fn get(store: &dyn ObjectStore, key: &Key, bytes: Option<Range<u64>>) -> GetOutcome {
    match store.perform(StoreRequest::Get { id: ID, key: key.clone(), bytes }).await {
        StoreReply::Get { id: ID, outcome } => outcome,
        other => panic!("{other:?}"),
    }
}

async fn list(store: &dyn ObjectStore, prefix: Prefix) -> Vec<Listed> {
    match store.perform(StoreRequest::List { id: ID, prefix }).await {
        StoreReply::List { id: ID, outcome: ListOutcome::Objects(listed) } => listed,
        other => panic!("{other:?}"),
    }
}

async fn delete(store: &dyn ObjectStore, key: &Key) {
    let reply = store.perform(StoreRequest::Delete { id: ID, key: key.clone() }).await;
    assert_eq!(reply, StoreReply::Delete { id: ID, outcome: DeleteOutcome::Done }, "{key}");
}

/// A write lands exactly under its condition; what it was told is what is read.
async fn conditions(store: &dyn ObjectStore) {
    let manifest = Key::Manifest(RangeId { prefix: 0, bits: 8 });
    let other = Key::Lease(Incarnation { node: NodeId(2), boot: 5 });
    for (key, other) in [(manifest, other.clone()), (trial("ab"), other)] {
        assert_eq!(get(store, &key, None).await, GetOutcome::Absent);
        let none = PutCondition::Matches(Etag("00000000000000000000000000000000".to_owned()));
        assert_eq!(put(store, &key, *b"zero", none.clone()).await, PutOutcome::Lost, "there is no version");
        let first = create(store, &key, *b"one").await;
        assert_eq!(put(store, &key, *b"two", PutCondition::Absent).await, PutOutcome::Lost);
        assert_eq!(put(store, &key, *b"two", none).await, PutOutcome::Lost);
        let found = GetOutcome::Found(Object { bytes: (*b"one").into(), etag: first.clone() });
        assert_eq!(get(store, &key, None).await, found, "a lost write changes nothing");
        let replaced = put(store, &key, *b"three", PutCondition::Matches(first.clone())).await;
        let PutOutcome::Done(second) = replaced else { panic!("{replaced:?}") };
        assert_ne!(first, second);
        assert_eq!(put(store, &key, *b"four", PutCondition::Matches(first)).await, PutOutcome::Lost);
        let found = GetOutcome::Found(Object { bytes: (*b"three").into(), etag: second.clone() });
        assert_eq!(get(store, &key, None).await, found);
        assert_eq!(put(store, &other, *b"x", PutCondition::Matches(second)).await, PutOutcome::Lost, "another name");
        for _ in 0..2 {
            delete(store, &key).await;
        }
        assert_eq!(get(store, &key, None).await, GetOutcome::Absent);
        create(store, &key, *b"five").await;
        delete(store, &key).await;
    }
}

/// A range is as much as there is, as the version of the whole.
async fn ranges(store: &dyn ObjectStore) {
    for key in [Key::Control(ControlIndex(3)), trial("0123")] {
        let etag = create(store, &key, *b"abcdef").await;
        for (range, want) in [
            (0..6, "abcdef"),
            (1..3, "bc"),
            (4..99, "ef"),
            (5..6, "f"),
            (6..7, ""),
            (99..100, ""),
            (2..2, ""),
            (0..0, ""),
        ] {
            let found = GetOutcome::Found(Object { bytes: want.as_bytes().into(), etag: etag.clone() });
            assert_eq!(get(store, &key, Some(range.clone())).await, found, "{key} {range:?}");
        }
        delete(store, &key).await;
        assert_eq!(get(store, &key, Some(0..0)).await, GetOutcome::Absent);
        assert_eq!(get(store, &key, Some(1..3)).await, GetOutcome::Absent);
        create(store, &key, *b"").await;
        let GetOutcome::Found(empty) = get(store, &key, Some(0..9)).await else { panic!("an empty object is one") };
        assert_eq!(empty.bytes.len(), 0);
        delete(store, &key).await;
    }
}

/// Names of one prefix, in order, with lengths and ages; what is not spelt like a key is skipped.
async fn listings(tried: &Tried<'_>) {
    let store = &*tried.store;
    let keys: Vec<Key> =
        (0..12).flat_map(|n| [Key::Control(ControlIndex(n)), Key::Decision(ControlIndex(n))]).collect();
    let leases = [(1, 7), (2, 5), (2, 11)].map(|(node, boot)| Key::Lease(Incarnation { node: NodeId(node), boot }));
    let others = [Key::Begin(PartitionId(1 << 20)), trial("0f"), Key::Manifest(RangeId { prefix: 0, bits: 0 })];
    assert_eq!(list(store, Prefix::Control).await, []);
    for key in keys.iter().rev().chain(&leases).chain(&others) {
        create(store, key, key.path().into_bytes()).await;
    }
    if let Some(intrude) = tried.intrude {
        for name in
            ["control/7", "control/00000000000000000003.writing", "control/x/y", "lease/0000000002/hello", "notes.txt"]
        {
            intrude(name);
        }
    }
    let listed = list(store, Prefix::Control).await;
    assert_eq!(listed.iter().map(|listed| &listed.key).collect::<Vec<_>>(), keys.iter().collect::<Vec<_>>());
    assert!(listed.iter().all(|listed| listed.bytes == listed.key.path().len() as u64));
    assert!(listed.iter().all(|listed| (Span(0)..Span::seconds(120)).contains(&listed.age)), "{listed:?}");
    let named = |listed: Vec<Listed>| listed.into_iter().map(|listed| listed.key).collect::<Vec<_>>();
    assert_eq!(named(list(store, Prefix::Leases).await), leases);
    assert_eq!(named(list(store, Prefix::LeasesOf(NodeId(2))).await), leases[1..]);
    assert_eq!(named(list(store, Prefix::LeasesOf(NodeId(9))).await), []);
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    let [part] = &list(store, Prefix::Parts).await[..] else { panic!("one part") };
    assert!(part.age >= Span::seconds(1), "an object ages: {part:?}");
    delete(store, &keys[3]).await;
    let left: BTreeSet<Key> = named(list(store, Prefix::Control).await).into_iter().collect();
    assert!(left.len() == keys.len() - 1 && !left.contains(&keys[3]));
    for key in keys.iter().chain(&leases).chain(&others) {
        delete(store, key).await;
    }
}

/// Objects of many requests are one object: whole, under a condition, readable in parts.
async fn large(store: &dyn ObjectStore) {
    const MIB: usize = 1 << 20;
    let body: Arc<[u8]> = (0..40 * MIB / 4).flat_map(|n| (n as u32).wrapping_mul(0x9E37_79B9).to_le_bytes()).collect();
    let key = trial("large");
    let etag = create(store, &key, Arc::clone(&body)).await;
    assert_eq!(put(store, &key, Arc::clone(&body), PutCondition::Absent).await, PutOutcome::Lost);
    let GetOutcome::Found(found) = get(store, &key, None).await else { panic!("not found") };
    assert!(found.bytes == body && found.etag == etag);
    for from in [0, 8 * MIB - 3, 39 * MIB + 7] {
        let GetOutcome::Found(some) = get(store, &key, Some(from as u64..(from + 70_000) as u64)).await else {
            panic!("not found")
        };
        assert!(*some.bytes == body[from..from + 70_000] && some.etag == etag, "{from}");
    }
    let other: Arc<[u8]> = body[MIB..].into();
    let stale = PutCondition::Matches(Etag("00000000000000000000000000000000".to_owned()));
    assert_eq!(put(store, &key, Arc::clone(&other), stale).await, PutOutcome::Lost);
    let PutOutcome::Done(next) = put(store, &key, Arc::clone(&other), PutCondition::Matches(etag.clone())).await else {
        panic!("not replaced")
    };
    assert_eq!(put(store, &key, body, PutCondition::Matches(etag)).await, PutOutcome::Lost);
    let GetOutcome::Found(found) = get(store, &key, None).await else { panic!("not found") };
    assert!(found.bytes == other && found.etag == next);
    let [listed] = &list(store, Prefix::Parts).await[..] else { panic!("one part") };
    assert_eq!((listed.bytes, &listed.key), (39 * MIB as u64, &key));
    delete(store, &key).await;
}

/// Of many writers one wins, whatever they write: small objects and large ones.
async fn winners(store: &Arc<dyn ObjectStore>) {
    let found = run(store, Trial { writers: 16, rounds: 20 }).await.unwrap();
    assert!(found.hold(), "{found:?}");
    let (key, mut writers) = (trial("contended"), JoinSet::new());
    for writer in 0..3_u8 {
        let (store, key) = (Arc::clone(store), key.clone());
        writers.spawn(async move {
            let body: Arc<[u8]> = vec![writer; 17 << 20].into();
            // Somebody else is writing: what did not land is sent again, as its contract says.
            loop {
                match put(&*store, &key, Arc::clone(&body), PutCondition::Absent).await {
                    PutOutcome::Retry => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                    outcome => return outcome,
                }
            }
        });
    }
    let outcomes = writers.join_all().await;
    let won = outcomes.iter().filter(|outcome| matches!(outcome, PutOutcome::Done(_))).count();
    let lost = outcomes.iter().filter(|outcome| **outcome == PutOutcome::Lost).count();
    assert_eq!((won, lost), (1, 2), "{outcomes:?}");
    let GetOutcome::Found(found) = get(&**store, &key, None).await else { panic!("not found") };
    assert!(found.bytes.len() == 17 << 20 && found.bytes.iter().all(|byte| *byte == found.bytes[0]), "torn");
    delete(&**store, &key).await;
}

mod stores {
    //! The stores that need no server.
    use super::*;
    use crate::store::local::LocalStore;
    use crate::store::memory::MemoryStore;

    #[tokio::test]
    async fn a_folder_is_an_object_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalStore::open(folder.path()).unwrap());
        assert_eq!(store.place(), format!("file://{}", folder.path().display()));
        let intrude = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "not ours").unwrap();
        };
        holds(&Tried { store, intrude: Some(&intrude) }).await;
    }

    #[tokio::test]
    async fn memory_is_an_object_store() {
        holds(&Tried { store: Arc::new(MemoryStore::default()), intrude: None }).await;
    }

    #[tokio::test]
    async fn a_folder_is_shared_by_those_who_open_it() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Arc::new(LocalStore::open(folder.path()).unwrap()) as Arc<dyn ObjectStore>;
        let stores = [open(), open()];
        for round in 0..30 {
            let key = Key::Control(ControlIndex(round));
            let mut writers = JoinSet::new();
            for (at, store) in stores.iter().enumerate() {
                for writer in 0..4 {
                    let (store, key) = (Arc::clone(store), key.clone());
                    writers.spawn(async move {
                        put(&*store, &key, format!("{at} {writer}").into_bytes(), PutCondition::Absent).await
                    });
                }
            }
            let outcomes = writers.join_all().await;
            assert_eq!(
                outcomes.iter().filter(|outcome| matches!(outcome, PutOutcome::Done(_))).count(),
                1,
                "{outcomes:?}"
            );
        }
    }
}
