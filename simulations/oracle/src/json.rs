//! JSON with numbers as their own text. Knows no field.
//!
//! A path is walked level by level through `serde_json`'s raw values: every level is scanned again for the level below
//! it, which is slow and leaves no number that was ever a float.

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// Letter by letter as written.
    Number(&'a str),
    Text(Cow<'a, str>),
    /// No field reads one.
    Array,
    /// Its members in order, doubled names included, each value as written.
    Object(Vec<(Cow<'a, str>, &'a str)>),
}

impl<'a> Json<'a> {
    /// The value of a payload, or `None` where it is not exactly one JSON object in UTF-8 with paired surrogates.
    pub(crate) fn object(payload: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(payload).ok()?;
        let raw: &RawValue = serde_json::from_str(text).ok()?;
        let is_object = raw.get().starts_with('{') && surrogates_are_paired(raw.get());
        is_object.then(|| Json::value(raw.get()))
    }

    /// The value at a path; a missing step is null, and of doubled names the last counts.
    pub(crate) fn at(&self, path: &[String]) -> Json<'a> {
        let Some((name, rest)) = path.split_first() else { return self.clone() };
        let Json::Object(members) = self else { return Json::Null };
        match members.iter().rev().find(|(member, _)| member == name) {
            Some((_, text)) => Json::value(text).at(rest),
            None => Json::Null,
        }
    }

    /// A value by its first letter; `text` is valid JSON.
    fn value(text: &'a str) -> Self {
        match text.as_bytes().first() {
            Some(b'n') | None => Json::Null,
            Some(b't') => Json::Bool(true),
            Some(b'f') => Json::Bool(false),
            Some(b'"') => serde_json::from_str::<Text<'_>>(text).map_or(Json::Null, |text| Json::Text(text.0)),
            Some(b'[') => Json::Array,
            Some(b'{') => {
                serde_json::from_str::<Members<'_>>(text).map_or(Json::Null, |members| Json::Object(members.0))
            }
            Some(_) => Json::Number(text),
        }
    }
}

/// Whether each `\ud800` to `\udbff` is followed by one of `\udc00` to `\udfff`, and none of those stands alone. In valid
/// JSON a backslash stands in strings only.
fn surrogates_are_paired(text: &str) -> bool {
    let mut rest = text;
    let mut is_high_before = false;
    while let Some(at) = rest.find('\\') {
        let unit = rest.get(at + 2..at + 6).filter(|_| rest[at + 1..].starts_with('u'));
        let unit = unit.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let is_low = unit.is_some_and(|unit| (0xdc00..0xe000).contains(&unit));
        let follows_high = is_high_before && at == 0;
        if is_low != follows_high || (is_high_before && at > 0) {
            return false;
        }
        is_high_before = unit.is_some_and(|unit| (0xd800..0xdc00).contains(&unit));
        rest = &rest[at + if unit.is_some() { 6 } else { 2 }..];
    }
    !is_high_before
}

/// A string, borrowed where it holds no escape.
struct Text<'a>(Cow<'a, str>);

/// The members of an object.
struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de> serde::Deserialize<'de> for Text<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<Text<'de>, &RawValue>()? {
                    members.push((name.0, value.get()));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    //! What is an object, and what its paths name.
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn numbers_keep_their_text() {
        let json = Json::object(br#" {"a":{"b":12.50,"c":1e400}} "#).unwrap();
        assert_eq!(json.at(&path("a.b")), Json::Number("12.50"));
        assert_eq!(json.at(&path("a.c")), Json::Number("1e400"));
    }

    #[test]
    fn a_missing_step_is_null() {
        let json = Json::object(br#"{"a":"text","n":null}"#).unwrap();
        for missing in ["b", "a.b", "n", "n.x", "a.b.c"] {
            assert_eq!(json.at(&path(missing)), Json::Null, "{missing}");
        }
    }

    #[test]
    fn escapes_are_read_and_the_last_of_doubled_names_counts() {
        let json = Json::object(br#"{"a":"x\u0041\n","b":1,"\u0062":2}"#).unwrap();
        assert_eq!(json.at(&path("a")), Json::Text("xA\n".into()));
        assert_eq!(json.at(&path("b")), Json::Number("2"));
    }

    #[test]
    fn what_is_not_one_object_is_undecodable() {
        let bad: [&[u8]; 11] = [
            b"",
            b"{",
            b"[1]",
            b"1",
            b"{} {}",
            b"{\"a\":01}",
            b"{\"a\":NaN}",
            b"{\"a\":1,}",
            b"{\"a\":\"\xff\"}",
            b"{\"unused\":\"\\ud800\"}",
            b"{\"a\":[1,}",
        ];
        for payload in bad {
            assert_eq!(Json::object(payload), None, "{}", String::from_utf8_lossy(payload));
        }
    }

    #[test]
    fn depth_is_no_reason_to_refuse() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Json::object(deep.as_bytes()).unwrap().at(&path("a")), Json::Array);
    }

    #[test]
    fn surrogates() {
        for paired in ["", r"\ud83d\ude00", r"\\ud800", r"\u0041\n", r"x\ud83d\ude00\ud83d\ude00\\"] {
            assert!(surrogates_are_paired(paired), "{paired}");
        }
        for alone in [r"\ud800", r"\ude00", r"\ud83dx\ude00", r"\ud83d\n", r"\ud83d\ud83d\ude00", r"\\\ud800"] {
            assert!(!surrogates_are_paired(alone), "{alone}");
        }
    }
}
