//! Whatever is unavailable meanwhile and in whatever order answers come, everything listed is read, and never more at once
//! than allowed.
use std::sync::Arc;

use featuregrid_protocol::ids::{Incarnation, NodeId};
use featuregrid_protocol::time::Span;
use proptest::prelude::*;

use super::*;
use crate::ports::{Etag, Listed};

fn key(node: u32) -> Key {
    Key::Lease(Incarnation { node: NodeId(node), boot: 1 })
}

fn listed(node: u32) -> Listed {
    Listed { key: key(node), bytes: 0, age: Span(0) }
}

fn object(key: &Key) -> Object {
    Object { bytes: Arc::from(key.path().as_bytes()), etag: Etag("1".to_owned()) }
}

proptest! {
    #[test]
    fn everything_listed_is_read(count in 0u32..100, refusals in prop::collection::vec(any::<(u8, bool)>(), 0..200)) {
        let mut gather = Gather::prefix(Prefix::Leases);
        let mut requests = Requests::new(1, 1);
        let mut open: Vec<StoreRequest> = Vec::new();
        let mut now = Monotonic(0);
        let mut refusals = refusals.into_iter();
        while gather.done().is_none() {
            open.extend(gather.poll(now, &mut requests));
            prop_assert!(open.len() <= STORE_READS_MAX);
            now = now + STORE_RETRY_AFTER;
            let (at, refused) = refusals.next().unwrap_or((0, false));
            if open.is_empty() { continue; }
            let reply = match open.swap_remove(usize::from(at) % open.len()) {
                StoreRequest::List { id, .. } if refused => StoreReply::List { id, outcome: ListOutcome::Unavailable },
                StoreRequest::List { id, .. } => StoreReply::List { id, outcome: ListOutcome::Objects((0..count).map(listed).collect()) },
                StoreRequest::Get { id, .. } if refused => StoreReply::Get { id, outcome: GetOutcome::Unavailable },
                StoreRequest::Get { id, key, .. } if key == self::key(3) => StoreReply::Get { id, outcome: GetOutcome::Absent },
                StoreRequest::Get { id, key, .. } => StoreReply::Get { id, outcome: GetOutcome::Found(object(&key)) },
                StoreRequest::Put { .. } | StoreRequest::Delete { .. } => return Err(TestCaseError::fail("a reader wrote")),
            };
            prop_assert!(gather.accept(now, &reply));
            prop_assert!(!gather.accept(now, &reply), "a reply counts once");
        }
        let want: Gathered = (0..count).map(|n| (key(n), (n != 3).then(|| object(&key(n))))).collect();
        prop_assert_eq!(gather.done(), Some(&want));
    }
}
