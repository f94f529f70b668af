//! Bugs that others' feature platforms had, each as a story that must end well here.
//!
//! Each test says what it comes from, what broke there, and what must hold here. A story is written in the language of the
//! semantics pages, over their definitions, and runs as their examples do: through the reader and the shard that serve,
//! again as a training set, in other orders of partitions, and through `eval` where a file can tell it.
//!
//! Not there yet, and so in no story: sessions among "every window" of late events; `hop: exact` at the edges; a
//! setting of a view for what "now" means (a read says it); a hot key whose work is shared by several shards. How long it
//! takes to fold one or five keys is no matter of a test: `featuregrid bench fold --keys 1,5,10000` says it.

use featuregrid_protocol::time::Timestamp;

use super::script::{Page, Script};
use super::world::World;
use super::{any_order, eval_agrees, page, plays};

pub(super) const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 2026-01-03T12:00:00Z: there are two days before it.
pub(super) const NOON: i64 = 1_767_441_600 * SECOND;

/// From when to when a window reaches at an instant; its end is not in it.
type Edges = fn(i64) -> (i64, i64);

/// One window of each kind that looks back from an instant: its name in results, and where it begins and ends.
const WINDOWS: [(&str, Edges); 8] = [
    ("1m", |t| (floor(t - MINUTE, SECOND), t)),
    ("5m", |t| (floor(t - 5 * MINUTE, 5 * SECOND), t)),
    ("1h", |t| (floor(t - HOUR, MINUTE), t)),
    ("24h", |t| (floor(t - DAY, HOUR / 2), t)),
    ("tumbling_1h", |t| (floor(t, HOUR), t)),
    ("last_tumbling_1h", |t| (floor(t, HOUR) - HOUR, floor(t, HOUR))),
    ("hopping_1h", |t| (floor(t, 5 * MINUTE) - HOUR, floor(t, 5 * MINUTE))),
    ("lifetime", |t| (i64::MIN, t)),
];
const COUNTS: &str = "feature count: { count: true, windows: [1m, 5m, 1h, 24h, tumbling 1h, tumbling 1h last, \
                      hopping 1h every 5m, lifetime] }\n";

fn floor(t: i64, step: i64) -> i64 {
    t.div_euclid(step) * step
}

/// As the language writes an instant of 2026.
pub(super) fn at(t: i64) -> String {
    Timestamp(t).to_string().replace("2026-", "").replace('Z', "")
}

/// A read of all of [`WINDOWS`], answered by counting.
fn counted(t: i64, events: &[i64]) -> String {
    let results = WINDOWS.map(|(name, held)| {
        let (from, to) = held(t);
        format!("count_{name} {}", events.iter().filter(|ts| (from..to).contains(*ts)).count())
    });
    format!("read {} u1 -> {}\n", at(t), results.join(", "))
}

fn story(text: &str) -> (String, Script) {
    let mut own = Page::parse("the story", &format!("## It\n```example\n{text}\n```\n")).unwrap();
    (page().definitions, own.examples.remove(0))
}

/// It holds, by every route that can tell it; how many of its reads a training set reproduced.
pub(super) fn tell(text: &str) -> usize {
    let (definitions, story) = story(text);
    let reproduced = plays(&definitions, &story).unwrap_or_else(|mistake| panic!("\n{mistake}"));
    any_order(&definitions, &story);
    if story.is_a_file() {
        eval_agrees(&definitions, &story);
    }
    reproduced
}

/// The world at the end of a story.
fn world(text: &str) -> World {
    let (definitions, story) = story(text);
    let mut world = World::new(&definitions, &story);
    story.lines.iter().for_each(|(number, line)| world.play(line).unwrap_or_else(|why| panic!("{number}: {why}")));
    world
}

