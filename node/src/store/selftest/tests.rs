//! A careful store passes and is left as it was; careless ones are told what they did.

use std::sync::Mutex;

use featuregrid_actors::ports::objects::Objects;
use featuregrid_actors::ports::{ListOutcome, Monotonic, Prefix, PutOutcome};

use super::*;
use crate::store::memory::MemoryStore;
use crate::store::object::BoxFuture;

/// How a store may be careless.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    /// Every write lands.
    IgnoresBoth,
    /// Only versions are ignored.
    IgnoresEtags,
    /// Every other write lands and is told that it did not.
    Denies,
}

#[derive(Debug)]
struct Careless(Mutex<Objects>, Flaw);

impl ObjectStore for Careless {
    fn perform(&self, mut request: StoreRequest) -> BoxFuture<'_, StoreReply> {
        let mut objects = self.0.lock().unwrap();
        if let StoreRequest::Put { id, key, condition, .. } = &mut request {
            let is_ignored =
                matches!((self.1, &condition), (Flaw::IgnoresBoth, _) | (Flaw::IgnoresEtags, PutCondition::Matches(_)));
            if is_ignored {
                *condition =
                    objects.object(key).map_or(PutCondition::Absent, |it| PutCondition::Matches(it.etag.clone()));
            }
            if matches!(self.1, Flaw::Denies) {
                return Box::pin(std::future::ready(StoreReply::Put { id: *id, outcome: PutOutcome::Lost }));
            }
        }
        Box::pin(std::future::ready(objects.perform(Monotonic(0), &request)))
    }

    fn place(&self) -> String {
        "s3://careless/grid".to_owned()
    }
}

#[tokio::test]
async fn a_careful_store_passes_and_is_left_empty() {
    let store: Arc<dyn ObjectStore> = Arc::new(MemoryStore::default());
    let found = run(&store, Trial { writers: 8, rounds: 20 }).await.unwrap();
    let held = Tally { rounds: 20, held: 20, astray: 0, fewest: 1, most: 1 };
    assert_eq!((found.absent, found.etag, found.hold()), (held, held, true));
    check(&store).await.unwrap();
    let id = Requests::new(1, 1).next_id();
    let listed = store.perform(StoreRequest::List { id, prefix: Prefix::Parts }).await;
    assert_eq!(listed, StoreReply::List { id, outcome: ListOutcome::Objects(Vec::new()) });
}

#[tokio::test]
async fn careless_stores_are_told_what_they_did() {
    for (flaw, what) in [
        (Flaw::IgnoresBoth, "4 of 4 writers that created one object at once were told that they did"),
        (Flaw::IgnoresEtags, "4 of 4 writers that replaced one version of an object at once were told that they did"),
        (Flaw::Denies, "none of 4 writers that created one object at once was told that it did"),
    ] {
        let store: Arc<dyn ObjectStore> = Arc::new(Careless(Mutex::default(), flaw));
        let refused = check(&store).await.unwrap_err().to_string();
        assert!(refused.starts_with(&format!("s3://careless/grid ignores conditions: {what}. ")), "{refused}");
    }
}
