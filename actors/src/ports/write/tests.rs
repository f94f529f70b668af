//! Every order of outcomes: a write decides, and decides what is true of the store.
use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::ports::RequestId;

const KEY: Key = Key::Control(featuregrid_protocol::ids::ControlIndex(1));

fn bytes(text: &str) -> Arc<[u8]> {
    Arc::from(text.as_bytes())
}

fn etag(text: &str) -> Etag {
    Etag(text.to_owned())
}

fn put(reply: PutOutcome, request: &StoreRequest) -> StoreReply {
    StoreReply::Put { id: request.id(), outcome: reply }
}

fn get(reply: GetOutcome, request: &StoreRequest) -> StoreReply {
    StoreReply::Get { id: request.id(), outcome: reply }
}

fn started() -> (Write, Requests, StoreRequest) {
    let mut write = Write::new(KEY, bytes("mine"), PutCondition::Matches(etag("old")));
    let mut requests = Requests::new(1, 1);
    let request = write.poll(Monotonic(0), &mut requests).unwrap();
    (write, requests, request)
}

#[test]
fn an_unknown_outcome_sends_the_same_again() {
    let (mut write, mut requests, first) = started();
    assert!(write.accept(Monotonic(5), &put(PutOutcome::Unknown, &first)));
    assert_eq!(write.poll(Monotonic(5), &mut requests), None);
    let later = Monotonic(5) + STORE_RETRY_AFTER;
    let second = write.poll(later, &mut requests).unwrap();
    assert_ne!(first.id(), second.id());
    let same = StoreRequest::Put {
        id: second.id(),
        key: KEY,
        body: bytes("mine"),
        condition: PutCondition::Matches(etag("old")),
    };
    assert_eq!(second, same);
    assert!(write.accept(later, &put(PutOutcome::Done(etag("new")), &second)));
    assert_eq!(write.verdict(), Some(&Verdict::Done { etag: etag("new"), sent: later }));
}

#[test]
fn a_412_after_an_unknown_is_decided_by_what_is_read_back() {
    for (found, verdict) in [
        ("mine", Verdict::Done { etag: etag("now"), sent: Monotonic(0) }),
        ("theirs", Verdict::Lost { found: Some(Object { bytes: bytes("theirs"), etag: etag("now") }) }),
    ] {
        let (mut write, mut requests, first) = started();
        write.accept(Monotonic(5), &put(PutOutcome::Unknown, &first));
        let second = write.poll(Monotonic(5) + STORE_RETRY_AFTER, &mut requests).unwrap();
        write.accept(Monotonic(200_000), &put(PutOutcome::Lost, &second));
        assert_eq!(write.verdict(), None);
        let read = write.poll(Monotonic(200_000), &mut requests).unwrap();
        assert_eq!(read, StoreRequest::Get { id: read.id(), key: KEY, bytes: None });
        write.accept(Monotonic(300_000), &get(GetOutcome::Unavailable, &read));
        assert_eq!(write.verdict(), None);
        let read = write.poll(Monotonic(300_000) + STORE_RETRY_AFTER, &mut requests).unwrap();
        let object = Object { bytes: bytes(found), etag: etag("now") };
        write.accept(Monotonic(500_000), &get(GetOutcome::Found(object), &read));
        assert_eq!(write.verdict(), Some(&verdict));
    }
}

#[test]
fn replies_to_others_and_late_ones_change_nothing() {
    let (mut write, mut requests, first) = started();
    let other = RequestId { lane: 9, ..first.id() };
    assert!(!write.accept(Monotonic(1), &StoreReply::Put { id: other, outcome: PutOutcome::Lost }));
    assert!(write.accept(Monotonic(1), &put(PutOutcome::Retry, &first)));
    assert!(!write.accept(Monotonic(2), &put(PutOutcome::Done(etag("x")), &first)));
    assert_eq!(write.verdict(), None);
    assert!(write.poll(Monotonic(1) + STORE_RETRY_AFTER, &mut requests).is_some());
}

/// One object, versions counted, with writes that arrive whenever the test says.
#[derive(Default)]
struct Store {
    object: Option<(Arc<[u8]>, u64)>,
    versions: u64,
}

impl Store {
    fn put(&mut self, request: &StoreRequest) -> PutOutcome {
        let StoreRequest::Put { body, condition, .. } = request else { return PutOutcome::Unknown };
        let holds = match (condition, &self.object) {
            (PutCondition::Absent, found) => found.is_none(),
            (PutCondition::Matches(etag), Some((_, version))) => etag.0 == version.to_string(),
            (PutCondition::Matches(_), None) => false,
        };
        if !holds {
            return PutOutcome::Lost;
        }
        self.versions += 1;
        self.object = Some((Arc::clone(body), self.versions));
        PutOutcome::Done(Etag(self.versions.to_string()))
    }

    fn get(&self) -> GetOutcome {
        match &self.object {
            Some((bytes, version)) => {
                GetOutcome::Found(Object { bytes: Arc::clone(bytes), etag: Etag(version.to_string()) })
            }
            None => GetOutcome::Absent,
        }
    }
}

proptest! {
    /// Two writers of one version, every mix of outcomes, sendings that land late: at most one is told that it won,
    /// who is told so was the one that landed, and one told that it lost never lands afterwards.
    #[test]
    fn at_most_one_writer_wins(choices in prop::collection::vec(0u8..12, 1..80)) {
        let mut store = Store::default();
        let mut writers: Vec<_> = ["left", "right"].iter().enumerate()
            .map(|(lane, body)| (Write::new(KEY, bytes(body), PutCondition::Absent), Requests::new(1, lane as u32)))
            .collect();
        let mut landing: VecDeque<StoreRequest> = VecDeque::new();
        let mut now = Monotonic(0);
        let mut lost: Vec<&str> = Vec::new();
        for choice in choices.iter().copied().chain(std::iter::repeat_n(0, 40)) {
            now = now + STORE_RETRY_AFTER;
            if let (11, Some(late)) = (choice, landing.pop_front()) {
                store.put(&late);
            }
            let (write, requests) = &mut writers[usize::from(choice % 2)];
            if let Some(request) = write.poll(now, requests) {
                let reply = match (&request, choice / 2) {
                    (StoreRequest::Get { .. }, 1) => get(GetOutcome::Unavailable, &request),
                    (StoreRequest::Get { .. }, _) => get(store.get(), &request),
                    (_, 1) => put(PutOutcome::Retry, &request),
                    (_, 2) => { store.put(&request); put(PutOutcome::Unknown, &request) }
                    (_, 3) => { landing.push_back(request.clone()); put(PutOutcome::Unknown, &request) }
                    (_, 4) => put(PutOutcome::Unknown, &request),
                    _ => put(store.put(&request), &request),
                };
                write.accept(now, &reply);
            }
            for ((write, _), body) in writers.iter().zip(["left", "right"]) {
                let stands = store.object.as_ref().is_some_and(|(bytes, _)| bytes[..] == *body.as_bytes());
                match write.verdict() {
                    Some(Verdict::Done { .. }) => prop_assert!(stands, "{body} was told that it won"),
                    Some(Verdict::Lost { .. }) => { prop_assert!(!stands, "{body} was told that it lost"); lost.push(body); }
                    None => {}
                }
            }
        }
        prop_assert!(store.versions <= 1);
        prop_assert!(lost.iter().all(|body| *body == lost[0]));
    }
}