/// zipline-ai/chronon#1356: an event at exactly `t` was in the window online and not offline, until windows became
/// `[t - w, t)` in both.
///
/// One tick before, at and after every event and every edge that it leaves by, a read and a training set count the same, and
/// what they count is `floor_h(t - w) <= ts < t`.
#[test]
fn an_event_at_an_edge_is_on_the_same_side_online_and_in_training() {
    // Until the first of the others is there, nothing but lifetime holds the oldest.
    let mut events = vec![NOON - 2 * DAY];
    let mut text = format!("{COUNTS}event {} u1\n", at(events[0]));
    let mut reads = 0;
    for ts in [0, 1, 5 * SECOND - 1, 5 * SECOND, MINUTE - 1, MINUTE, HOUR - 1, HOUR].map(|after| NOON + after) {
        text += &format!("event {} u1\n", at(ts));
        events.push(ts);
        for t in [ts - 1, ts, ts + 1] {
            text += &counted(t, &events);
            reads += 1;
        }
    }
    let left = |ts: &i64| {
        let rolling = [(MINUTE, SECOND), (5 * MINUTE, 5 * SECOND), (HOUR, MINUTE), (DAY, HOUR / 2)];
        let [a, b, c, d] = rolling.map(|(window, hop)| floor(*ts, hop) + hop + window);
        [a, b, c, d, floor(*ts, HOUR) + HOUR, floor(*ts, HOUR) + 2 * HOUR]
    };
    let newest = NOON + HOUR;
    let mut edges: Vec<i64> = events.iter().flat_map(left).filter(|edge| *edge > newest + 1).collect();
    edges.sort_unstable();
    edges.dedup();
    for t in edges.iter().flat_map(|edge| [edge - 1, *edge, edge + 1]) {
        text += &counted(t, &events);
        reads += 1;
    }
    assert!(reads > 50, "{reads} reads");
    assert_eq!(tell(&text), reads);
}

/// airbnb/chronon#1110: the window was chosen by the source's timestamp, the tile by the event time that a transformation had
/// made of it, so an event could stand in the tile of another window.
///
/// The declared event timestamp is the only clock: when a record was appended changes no value and no byte of state.
#[test]
fn event_time_is_the_only_clock() {
    let text = "
        feature count: { count: true, windows: [5m, tumbling 5m, tumbling 5m last] }
        event 12:00:10 u1 logged=15:00
        event 12:04:50 u1 logged=12:04:50
        event 12:05:10 u1 logged=18:00:30
        event 12:04:55 u1 logged=23:59
        read 12:05:00 u1 -> count_5m 3, count_tumbling_5m 0, count_last_tumbling_5m 3
        read 12:05:11 u1 -> count_5m 4, count_tumbling_5m 1, count_last_tumbling_5m 3
        read 12:10:00 u1 -> count_5m 1, count_tumbling_5m 0, count_last_tumbling_5m 1";
    tell(text);
    let without = |line: &str| line.split(" logged=").next().unwrap_or_default().to_owned() + "\n";
    let as_they_happened: String = text.lines().map(without).collect();
    assert_eq!(world(text).digest(), world(&as_they_happened).digest());
}

/// zipline-ai/chronon#2022, #2023, #2037, #2038: windows of a key without events kept what had left them, until timers were
/// added, delayed, and fired several hops at once.
///
/// A value is a function of the instant: nothing has to come and nothing has to fire, and being asked changes no state.
#[test]
fn an_idle_key_shrinks_without_an_event_or_a_timer() {
    let text = "
        feature count: { count: true, windows: [1m, 5m, 1h, 24h, lifetime] }
        feature sum: { sum: amount, windows: [tumbling 1h, hopping 1h every 5m] }
        event 12:00 u1 amount=5
        read 12:00:00.000001 u1 -> count_1m 1, count_5m 1, count_1h 1, count_24h 1, sum_tumbling_1h 5, sum_hopping_1h 0
        read 12:01:00.999999 u1 -> count_1m 1
        read 12:01:01 u1        -> count_1m 0, count_5m 1
        read 12:05:05 u1        -> count_5m 0, count_1h 1, sum_hopping_1h 5
        read 13:00:00 u1        -> count_1h 1, sum_tumbling_1h 0, sum_hopping_1h 5
        read 13:01:00 u1        -> count_1h 0, count_24h 1
        read 13:05:00 u1        -> sum_hopping_1h 0
        read 01-02T12:29:59.999999 u1 -> count_24h 1
        read 01-02T12:30 u1     -> count_24h 0, count_lifetime 1
        read 12-31T12:30 u1     -> count_1m 0, count_24h 0, sum_tumbling_1h 0, count_lifetime 1";
    assert_eq!(tell(text), 10);
    let unasked: String = text.lines().filter(|line| !line.contains("read")).map(|line| format!("{line}\n")).collect();
    assert_eq!(world(text).stored(), world(&unasked).stored());
}

