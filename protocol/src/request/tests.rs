//! What is taken as which type, and every way to send wrongly.

use super::*;
use crate::definition::compile;
use crate::ids::ControlIndex;

const DEFINITIONS: &str = "
project: p
entities: { user: { join_keys: [user_id] } }
sources:
  s:
    kafka: { topic: t }
    format: json
    fields: { user_id: user_id }
    event_timestamp: ts
feature_views:
  one:
    entity: user
    source: s
    features: { n: { count: true, windows: [1h] } }
    request: { amount: decimal(2), country: text, at: timestamp, vip: bool, items: int }
  two:
    entity: user
    source: s
    features: { n: { count: true, windows: [1h] } }
    request: { amount: int, device: text }
";

fn plan() -> Plan {
    compile(DEFINITIONS, "p", None, ControlIndex(0)).unwrap()
}

fn texts<'r>(name: &'r str, values: &[&'r str]) -> Column<'r> {
    Column { name, values: values.iter().map(|text| Written::Text((*text).into())).collect() }
}

fn numbers<'r>(name: &'r str, values: &[&'r str]) -> Column<'r> {
    Column { name, values: values.iter().map(|text| Written::Number((*text).into())).collect() }
}

#[test]
fn each_view_reads_its_own_type() {
    let columns = [numbers("amount", &["12.505", "-0.5"]), texts("device", &["web", ""])];
    let of = values(&plan(), &[0, 1], 2, &columns).unwrap();
    assert_eq!([of[0].row(0).get(0), of[0].row(1).get(0)], [&Sent::Number(1250), &Sent::Number(-50)]);
    assert_eq!([of[1].row(0).get(0), of[1].row(1).get(0)], [&Sent::Number(13), &Sent::Number(0)]);
    assert_eq!([of[1].row(0).get(1), of[1].row(1).get(1)], [&Sent::Text("web".into()), &Sent::Text("".into())]);
    // What was not sent, what was never declared, and what nobody asked about.
    assert_eq!([of[0].row(0).get(1), of[0].row(0).get(9), of[0].row(2).get(0)], [&Sent::Null; 3]);
    assert_eq!(SentRow::default().get(0), &Sent::Null);
    let twice = of[0].repeated(2);
    assert_eq!(
        [twice.row(0).get(0), twice.row(1).get(0), twice.row(1).get(1)],
        [&Sent::Number(1250), &Sent::Number(1250), &Sent::Null]
    );
}

#[test]
fn a_value_is_read_as_a_field_would_be_and_text_as_what_is_declared() {
    let read = |kind, written: Written<'_>| Sent::read(&written, kind);
    let (text, number) =
        (|text: &'static str| Written::Text(text.into()), |text: &'static str| Written::Number(text.into()));
    let cents = FieldKind::Number(Domain::Decimal(2));
    let noon = Timestamp(1_767_268_800_000_000);
    for (kind, written, want) in [
        (cents, number("1e2"), Some(Sent::Number(10_000))),
        (cents, text("1.50"), Some(Sent::Number(150))),
        (cents, text(""), None),
        (cents, number("NaN"), None),
        (cents, number("1e400"), None),
        (cents, Written::Bool(true), None),
        (cents, Written::Timestamp(noon), None),
        (FieldKind::Text, text("7"), Some(Sent::Text("7".into()))),
        (FieldKind::Text, number("7"), None),
        (FieldKind::Bool, Written::Bool(false), Some(Sent::Bool(false))),
        (FieldKind::Bool, text("true"), Some(Sent::Bool(true))),
        (FieldKind::Bool, text("yes"), None),
        (FieldKind::Bool, number("1"), None),
        (FieldKind::Timestamp, text("2026-01-01T12:00:00Z"), Some(Sent::Timestamp(noon))),
        (FieldKind::Timestamp, number("1767268800000"), Some(Sent::Timestamp(noon))),
        (FieldKind::Timestamp, Written::Timestamp(noon), Some(Sent::Timestamp(noon))),
        (FieldKind::Timestamp, number("1.5"), None),
        (FieldKind::Timestamp, text("noon"), None),
    ] {
        assert_eq!(read(kind, written.clone()), want, "{written} as {kind:?}");
    }
    for kind in [cents, FieldKind::Text, FieldKind::Bool, FieldKind::Timestamp] {
        assert_eq!(read(kind, Written::Null), Some(Sent::Null));
        assert_eq!(read(kind, Written::Composite), None);
    }
}

#[test]
fn a_refusal_names_the_value_the_row_and_what_was_expected() {
    let plan = plan();
    let refused = |entities, columns: &[Column<'_>]| values(&plan, &[0], entities, columns).unwrap_err().to_string();
    let (long, many) = ("x".repeat(REQUEST_TEXT_BYTES_MAX + 1), vec!["x"; REQUEST_VALUES_MAX + 1]);
    let large = "x".repeat(REQUEST_TEXT_BYTES_MAX);
    for (got, want) in [
        (
            refused(2, &[texts("amount", &["1", "much"])]),
            "request value `amount` of row 1 is \"much\"; feature view `one` declares it as decimal(2)",
        ),
        (
            refused(1, &[numbers("country", &["49"])]),
            "request value `country` of row 0 is 49; feature view `one` declares it as text",
        ),
        (
            refused(1, &[numbers("at", &["0.5"])]),
            "request value `at` of row 0 is 0.5; feature view `one` declares it as a timestamp",
        ),
        (
            refused(1, &[texts("amout", &["1"])]),
            "`amout` is no request value of the views that are read; they declare: amount, at, country, items, vip",
        ),
        (
            refused(1, &[texts("device", &["1"])]),
            "`device` is no request value of the views that are read; they declare: ",
        ),
        (refused(1, &[texts("country", &["a"]), texts("country", &["a"])]), "request value `country` is sent twice"),
        (refused(2, &[texts("country", &["a"])]), "request value `country` has 1 values and the read 2 entities"),
        (refused(1, &[texts("country", &[&long])]), "request value `country` of row 0 is longer than 4096 bytes"),
        (
            refused(many.len(), &[texts("country", &many)]),
            "1 request values for 262145 entities; one read takes 262144",
        ),
        (
            refused(1025, &[texts("country", &vec![large.as_str(); 1025])]),
            "the texts of the request values are 4198400 bytes",
        ),
    ] {
        assert!(got.starts_with(want), "{got}\n{want}");
    }
    let none = values(&plan, &[], 1, &[texts("amount", &["1"])]).unwrap_err().to_string();
    assert!(none.ends_with("; they declare none"), "{none}");
}
