//! What goes: old parts of owned ranges that neither the manifest nor a write on its way refers to, and nothing else.
use std::sync::Arc;

use featuregrid_protocol::ids::{ControlIndex, Epoch, Nonce};
use featuregrid_protocol::manifest::Part;
use featuregrid_protocol::position::{OffsetVector, Positions};
use proptest::prelude::*;

use super::*;
use crate::ports::objects::Objects;
use crate::ports::script::{bytes, life, requests};
use crate::ports::{GetOutcome, PutCondition};

const PACE: Pace = Pace { every: Span::seconds(10), age: Span::seconds(60) };

/// Owned ranges, by index, and the parts that writes on their way name.
struct Held(BTreeSet<usize>, BTreeSet<String>);

impl Holdings for Held {
    fn owns(&self, range: RangeId) -> bool {
        self.0.contains(&range.index())
    }

    fn may_refer_to(&self, _: RangeId, name: &str) -> bool {
        self.1.contains(name)
    }
}

fn manifest(range: RangeId, owner: u32, parts: &[String]) -> Manifest {
    Manifest {
        range,
        epoch: Epoch(3),
        owner: Some(life(owner, 1)),
        released_to: None,
        positions: Positions::new(),
        index: ControlIndex(0),
        parts: parts.iter().map(|name| Part { name: name.clone(), bytes: 1, v: OffsetVector::default() }).collect(),
        nonce: Nonce(9),
    }
}

fn at(seconds: i64) -> Monotonic {
    Monotonic(0) + Span::seconds(seconds)
}

proptest! {
    #[test]
    fn only_garbage_goes(
        // Of each part: range, whether old, whether in the manifest, whether a write names it.
        parts in prop::collection::vec((0usize..4, any::<bool>(), any::<bool>(), any::<bool>()), 0..40),
        owned in prop::collection::btree_set(0usize..4, 0..5),
        taken in prop::collection::btree_set(0usize..4, 0..3),
        refusals in prop::collection::vec(any::<bool>(), 0..60),
    ) {
        let ranges = RangeId::split_evenly(4);
        let name = |at: usize| format!("{at:016x}");
        let mut objects = Objects::default();
        for (number, (range, old, ..)) in parts.iter().enumerate() {
            let written = if *old { at(0) } else { at(50) };
            objects.put(written, &Key::Part(ranges[*range], name(number)), Arc::from(&b"x"[..]), &PutCondition::Absent);
        }
        for range in &ranges {
            let named = parts.iter().enumerate().filter(|(_, part)| part.0 == range.index() && part.2);
            let named: Vec<String> = named.map(|(number, _)| name(number)).collect();
            // Somebody else has taken some, and this node has not heard of it.
            let owner = if taken.contains(&range.index()) { 7 } else { 1 };
            objects.put(at(0), &Key::Manifest(*range), bytes(&manifest(*range, owner, &named)), &PutCondition::Absent);
        }
        let named = parts.iter().enumerate().filter(|(_, part)| part.3).map(|(number, _)| name(number));
        let held = Held(owned.clone(), named.collect());
        let mut collector = Collector::new(at(90), life(1, 1), PACE, Requests::new(1, 1));
        let (mut now, mut refusals, mut removed) = (at(100), refusals.into_iter(), 0);
        for _ in 0..400 {
            let mut out = Vec::new();
            collector.advance(now, &held, &mut out);
            for request in requests(&out) {
                let refused = refusals.next().unwrap_or(false);
                let id = request.id();
                let reply = match &request {
                    StoreRequest::List { .. } if refused => StoreReply::List { id, outcome: ListOutcome::Unavailable },
                    StoreRequest::Get { .. } if refused => StoreReply::Get { id, outcome: GetOutcome::Unavailable },
                    _ => objects.perform(now, &request),
                };
                removed += usize::from(matches!(request, StoreRequest::Delete { .. }));
                prop_assert!(collector.reply(now, &reply, &held));
                prop_assert!(!collector.reply(now, &reply, &held), "a reply counts once");
            }
            now = now + Span::millis(100);
            if matches!(collector.phase, Phase::Resting { until } if until > at(105)) {
                break;
            }
        }
        prop_assert!(matches!(collector.phase, Phase::Resting { .. }), "it rests");
        let mut garbage = 0;
        for (number, (range, old, in_manifest, on_its_way)) in parts.iter().enumerate() {
            let is_garbage = *old && !in_manifest && !on_its_way && owned.contains(range) && !taken.contains(range);
            garbage += usize::from(is_garbage);
            let is_there = objects.object(&Key::Part(ranges[*range], name(number))).is_some();
            prop_assert_eq!(is_there, !is_garbage, "part {}", number);
        }
        prop_assert_eq!(removed, garbage);
    }
}