/// zipline-ai/chronon#1680: an event was accepted for a day, and one that was hours late inflated the window of an hour, which
/// it had left long before.
///
/// A late event that is taken, from seconds to days behind, changes the windows that its time lies in and no other.
#[test]
fn a_late_event_counts_where_it_lies_and_nowhere_else() {
    let mut events = vec![NOON + 30 * MINUTE];
    let mut text = format!("{COUNTS}event {} u1\n", at(events[0]));
    let behind = [1, SECOND, 59 * SECOND, MINUTE, 4 * MINUTE, 6 * MINUTE, 29 * MINUTE, 31 * MINUTE, 59 * MINUTE];
    let further = [61 * MINUTE, 89 * MINUTE, 91 * MINUTE, 2 * HOUR, 12 * HOUR, DAY - 1, DAY, DAY + HOUR, 36 * HOUR];
    for distance in behind.into_iter().chain(further) {
        let ts = NOON + 30 * MINUTE - distance;
        // Behind by more than a minute it is late, and this is how a late record is taken after all.
        text += &format!("event {} u1 admit\n", at(ts));
        events.push(ts);
        for t in [1, SECOND, 5 * MINUTE, 30 * MINUTE, HOUR].map(|after| NOON + 30 * MINUTE + after) {
            text += &counted(t, &events);
        }
    }
    assert_eq!(tell(&text), 18 * 5);
}

/// zipline-ai/chronon#1680: a day whose stream had no rows for a key left the row of the day before in place.
///
/// Days without events are empty days, in every way of asking for a day, also after another key has moved the clock and after
/// the key comes back.
#[test]
fn days_without_events_leave_nothing_behind() {
    tell(
        "
        feature sum: { sum: amount, windows: [calendar day, calendar day last, { series: 1d, count: 3 }] }
        feature all: { sum: amount, window: lifetime }
        event 12:00 u1 amount=1
        event 01-02T12:00 u1 amount=2
        read 01-02T13:00 u1 -> sum_calendar_day 2, sum_last_calendar_day 1, sum_1d_1 1, sum_1d_2 0
        event 01-05T12:00 u2 amount=9
        read 01-05T12:01 u1 -> sum_calendar_day 0, sum_last_calendar_day 0, sum_1d_1 0, sum_1d_3 2
        read 01-06T00:00 u1 -> sum_1d_1 0, sum_1d_2 0, sum_1d_3 0, all 3
        event 01-06T00:00 u1 amount=4
        read 01-06T00:00:01 u1 -> sum_calendar_day 4, sum_last_calendar_day 0, sum_1d_1 0, all 7",
    );
}

