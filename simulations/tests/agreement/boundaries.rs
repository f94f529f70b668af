//! Days of 23 and 25 hours, leap days, ends of months and years, and what was before 1970: definitions of units of the calendar
//! over events on both sides of where one ends, read at those very instants. Knows no random number.

use std::sync::Arc;

use featuregrid_oracle::{AsOf, Oracle, Record};
use featuregrid_protocol::definition::compile;
use featuregrid_protocol::ids::{ControlIndex, PartitionId};
use featuregrid_protocol::key;
use featuregrid_protocol::plan::{Argument, Operator};
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::request::SentRow;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::Value;

use featuregrid_simulations::windows::agree;
use featuregrid_simulations::windows::product::Product;

/// (zone, where a unit of it ends, units that do, in hours how long the day before it was, and the one after it)
const BOUNDARIES: [(&str, &str, &[&str], i64, i64); 14] = [
    // Clocks are set forwards, and back.
    ("Europe/Berlin", "2026-03-28T23:00:00Z", &["hour", "day"], 24, 23),
    ("Europe/Berlin", "2026-03-29T22:00:00Z", &["hour", "day", "week"], 23, 24),
    ("Europe/Berlin", "2026-10-25T23:00:00Z", &["hour", "day", "week"], 25, 24),
    ("America/Sao_Paulo", "2018-11-05T02:00:00Z", &["hour", "day", "week"], 23, 24),
    ("Antarctica/Casey", "2020-03-08T16:00:00Z", &["hour", "day", "week"], 27, 24),
    // The 29th of February is there, and is not.
    ("UTC", "2024-02-29T00:00:00Z", &["hour", "day"], 24, 24),
    ("America/New_York", "2024-03-01T05:00:00Z", &["hour", "day", "month"], 24, 24),
    ("Asia/Kolkata", "2026-02-28T18:30:00Z", &["hour", "day", "month"], 24, 24),
    // Months of 30 and 31 days; the end of a year; a day that was left out.
    ("Asia/Kathmandu", "2026-04-30T18:15:00Z", &["hour", "day", "month"], 24, 24),
    ("UTC", "2026-01-01T00:00:00Z", &["hour", "day", "month"], 24, 24),
    ("Pacific/Apia", "2011-12-30T10:00:00Z", &["hour", "day"], 24, 24),
    // A Monday, a first, and both; before 1970.
    ("UTC", "1970-01-01T00:00:00Z", &["hour", "day", "month"], 24, 24),
    ("UTC", "1969-12-29T00:00:00Z", &["hour", "day", "week"], 24, 24),
    ("America/New_York", "1969-12-01T05:00:00Z", &["hour", "day", "week", "month"], 24, 24),
];

const UNITS: [&str; 4] = ["hour", "day", "week", "month"];
const HOUR: i64 = 3_600_000_000;

/// Every operator over every unit of a zone.
fn definitions(zone: &str) -> String {
    let mut text = String::from(
        "project: p\nentities:\n  user: { join_keys: [user] }\nsources:\n  s:\n    kafka: { topic: t }\n    format: json\n    \
         fields: { user: user, amount: { path: amount, type: int } }\n    event_timestamp: ts\nfeature_views:\n  v:\n    \
         entity: user\n    source: s\n    features:\n",
    );
    for (unit, which) in UNITS.into_iter().flat_map(|unit| ["current", "last"].map(|which| (unit, which))) {
        // Quarters of an hour of two months are more tiles than an entity may have.
        if (zone, unit, which) == ("Asia/Kathmandu", "month", "last") {
            continue;
        }
        for operator in
            Operator::ALL.into_iter().filter(|operator| *operator != Operator::Rate && !operator.is_decayed())
        {
            let name = operator.name();
            let of = match operator.argument() {
                Argument::Rows => "true",
                Argument::Truth => "amount > 0",
                Argument::Number | Argument::Any => "amount",
            };
            let beside = operator.beside("amount").replace("baseline: 1h", &format!("baseline: calendar day {zone}"));
            let window = format!("{beside}window: calendar {unit} {zone} {which}");
            text += &format!("      {name}_{unit}_{which}: {{ {name}: {of}, {window} }}\n");
        }
    }
    text
}

/// How many values were compared.
pub(crate) fn check_all() -> Result<usize, String> {
    BOUNDARIES.iter().try_fold(0, |compared, boundary| Ok(compared + check(boundary)?))
}

fn check(&(zone, at, ending, before, after): &(&str, &str, &[&str], i64, i64)) -> Result<usize, String> {
    let at = Timestamp::parse(at).expect("an instant");
    let plan = compile(&definitions(zone), zone, None, ControlIndex(0)).map_err(|mistakes| mistakes.to_string())?;
    let (plan, partition) = (Arc::new(plan), PartitionId(0));
    let mut oracle = Oracle::new();
    oracle.activate(ControlIndex(0), OffsetVector::default(), Arc::clone(&plan));
    let mut product = Product::new(Arc::clone(&plan), &[partition]);
    let mut key = Vec::new();
    key::encode(["u"], &mut key);
    // A tick on each side of where the days beside it begin and end, and an event in each hour.
    let edges = [-before * HOUR, 0, after * HOUR].into_iter().flat_map(|edge| [edge - 1, edge, edge + 1]);
    let mut times: Vec<i64> = edges.chain((-40..30).map(|hour| hour * HOUR + HOUR / 2)).collect();
    times.sort_unstable();
    let mut compared = 0;
    for (offset, time) in (0..).zip(&times) {
        let ts = at + Span(*time);
        let payload = format!("{{\"user\":\"u\",\"amount\":{},\"ts\":\"{ts}\"}}", offset * offset - 700);
        let record =
            Record { offset: offset as u64, log_timestamp: ts, admit: false, payload: Some(payload.into_bytes()) };
        oracle.push(partition, record.clone()).expect("offsets rise");
        product.record(partition, &record);
        product.cut(partition);
        let cut = oracle.cut(ControlIndex(0), &product.token()).expect("the index is active");
        // A tick after it, within the hour, on the next day and in the next month.
        for later in [1, HOUR / 2, 24 * HOUR, 31 * 24 * HOUR] {
            let as_of = AsOf::At(ts + Span(later));
            let want = cut.read("v", &key, as_of).expect("the view is planned");
            compared += want.readings.len();
            agree(product.read(0, &key, as_of, SentRow::default()), want, || format!("{zone} {at}: {as_of:?}"))?;
        }
        // What the wall says of the counts a tick after the event, which is of the new unit if it is at the boundary.
        let answer = product.read(0, &key, AsOf::At(ts + Span::TICK), SentRow::default());
        let count = |unit: &str, which: &str| {
            let result = plan.views[0].result_index(&format!("count_{unit}_{which}"));
            result.map(|result| answer.readings[result].value.clone())
        };
        let within = |from: i64, to: i64| {
            let seen = times.iter().filter(|seen| (from..to).contains(*seen) && *seen <= time);
            Some(Value::Int(seen.count() as i128))
        };
        if (0..after * HOUR - 1).contains(time) {
            let today = (count("day", "current"), count("day", "last"));
            agree(today, (within(0, i64::MAX), within(-before * HOUR, 0)), || format!("{zone} {ts}: the days"))?;
        }
        if *time == 0 {
            let begins = UNITS.map(|unit| count(unit, "current") == within(0, i64::MAX));
            agree(begins, UNITS.map(|unit| ending.contains(&unit)), || format!("{zone} {at}: which units begin"))?;
        }
    }
    Ok(compared)
}
