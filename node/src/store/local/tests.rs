//! Conditions hold, also among many writers at once; listings know only whole objects.
use std::sync::Arc;

use featuregrid_actors::ports::{RequestId, StoreReply, StoreRequest};
use featuregrid_protocol::ids::ControlIndex;

use super::*;

const ID: RequestId = RequestId { life: 1, lane: 2, count: 3 };

fn put(store: &LocalStore, key: &Key, body: &[u8], condition: PutCondition) -> PutOutcome {
    match store.perform(StoreRequest::Put { id: ID, key: key.clone(), body: body.into(), condition }) {
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
    let found = store.get(&entry);
    assert_eq!(found, GetOutcome::Found(Object { bytes: b"two".as_slice().into(), etag: second }));
    assert_eq!(store.get(&decision), GetOutcome::Absent);
    fs::write(folder.path().join("control/00000000000000000008.writing"), "half").unwrap();
    assert_eq!(store.list(Prefix::Control), ListOutcome::Keys(vec![entry]));
    assert_eq!(store.list(Prefix::Leases), ListOutcome::Keys(Vec::new()));
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
