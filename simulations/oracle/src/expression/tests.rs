//! Values worked out by hand.

use featuregrid_protocol::expression::read;

use super::*;

/// The value of a text over `a` (2.50), `n` (7), `m` (0.125), `t` ("Ab c"), `at` (a Saturday, 23:30 in UTC), `none` (a null
/// number) and `bad`.
fn value(text: &str) -> Value {
    const INPUTS: [(&str, Type); 8] = [
        ("a", Type::Decimal(2)),
        ("n", Type::Int),
        ("m", Type::Float),
        ("t", Type::Text),
        ("at", Type::Timestamp),
        ("none", Type::Int),
        ("bad", Type::Decimal(2)),
        ("ok", Type::Bool),
    ];
    let values = [
        Value::Number(250),
        Value::Number(7),
        Value::Float(0.125),
        Value::Text("Ab c".to_owned()),
        Value::Timestamp(Timestamp(1_767_483_000_000_000)),
        Value::Null,
        Value::Bad,
        Value::Bool(true),
    ];
    let expression = read(text, &INPUTS, true).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    evaluate(&expression, &|at, _| values[at].clone(), Timestamp(0))
}

#[test]
fn every_function_by_hand() {
    use Value::{Bad, Bool, Float, Null, Number};
    for (text, want) in [
        ("a + 1.005", Number(3505)),
        ("a - n", Number(-450)),
        ("a * a", Number(62500)),
        ("n / 2", Float(3.5)),
        ("a / 0", Bad),
        ("1 / 3", Float(1.0 / 3.0)),
        ("decimal(1 / 8, 2)", Number(12)),
        ("decimal(3 / 8, 2)", Number(38)),
        ("decimal(m, 2)", Number(12)),
        ("decimal(-m, 2)", Number(-12)),
        ("int(a)", Number(2)),
        ("-n % 4", Number(-3)),
        ("n % 0", Bad),
        ("floor(-a)", Number(-3)),
        ("ceil(-a)", Number(-2)),
        ("abs(-a)", Number(250)),
        ("least(a, n, 3)", Number(250)),
        ("greatest(a, m)", Float(2.5)),
        ("log(exp(m))", Float(0.125)),
        ("log(0)", Bad),
        ("sqrt(-1)", Bad),
        ("sqrt(6.25)", Float(2.5)),
        ("pow(2, 10)", Float(1024.0)),
        ("exp(1000)", Bad),
        ("none + 1", Null),
        ("bad + 1", Bad),
        ("bad + none", Null),
        ("bad > 1", Null),
        ("is_null(bad) && is_null(none)", Bool(true)),
        ("coalesce(none, bad)", Bad),
        ("coalesce(none, bad, 3)", Number(300)),
        ("none > 1 && n > 9", Bool(false)),
        ("none > 1 || n > 1", Bool(true)),
        ("none > 1 && ok", Null),
        ("!(none > 1)", Null),
        ("none > 1 ? 1 : 2", Number(2)),
        ("n in [1, 7]", Bool(true)),
        ("n in [1, 7.5]", Bool(false)),
        ("none in [1]", Null),
        ("t == 'Ab c' && t < 'a'", Bool(true)),
        ("lower(t) + upper('é' + t)", Value::Text("ab céAB C".to_owned())),
        ("size('é' + trim(' x '))", Number(2)),
        ("t.contains('b ') && t.startsWith('A') && t.ends_with('c')", Bool(true)),
        ("t.matches('^[A-Z]')", Bool(true)),
        ("text(a)", Value::Text("2.5".to_owned())),
        ("int('12.5') + int('x')", Bad),
        ("decimal('12.505', 2)", Number(1250)),
        ("hour_of_day(at)", Number(23)),
        ("hour_of_day(at, 'Europe/Berlin')", Number(0)),
        ("is_weekend(at)", Bool(true)),
        ("day_of_week(at, 'Asia/Tokyo')", Number(7)),
        ("day_of_month(at) * 10000 + month(at) * 100000000 + year(at)", Number(100_032_026)),
        ("at - timestamp('2026-01-03T23:29:59.5Z')", Number(500_000)),
        ("one_hot(t, 'Ab c') + one_hot(t, 'x')", Number(1)),
        ("bucketize(a, [1, 2.5, 3])", Number(2)),
        ("year(event_time())", Number(1970)),
        ("hash(n, 1)", Number(0)),
    ] {
        assert_eq!(value(text), want, "{text}");
    }
}
