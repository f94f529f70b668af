//! Sessions at their edges, written out: what a late event joins, a gap and a tick around it, and times before 1970.

use std::sync::Arc;

use featuregrid_protocol::plan::{Feature, Keeps, LadderPlan, Level, Operator, Plan, Session, Shift, Window};
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::{Status, Value};

use super::support::{Event, Log, SECOND, columns, key_bytes, measures, plan, shard, source, view};
use crate::window::AsOf;

const SESSION: Session = Session { gap: Span::seconds(30), within: Span::seconds(600), hop: Span::seconds(5) };

/// How many events and since when, of the session under way and of the last closed one, and the sum of the former.
fn sessions() -> Arc<Plan> {
    let levels = vec![Level { hop: SESSION.hop, span: SESSION.within }];
    let ladder = LadderPlan { levels, lifetime: false, exact: false, columns: columns([0, 3]) };
    let mut view = view(vec![ladder], &[vec![]], measures());
    let feature = |operator: Operator, column: usize, is_last: bool| Feature {
        name: format!("{operator:?} {is_last}"),
        operator,
        ladder: 0,
        column,
        window: Window::Session { session: SESSION, is_last },
        shift: Shift::Nothing,
        default: None,
    };
    view.features = vec![
        feature(Operator::Count, 0, false),
        feature(Operator::TimeSinceFirst, 0, false),
        feature(Operator::Sum, 1, false),
        feature(Operator::Count, 0, true),
        feature(Operator::TimeSinceFirst, 0, true),
    ];
    assert!(view.ladders[0].columns[0].keeps.has(Keeps::TIMES));
    // So much slack that every instant beside the events is answered, and raw rows for ten seconds.
    plan(0, source(Span::seconds(300), Span::seconds(300)), vec![view])
}

/// Events of one key in the order of their arrival, each worth its offset and one more.
fn events(times: &[i64]) -> Vec<Event> {
    let event = |(offset, ts): (u64, &i64)| Event {
        partition: 0,
        offset,
        ts: Timestamp(*ts),
        key: Some(1),
        present: 0b1111,
        bad: 0,
        numbers: [0, 0, 0, offset as i64 + 1, 0, 0],
        id: None,
    };
    (0..).zip(times).map(event).collect()
}

/// (events, ticks since the first) of the session under way and of the last closed one, after these came.
fn read(times: &[i64], at: i64) -> [Option<(i128, i128)>; 2] {
    let (plan, list) = (sessions(), events(times));
    let log = Log::new(&list);
    let (mut shard, ranges) = shard(&plan, 4);
    for offset in 0..list.len() as u64 {
        shard.apply(&log.frame(&plan, 0, offset, offset + 1), &ranges);
    }
    let reading = shard.read(0, &key_bytes(1), AsOf::At(Timestamp(at))).unwrap();
    let told = |count: usize| {
        let [count, since] = [count, count + 1].map(|result| &reading.readings[result].value);
        match (count, since) {
            (Value::Int(count), Value::Decimal { unscaled, scale: 6 }) => Some((*count, *unscaled)),
            (Value::Int(0), Value::Null) => None,
            (Value::Null, Value::Null) if reading.readings[0].status == Status::NotFound => None,
            other => panic!("{other:?}"),
        }
    };
    let sum = (0..).zip(times).map(|(offset, _): (i128, _)| offset + 1).sum();
    if told(0).is_some_and(|(count, _)| count == times.len() as i128) {
        assert_eq!(reading.readings[2].value, Value::Int(sum));
    }
    [told(0), told(3)]
}

/// When the epoch the examples are told from is: now, then, and so that events lie on both sides of it.
const EPOCHS: [i64; 5] = [0, 1_767_268_800 * SECOND, -40 * SECOND, -1_000_000_000 * SECOND, -3];

