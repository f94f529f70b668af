//! Which instant a read is evaluated at.

use featuregrid_protocol::time::Timestamp;
use featuregrid_protocol::value::{Edge, Status};

use super::plans::edge;
use super::{AsOf, Log, count, none, noon, seconds};

fn instant_of(log: &mut Log, v: u64, as_of: AsOf) -> (Timestamp, Edge) {
    let answer = log.read(0, &[v], "u", as_of);
    (answer.instant, answer.edge)
}

#[test]
fn between_raw_events_the_instant_is_exact() {
    let mut log = Log::new(edge());
    log.event(0, 0, "u", 0, "1");
    log.event(0, 1, "u", 7, "1");
    let as_of = AsOf::At(noon(7));
    assert_eq!(instant_of(&mut log, 2, as_of), (noon(7), Edge::Exact));
    assert_eq!(log.read(0, &[2], "u", as_of).readings[0], count(1));
}

#[test]
fn an_event_older_than_ten_seconds_blurs_the_instants_before_it() {
    let mut log = Log::new(edge());
    log.event(0, 0, "u", seconds(3), "1");
    // Exactly ten seconds behind T is still raw; one tick more is not.
    log.event(0, 1, "v", seconds(13), "1");
    log.event(0, 2, "v", seconds(13) + 1, "1");
    assert_eq!(instant_of(&mut log, 2, AsOf::At(noon(seconds(3)))), (noon(seconds(3)), Edge::Exact));
    assert_eq!(instant_of(&mut log, 3, AsOf::At(noon(seconds(3)))), (noon(0), Edge::Rounded));
    assert_eq!(instant_of(&mut log, 3, AsOf::At(noon(seconds(3) + 1))), (noon(seconds(3) + 1), Edge::Exact));
}

#[test]
fn the_sixty_fifth_newest_event_is_tiled() {
    let mut log = Log::new(edge());
    for offset in 0..64 {
        log.event(0, offset, "u", offset as i64, "1");
    }
    assert_eq!(instant_of(&mut log, 64, AsOf::At(noon(0))), (noon(0), Edge::Exact));
    // A newcomer that is the oldest of 65 is itself the tiled one, whatever the order of arrival.
    log.event(0, 64, "u", -1, "1");
    assert_eq!(instant_of(&mut log, 65, AsOf::At(noon(0))), (noon(0), Edge::Exact));
    assert_eq!(instant_of(&mut log, 65, AsOf::At(noon(-1))), (noon(seconds(-5)), Edge::Rounded));
    // Of equal times the smaller offset is older.
    log.event(0, 65, "u", 63, "1");
    assert_eq!(instant_of(&mut log, 66, AsOf::At(noon(0))), (noon(0), Edge::Rounded));
    assert_eq!(instant_of(&mut log, 66, AsOf::At(noon(1))), (noon(1), Edge::Exact));
}

#[test]
fn now_sees_an_event_slightly_ahead_of_the_clock() {
    let mut log = Log::new(edge());
    log.event(0, 0, "u", seconds(300), "1");
    assert_eq!(instant_of(&mut log, 1, AsOf::Now(noon(0))), (noon(seconds(300) + 1), Edge::Exact));
    assert_eq!(log.read(0, &[1], "u", AsOf::Now(noon(0))).readings[0], count(1));
    // More than max_skew ahead it is the clock that is believed, and the clock is before T - slack.
    assert_eq!(log.read(0, &[1], "u", AsOf::Now(noon(-1))).readings[0], none(Status::OutOfRange));
    assert_eq!(instant_of(&mut log, 1, AsOf::Now(noon(seconds(400)))), (noon(seconds(400)), Edge::Exact));
}

#[test]
fn older_than_the_slack_is_out_of_range() {
    let mut log = Log::new(edge());
    log.event(0, 0, "v", seconds(300), "1");
    log.event(1, 0, "u", seconds(-1), "1");
    let read = |log: &mut Log, as_of| log.read(0, &[1, 1], "u", as_of).readings.remove(0);
    assert_eq!(read(&mut log, AsOf::At(noon(0))), count(1));
    assert_eq!(read(&mut log, AsOf::At(noon(-1))), none(Status::OutOfRange));
    // T is of the token, not of the log.
    assert_eq!(log.read(0, &[0, 1], "u", AsOf::At(noon(-1))).readings[0].status, Status::Present);
}

#[test]
fn what_happened_is_exact_however_far_back() {
    let mut log = Log::new(edge());
    log.event(0, 0, "u", 7, "1");
    log.event(0, 1, "u", seconds(900), "1");
    log.event(0, 2, "v", seconds(900), "1");
    let happened = |log: &mut Log, micros: i64| {
        let mut key = Vec::new();
        featuregrid_protocol::key::encode(["u"], &mut key);
        let all = super::vector(&[3]);
        log.0
            .cut(featuregrid_protocol::ids::ControlIndex(0), &all)
            .unwrap()
            .happened("spend", &key, noon(micros))
            .unwrap()
    };
    assert_eq!(log.read(0, &[3], "u", AsOf::At(noon(8))).readings[0], none(Status::OutOfRange));
    for (micros, want) in [(7, none(Status::NotFound)), (8, count(1))] {
        let got = happened(&mut log, micros);
        assert_eq!((got.instant, got.edge, got.readings[0].clone()), (noon(micros), Edge::Exact, want));
    }
}
