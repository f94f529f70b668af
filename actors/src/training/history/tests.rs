//! What is kept, and what is refused.
use featuregrid_protocol::definition;
use featuregrid_protocol::ids::{ControlIndex, SourceId};
use featuregrid_protocol::key;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::value::Value;

use super::*;
use crate::shard::ViewReading;
use crate::training::Knowledge;

const DEFINITIONS: &str = "project: p
entities:
  user: { join_keys: [user_id] }
sources:
  payments:
    kafka: { topic: payments }
    format: json
    fields: { user_id: user_id }
    event_timestamp: ts
    event_id: id
feature_views:
  spend:
    entity: user
    source: payments
    features:
      count: { count: true, window: 1h }
";
const P0: PartitionId = PartitionId(0);

fn asks(known: Known, knowledge: &[Knowledge]) -> History {
    let plan: Plan = definition::compile(DEFINITIONS, "definitions", None, ControlIndex(0)).unwrap();
    let mut questions = Questions::new(Arc::new(plan), known);
    let mut key = Vec::new();
    key::encode(["u1"], &mut key);
    for knowledge in knowledge {
        questions.ask(0, &key, Timestamp(60_000_000), knowledge);
    }
    History::new(questions, usize::MAX)
}

fn event(history: &mut History, user: &str, offset: Offset, applied_at: Option<i64>) -> Result<Outcome, HistoryError> {
    let payload = format!(r#"{{"user_id":"{user}","ts":{offset},"id":{}}}"#, offset / 2);
    let payload = Some(payload.as_bytes());
    let record = Record { offset, log_timestamp: Timestamp(0), admit: false, payload };
    history.record(P0, &record, applied_at.map(Timestamp))
}

fn counts(mut history: History) -> Vec<Value> {
    let mut values = BTreeMap::new();
    history
        .answer(|question, reading: ViewReading| _ = values.insert(question, reading.readings[0].value.clone()))
        .unwrap();
    values.into_values().collect()
}

#[test]
fn only_what_is_asked_for_is_kept_each_id_once() {
    let mut history = asks(Known::AsHappened, &[Knowledge::At(Timestamp(0))]);
    for (offset, user) in (0..).zip(["u1", "u1", "u2", "u1"]) {
        event(&mut history, user, offset, None).unwrap();
    }
    history.finish().unwrap();
    assert_eq!((history.rows(), history.duplicates(), history.counters().routed), (2, 1, 4));
    assert_eq!(counts(history), [Value::Int(2)]);
}

#[test]
fn who_knew_less_after_who_knew_more_is_answered_all_the_same() {
    let other = PartitionId::of(SourceId(0), 1).unwrap();
    let token = |p0, p1| Knowledge::Token(featuregrid_protocol::position::OffsetVector([(P0, p0), (other, p1)].into()));
    let mut history = asks(Known::AsKnown, &[token(5, 0), token(0, 3), token(5, 3), token(0, 0), token(2, 2)]);
    for offset in [0, 2, 4] {
        event(&mut history, "u1", offset, None).unwrap();
        let payload = Some(&br#"{"user_id":"u1","ts":0}"#[..]);
        let record = Record { offset, log_timestamp: Timestamp(0), admit: false, payload };
        history.record(other, &record, None).unwrap();
    }
    assert_eq!(counts(history), [3, 2, 5, 0, 2].map(|count| if count == 0 { Value::Null } else { Value::Int(count) }));
}

#[test]
fn what_cannot_be_told_is_refused() {
    let at = [Knowledge::At(Timestamp(10))];
    assert_eq!(
        event(&mut asks(Known::AsKnown, &at), "u1", 3, None),
        Err(HistoryError::NoAppliedAt { partition: P0, offset: 3 })
    );
    let mut history = asks(Known::AsKnown, &at);
    event(&mut history, "u1", 3, Some(9)).unwrap();
    let again = HistoryError::OutOfOrder { partition: P0, offset: 3, next: 4 };
    assert_eq!(event(&mut history, "u1", 3, Some(9)), Err(again));
    let early = event(&mut history, "u1", 4, Some(8)).unwrap_err();
    assert!(matches!(early, HistoryError::AppliedOutOfOrder { offset: 4, .. }), "{early}");
    let foreign = PartitionId::of(SourceId(7), 0).unwrap();
    let record = Record { offset: 0, log_timestamp: Timestamp(0), admit: false, payload: None };
    assert_eq!(history.record(foreign, &record, None), Err(HistoryError::UnknownSource(foreign)));
    let questions = asks(Known::AsHappened, &at).questions;
    let budget = questions.bytes() + 100;
    let mut small = History::new(questions, budget);
    for offset in 0..10 {
        event(&mut small, "u1", offset, None).unwrap();
    }
    assert_eq!(small.answer(|_, _: ViewReading| {}), Err(HistoryError::TooLarge { budget }));
}
