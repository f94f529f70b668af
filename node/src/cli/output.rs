//! Values as JSON and text. Knows no command.

use featuregrid_protocol::value::Value;
use serde_json::value::RawValue;

/// A value as JSON: numbers digit by digit as they are, never through a float.
pub(crate) fn json(value: &Value) -> Box<RawValue> {
    let text = match value {
        // A float in its shortest form is no JSON number where it is huge; its debug form always is.
        Value::Float(float) if float.is_finite() => format!("{float:?}"),
        Value::Float(_) | Value::Null => "null".to_owned(),
        Value::Int(_) | Value::Decimal { .. } => value.to_string(),
    };
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