/// zipline-ai/chronon#2037, #2024: after a crash, events were replayed into tiles that had them, and windows counted twice
/// "until eviction corrects"; a fence for what had been published came later.
///
/// Whenever state was stored, and whenever the node died after that: what it ends with is the same bytes, at once.
#[test]
fn a_crash_at_any_point_counts_nothing_twice() {
    let text = "
        source event_id: id
        feature count: { count: true, windows: [1m, 1h, lifetime] }
        feature sum: { sum: amount, windows: [5m] }
        event p0 12:00:00 u1 amount=1 id=a
        event p1 12:00:30 u1 amount=2 id=b
        event p0 12:00:20 u2 amount=4 id=c
        event p0 12:00:00 u1 amount=1 id=a
        event p1 12:02:00 u1 amount=8
        event p1 12:00:30 u1 amount=2 id=b -> late
        event p0 12:01:00 u1 amount=16 id=d
        event p1 12:01:30 u2 amount=32 admit
        record p1 null -> tombstone
        event p0 12:03:30 u1 amount=64
        event p0 12:03:29 u1 amount=128
        read 12:03:31 u1 -> count_1m 2, count_1h 6, sum_5m 219
        read 12:03:31 u2 -> count_1m 0, count_1h 2, sum_5m 36
        books records 11 = late 1 + tombstones 1 + routed 9
        books rows 9 = applied 8 + duplicate 1";
    tell(text);
    let ended = world(text).stored();
    let (definitions, story) = story(text);
    let records: Vec<_> = story.lines.iter().filter(|(_, line)| line.partition().is_some()).collect();
    let mut crashes = 0;
    for died in 0..=records.len() {
        for kept in 0..=died {
            let (mut world, mut stored) = (World::new(&definitions, &story), Vec::new());
            for done in 0..=records.len() {
                if done == kept {
                    stored = world.stored();
                }
                if done == died {
                    let before = world.stored();
                    world.crash(&stored).unwrap();
                    assert_eq!(world.stored(), before, "stored after {kept} records, died after {died}");
                    crashes += 1;
                }
                if let Some((number, line)) = records.get(done) {
                    world.append(line).unwrap_or_else(|why| panic!("{number}: {why}"));
                }
            }
            assert_eq!(world.stored(), ended, "stored after {kept} records, died after {died}");
        }
    }
    assert_eq!(crashes, 12 * 13 / 2);
}

/// zipline-ai/chronon#1627: one event dated ahead moved the day for everybody.
///
/// An event dated further ahead than `max_skew` is a dead letter and counted; it moves no clock, so what comes after it is not
/// late and no day begins. One that is ahead by less counts when its time has come.
#[test]
fn an_event_from_the_future_moves_nothing() {
    tell(
        "
        feature count: { count: true, windows: [1h, calendar day, lifetime] }
        event 12:00 u1
        event 01-03T12:00 u1 logged=12:01 -> dead future
        event 12:02 u1
        event 12:01:30 u1
        read 12:02:30 u1 -> count_1h 3, count_calendar_day 3, count_lifetime 3
        event 12:07 u1 logged=12:02:30
        read 12:02:30 u1 -> count_1h 3, count_calendar_day 3, count_lifetime 3
        read 12:07 u1 -> count_1h 3
        read 12:07:00.000001 u1 -> count_1h 4, count_calendar_day 4
        read 01-02T00:00 u1 -> count_calendar_day 0, count_lifetime 4
        books records 5 = dead_lettered 1 + routed 4",
    );
}

/// Tecton's `AggregationLeadingEdge`: "now" was the latest event of the stream in one release and the wall clock in the next, and
/// a stream that lags makes two values of it (2 or 4 in its documentation).
///
/// A reply says which instant it is of and which event is the entity's newest; both meanings can be asked for, and an event
/// ahead of the clock is in "now".
#[test]
fn now_is_said_and_both_meanings_of_it_can_be_asked() {
    tell(
        "
        feature count: { count: true, windows: [5m, lifetime] }
        event 12:00:00 u1
        event 12:00:10 u1
        read now 12:04:59 u1 -> count_5m 2, instant 12:04:59, newest 12:00:10
        read now 12:30 u1 -> count_5m 0, count_lifetime 2, instant 12:30, newest 12:00:10
        read 12:00:10.000001 u1 -> count_5m 2, instant 12:00:10.000001, newest 12:00:10
        event 12:31 u1 logged=12:30
        read now 12:30 u1 -> count_5m 1, count_lifetime 3, instant 12:31:00.000001, newest 12:31
        read 12:30 u1 -> count_5m 0, count_lifetime 2, instant 12:30",
    );
}

