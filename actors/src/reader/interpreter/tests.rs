//! Classification by hand-made records, and that a walk can be cut and resumed anywhere.

use proptest::prelude::*;

use featuregrid_protocol::expression::{Expression, Type, read};
use featuregrid_protocol::ids::{ColumnId, ControlIndex, SourceId, ViewId};
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{
    Column, FieldPlan, Items, Keeps, Key, LadderPlan, LatePolicy, LatenessClock, Level, Measure, SourcePlan, ViewPlan,
};
use featuregrid_protocol::time::Span;

use super::*;

fn view(name: &str, id: u64, filter: Option<Expression>, key: usize) -> ViewPlan {
    ViewPlan {
        id: ViewId(id),
        name: name.to_owned(),
        entity: name.to_owned(),
        source: SourceId(0),
        keys: vec![(name.to_owned(), Key::Field(key))],
        filter,
        measures: vec![
            Measure { id: ColumnId(1), filter: None, value: None, rank: None },
            Measure {
                id: ColumnId(2),
                filter: None,
                value: Some((Expression::input(2, Type::Decimal(2)), Items::Numbers(Domain::Decimal(2)))),
                rank: None,
            },
        ],
        max_age: None,
        derived: Vec::new(),
        request: Vec::new(),
        ladders: vec![LadderPlan {
            levels: vec![Level { hop: Span::seconds(1), span: Span::seconds(60) }],
            lifetime: false,
            exact: false,
            columns: vec![Column { measure: 0, keeps: Keeps::ALL, since: ControlIndex(0) }],
        }],
        features: vec![],
    }
}

/// Views `user` (all) and `shop` (where kind == "buy"), timestamps in `t`.
fn plan() -> Arc<Plan> {
    let field = |name: &str| FieldPlan { name: name.to_owned(), path: vec![name.to_owned()], kind: None };
    let fields = [("user", Type::Text), ("shop", Type::Text), ("amount", Type::Int), ("kind", Type::Text)];
    let buys = read("kind == 'buy'", &fields, true).unwrap();
    Arc::new(Plan {
        index: ControlIndex(0),
        project: "test".to_owned(),
        sources: vec![SourcePlan {
            name: "s".to_owned(),
            topic: "s".to_owned(),
            fields: ["user", "shop", "amount", "kind"].map(field).to_vec(),
            event_timestamp: vec!["t".to_owned()],
            event_id: None,
            allowed_lateness: Span::seconds(10),
            max_skew: Span::seconds(60),
            slack: Span::seconds(60),
            lateness_clock: LatenessClock::default(),
            late_policy: LatePolicy::default(),
        }],
        views: vec![view("user", 1, None, 0), view("shop", 2, Some(buys), 1)],
        services: vec![],
    })
}

fn start() -> Interpreter {
    Interpreter::new(plan(), PartitionId(0), PartitionPosition::start(0))
}

fn judge(walk: &mut Interpreter, offset: Offset, payload: &str) -> Outcome {
    let record =
        Record { offset, log_timestamp: Timestamp(100_000_000), admit: false, payload: Some(payload.as_bytes()) };
    walk.record(&record).unwrap()
}

