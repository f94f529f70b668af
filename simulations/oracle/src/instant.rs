//! Event timestamps from JSON, counted day by day. Knows no clock and no lateness.

use featuregrid_protocol::time::Timestamp;

use crate::json::Json;

/// The instant a value names: RFC 3339 text, or whole milliseconds since 1970; `None` where it names none.
pub(crate) fn read(json: &Json<'_>) -> Option<Timestamp> {
    match json {
        Json::Number(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let whole = digits.bytes().all(|byte| byte.is_ascii_digit());
            let millis = whole.then(|| text.parse::<i64>().ok()).flatten()?;
            Timestamp::from_millis(millis)
        }
        Json::Text(text) => of_text(text),
        _ => None,
    }
}

/// The instant of RFC 3339 text: the usual shape is read here; what else counts is a question of meaning.
pub(crate) fn of_text(text: &str) -> Option<Timestamp> {
    usual(text.as_bytes()).or_else(|| Timestamp::parse(text).ok())
}

/// (year, month, day) so many days after 1970-01-01.
pub(crate) fn date(mut days: i64) -> (i64, i64, i64) {
    let (mut year, mut month) = (1970, 1);
    while days < 0 {
        year -= 1;
        days += days_of_year(year);
    }
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    while days >= days_of(year, month) {
        days -= days_of(year, month);
        month += 1;
    }
    (year, month, days + 1)
}

/// `YYYY-MM-DDTHH:MM:SS[.1 to 9 digits](Z|+HH:MM|-HH:MM)` within its ranges.
fn usual(text: &[u8]) -> Option<Timestamp> {
    let [year, month, day] = [number(text, 0, 4)?, number(text, 5, 2)?, number(text, 8, 2)?];
    let [hour, minute, second] = [number(text, 11, 2)?, number(text, 14, 2)?, number(text, 17, 2)?];
    let marks = [text[4], text[7], text[10], text[13], text[16]];
    let within = (1..=9998).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if &marks != b"--T::" || !within {
        return None;
    }
    let mut rest = &text[19..];
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        for place in 0..6 {
            micros = micros * 10 + fraction[..digits].get(place).map_or(0, |digit| i64::from(digit - b'0'));
        }
        rest = &fraction[digits..];
    }
    let offset = match rest {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (number(rest, 1, 2)?, number(rest, 4, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'+' { 60 } else { -60 }
        }
        _ => return None,
    };
    let before: i64 = (1970..year).map(days_of_year).sum::<i64>() - (year..1970).map(days_of_year).sum::<i64>();
    let days = before + (1..month).map(|month| days_of(year, month)).sum::<i64>() + day - 1;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset;
    Some(Timestamp(seconds * 1_000_000 + micros))
}

fn number(text: &[u8], at: usize, length: usize) -> Option<i64> {
    let digits = text.get(at..at + length)?;
    let whole = digits.iter().all(u8::is_ascii_digit);
    whole.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_year(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    //! Instants with numbers known from elsewhere (`date -u -d`), and agreement on every usual text.
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Option<i64> {
        read(&Json::Text(text.into())).map(|instant| instant.0)
    }

    #[test]
    fn texts() {
        assert_eq!(text("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(text("2026-01-01T12:00:00Z"), Some(1_767_268_800_000_000));
        assert_eq!(text("2024-02-29T23:59:59.9999999+01:30"), Some(1_709_245_799_999_999));
        assert_eq!(text("1969-12-31T23:59:59.5Z"), Some(-500_000));
        assert_eq!(text("2023-02-29T00:00:00Z"), None);
        assert_eq!(text("2026-01-01T12:00:00"), None);
        assert_eq!(text("yesterday"), None);
        assert_eq!(text("1767268800000"), None);
    }

    #[test]
    fn whole_milliseconds() {
        let number = |text| read(&Json::Number(text)).map(|instant| instant.0);
        assert_eq!(number("1767268800000"), Some(1_767_268_800_000_000));
        assert_eq!(number("-1"), Some(-1000));
        for none in ["1.0", "1e3", "9223372036854775807", "253402300800000", "99999999999999999999"] {
            assert_eq!(number(none), None, "{none}");
        }
        assert_eq!(read(&Json::Bool(true)), None);
        assert_eq!(read(&Json::Null), None);
    }

    proptest! {
        #[test]
        fn usual_texts_mean_what_the_words_say(
            (year, month, day) in (1i64..9999, 0i64..14, 0i64..33),
            (hour, minute, second) in (0i64..25, 0i64..61, 0i64..60),
            fraction in "(\\.[0-9]{1,9})?", zone in "Z|[+-][01][0-9]:[0-5][0-9]",
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}");
            let read = usual(text.as_bytes());
            prop_assert_eq!(read, Timestamp::parse(&text).ok(), "{}", text);
        }
    }
}
