//! What stands in for null, and values that are old.

use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{Constant, Operator};
use featuregrid_protocol::time::Span;
use featuregrid_protocol::value::{Edge, Reading, Status, Value};

use super::plans::{amount, plan, rows};
use super::{AsOf, Log, decimal, none, noon, seconds};

/// Count, sum, mean, min and max of the amount in five minutes, beside a count in an hour; every default is 7.5 or 7.
fn log(max_age: Option<i64>, with_defaults: bool) -> Log {
    use Operator::{Count, Max, Mean, Min, Sum};
    let mut list = [Count, Sum, Mean, Min, Max].map(|operator| (operator, 1, 300)).to_vec();
    list.push((Count, 0, 3600));
    let mut plan = plan(&[(0, &list)], vec![rows(), amount()]);
    let view = &mut plan.views[0];
    view.max_age = max_age.map(Span::seconds);
    for feature in &mut view.features {
        let default = match feature.operator {
            Count => Constant::Number { unscaled: 7, domain: Domain::Int },
            Mean => Constant::Number { unscaled: 75, domain: Domain::Decimal(1) },
            _ => Constant::Number { unscaled: 750, domain: Domain::Decimal(2) },
        };
        feature.default = with_defaults.then_some(default);
    }
    Log::new(plan)
}

fn with(status: Status, reading: Reading) -> Reading {
    Reading { status, ..reading }
}

fn at(log: &mut Log, micros: i64) -> Vec<Reading> {
    log.read(0, &[100, 100], "u", AsOf::At(noon(micros))).readings
}

#[test]
fn a_default_stands_in_for_null_and_for_nothing_else() {
    let mut log = log(None, true);
    log.event(0, 0, "u", 0, "2.50");
    assert_eq!(at(&mut log, 0), vec![none(Status::NotFound); 6]);
    assert_eq!(at(&mut log, 1)[2..5].iter().map(|reading| reading.status).collect::<Vec<_>>(), [Status::Present; 3]);
    // The event has left the five minutes; the hour still holds it.
    let later = at(&mut log, seconds(1000));
    let mean = Reading { value: Value::Float(7.5), ..decimal(0) };
    let defaults = [mean, decimal(750), decimal(750)].map(|reading| with(Status::Defaulted, reading));
    assert_eq!(later[..2], [super::count(0), decimal(0)]);
    assert_eq!(later[2..5], defaults);
    assert_eq!(later[5], super::count(1));
}

#[test]
fn a_value_older_than_max_age_says_so_and_stays() {
    let mut log = log(Some(30), false);
    log.event(0, 0, "u", 0, "2.50");
    assert_eq!(at(&mut log, seconds(30))[1], decimal(250));
    let old = |reading| with(Status::OutsideMaxAge, reading);
    assert_eq!(at(&mut log, seconds(30) + 1)[..2], [super::count(1), decimal(250)].map(old));
    assert_eq!(at(&mut log, seconds(1000))[2], old(none(Status::NullValue)));
    assert_eq!(at(&mut log, seconds(3660))[1], none(Status::NotFound));
    // A newer event makes all of them young, and an instant before it does not see it.
    log.event(1, 0, "u", seconds(40), "1");
    assert_eq!(at(&mut log, seconds(41))[1], decimal(350));
    assert_eq!(at(&mut log, seconds(40))[1], old(decimal(250)));
}

#[test]
fn a_default_is_not_hidden_by_age() {
    let mut log = log(Some(30), true);
    log.event(0, 0, "u", 0, "2.50");
    let later = at(&mut log, seconds(1000));
    let statuses: Vec<Status> = later.iter().map(|reading| reading.status).collect();
    let (old, defaulted) = (Status::OutsideMaxAge, Status::Defaulted);
    assert_eq!(statuses, [old, old, defaulted, defaulted, defaulted, old]);
}

#[test]
fn behind_a_rounded_instant_no_age_is_judged() {
    let mut log = log(Some(30), false);
    log.event(0, 0, "u", 0, "2.50");
    log.event(0, 1, "u", seconds(100), "1");
    log.event(0, 2, "v", seconds(200), "1");
    let answer = log.read(0, &[3], "u", AsOf::At(noon(seconds(99))));
    assert_eq!((answer.edge, answer.instant), (Edge::Rounded, noon(seconds(95))));
    assert_eq!(answer.readings[1], decimal(250));
}