#[test]
fn sessions_bridged_by_late_events() {
    for epoch in EPOCHS {
        let s = |seconds: i64| epoch + seconds * SECOND;
        let since = |ticks: i64| i128::from(ticks * SECOND);
        // Two sessions, until one between them comes: it is the third to arrive.
        assert_eq!(read(&[s(0), s(50)], s(51)), [Some((1, since(1))), Some((1, since(30)))]);
        assert_eq!(read(&[s(0), s(50), s(25)], s(51)), [Some((3, since(51))), None]);
        // In whatever order.
        for order in [[0, 25, 50], [25, 0, 50], [25, 50, 0], [50, 25, 0], [50, 0, 25]] {
            assert_eq!(read(&order.map(s), s(51)), [Some((3, since(51))), None], "{order:?}");
        }
        // One that comes when all of them have become tiles, and are closed: two of three sessions are joined.
        let closed = [s(0), s(50), s(130)];
        assert_eq!(read(&closed, s(131)), [Some((1, since(1))), Some((1, since(30)))]);
        assert_eq!(read(&[&closed[..], &[s(25)]].concat(), s(131)), [Some((1, since(1))), Some((3, since(80)))]);
        // One joins nothing, but lengthens a session at its beginning, or at its end.
        assert_eq!(read(&[s(100), s(80)], s(101)), [Some((2, since(21))), None]);
        assert_eq!(read(&[s(100), s(50), s(60)], s(101)), [Some((1, since(1))), Some((2, since(40)))]);
    }
}

#[test]
fn a_gap_and_a_tick_around_it() {
    let gap = SESSION.gap.0;
    for epoch in EPOCHS {
        let count = |times: &[i64], at: i64| {
            let times: Vec<i64> = times.iter().map(|ts| epoch + ts).collect();
            read(&times, epoch + at).map(|session| session.map_or(0, |(count, _)| count))
        };
        // Two events: of one session at the gap, of two a tick further.
        assert_eq!(count(&[0, gap - 1], gap), [2, 0]);
        assert_eq!(count(&[0, gap], gap + 1), [2, 0]);
        assert_eq!(count(&[0, gap + 1], gap + 2), [1, 1]);
        // The same at the other end of a tile, and where a late event bridges two.
        assert_eq!(count(&[4_999_999, gap + 4_999_999], gap + 5_000_000), [2, 0]);
        assert_eq!(count(&[4_999_999, gap + 5_000_000], gap + 5_000_001), [1, 1]);
        assert_eq!(count(&[0, 2 * gap, gap], 2 * gap + 1), [3, 0]);
        assert_eq!(count(&[0, 2 * gap + 1, gap], 2 * gap + 2), [1, 2]);
        assert_eq!(count(&[0, 2 * gap + 1, gap + 1], 2 * gap + 2), [2, 1]);
        // An instant: under way until a gap has passed, closed a tick later; an event at it is not there yet.
        assert_eq!(count(&[0], 0), [0, 0]);
        assert_eq!(count(&[0], 1), [1, 0]);
        assert_eq!(count(&[0], gap), [1, 0]);
        assert_eq!(count(&[0], gap + 1), [0, 1]);
        assert_eq!(count(&[0, 2 * gap], 2 * gap), [0, 1]);
        assert_eq!(count(&[0, 2 * gap], 2 * gap + 1), [1, 1]);
    }
}

#[test]
fn a_session_that_reaches_too_far_says_so() {
    let plan = sessions();
    let list = events(&(0..30).map(|nth| nth * 29 * SECOND).collect::<Vec<_>>());
    let log = Log::new(&list);
    let (mut shard, ranges) = shard(&plan, 4);
    let mut told = Vec::new();
    for offset in 0..list.len() as u64 {
        shard.apply(&log.frame(&plan, 0, offset, offset + 1), &ranges);
        let at = list[offset as usize].ts + Span::TICK;
        let reading = &shard.read(0, &key_bytes(1), AsOf::At(at)).unwrap().readings[0];
        let Value::Int(count) = reading.value else { panic!("{reading:?}") };
        told.push((count, reading.partial_coverage));
    }
    // The 21st comes at 580 s, the 22nd at 609: then 5 s is where events begin to count, and the first is not there.
    let whole = told.iter().take_while(|(_, is_cut)| !is_cut).count();
    assert_eq!(told[whole - 1], (20, false));
    assert_eq!(told[20..22], [(21, true), (21, true)]);
    assert!(told[whole..].iter().all(|(count, is_cut)| *is_cut && (20..=21).contains(count)), "{told:?}");
}
