//! Types and times as Feast's clients infer them.
use proptest::prelude::*;

use super::*;

fn written(of: Value) -> String {
    let mut text = String::new();
    value(&mut text, &of);
    text
}

#[test]
fn whole_numbers_and_fractions_are_told_apart() {
    assert_eq!(written(Value::Int(42)), "42");
    assert_eq!(written(Value::Int(i128::from(i64::MIN))), "-9223372036854775808");
    assert_eq!(written(Value::Int(1 << 64)), "1.8446744073709552e19");
    assert_eq!(written(Value::Float(42.0)), "42.0");
    assert_eq!(written(Value::Float(1e300)), "1e300");
    assert_eq!(written(Value::Float(f64::NAN)), "null");
    assert_eq!(written(Value::Decimal { unscaled: 4200, scale: 2 }), "42.0");
    assert_eq!(written(Value::Decimal { unscaled: -5, scale: 2 }), "-0.05");
    assert_eq!(written(Value::Null), "null");
}

#[test]
fn times_have_no_three_or_six_digits() {
    let at = |micros: i64| instant(Timestamp(1_767_268_800_000_000 + micros));
    assert_eq!(at(0), "2026-01-01T12:00:00Z");
    assert_eq!(at(500_000), "2026-01-01T12:00:00.500Z");
    assert_eq!(at(10), "2026-01-01T12:00:00.000010Z");
}

proptest! {
    /// What a client reads is the value, and its type says what it is.
    #[test]
    fn values_are_read_back(float in any::<f64>(), unscaled in any::<i64>(), scale in 0_u8..12) {
        prop_assume!(float.is_finite());
        let text = written(Value::Float(float));
        prop_assert_eq!(serde_json::from_str::<f64>(&text).unwrap().to_bits(), float.to_bits());
        prop_assert!(!serde_json::from_str::<serde_json::Value>(&text).unwrap().is_i64(), "{}", text);
        let text = written(Value::Decimal { unscaled: i128::from(unscaled), scale });
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).unwrap().is_f64(), "{}", text);
        prop_assert!(text.contains('.'));
        let text = written(Value::Int(i128::from(unscaled)));
        prop_assert_eq!(serde_json::from_str::<i64>(&text).unwrap(), unscaled);
    }
}
