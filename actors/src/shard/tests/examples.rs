//! Single rules at their edges, written out.

use std::sync::Arc;

use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::limits::RAW_ROWS_MAX;
use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::{
    Column, Feature, Items, LadderPlan, Level, Operator, Plan, Shift, Spread, Window, default_hop,
};
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Edge, Status, Value};

use super::support::{Event, Log, SECOND, VIEW, key_bytes, measures, plan, shard, source, two_level_plan, view};
use crate::shard::{Shard, ViewReading};
use crate::window::AsOf;

const MINUTE: Span = Span::seconds(60);
const HOUR: Span = Span::seconds(3600);

fn level(span: Span) -> Level {
    Level { hop: default_hop(span), span }
}

fn event(offset: u64, ts: i64, number: i64) -> Event {
    Event {
        partition: 0,
        offset,
        ts: Timestamp(ts),
        key: Some(1),
        present: 0b1111,
        bad: 0,
        numbers: [0, 0, number, number, 0, 0],
        id: None,
    }
}

fn at(shard: &mut Shard, ts: i64) -> ViewReading {
    shard.read(0, &key_bytes(1), AsOf::At(Timestamp(ts))).unwrap()
}

/// One event at 12:00:00, rolling 5 minutes beside an hour: count_5m is NOT_FOUND, 1, 1, 1, 0.
#[test]
fn a_window_begins_after_its_event_and_ends_on_a_hop() {
    let five = Span(5 * MINUTE.0);
    let ladder = LadderPlan {
        levels: vec![level(five), level(HOUR)],
        lifetime: false,
        exact: false,
        columns: super::support::columns([0, 2]),
    };
    let mut spend = view(vec![ladder], &[vec![]], measures());
    let rolling = |span| Window::Rolling { span, hop: default_hop(span) };
    let feature = |name: &str, operator, column, window| Feature {
        name: name.into(),
        operator,
        ladder: 0,
        column,
        window,
        shift: Shift::Nothing,
        default: None,
    };
    spend.features = vec![
        feature("count_5m", Operator::Count, 0, rolling(five)),
        feature("count_1h", Operator::Count, 0, rolling(HOUR)),
        feature("total_1h", Operator::Sum, 1, rolling(HOUR)),
    ];
    let plan = plan(0, source(five, five), vec![spend]);
    let (mut shard, set) = shard(&plan, 64);
    let noon = 1_767_268_800 * SECOND;
    let log = Log::new(&[event(0, noon, 1000)]);
    shard.apply(&log.frame(&plan, 0, 0, 1), &set);
    let count = |shard: &mut Shard, after: i64| {
        let read = at(shard, noon + after);
        assert_eq!((read.instant, read.edge), (Timestamp(noon + after), Edge::Exact));
        (read.readings[0].value.clone(), read.readings[0].status)
    };
    assert_eq!(count(&mut shard, 0), (Value::Null, Status::NotFound));
    for after in [1, 300 * SECOND, 305 * SECOND - 1] {
        assert_eq!(count(&mut shard, after), (Value::Int(1), Status::Present), "{after}");
    }
    assert_eq!(count(&mut shard, 305 * SECOND), (Value::Int(0), Status::Present));
    assert_eq!(at(&mut shard, noon + 1).readings[2].value, Value::Decimal { unscaled: 1000, scale: 2 });
    assert_eq!(count(&mut shard, 3600 * SECOND + MINUTE.0 - 1), (Value::Int(0), Status::Present));
    assert_eq!(count(&mut shard, 3600 * SECOND + MINUTE.0), (Value::Null, Status::NotFound));
    assert_eq!(count(&mut shard, -300 * SECOND), (Value::Null, Status::NotFound));
    let early = at(&mut shard, noon - 300 * SECOND - 1);
    assert_eq!((early.instant.0, early.readings[0].status), (noon - 300 * SECOND - 1, Status::OutOfRange));
}

