//! Where units begin, as the calendars and clocks of the places say; taken from `zdump` and the wall, not from the code.

use super::*;

/// (unit, zone, instant, where the unit of the instant began, where the one before began)
const KNOWN: [(Unit, &str, &str, &str, &str); 25] = [
    (Unit::Day, "UTC", "2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
    // Clocks are set forwards, then back: 23 hours and 25.
    (Unit::Day, "Europe/Berlin", "2026-03-29T21:59:59Z", "2026-03-28T23:00:00Z", "2026-03-27T23:00:00Z"),
    (Unit::Day, "Europe/Berlin", "2026-03-29T22:00:00Z", "2026-03-29T22:00:00Z", "2026-03-28T23:00:00Z"),
    (Unit::Day, "Europe/Berlin", "2026-10-25T22:59:59Z", "2026-10-24T22:00:00Z", "2026-10-23T22:00:00Z"),
    (Unit::Day, "Europe/Berlin", "2026-10-25T23:00:00Z", "2026-10-25T23:00:00Z", "2026-10-24T22:00:00Z"),
    (Unit::Week, "Europe/Berlin", "2026-03-29T22:00:00Z", "2026-03-29T22:00:00Z", "2026-03-22T23:00:00Z"),
    (Unit::Month, "Europe/Berlin", "2026-10-31T22:59:59Z", "2026-09-30T22:00:00Z", "2026-08-31T22:00:00Z"),
    (Unit::Hour, "Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T00:00:00Z"),
    // A day without a midnight, and one with two.
    (Unit::Day, "America/Sao_Paulo", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-03T03:00:00Z"),
    (Unit::Day, "America/Havana", "2026-11-01T05:30:00Z", "2026-11-01T04:00:00Z", "2026-10-31T04:00:00Z"),
    // A day of 27 hours; one of 31, of which 27 count, and the four before them as a day of their own.
    (Unit::Day, "Antarctica/Casey", "2020-03-08T15:59:59Z", "2020-03-07T13:00:00Z", "2020-03-06T13:00:00Z"),
    (Unit::Day, "Antarctica/Vostok", "1994-01-31T23:30:00Z", "1994-01-30T21:00:00Z", "1994-01-30T17:00:00Z"),
    // There was no 30th.
    (Unit::Day, "Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T10:00:00Z", "2011-12-29T10:00:00Z"),
    (Unit::Month, "UTC", "2024-03-01T00:00:00Z", "2024-03-01T00:00:00Z", "2024-02-01T00:00:00Z"),
    (Unit::Day, "America/New_York", "2024-03-01T04:59:59Z", "2024-02-29T05:00:00Z", "2024-02-28T05:00:00Z"),
    (Unit::Month, "Asia/Kathmandu", "2026-01-31T18:14:59Z", "2025-12-31T18:15:00Z", "2025-11-30T18:15:00Z"),
    // Weeks go on over the ends of years, begin on Mondays, and did so before 1970.
    (Unit::Week, "UTC", "2027-01-03T23:59:59Z", "2026-12-28T00:00:00Z", "2026-12-21T00:00:00Z"),
    (Unit::Week, "UTC", "1969-12-31T23:59:59.999999Z", "1969-12-29T00:00:00Z", "1969-12-22T00:00:00Z"),
    (Unit::Month, "UTC", "1969-12-31T23:59:59.999999Z", "1969-12-01T00:00:00Z", "1969-11-01T00:00:00Z"),
    (Unit::Day, "America/New_York", "1969-12-31T04:59:59.999999Z", "1969-12-30T05:00:00Z", "1969-12-29T05:00:00Z"),
    (Unit::Hour, "UTC", "1969-12-31T23:59:59.999999Z", "1969-12-31T23:00:00Z", "1969-12-31T22:00:00Z"),
    (Unit::Hour, "Asia/Kolkata", "2026-01-01T12:29:59Z", "2026-01-01T11:30:00Z", "2026-01-01T10:30:00Z"),
    // Set back by half an hour at 15:00: the hour is that of the clocks as they are set at the instant.
    (Unit::Hour, "Australia/Lord_Howe", "2026-04-04T15:10:00Z", "2026-04-04T14:30:00Z", "2026-04-04T14:00:00Z"),
    (Unit::Hour, "Australia/Lord_Howe", "2026-04-04T14:59:59Z", "2026-04-04T14:00:00Z", "2026-04-04T13:00:00Z"),
    // Noon was where the sun stood: midnight was 53 minutes and 28 seconds before that of Greenwich, and is rounded down.
    (Unit::Day, "Europe/Berlin", "1850-06-01T12:00:00Z", "1850-05-31T23:00:00Z", "1850-05-30T23:00:00Z"),
];

#[test]
fn units_begin_where_the_wall_says() {
    for (unit, place, t, want, before) in KNOWN {
        let [t, want, before] = [t, want, before].map(|text| Timestamp::parse(text).unwrap());
        let units = Units::new(Calendar::new(unit, place).unwrap());
        assert_eq!(units.start(t), want, "{unit:?} {place} {t}");
        assert_eq!(units.start_before(t), before, "before {unit:?} {place} {t}");
    }
}

/// Since 1970, everywhere: a boundary that is rounded, or a unit that is longer than it is taken to be, is one of these.
#[test]
fn the_exceptions_are_known() {
    const ROUNDED: [&str; 2] = ["Africa/Monrovia", "Pacific/Kiritimati"];
    const LONGER: [&str; 1] = ["Antarctica/Vostok"];
    let [since, until] = [0, 1_798_761_600].map(|second| Instant::from_second(second).unwrap());
    let (mut boundaries, mut rounded, mut longer) = (0, Vec::new(), Vec::new());
    for name in zone::names() {
        for (unit, lengths) in [(Unit::Day, &[24][..]), (Unit::Week, &[7 * 24]), (Unit::Month, &[28 * 24, 31 * 24])] {
            let units = Units::new(Calendar::new(unit, &name).unwrap());
            for change in units.zone.following(since).take_while(|change| change.timestamp() < until) {
                // Where the unit in which clocks are set began and, wherever in it that is, where the next one did.
                let at = Timestamp(change.timestamp().as_microsecond());
                for hours in lengths.iter().flat_map(|hours| [0, *hours, hours + 4]) {
                    let next = units.first(at + Span::seconds(hours * 3600)).unwrap();
                    let last = next - Span::TICK;
                    boundaries += 1;
                    rounded.extend((next.floor(units.hop()) != next).then(|| name.clone()));
                    longer.extend((units.start(last) > units.first(last).unwrap()).then(|| name.clone()));
                }
            }
        }
    }
    rounded.dedup();
    longer.dedup();
    assert!(boundaries > 100_000, "{boundaries}");
    assert_eq!((rounded, longer), (ROUNDED.map(str::to_owned).to_vec(), LONGER.map(str::to_owned).to_vec()));
}

/// Beyond the years that have a name a unit is as long as it may be; nothing panics.
#[test]
fn the_ends_of_time_have_units() {
    for unit in Unit::ALL {
        let calendar = Calendar::new(unit, "America/New_York").unwrap();
        let units = Units::new(calendar);
        for t in [Timestamp::MIN, Timestamp(i64::MIN / 2), Timestamp(i64::MAX / 2), Timestamp::MAX] {
            assert!(units.start_before(t) <= units.start(t) && units.start(t) <= t, "{unit:?} {t}");
        }
        let far = Timestamp(i64::MAX / 2);
        assert_eq!(units.start(far), (far - calendar.reach()).floor(calendar.hop), "{unit:?}");
    }
}
