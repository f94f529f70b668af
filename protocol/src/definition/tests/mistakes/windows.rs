//! Windows that cannot be, or cannot be beside each other.

use super::feature;

#[test]
fn mistakes_in_windows() {
    for (features, want) in [
        ("a: { count: true, windows: 5m }", "15:34 feature `a`, `windows`: expected a list"),
        ("a: { count: true, windows: [] }", "15:34 feature `a`, `windows`: expected a list"),
        (
            "a: { count: true, windows: [60m, 1h] }",
            "15:40 feature `a`, `windows`: `1h` is the same window as that of `a_60m`",
        ),
        ("a: { count: true, windows: [0s] }", "15:35 feature `a`, `windows`: a window is longer than nothing"),
        ("a: { count: true, windows: [40000d] }", "15:35 feature `a`, `windows`: 40000d is longer than 36500d"),
        ("a: { count: true, windows: [5m], hop: 0s }", "15:45 feature `a`, `windows`: a hop is longer than nothing"),
        (
            "a: { count: true, windows: [5m], hop: 10m }",
            "15:45 feature `a`, `windows`: the window 5m is shorter than its hop 10m",
        ),
        (
            "a: { count: true, windows: [500ms] }",
            "15:35 feature `a`, `windows`: the window 500ms is shorter than its hop 1s",
        ),
        ("a: { count: true, windows: [lifetime], hop: 5s }", "15:51 feature `a`, `windows`: lifetime has no hop"),
        ("a: { count: true, windows: [lifetime], hop: exact }", "15:51 feature `a`, `windows`: lifetime has no hop"),
        (
            "a: { count: true, windows: [tumbling 1h], hop: exact }",
            "15:54 feature `a`, `windows`: only rolling windows have a hop",
        ),
        (
            "a: { count: true, windows: [5m], hop: exact, offset: 10m }",
            "15:60 feature `a`, `offset`: `a_5m` is exact, and what lies back ends on a hop; remove `offset`, or",
        ),
        (
            "a: { count: true, windows: [999ms], hop: exact }",
            "15:35 feature `a`, `windows`: 999ms is too short to be exact; write at least 1s",
        ),
        (
            "a: { count: true, windows: [5m, { rolling: 5m, hop: exact }] }",
            "15:50 feature `a`, `windows`: `5m` is the same window as that of `a_5m`; remove one; another hop",
        ),
        ("a: { count: true, windows: [5m], hop: exactly }", "15:45 feature `a`, `hop`: "),
        ("a: { count: true, window: tumbling }", "15:33 feature `a`, `window`: `tumbling` is no window; write, for"),
        (
            "a: { count: true, window: tumbling 5m first }",
            "15:33 feature `a`, `window`: `first` is neither `current` nor `last`",
        ),
        (
            "a: { count: true, window: last 0 }",
            "15:33 feature `a`, `window`: `0` is no whole number from 1 to 64, so many last events",
        ),
        ("a: { count: true, window: last_n 10 }", "15:33 feature `a`, `window`: `last_n 10` is no window; write, for"),
        (
            "a: { count: true, window: last 10 within 0s }",
            "15:33 feature `a`, `window`: a window is longer than nothing",
        ),
        ("a: { count: true, window: { last: 10, which: last } }", "15:45 feature `a`, `window`: unknown key `which`"),
        (
            "a: { count: true, windows: [last 10, last 10 within 1h] }",
            "15:44 feature `a`, `windows`: `last_10` is another window than that of `a_last_10` with the same name",
        ),
        ("a: { rate: true, window: last 10 }", "15:32 feature `a`: `rate` is rows a second of a window's length"),
        (
            "a: { min_by: amount, by: count, window: last 10 }",
            "15:47 feature `a`: `min_by` looks at a piece of time, not at so many events",
        ),
        (
            "a: { count: true, window: last 10, offset: 1h }",
            "15:50 feature `a`, `offset`: `a` is of the last events, which has no offset",
        ),
        ("a: { count: true, window: tumbling 0s }", "15:33 feature `a`, `window`: a window is longer than nothing"),
        (
            "a: { count: true, window: tumbling 7s }",
            "15:33 the tumbling window 7s neither divides 5s nor is a multiple of it",
        ),
        (
            "a: { count: true, windows: [24h, tumbling 45m] }",
            "15:40 the tumbling window 45m is no multiple of 30m, by which another window of this view moves",
        ),
        (
            "a: { count: true, windows: [tumbling 60m, tumbling 1h] }",
            "15:49 feature `a`, `windows`: `tumbling_1h` is the same window as that of `a_tumbling_60m`",
        ),
        (
            "a: { count: true, windows: [tumbling 1h last, series 1h count 2] }",
            "15:53 feature `a`, `windows`: `1h` is the same window as that of `a_last_tumbling_1h`",
        ),
        ("a: { count: true, windows: [tumbling 1h], hop: 5s }", "15:54 feature `a`, `windows`: only rolling windows"),
        (
            "a: { count: true, windows: [tumbling 1h], offset: 1d }",
            "15:57 feature `a`, `offset`: `a_tumbling_1h` is not complete, and so has no offset",
        ),
        (
            "a: { count: true, window: hopping 1h every 7m }",
            "15:33 feature `a`, `window`: 7m does not divide 1h; write an `every` that does",
        ),
        ("a: { count: true, window: hopping 1h }", "15:33 feature `a`, `window`: `hopping 1h` is no window"),
        (
            "a: { count: true, window: { hopping: 1h } }",
            "15:33 feature `a`, `window`: `every` is missing; add, for example, `every: 5m`",
        ),
        (
            "a: { count: true, windows: [hopping 1h every 5m, hopping 1h every 10m] }",
            "15:56 feature `a`, `windows`: `hopping_1h` is another window than that of `a_hopping_1h` with the same name",
        ),
        (
            "a: { count: true, window: series 1h count 367 }",
            "15:33 feature `a`, `window`: `367` is no whole number from 1 to 366",
        ),
        (
            "a: { count: true, window: { series: 1h, count: some } }",
            "15:54 feature `a`, `window`: `some` is no whole number from 1 to 366",
        ),
        (
            "a: { count: true, window: series 1000d count 366 }",
            "15:33 feature `a`, `window`: 366 times 1000d is longer than 36500d",
        ),
        (
            "a: { count: true, window: calendar year }",
            "15:33 feature `a`, `window`: `year` is no unit of the calendar; there is `hour`, `day`, `week`, `month`",
        ),
        (
            "a: { count: true, window: { calendar: huor } }",
            "15:45 feature `a`, `window`: `huor` is no unit of the calendar; did you mean `hour`?",
        ),
        (
            "a: { count: true, window: { calendar: day, timezone: Europe/Berlni } }",
            "15:60 feature `a`, `window`: `Europe/Berlni` is no time zone; did you mean `Europe/Berlin`?",
        ),
        (
            "a: { count: true, window: calendar day Mars }",
            "15:33 feature `a`, `window`: `Mars` is no time zone; write its name in the IANA database",
        ),
        (
            "a: { count: true, window: calendar day UTC first }",
            "15:33 feature `a`, `window`: `first` is neither `current` nor `last`",
        ),
        (
            "a: { count: true, window: calendar day lsat }",
            "15:33 feature `a`, `window`: `lsat` is neither `current` nor `last`",
        ),
        ("a: { count: true, window: calendar }", "15:33 feature `a`, `window`: `calendar` is no window; write, for"),
        (
            "a: { count: true, windows: [calendar day, calendar day Asia/Tokyo] }",
            "15:49 feature `a`, `windows`: `calendar_day` is another window than that of `a_calendar_day` with the same",
        ),
        (
            "a: { count: true, windows: [calendar day, calendar day utc] }",
            "15:49 feature `a`, `windows`: `calendar_day` is the same window as that of `a_calendar_day`",
        ),
        (
            "a: { count: true, windows: [calendar day, tumbling 7h] }",
            "15:35 the calendar's tile 1d is no multiple of 7h, by which another window of this view moves",
        ),
        (
            "a: { count: true, windows: [calendar day], hop: 1h }",
            "15:55 feature `a`, `windows`: only rolling windows have a hop",
        ),
        (
            "a: { count: true, windows: [calendar day], offset: 1d }",
            "15:58 feature `a`, `offset`: `a_calendar_day` is of the calendar, which has no offset",
        ),
        ("a: { rate: true, window: calendar day }", "15:32 feature `a`: `rate` is rows a second of a window's length"),
        ("a: { count: true, window: calendar month Asia/Kathmandu last }", "11:3 an entity of this view could have"),
        ("a: { count: true, window: { tumbling: 5m, hop: 1m } }", "15:49 feature `a`, `window`: unknown key `hop`"),
        ("a: { count: true, window: session }", "15:33 feature `a`, `window`: `session` is no window; write, for"),
        ("a: { count: true, window: session 30m 24h }", "15:33 feature `a`, `window`: `24h` is neither `current`"),
        ("a: { count: true, window: session 999ms }", "15:33 feature `a`, `window`: a session's gap is at least 1s"),
        (
            "a: { count: true, window: session 30m within 20m last }",
            "15:33 feature `a`, `window`: sessions are looked for within 20m, which is less than their gap 30m",
        ),
        (
            "a: { count: true, window: { session: 1000d } }",
            "15:44 feature `a`, `window`: sessions would be looked for within more than 36500d",
        ),
        ("a: { count: true, window: session 1s within 2h }", "11:3 an entity of this view could have"),
        ("a: { rate: true, window: session 30m }", "15:32 feature `a`: `rate` is rows a second of a window's length"),
        (
            "a: { count: true, windows: [session 30m], hop: 1m }",
            "15:54 feature `a`, `windows`: only rolling windows have a hop",
        ),
        (
            "a: { count: true, windows: [session 30m], offset: 1d }",
            "15:57 feature `a`, `offset`: `a_session_30m` is a session, which has no offset",
        ),
        (
            "a: { count: true, windows: [session 30m, session 30m within 30d] }",
            "15:48 feature `a`, `windows`: `session_30m` is the same window as that of `a_session_30m`; remove one",
        ),
        (
            "a: { count: true, windows: [session 30m, session 30m within 2h] }",
            "15:48 feature `a`, `windows`: `session_30m` is another window than that of `a_session_30m` with the same name",
        ),
        (
            "a: { count: true, windows: [tumbling 7m, session 30m] }",
            "15:48 the session's tile 30m is no multiple of 7m, by which another window of this view moves",
        ),
        (
            "a: { count: true, windows: [{ tumbling: 5m, rolling: 5m }] }",
            "15:51 feature `a`, `windows`: `tumbling` and `rolling` are two windows; write one entry for each",
        ),
    ] {
        feature(features, want);
    }
}