/// feast-dev/feast#6615: a training row took a correction that had been written after the row's time, so a model learnt from what
/// nobody had known.
///
/// As known, a row is what was served, whatever came later; as happened, it has every correction. Both can be asked for.
#[test]
fn a_correction_does_not_leak_into_what_was_known() {
    let reproduced = tell(
        "
        feature spend: { sum: amount, windows: [1h, lifetime] }
        event 12:00 u1 amount=10
        read 12:01 u1 -> spend_1h 10, spend_lifetime 10
        event 12:00:30 u1 amount=5
        read 12:01 u1 -> spend_1h 15, spend_lifetime 15
        event 11:30 u1 amount=-10 admit
        event 10:30 u1 amount=100 admit
        read 12:01 u1 -> spend_1h 5, spend_lifetime 105
        happened 12:00:01 u1 -> spend_1h 0, spend_lifetime 100
        happened 12:01 u1 -> spend_1h 5, spend_lifetime 105",
    );
    assert_eq!(reproduced, 3);
}

/// 4paradigm/OpenMLDB#2484, #2485, #2313: a pre-aggregation added to a table that had rows was refused, or left those rows out,
/// or was wrong where buckets met rows.
///
/// A feature over what is kept is, from its first read on, what it would be if it had always been defined. What is kept only
/// from now on says so.
#[test]
fn a_feature_added_to_populated_keys_is_what_a_replay_makes_of_it() {
    let text = "
        feature spend: { sum: amount, windows: [1h] }
        event 11:20 u1 amount=1
        event 11:50:30 u1 amount=2
        event 12:00 u1 amount=4
        event 12:00 u2 amount=8
        change feature mean: { mean: amount, windows: [1h] }
        change feature recent: { sum: amount, windows: [20m], hop: 1m }
        change feature latest: { sum: amount, windows: [tumbling 1m] }
        read 12:00:30 u1 -> spend_1h 7, mean_1h 2.3333333333333335, recent_20m 6, latest_tumbling_1m 4
        event 12:00:40 u1 amount=16
        event 11:59:50 u1 amount=32
        read 12:00:50 u1 -> spend_1h 55, mean_1h 11.0, recent_20m 54, latest_tumbling_1m 20
        read 12:11:00 u1 -> spend_1h 55, recent_20m 52";
    tell(text);
    // The same values if they had been there from the first event on.
    tell(&text.replace("change feature", "feature"));
    tell(
        "
        feature spend: { sum: amount, windows: [1h] }
        event 12:00 u1 amount=4
        change feature count: { count: true, windows: [24h] }
        change feature refunds: { sum: amount, where: type == \"refund\", windows: [1h] }
        event 12:01 u1 amount=2 type=refund
        read 12:02 u1 -> spend_1h 6, count_24h 1 partial_coverage, refunds_1h 2 partial_coverage",
    );
}

/// The paper on Scale-OIJ: joins over windows that are partitioned by key keep as many threads busy as there are keys (5 of 5), and
/// lose throughput with lateness, since they keep what may still come late.
///
/// What one key holds is bounded by its windows: not by its events, not by how few keys there are, and late events are added
/// where they lie. (The work of one key is one shard's here, too.)
#[test]
fn one_key_and_much_lateness_hold_no_more_than_many() {
    let told = |keys: i64, events: i64| {
        let mut text =
            "source allowed_lateness: 1h\nfeature sum: { sum: amount, windows: [5m, 1h, lifetime] }\n".to_owned();
        let mut sums = vec![0; keys as usize];
        for event in 0..events {
            // Two hours in all, every third event late by up to an hour.
            let late = if event % 3 == 0 { (event * 7_919_000_003) % HOUR } else { 0 };
            let ts = NOON + event * (2 * HOUR / events) - late;
            let key = event % keys;
            sums[key as usize] += event % 100;
            text += &format!("event {} u{key} amount={}\n", at(ts), event % 100);
        }
        for (key, sum) in sums.iter().enumerate() {
            text += &format!("read {} u{key} -> sum_lifetime {sum}\n", at(NOON + 2 * HOUR));
        }
        world(&text).bytes_per_entity()
    };
    let (one, bound) = told(1, 6_000);
    let (one_of_more, _) = told(1, 12_000);
    let (five, _) = told(5, 30_000);
    assert!(one_of_more * 8 <= one * 9 && five * 8 <= one * 9, "{one}, {one_of_more} and {five} bytes");
    assert!(one_of_more as u64 * 8 <= bound * 9, "{one_of_more} of {bound} bytes");
}
