//! What is computed from other results.

use featuregrid_protocol::expression::{Type, read};
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Constant, Derived, FieldKind, Operator, Plan, RequestValue};
use featuregrid_protocol::request::Sent;
use featuregrid_protocol::time::Span;
use featuregrid_protocol::value::{Reading, Status, Value};

use super::plans::{amount, plan, rows};
use super::{AsOf, Log, none, noon, present, seconds};

/// Behind a count of 5 minutes, and a count and a mean of an hour (the latter of 5 minutes): the share of the one in the
/// other; ten times that, less the mean; and its inverse.
fn log(default: Option<i64>, max_age: Option<i64>) -> Log {
    let list = [(Operator::Count, 0, 300), (Operator::Count, 0, 3600), (Operator::Mean, 1, 300)];
    let mut plan = plan(&[(0, &list)], vec![rows(), amount()]);
    let names = [("short", Type::Int), ("long", Type::Int), ("mean", Type::Float), ("share", Type::Float)];
    let formulas = ["short / long", "10.0 * share - mean", "long / short"];
    let formulas = formulas.map(|formula| read(formula, &names, false).unwrap());
    let view = &mut plan.views[0];
    view.derived =
        formulas.into_iter().map(|formula| Derived { name: "derived".into(), formula, default: None }).collect();
    view.features[2].default = default.map(|unscaled| Constant::Number { unscaled, domain: Domain::Int });
    view.max_age = max_age.map(Span::seconds);
    Log::new(plan)
}

fn derived(log: &mut Log, micros: i64) -> Vec<Reading> {
    log.read(0, &[100], "u", AsOf::At(noon(micros))).readings.split_off(3)
}

fn float(value: f64) -> Reading {
    present(Value::Float(value))
}

#[test]
fn shares_of_what_the_windows_hold() {
    let mut log = log(None, None);
    assert_eq!(derived(&mut log, 0), vec![none(Status::NotFound); 3]);
    log.event(0, 0, "u", 0, "1.50");
    assert_eq!(derived(&mut log, 1), [float(1.0), float(8.5), float(1.0)]);
    log.event(0, 1, "u", seconds(1000), "2.50");
    assert_eq!(derived(&mut log, seconds(1001)), [float(0.5), float(2.5), float(2.0)]);
    // Nothing in five minutes: no mean, and no count to divide by.
    let null = none(Status::NullValue);
    assert_eq!(derived(&mut log, seconds(2000)), [float(0.0), null.clone(), null]);
    assert_eq!(derived(&mut log, seconds(100)), vec![none(Status::OutOfRange); 3]);
}

#[test]
fn what_a_default_went_into_is_defaulted() {
    let mut log = log(Some(4), Some(30));
    log.event(0, 0, "u", 0, "1.50");
    let old = |reading| Reading { status: Status::OutsideMaxAge, ..reading };
    let with_default = Reading { status: Status::Defaulted, ..float(-4.0) };
    assert_eq!(derived(&mut log, seconds(2000)), [old(float(0.0)), with_default, old(none(Status::NullValue))]);
}

/// Behind a count and a mean of an hour: how often the sent amount is the mean (else 2), that and the count, whether the
/// sent country is Germany (else -1), and the hour of the sent instant.
fn of_request() -> Plan {
    let mut plan = plan(&[(0, &[(Operator::Count, 0, 3600), (Operator::Mean, 1, 3600)])], vec![rows(), amount()]);
    let names = [
        ("count", Type::Int),
        ("mean", Type::Float),
        ("ratio", Type::Float),
        ("more", Type::Float),
        ("german", Type::Int),
        ("hour", Type::Int),
        ("request.amount", Type::Decimal(2)),
        ("request.country", Type::Text),
        ("request.at", Type::Timestamp),
    ];
    let formulas = [
        ("request.amount / mean", Some(2)),
        ("ratio + count", None),
        ("request.country == 'DE' ? 1 : is_null(request.country) ? null : 0", Some(-1)),
        ("hour_of_day(request.at)", None),
    ];
    let view = &mut plan.views[0];
    view.derived = formulas
        .into_iter()
        .map(|(formula, default)| Derived {
            name: "derived".into(),
            formula: read(formula, &names, false).unwrap(),
            default: default.map(|unscaled| Constant::Number { unscaled, domain: Domain::Int }),
        })
        .collect();
    let kinds = [FieldKind::Number(Domain::Decimal(2)), FieldKind::Text, FieldKind::Timestamp];
    view.request = kinds.map(|kind| RequestValue { name: "value".into(), kind }).into();
    view.max_age = Some(Span::seconds(60));
    plan
}

#[test]
fn what_is_sent_is_one_more_input() {
    let mut log = Log::new(of_request());
    log.event(0, 0, "u", 0, "1.50");
    log.event(0, 1, "u", seconds(1), "2.50");
    let mut read = |micros, sent: &[Sent]| log.read_with(0, &[100], "u", AsOf::At(noon(micros)), sent).split_off(2);
    let (int, defaulted) =
        (|int| present(Value::Int(int)), |value| Reading { status: Status::Defaulted, ..present(value) });
    let sent = [Sent::Number(500), Sent::Text("DE".into()), Sent::Timestamp(noon(seconds(7200)))];
    assert_eq!(read(seconds(2), &sent), [float(2.5), float(4.5), int(1), int(14)]);
    let sent = [Sent::Null, Sent::Text("FR".into())];
    let hour = none(Status::NullValue);
    assert_eq!(
        read(seconds(2), &sent),
        [defaulted(Value::Float(2.0)), defaulted(Value::Float(4.0)), int(0), hour.clone()]
    );
    let nothing = [defaulted(Value::Float(2.0)), defaulted(Value::Float(4.0)), defaulted(Value::Int(-1)), hour];
    assert_eq!(read(seconds(2), &[]), nothing);
}

#[test]
fn what_is_sent_alone_says_nothing_of_the_entity() {
    let mut log = Log::new(of_request());
    log.event(0, 0, "u", 0, "1.50");
    let mut read =
        |user: &str, micros, sent: &[Sent]| log.read_with(0, &[100], user, AsOf::At(noon(micros)), sent).split_off(2);
    let sent = [Sent::Number(300), Sent::Text("DE".into()), Sent::Timestamp(noon(0))];
    let (one, noon) = (present(Value::Int(1)), present(Value::Int(12)));
    let old = |reading| Reading { status: Status::OutsideMaxAge, ..reading };
    assert_eq!(read("u", seconds(61), &sent), [old(float(2.0)), old(float(3.0)), one.clone(), noon.clone()]);
    assert_eq!(read("nobody", 1, &sent), [none(Status::NotFound), none(Status::NotFound), one.clone(), noon.clone()]);
    assert_eq!(read("u", -seconds(301), &sent), [none(Status::OutOfRange), none(Status::OutOfRange), one, noon]);
}
