//! Numbers and instants as text, written by hand because a bench prefills millions. Knows no record.

use featuregrid_protocol::time::Timestamp;

/// A number with at least so many digits.
pub(super) fn number(out: &mut Vec<u8>, mut value: u64, digits: usize) {
    let mut text = [b'0'; 20];
    let mut at = text.len();
    while value > 0 || text.len() - at < digits {
        at -= 1;
        text[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(&text[at..]);
}

/// Sixteen hexadecimal digits.
pub(super) fn hex(out: &mut Vec<u8>, value: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend((0..16).rev().map(|at| DIGITS[(value >> (4 * at) & 15) as usize]));
}

/// `2026-01-01T12:00:00.000Z`: RFC 3339 with milliseconds, for the years 1970 to 9999.
pub(super) fn instant(out: &mut Vec<u8>, ts: Timestamp) {
    let millis = ts.0.max(0) as u64 / 1000;
    let (days, of_day) = (millis / 86_400_000, millis % 86_400_000);
    let (year, month, day) = date(days);
    number(out, year, 4);
    for (mark, value) in [
        (b'-', month),
        (b'-', day),
        (b'T', of_day / 3_600_000),
        (b':', of_day / 60_000 % 60),
        (b':', of_day / 1000 % 60),
    ] {
        out.push(mark);
        number(out, value, 2);
    }
    out.push(b'.');
    number(out, of_day % 1000, 3);
    out.push(b'Z');
}

/// The civil date of a day since 1970-01-01, by years that begin in March, where the leap day comes last.
fn date(days: u64) -> (u64, u64, u64) {
    let since_era = days + 719_468; // from 0000-03-01
    let (cycle, of_cycle) = (since_era / 146_097, since_era % 146_097);
    let year_of_cycle = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (cycle * 400 + year_of_cycle + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    //! Instants are written as they are read.
    use super::*;

    #[test]
    fn instants_read_back() {
        for days in (0..2_900_000).step_by(61) {
            let ts = Timestamp(days * 86_400_000_000 + days * 29_000 % 86_400_000_000);
            let mut text = Vec::new();
            instant(&mut text, ts);
            let text = String::from_utf8(text).unwrap();
            assert_eq!(Timestamp::parse(&text), Ok(ts), "{text}");
        }
    }
}