/// A `max_age` of a minute: an old value says so, and is the value still.
#[test]
fn values_of_an_old_event_are_outside_max_age() {
    let mut plan = Plan::clone(&two_level_plan(0));
    plan.views[0].max_age = Some(MINUTE);
    let plan = Arc::new(plan);
    let (mut shard, set) = shard(&plan, 1);
    let first = 100 * SECOND;
    const LIFETIME: usize = 2;
    let log = Log::new(&[event(0, first, 5), event(1, first + 90 * SECOND, 7)]);
    shard.apply(&log.frame(&plan, 0, 0, 1), &set);
    let status = |shard: &mut Shard, ts| at(shard, ts).readings[0].status;
    assert_eq!(status(&mut shard, first + MINUTE.0), Status::Present);
    let old = at(&mut shard, first + MINUTE.0 + 1);
    assert_eq!(
        (old.readings[LIFETIME].status, old.readings[LIFETIME].value.clone()),
        (Status::OutsideMaxAge, Value::Int(1))
    );
    // The second event tiles the first; an instant between them still knows when the first was.
    shard.apply(&log.frame(&plan, 0, 1, 2), &set);
    assert_eq!(status(&mut shard, first + 90 * SECOND), Status::OutsideMaxAge);
    assert_eq!(status(&mut shard, first + 90 * SECOND + 1), Status::Present);
}

/// More events of one instant than stay raw: any instant at or before them is rounded.
#[test]
fn what_is_tiled_blurs_instants_before_it() {
    let plan = two_level_plan(0);
    let (mut shard, set) = shard(&plan, 1);
    let ts = 100 * SECOND + 7;
    let list: Vec<Event> = (0..RAW_ROWS_MAX as u64 + 1).map(|offset| event(offset, ts, 1)).collect();
    let log = Log::new(&list);
    shard.apply(&log.frame(&plan, 0, 0, RAW_ROWS_MAX as u64), &set);
    assert_eq!(at(&mut shard, ts).edge, Edge::Exact);
    shard.apply(&log.frame(&plan, 0, RAW_ROWS_MAX as u64, RAW_ROWS_MAX as u64 + 1), &set);
    let before = at(&mut shard, ts);
    assert_eq!((before.instant, before.edge), (Timestamp(100 * SECOND), Edge::Rounded));
    assert_eq!(before.readings[0].status, Status::NotFound);
    let after = at(&mut shard, ts + 1);
    assert_eq!((after.instant, after.edge), (Timestamp(ts + 1), Edge::Exact));
    assert_eq!(after.readings[0].value, Value::Int(65));
    assert_eq!(after.newest_event, Some(Timestamp(ts)));
}

/// Sums beyond i64 and numbers at its ends: the page becomes wide, no value notices.
#[test]
fn sums_outgrow_narrow_cells_exactly() {
    let plan = two_level_plan(0);
    let (mut shard, set) = shard(&plan, 1);
    let list: Vec<Event> =
        (0..500).map(|i| event(i, 10 * SECOND + i as i64, if i % 5 == 0 { -3 } else { i64::MAX })).collect();
    let log = Log::new(&list);
    let mut last = 0;
    for to in [1, 70, 71, 300, 500] {
        shard.apply(&log.frame(&plan, 0, last, to), &set);
        last = to;
        let read = at(&mut shard, 11 * SECOND);
        let features = &plan.views[0].features;
        let of = |operator| features.iter().position(|f| f.operator == operator && f.column == 1).unwrap();
        let sum: i128 = list[..to as usize].iter().map(|event| i128::from(event.numbers[2])).sum();
        assert_eq!(read.readings[of(Operator::Sum)].value, Value::Decimal { unscaled: sum, scale: 2 });
        let largest = list[..to as usize].iter().map(|event| event.numbers[2]).max().unwrap();
        assert_eq!(read.readings[of(Operator::Max)].value, Value::Decimal { unscaled: largest.into(), scale: 2 });
    }
    assert_eq!(shard.rows(VIEW).applied, 500);
}

