//! Numbers from text against a naive reading in wide integers.

use proptest::prelude::*;

use super::*;

#[test]
fn texts_read_exactly() {
    let cents = Domain::Decimal(2);
    for (text, want) in [
        ("12.50", 1250),
        ("-0.005", 0),
        ("0.015", 2),
        ("0.025", 2),
        ("0.0250000001", 3),
        ("1e3", 100_000),
        ("1.25E-1", 12),
        ("1.35e-1", 14),
        ("-.5", -50),
        ("7.", 700),
        ("0e999999999999999999", 0),
        ("1e-999999999999999999", 0),
    ] {
        assert_eq!(cents.parse(text), Number::Unscaled(want), "{text}");
    }
    assert_eq!(Domain::Int.parse("9223372036854775807"), Number::Unscaled(i64::MAX));
    assert_eq!(Domain::Int.parse("-9223372036854775808"), Number::Unscaled(i64::MIN));
    for text in ["9223372036854775808", "NaN", "-Infinity", "inf", "1e400"] {
        assert_eq!(Domain::Int.parse(text), Number::Bad, "{text}");
    }
    for text in ["", "-", ".", "1.2.3", "abc", "1e", "0x10", " 1", "--1"] {
        assert_eq!(cents.parse(text), Number::NotANumber, "{text}");
    }
}

proptest! {
    /// whole.fraction at a scale, rounded by comparing remainders of wide integers.
    #[test]
    fn half_even_agrees_with_wide_integers(negative: bool, whole in 0u64..1_000_000_000, fraction in "[0-9]{0,9}", scale in 0u8..6) {
        let text = format!("{}{whole}.{fraction}", if negative { "-" } else { "" });
        let nine = format!("{fraction:0<9}").parse::<i128>().unwrap();
        let wide = (i128::from(whole) * 1_000_000_000 + nine) * 10i128.pow(u32::from(scale));
        let (quotient, rest) = (wide / 1_000_000_000, wide % 1_000_000_000);
        let up = rest > 500_000_000 || (rest == 500_000_000 && quotient % 2 == 1);
        let magnitude = quotient + i128::from(up);
        let want = if negative { -magnitude } else { magnitude };
        prop_assert_eq!(Domain::Decimal(scale).parse(&text), Number::Unscaled(want as i64));
    }
}
