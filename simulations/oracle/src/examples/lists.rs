//! Truths and texts, lists of values, and how often each value is there.

use std::f64::consts::LN_2;

use featuregrid_protocol::expression::{Type, read};
use featuregrid_protocol::plan::{Constant, Derived, Measure, Operator};
use featuregrid_protocol::time::Span;
use featuregrid_protocol::value::{Counts, Reading, Status, Value};

use super::plans::{amount, kind, plan, rows, vip};
use super::{AsOf, Log, count, none, noon, present, seconds};

/// What these operators make of a measure in five minutes.
fn log<const N: usize>(measure: Measure, operators: [Operator; N]) -> Log {
    Log::new(plan(&[(0, &operators.map(|operator| (operator, 1, 300)))], vec![rows(), measure]))
}

/// At noon and a second, after everything pushed.
fn read_all(log: &mut Log) -> Vec<Reading> {
    log.read(0, &[1_000_000, 1_000_000], "u", AsOf::At(noon(seconds(1)))).readings
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn texts<const N: usize>(texts: [&str; N]) -> Reading {
    present(Value::List(texts.map(text).into()))
}

/// Of hundredths.
fn cents(unscaled: i128) -> Value {
    Value::Decimal { unscaled, scale: 2 }
}

fn counts(values: &[(Value, u64)], other: u64) -> Value {
    Value::Counts(Box::new(Counts { values: values.to_vec(), other }))
}

fn overflow(value: Value) -> Reading {
    Reading { status: Status::Overflow, ..present(value) }
}

/// An event for each of these hundredths, a microsecond apart.
fn amounts(log: &mut Log, from: i64, hundredths: impl IntoIterator<Item = i64>) {
    for (micros, hundredths) in (from..).zip(hundredths) {
        log.says(micros, &format!(r#""amount":{hundredths}e-2"#));
    }
}

#[test]
fn lists_of_the_first_and_the_last() {
    use Operator::{First, FirstN, Last, LastN, LastNDistinct};
    let mut log = log(kind(), [First, Last, FirstN(2), FirstN(64), LastN(3), LastNDistinct(2), LastNDistinct(64)]);
    for (micros, kind) in (0..).zip([r#""a""#, r#""b""#, r#""a""#, "null", r#""c""#, r#""""#, r#""c""#]) {
        log.says(micros, &format!(r#""type":{kind}"#));
    }
    let want = [
        present(text("a")),
        present(text("c")),
        texts(["a", "b"]),
        texts(["a", "b", "a", "c", "", "c"]),
        texts(["c", "", "c"]),
        texts(["c", ""]),
        texts(["c", "", "a", "b"]),
    ];
    assert_eq!(read_all(&mut log), want);
}

#[test]
fn events_of_one_instant_stand_in_order_of_partition_and_offset() {
    use Operator::{First, FirstN, Last, LastNDistinct};
    let mut log = log(kind(), [First, Last, FirstN(9), LastNDistinct(9)]);
    for (partition, offset, kind) in [(1, 0, "x"), (1, 7, "y"), (0, 9, "z"), (0, 10, "y")] {
        log.payload(partition, offset, 0, &format!(r#"{{"user_id":"u","ts":"{}","type":"{kind}"}}"#, noon(0)));
    }
    let want = [present(text("z")), present(text("y")), texts(["z", "y", "x", "y"]), texts(["y", "x", "z"])];
    assert_eq!(read_all(&mut log), want);
}

#[test]
fn the_rows_of_the_smallest_and_the_largest() {
    use Operator::{MaxBy, MinBy};
    let by_amount = Measure { rank: amount().value.map(|(amount, _)| amount), ..kind() };
    let mut log = log(by_amount, [MinBy, MaxBy]);
    let events = [("a", "2"), ("b", "7"), ("c", "2"), ("d", "7.00"), ("e", "null"), ("f", "5")];
    for (micros, (kind, amount)) in (0..).zip(events) {
        log.says(micros, &format!(r#""type":"{kind}","amount":{amount}"#));
    }
    log.says(9, r#""amount":9"#);
    assert_eq!(read_all(&mut log), [present(text("a")), present(text("d"))]);
    let mut late = |offset, micros, kind, amount| {
        log.payload(
            0,
            offset,
            micros,
            &format!(r#"{{"user_id":"u","ts":"{}","type":"{kind}","amount":{amount}}}"#, noon(micros)),
        );
    };
    late(20, -1, "earlier", "2");
    late(21, 3, "later", "7");
    assert_eq!(read_all(&mut log), [present(text("earlier")), present(text("later"))]);
    // What is no number, or no text, is bad; the rest stands.
    log.says(30, r#""type":"g","amount":1e400"#);
    let inexact = |value| Reading { inexact_input: true, ..present(value) };
    assert_eq!(read_all(&mut log), [inexact(text("earlier")), inexact(text("later"))]);
}

#[test]
fn of_nothing_lists_are_empty_and_single_values_null() {
    use Operator::{
        All, Any, DistinctCount, Entropy, First, FirstN, Histogram, LastN, LastNDistinct, Mode, ModeShare, TopK,
        TopKShare,
    };
    let operators = [
        FirstN(1),
        LastN(1),
        LastNDistinct(1),
        TopK(1),
        TopKShare(1),
        Histogram,
        DistinctCount,
        First,
        Mode,
        ModeShare,
        Entropy,
        Any,
        All,
    ];
    let mut log = log(vip(), operators);
    log.says(0, r#""vip":null"#);
    let mut want = vec![texts([]); 5];
    want.extend([present(counts(&[], 0)), count(0)]);
    want.extend(vec![none(Status::NullValue); 6]);
    assert_eq!(read_all(&mut log), want);
}

#[test]
fn truths() {
    use Operator::{All, Any, Count, First, Histogram, Last, LastN, LastNDistinct, Mode};
    let operators = [Any, All, First, Last, LastN(2), LastNDistinct(3), Mode, Histogram, Count];
    let mut log = log(vip(), operators);
    let list = |truths: &[bool]| Value::List(truths.iter().copied().map(Value::Bool).collect());
    let of = |truth| Value::Bool(truth);

    log.says(0, r#""vip":false"#);
    let histogram = counts(&[(of(false), 1)], 0);
    let (one, no) = (list(&[false]), of(false));
    let want = [no.clone(), no.clone(), no.clone(), no.clone(), one.clone(), one, no.clone(), histogram, Value::Int(1)];
    assert_eq!(read_all(&mut log), want.map(present));

    log.says(1, r#""vip":true"#);
    log.says(2, r#""vip":null"#);
    let both = list(&[true, false]);
    // As often the one as the other: the hash of 0 is 0, and no other is.
    let histogram = counts(&[(of(false), 1), (of(true), 1)], 0);
    let want = [of(true), no.clone(), no.clone(), of(true), both.clone(), both, no, histogram, Value::Int(2)];
    assert_eq!(read_all(&mut log), want.map(present));

    log.says(3, r#""vip":true"#);
    let want = counts(&[(of(true), 2), (of(false), 1)], 0);
    assert_eq!(read_all(&mut log)[6..8], [of(true), want].map(present));
}

#[test]
fn a_text_of_more_than_128_bytes_is_bad() {
    use Operator::{Count, FirstN, Histogram, Last, ModeShare};
    let mut log = log(kind(), [Count, FirstN(9), Histogram, ModeShare, Last]);
    // The second is of 64 letters.
    let kept = ["x".repeat(128), "\u{e9}".repeat(64)];
    log.says(0, &format!(r#""type":"{}""#, kept[0]));
    log.says(1, &format!(r#""type":"{}""#, kept[1]));
    let list = texts([kept[0].as_str(), kept[1].as_str()]);
    assert_eq!(read_all(&mut log)[..2], [count(2), list.clone()]);
    log.says(2, &format!(r#""type":"{}""#, "x".repeat(129)));
    log.says(3, &format!(r#""type":"{}""#, "\u{e9}".repeat(65)));
    let readings = read_all(&mut log);
    let inexact = |reading: Reading| Reading { inexact_input: true, ..reading };
    assert_eq!(readings[..2], [count(2), list].map(inexact));
    assert_eq!(readings[3..], [present(Value::Float(0.5)), present(text(&kept[1]))].map(inexact));
}

#[test]
fn equally_frequent_categories_stand_in_order_of_hash() {
    use Operator::{Histogram, Mode, ModeShare, TopK, TopKShare};
    let mut log = log(amount(), [Mode, ModeShare, TopK(3), TopK(64), TopKShare(2), Histogram]);
    // The hashes of 100, 200, ..., 600, computed apart, ascend in this order: 100, 400, 600, 200, 500, 300.
    amounts(&mut log, 0, [100, 200, 300, 400, 500, 600]);
    let list = |unscaled: &[i128]| present(Value::List(unscaled.iter().copied().map(cents).collect()));
    let floats = |floats: &[f64]| present(Value::List(floats.iter().copied().map(Value::Float).collect()));
    let each = [100, 400, 600, 200, 500, 300].map(|unscaled| (cents(unscaled), 1));
    let want = [
        present(cents(100)),
        present(Value::Float(1.0 / 6.0)),
        list(&[100, 400, 600]),
        list(&[100, 400, 600, 200, 500, 300]),
        floats(&[1.0 / 6.0, 1.0 / 6.0]),
        present(counts(&each, 0)),
    ];
    assert_eq!(read_all(&mut log), want);

    // One and two more; a number that is none is in no share.
    amounts(&mut log, 6, [500, 300, 300]);
    log.says(9, r#""amount":1e400"#);
    let each = [(300, 3), (500, 2), (100, 1), (400, 1), (600, 1), (200, 1)];
    let want = [
        present(cents(300)),
        present(Value::Float(1.0 / 3.0)),
        list(&[300, 500, 100]),
        list(&[300, 500, 100, 400, 600, 200]),
        floats(&[1.0 / 3.0, 2.0 / 9.0]),
        present(counts(&each.map(|(unscaled, count)| (cents(unscaled), count)), 0)),
    ];
    assert_eq!(read_all(&mut log), want.map(|reading| Reading { inexact_input: true, ..reading }));
}

#[test]
fn entropy_of_even_and_uneven_categories() {
    let mut log = log(kind(), [Operator::Entropy]);
    let mut says = |micros: i64, kind: &str| {
        log.says(micros, &format!(r#""type":"{kind}""#));
        match read_all(&mut log)[0] {
            Reading { value: Value::Float(entropy), status: Status::Present, .. } => entropy,
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!([says(0, "a"), says(1, "a")].map(f64::to_bits), [0, 0], "no minus zero");
    // ln 3 - 2/3 ln 2
    assert!((says(2, "b") - 0.636_514_168_294_812_8).abs() < 1e-15);
    assert_eq!(says(3, "b"), LN_2);
}

#[test]
fn the_65th_category_is_too_many() {
    use Operator::{Count, Entropy, Histogram, Mode, ModeShare, TopK, TopKShare};
    let mut log = log(amount(), [Mode, ModeShare, Histogram, TopK(1), TopKShare(1), Entropy, Count]);
    // 0.00 to 0.63, and 0.07 again.
    amounts(&mut log, 0, (0..64).chain([7]));
    let readings = read_all(&mut log);
    assert_eq!(readings[..2], [present(cents(7)), present(Value::Float(2.0 / 65.0))]);
    let Value::Counts(all) = &readings[2].value else { panic!("{readings:?}") };
    assert_eq!((all.values.len(), &all.values[..2], all.other), (64, &[(cents(7), 2), (cents(0), 1)][..], 0));
    assert!(readings.iter().all(|reading| reading.status == Status::Present));

    // Of 0 to 64, the hash of 18 is the largest (computed apart): its rows are the other ones, however many.
    amounts(&mut log, 65, [64, 18, 18]);
    let readings = read_all(&mut log);
    let Value::Counts(all) = &readings[2].value else { panic!("{readings:?}") };
    assert_eq!((all.values.len(), all.other, readings[2].status), (64, 3, Status::Overflow));
    assert_eq!(all.values.iter().map(|(_, count)| count).sum::<u64>(), 65);
    assert!(all.values.contains(&(cents(64), 1)) && !all.values.iter().any(|(value, _)| *value == cents(18)));
    assert_eq!(readings[..2], vec![overflow(Value::Null); 2]);
    assert_eq!(readings[3..6], vec![overflow(Value::Null); 3]);
    assert_eq!(readings[6], count(68));
}

#[test]
fn what_overflows_is_not_hidden() {
    let mut plan = plan(
        &[(0, &[(Operator::Mode, 1, 300), (Operator::Entropy, 1, 300), (Operator::Histogram, 1, 300)])],
        vec![rows(), amount()],
    );
    let view = &mut plan.views[0];
    let Some((_, items)) = &view.measures[1].value else { panic!() };
    view.features[0].default = Some(Constant::Number { unscaled: 5, domain: items.domain() });
    view.max_age = Some(Span::seconds(1));
    let names = [("mode", Type::Decimal(2)), ("entropy", Type::Float)];
    let formulas = ["mode + 1", "coalesce(entropy, 3.0)"].map(|formula| read(formula, &names, false).unwrap());
    view.derived =
        formulas.into_iter().map(|formula| Derived { name: "derived".into(), formula, default: None }).collect();
    let mut log = Log::new(plan);
    amounts(&mut log, 0, 0..65);
    let mut at = |micros| log.read(0, &[100], "u", AsOf::At(noon(micros))).readings;
    let null = overflow(Value::Null);
    let derived = [none(Status::Overflow), present(Value::Float(3.0))];
    let readings = at(100);
    assert_eq!((&readings[..2], &readings[3..]), (&[null.clone(), null.clone()][..], &derived[..]));
    // Old: what is null for that reason stays so.
    let readings = at(seconds(2));
    assert_eq!((&readings[..2], readings[2].status), (&[null.clone(), null][..], Status::Overflow));
    assert_eq!((readings[3].status, readings[4].status), (Status::Overflow, Status::OutsideMaxAge), "{readings:?}");
}

#[test]
fn defaults_and_formulas_of_texts_and_truths() {
    let mut plan = plan(&[(0, &[(Operator::Last, 1, 300), (Operator::Any, 2, 300)])], vec![rows(), kind(), vip()]);
    let view = &mut plan.views[0];
    view.features[0].default = Some(Constant::Text("unknown".into()));
    view.features[1].default = Some(Constant::Truth(false));
    let names = [("last", Type::Text), ("any", Type::Bool)];
    let formulas = ["size(last)", "any ? 1 : 2", "last == 'b' && any ? 1 : 0"];
    let formulas = formulas.map(|formula| read(formula, &names, false).unwrap());
    view.derived =
        formulas.into_iter().map(|formula| Derived { name: "derived".into(), formula, default: None }).collect();
    let mut log = Log::new(plan);
    log.says(0, r#""type":null,"vip":null"#);
    let defaults = [text("unknown"), Value::Bool(false), Value::Int(7), Value::Int(2), Value::Int(0)];
    let defaulted = |value| Reading { status: Status::Defaulted, ..present(value) };
    assert_eq!(read_all(&mut log), defaults.map(defaulted));
    log.says(1, r#""type":"b","vip":true"#);
    let values = [text("b"), Value::Bool(true), Value::Int(1), Value::Int(1), Value::Int(1)];
    assert_eq!(read_all(&mut log), values.map(present));
}
