//! Decimals from their own text, by moving digits of a string. Knows no field.

/// What a text is as a number with `scale` digits after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    /// value x 10^scale, half even.
    Unscaled(i64),
    /// A number, but no finite one that an i64 holds.
    Bad,
    /// No number.
    Nonsense,
}

/// More whole digits than these never fit an i64 (19 digits); well within an i128 (38 digits).
const WHOLE_DIGITS_MAX: i128 = 25;

/// Reads `12`, `-12.50`, `+.5`, `1.25e3`; `NaN`, `Inf`, `-Infinity` in any case are [`Number::Bad`].
pub(crate) fn read(text: &str, scale: u8) -> Number {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if ["nan", "inf", "infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return Number::Bad;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => match read_exponent(exponent) {
            Some(exponent) => (mantissa, exponent),
            None => return Number::Nonsense,
        },
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return Number::Nonsense;
    }
    // The value x 10^scale is `digits` with the point after the first `point` of them.
    let digits = all.trim_start_matches('0');
    let point = whole.len() as i128 - (all.len() - digits.len()) as i128 + exponent + i128::from(scale);
    if digits.is_empty() || point < 0 {
        return Number::Unscaled(0);
    }
    if point > WHOLE_DIGITS_MAX {
        return Number::Bad;
    }
    let point = point as usize;
    let kept = format!("0{:0<point$}", &digits[..point.min(digits.len())]);
    let cut = digits.get(point..).unwrap_or("");
    let Ok(magnitude) = kept.parse::<i128>() else { return Number::Bad };
    let above_half =
        cut.starts_with(['6', '7', '8', '9']) || (cut.starts_with('5') && cut[1..].bytes().any(|digit| digit != b'0'));
    let half = cut.starts_with('5') && !above_half;
    let rounded = if above_half || (half && magnitude % 2 == 1) { magnitude + 1 } else { magnitude };
    let signed = if negative { -rounded } else { rounded };
    i64::try_from(signed).map_or(Number::Bad, Number::Unscaled)
}

/// An exponent, clamped where no text is long enough to make up for it.
fn read_exponent(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let magnitude = if digits.len() > 15 { 10i128.pow(15) } else { digits.parse().unwrap_or(0) };
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    //! Every line worked out by hand.
    use super::Number::{Bad, Nonsense, Unscaled};
    use super::*;

    #[test]
    fn half_even_at_the_last_digit_kept() {
        for (text, scale, want) in [
            ("0.1", 2, 10),
            ("12.50", 2, 1250),
            ("0.005", 2, 0),
            ("0.015", 2, 2),
            ("0.025", 2, 2),
            ("0.0251", 2, 3),
            ("0.02500000000000000000000000000001", 2, 3),
            ("-0.015", 2, -2),
            ("-0.025", 2, -2),
            ("0.5", 0, 0),
            ("1.5", 0, 2),
            ("2.5", 0, 2),
            ("0.95", 1, 10),
            ("9.995", 2, 1000),
            ("9.985", 2, 998),
            ("0.4999999", 0, 0),
            ("1e2", 2, 10000),
            ("1.25e1", 1, 125),
            ("125e-1", 0, 12),
            ("135e-1", 0, 14),
            ("1e-400", 6, 0),
            ("0e999999999999999999999", 6, 0),
            ("+.5", 1, 5),
            ("5.", 0, 5),
            ("0007", 0, 7),
            ("-0", 2, 0),
            ("0.05", 1, 0),
            ("0.06", 1, 1),
            ("0.006", 1, 0),
        ] {
            assert_eq!(read(text, scale), Unscaled(want), "{text} as decimal({scale})");
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(read("9223372036854775807", 0), Unscaled(i64::MAX));
        assert_eq!(read("9223372036854775807.4", 0), Unscaled(i64::MAX));
        assert_eq!(read("9223372036854775807.5", 0), Bad);
        assert_eq!(read("-9223372036854775808.5", 0), Unscaled(i64::MIN));
        assert_eq!(read("-9223372036854775808.6", 0), Bad);
        assert_eq!(read("92233720368547758.07", 2), Unscaled(i64::MAX));
        assert_eq!(read("1e18", 1), Bad);
        assert_eq!(read("1e999", 0), Bad);
        let long = format!("1{}e-2000", "0".repeat(2000));
        assert_eq!(read(&long, 0), Unscaled(1));
    }

    #[test]
    fn words_and_nonsense() {
        for bad in ["NaN", "-nan", "Inf", "+INFINITY", "-Infinity"] {
            assert_eq!(read(bad, 2), Bad, "{bad}");
        }
        for nonsense in
            ["", "-", "+", ".", "abc", "1,5", " 1", "1 ", "0x10", "1e", "1e+", "--1", "1.2.3", "e5", "1e5e5", "é"]
        {
            assert_eq!(read(nonsense, 2), Nonsense, "{nonsense}");
        }
    }
}