#[test]
fn each_record_has_one_fate() {
    let mut walk = start();
    let mut offset = 0;
    let mut next = |payload: &str| {
        offset += 1;
        judge(&mut walk, offset, payload)
    };
    assert_eq!(next(r#"{"user":"u","t":100000}"#), Outcome::Routed(1));
    assert_eq!(next(r#"{"user":"u","shop":7,"kind":"buy","amount":"1.25","t":100000}"#), Outcome::Routed(2));
    assert_eq!(next(r#"{"user":"u","kind":"buy","t":100000}"#), Outcome::Routed(1), "shop has no key");
    assert_eq!(next(r#"{"user":"u","kind":5,"t":100000}"#), Outcome::Routed(1), "shop's filter has a wrong type");
    assert_eq!(next(r#"{"user":"u","amount":"NaN","t":100000}"#), Outcome::Routed(1), "bad is not dead");
    assert_eq!(next(r#"{"user":"u","amount":"abc","t":100000}"#), Outcome::Dead(DeadReason::Rejected));
    assert_eq!(next(r#"{"user":null,"t":100000}"#), Outcome::Dead(DeadReason::Rejected));
    assert_eq!(next(r#"{"user":"u","t":89999}"#), Outcome::Late);
    assert_eq!(next(r#"{"user":"u","t":90000}"#), Outcome::Routed(1), "exactly the allowed lateness");
    assert_eq!(next(r#"{"user":"u","t":160001}"#), Outcome::Dead(DeadReason::Future));
    assert_eq!(next(r#"{"user":"u"}"#), Outcome::Dead(DeadReason::NoTimestamp));
    assert_eq!(next(r#"{"user":"u","t":true}"#), Outcome::Dead(DeadReason::NoTimestamp));
    assert_eq!(next(r#"{"user":"u","t":1"#), Outcome::Dead(DeadReason::Undecodable));

    let chunk = walk.cut().unwrap();
    assert_eq!((chunk.from, chunk.to, chunk.max_after), (0, 14, Timestamp(100_000_000)));
    assert!(chunk.deltas.balanced());
    assert_eq!((chunk.deltas.records, chunk.deltas.routed, chunk.deltas.late), (13, 6, 1));
    assert_eq!(chunk.deltas.views[&ViewId(1)], ViewCounters { rows: 8, rejected: 2 });
    assert_eq!(chunk.deltas.views[&ViewId(2)], ViewCounters { rows: 3, rejected: 2 });
    let second: Vec<_> = chunk.rows.iter().filter(|row| row.head.offset == 2).collect();
    assert_eq!(second.len(), 2);
    assert_eq!((second[0].head.present, second[0].numbers), (0b11, &[125][..]));
}

#[test]
fn tombstones_and_repeats_count_once() {
    let mut walk = start();
    let tombstone = Record { offset: 4, log_timestamp: Timestamp(0), admit: false, payload: None };
    assert_eq!(walk.record(&tombstone), Some(Outcome::Tombstone));
    assert_eq!(walk.record(&tombstone), None);
    walk.advance_to(9);
    let chunk = walk.cut().unwrap();
    assert_eq!((chunk.from, chunk.to, chunk.deltas.tombstones), (0, 9, 1));
    assert_eq!(walk.cut(), None);
}

#[test]
fn a_view_without_a_match_leaves_the_record_unmatched() {
    let mut plan = Plan::clone(&plan());
    plan.views.remove(0);
    let mut walk = Interpreter::new(Arc::new(plan), PartitionId(0), PartitionPosition::start(0));
    assert_eq!(judge(&mut walk, 0, r#"{"user":"u","t":100000}"#), Outcome::Unmatched);
    assert_eq!(judge(&mut walk, 1, r#"{"kind":"buy","t":100000}"#), Outcome::Dead(DeadReason::Rejected));
}

#[test]
fn an_id_is_text_or_a_number_and_rides_with_the_max_before_it() {
    let mut plan = Plan::clone(&plan());
    plan.sources[0].event_id = Some(vec!["meta".to_owned(), "id".to_owned()]);
    let mut walk = Interpreter::new(Arc::new(plan), PartitionId(0), PartitionPosition::start(0));
    let payload = |id: &str, seconds: u32| format!(r#"{{"user":"u","meta":{{"id":{id}}},"t":{}}}"#, seconds * 1000);
    for (offset, (id, seconds)) in
        (0..).zip([(r#""a""#, 100), ("7", 105), (r#""7""#, 101), ("null", 103), ("7.0", 110)])
    {
        assert_eq!(judge(&mut walk, offset, &payload(id, seconds)), Outcome::Routed(1), "{id}");
    }
    assert_eq!(judge(&mut walk, 5, r#"{"user":"u","meta":"no object","t":110000}"#), Outcome::Routed(1));
    for (offset, id) in (6..).zip(["true", "[]", r#"{"a":1}"#]) {
        assert_eq!(judge(&mut walk, offset, &payload(id, 110)), Outcome::Dead(DeadReason::Rejected), "{id}");
    }
    let chunk = walk.cut().unwrap();
    assert_eq!(chunk.deltas.views[&ViewId(1)], ViewCounters { rows: 9, rejected: 3 });
    let id = |text, seconds: i64| Some(EventId::of(text, Timestamp(seconds * 1_000_000)));
    let first = Some(EventId::of("a", Timestamp::MIN));
    let want = [first, id("7", 100), id("7", 105), None, id("7.0", 105), None];
    assert_eq!(chunk.rows.iter().map(|row| row.id.copied()).collect::<Vec<_>>(), want);
}

proptest! {
    /// One walk and two walks that hand over their position anywhere give the same rows, maxima and counters.
    #[test]
    fn a_walk_resumes_from_its_position(times in prop::collection::vec(0u32..40, 1..60), cut in 0usize..60) {
        let payloads: Vec<String> = times.iter().map(|t| format!(r#"{{"user":"u{}","t":{}}}"#, t % 3, t * 1000)).collect();
        let mut whole = start();
        let mut first = start();
        let mut second = None;
        let mut rows = Vec::new();
        for (offset, payload) in payloads.iter().enumerate() {
            if offset == cut {
                rows.extend(first.cut().into_iter().flat_map(|chunk| chunk.rows.heads().to_vec()));
                second = Some(Interpreter::new(plan(), PartitionId(0), first.position().clone()));
            }
            let outcome = judge(&mut whole, offset as u64 * 2, payload);
            prop_assert_eq!(judge(second.as_mut().unwrap_or(&mut first), offset as u64 * 2, payload), outcome);
        }
        let last = second.as_mut().unwrap_or(&mut first);
        rows.extend(last.cut().into_iter().flat_map(|chunk| chunk.rows.heads().to_vec()));
        let chunk = whole.cut().unwrap();
        prop_assert_eq!(chunk.rows.heads(), &rows[..]);
        prop_assert_eq!(whole.position(), last.position());
        prop_assert!(whole.position().counters.balanced());
    }
}