/// Rows may come again and again for years: what is bounded by rows so far is counted anew, not widened for ever.
#[test]
fn old_rows_do_not_widen_a_page() {
    let ladder = LadderPlan {
        levels: vec![level(MINUTE)],
        lifetime: false,
        exact: false,
        columns: super::support::columns([0, 2]),
    };
    let plan =
        plan(0, source(Span(0), Span(0)), vec![view(vec![ladder], &[vec![(MINUTE, default_hop(MINUTE))]], measures())]);
    let (mut shard, set) = shard(&plan, 1);
    // 2^53 each: five hundred rows fit a narrow sum, a thousand do not, and the page never holds two hundred.
    let list: Vec<Event> = (0..2000).map(|i| event(i, i as i64 * SECOND, 1 << 53)).collect();
    let log = Log::new(&list);
    let mut grow = |from: u64, to: u64| {
        let frames = (from..to).step_by(20);
        let sizes = frames.map(|from| {
            shard.apply(&log.frame(&plan, 0, from, from + 20), &set);
            shard.bytes()
        });
        sizes.max().unwrap()
    };
    let narrow = grow(0, 500);
    let later = grow(500, 2000);
    assert!(later <= narrow, "{later} after {narrow}");
    let want = Value::Decimal { unscaled: 60 << 53, scale: 2 };
    let sum = plan.views[0].features.iter().position(|feature| feature.operator == Operator::Sum).unwrap();
    assert_eq!(at(&mut shard, 2000 * SECOND).readings[sum].value, want);
}

#[test]
fn replies_say_what_they_cover() {
    let mut late = two_level_plan(0).as_ref().clone();
    late.views[0].ladders[0].columns[1] = Column { since: ControlIndex(3), ..late.views[0].ladders[0].columns[1] };
    let plan = std::sync::Arc::new(late);
    let (mut shard, set) = shard(&plan, 1);
    let mut bad = event(0, SECOND, 5);
    bad.bad = 0b0100;
    shard.apply(&Log::new(&[bad]).frame(&plan, 0, 0, 1), &set);
    let read = at(&mut shard, 2 * SECOND);
    for (reading, feature) in read.readings.iter().zip(&plan.views[0].features) {
        assert_eq!(reading.partial_coverage, feature.column == 1);
        assert_eq!(reading.inexact_input, feature.column == 1);
        let measure = &plan.views[0].measures[plan.views[0].ladders[0].columns[feature.column].measure];
        if feature.column == 2 {
            let needs_two = matches!(
                feature.operator,
                Operator::MeanGap | Operator::Variance(Spread::Sample) | Operator::Stddev(Spread::Sample)
            );
            let has_no_length = feature.operator == Operator::Rate && feature.window.span().is_none();
            // The measure has nothing to compare rows by, and one event says nothing of what is usual.
            let is_alone = feature.operator.is_ranked() || feature.operator.baseline().is_some();
            let wanted = if needs_two || has_no_length || is_alone { Status::NullValue } else { Status::Present };
            assert_eq!(reading.status, wanted, "{:?}", feature.operator);
            continue;
        }
        match (feature.operator, &measure.value) {
            (Operator::Count, _) => assert_eq!(reading.value, Value::Int(i128::from(feature.column != 1))),
            (Operator::Sum, Some((_, Items::Numbers(Domain::Decimal(scale))))) => {
                assert_eq!(reading.value, Value::Decimal { unscaled: 0, scale: *scale })
            }
            (Operator::Mean | Operator::Min | Operator::Max, Some(_)) => assert_eq!(reading.status, Status::NullValue),
            _ => {}
        }
    }
    assert!(shard.read(1, &key_bytes(1), AsOf::At(Timestamp(0))).is_none());
    assert!(Shard::new(plan).read(0, &key_bytes(1), AsOf::At(Timestamp(0))).is_none());
}
