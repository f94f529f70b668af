//! Instants and durations: what reads, what is refused, and that floor never goes up.

use proptest::prelude::*;

use super::*;

#[test]
fn instants_read_with_offset_and_micros() {
    assert_eq!(Timestamp::parse("1970-01-01T00:00:01.000001Z"), Ok(Timestamp(1_000_001)));
    assert_eq!(Timestamp::parse("1970-01-01T02:00:00+02:00"), Ok(Timestamp(0)));
    assert!(Timestamp::parse("1970-01-01T00:00:00").is_err(), "an instant needs an offset");
    assert_eq!(Timestamp(1_000_001).to_string(), "1970-01-01T00:00:01.000001Z");
}

#[test]
fn durations_read_and_print_in_their_largest_unit() {
    for text in ["5m", "1h", "30d", "250ms", "7us"] {
        assert_eq!(Span::parse(text).map(|span| span.to_string()), Ok(text.to_owned()));
    }
    for text in ["5q", "m", "", "-5m", "1.5h", "99999999999999d"] {
        assert!(Span::parse(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn floor_is_the_largest_multiple_not_after(ts in -1_000_000_000i64..1_000_000_000, hop in 1i64..1_000_000) {
        let floored = Timestamp(ts).floor(Span(hop)).0;
        prop_assert!(floored <= ts && ts - floored < hop && floored.rem_euclid(hop) == 0);
    }
}
