//! Conditions hold, also among many writers at once; listings know only whole objects.
use std::sync::Arc;

use featuregrid_actors::ports::{RequestId, StoreReply, StoreRequest};
use featuregrid_protocol::ids::ControlIndex;

use super::*;

const ID: RequestId = RequestId { life: 1, lane: 2, count: 3 };

fn put(store: &LocalStore, key: &Key, body: &[u8], condition: PutCondition) -> PutOutcome {
    match store.0.perform(StoreRequest::Put { id: ID, key: key.clone(), body: body.into(), condition }) {
        StoreReply::Put { id: ID, outcome } => outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn conditions_hold_and_objects_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path()).unwrap();
    let (entry, decision) = (Key::Control(ControlIndex(7)), Key::Decision(ControlIndex(7)));
    let PutOutcome::Done(first) = put(&store, &entry, b"one", PutCondition::Absent) else { panic!("not created") };
    assert_eq!(put(&store, &entry, b"two", PutCondition::Absent), PutOutcome::Lost);
    let PutOutcome::Done(second) = put(&store, &entry, b"two", PutCondition::Matches(first.clone())) else {
        panic!("not replaced")
    };
    assert_eq!(put(&store, &entry, b"three", PutCondition::Matches(first)), PutOutcome::Lost);
    assert_eq!(put(&store, &decision, b"x", PutCondition::Matches(second.clone())), PutOutcome::Lost);
    let found = store.0.get(&entry, None);
    assert_eq!(found, GetOutcome::Found(Object { bytes: b"two".as_slice().into(), etag: second }));
    assert_eq!(store.0.get(&decision, None), GetOutcome::Absent);
    fs::write(folder.path().join("control/00000000000000000008.writing"), "half").unwrap();
    let ListOutcome::Objects(listed) = store.0.list(Prefix::Control) else { panic!("not listed") };
    assert_eq!(listed.iter().map(|listed| (&listed.key, listed.bytes)).collect::<Vec<_>>(), [(&entry, 3)]);
    assert!(listed[0].age < Span::seconds(60));
    assert_eq!(store.0.list(Prefix::Leases), ListOutcome::Objects(Vec::new()));
    let read = |range| store.0.perform(StoreRequest::Get { id: ID, key: entry.clone(), bytes: Some(range) });
    for (range, want) in [(1..3, "wo"), (2..99, "o"), (7..9, "")] {
        let StoreReply::Get { outcome: GetOutcome::Found(object), .. } = read(range) else { panic!("not found") };
        assert_eq!(&*object.bytes, want.as_bytes());
    }
    for _ in 0..2 {
        let removed = store.0.perform(StoreRequest::Delete { id: ID, key: entry.clone() });
        assert_eq!(removed, StoreReply::Delete { id: ID, outcome: DeleteOutcome::Done });
    }
    assert_eq!(store.0.get(&entry, None), GetOutcome::Absent);
}

#[test]
fn of_many_writers_one_wins_each_version() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(LocalStore::open(folder.path()).unwrap());
    let key = Key::Control(ControlIndex(0));
    let mut condition = PutCondition::Absent;
    for round in 0..20 {
        let won: Vec<Etag> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..16)
                .map(|writer| {
                    let (store, key, condition) = (&store, &key, condition.clone());
                    scope.spawn(move || put(store, key, format!("{round} {writer}").as_bytes(), condition))
                })
                .collect();
            writers
                .into_iter()
                .filter_map(|writer| match writer.join().unwrap() {
                    PutOutcome::Done(etag) => Some(etag),
                    _ => None,
                })
                .collect()
        });
        assert_eq!(won.len(), 1, "round {round}");
        condition = PutCondition::Matches(won[0].clone());
    }
}
