//! Values sent with a read as JSON has them: in a request of Feast, in a row of a spine. Knows no declared type.

use std::borrow::Cow;

use featuregrid_protocol::request::Written;
use serde_json::value::RawValue;

/// A JSON value; numbers keep their digits.
pub(crate) fn written(value: &RawValue) -> Written<'_> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'n') => Written::Null,
        Some(b't') => Written::Bool(true),
        Some(b'f') => Written::Bool(false),
        // What cannot be decoded (half of a pair of surrogates) is no text.
        Some(b'"') => {
            serde_json::from_str::<String>(text).map_or(Written::Composite, |text| Written::Text(text.into()))
        }
        Some(b'[' | b'{') | None => Written::Composite,
        Some(_) => Written::Number(Cow::Borrowed(text)),
    }
}

#[cfg(test)]
mod tests {
    //! Every kind of JSON.
    use super::*;

    #[test]
    fn json_is_what_it_says() {
        let read = |text: &str| written(serde_json::from_str::<&RawValue>(text).unwrap()).to_string();
        let texts = ["null", "true", "false", "-12.50", "1e400", "\"a\\u00e9\"", "[1]", "{}", "\"\\ud800\""];
        let composite = "a list or an object";
        let want = ["null", "true", "false", "-12.50", "1e400", "\"aé\"", composite, composite, composite];
        assert_eq!(texts.map(read), want);
    }
}
