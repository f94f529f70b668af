//! What goes in comes out, and no digit is lost.

use proptest::prelude::*;

use super::*;

fn column(values: &[Value]) -> FeatureColumn {
    let flags = values.iter().map(|value| if *value == Value::Null { FeatureColumn::NO_VALUE } else { 0 });
    FeatureColumn { values: Values::of(values.iter()), flags: flags.collect(), ..FeatureColumn::default() }
}

fn value() -> impl Strategy<Value = Value> {
    let int = prop_oneof![any::<i64>().prop_map(i128::from), any::<i128>()];
    prop_oneof![
        1 => Just(Value::Null),
        4 => int.clone().prop_map(Value::Int),
        4 => (int, 0u8..10).prop_map(|(unscaled, scale)| Value::Decimal { unscaled, scale }),
        4 => any::<f64>().prop_filter("a number", |float| !float.is_nan()).prop_map(Value::Float),
    ]
}

proptest! {
    #[test]
    fn a_column_reads_back(values in prop_oneof![
        prop::collection::vec(value(), 0..20),
        prop::collection::vec(any::<i64>().prop_map(|int| Value::Int(int.into())), 0..20),
        prop::collection::vec(any::<i64>().prop_map(|int| Value::Decimal { unscaled: int.into(), scale: 2 }), 0..20),
    ]) {
        let column = column(&values);
        for (at, value) in values.iter().enumerate() {
            // Digits are the value: which of two kinds carries a large one, and zeros at the end, are not.
            prop_assert_eq!(column.value(at).to_string(), value.to_string());
        }
        prop_assert_eq!(column.value(values.len()), Value::Null);
    }
}

#[test]
fn columns_of_one_kind_are_packed() {
    let decimal = |unscaled| Value::Decimal { unscaled, scale: 2 };
    let packed = Decimals { unscaled: vec![0, -1230], scale: 2 };
    assert_eq!(column(&[Value::Null, decimal(-1230)]).values, Some(Values::Decimals(packed)));
    assert_eq!(column(&[Value::Float(0.5)]).values, Some(Values::Floats(Floats { values: vec![0.5] })));
    let large = i128::from(i64::MAX) + 1;
    assert!(matches!(column(&[Value::Int(1), Value::Int(large)]).values, Some(Values::Mixed(_))));
    assert_eq!(column(&[Value::Null, Value::Null]).values, None);
}
