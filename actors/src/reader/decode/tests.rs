//! Fields by path against a naive walk over a generic JSON tree.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn paths() -> Vec<Vec<String>> {
    ["a", "b.c", "b.d.e", "a.b", "f"].iter().map(|path| path.split('.').map(str::to_owned).collect()).collect()
}

fn decode(payload: &str) -> Option<Vec<Field<'_>>> {
    let paths = paths();
    let decoder = JsonDecoder::new(paths.iter().map(Vec::as_slice));
    let mut fields = Vec::new();
    decoder.decode(payload.as_bytes(), &mut fields).then_some(fields)
}

#[test]
fn numbers_stay_text_and_escapes_are_read() {
    let fields = decode(r#"{"a":0.10,"b":{"c":"x\"y","d":{"e":null}},"f":[1,{"a":2}],"z":{"a":1}}"#).unwrap();
    assert_eq!(fields[0], Field::Number("0.10"));
    assert_eq!(fields[1], Field::Text("x\"y".into()));
    assert_eq!(fields[2], Field::Null);
    assert_eq!(fields[3], Field::Missing);
    assert_eq!(fields[4], Field::Composite);
}

#[test]
fn the_last_of_repeated_keys_counts_with_all_below_it() {
    let fields = decode(r#"{"b":{"c":1,"d":{"e":2}},"b":{"c":3}}"#).unwrap();
    assert_eq!(fields[1], Field::Number("3"));
    assert_eq!(fields[2], Field::Missing);
    let fields = decode(r#"{"a":{"b":1},"a":true}"#).unwrap();
    assert_eq!((&fields[0], &fields[3]), (&Field::Bool(true), &Field::Missing));
}

#[test]
fn what_is_no_whole_object_is_refused() {
    for payload in ["", "{", r#"{"a":1"#, r#"{"a":1}x"#, "[1]", "5", "null", r#"{"a":01}"#, r#"{"f":tru}"#, "\u{1}"] {
        assert_eq!(decode(payload), None, "{payload}");
    }
}

#[test]
fn what_no_field_names_decides_as_much_as_what_one_does() {
    for payload in [
        r#"{"z":"\ud800"}"#,
        r#"{"z":"\ude00\ud83d"}"#,
        r#"{"z":"\ud83dx\ude00"}"#,
        r#"{"\ud800":1}"#,
        r#"{"f":"\ud800\n"}"#,
        r#"{"z":"\q"}"#,
    ] {
        assert_eq!(decode(payload), None, "{payload}");
    }
    let decoder = JsonDecoder::new([]);
    assert!(!decoder.decode(b"{\"z\":\"\xff\"}", &mut Vec::new()));
    for payload in [r#"{"z":"\ud83d\ude00\\ud800"}"#, r#"{"z":1e999,"a":1e999,"b":1e999}"#, r#"{"b":{"d":-1e400}}"#] {
        assert!(decode(payload).is_some(), "{payload}");
    }
    let deep = format!(r#"{{"z":{0}{1},"b":{0}{1}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(decode(&deep).is_some());
}

fn json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        "[a-f\"\\\\é]{0,3}".prop_map(Value::String),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map("[a-f]", inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn fields_agree_with_a_generic_tree(tree in json()) {
        let text = tree.to_string();
        let fields = decode(&text);
        prop_assert_eq!(fields.is_some(), tree.is_object());
        for (path, field) in paths().iter().zip(fields.unwrap_or_default()) {
            let found = path.iter().try_fold(&tree, |node, name| node.as_object()?.get(name));
            match (found, field) {
                (None, Field::Missing) | (Some(Value::Null), Field::Null) => {}
                (Some(Value::Bool(want)), Field::Bool(got)) => prop_assert_eq!(*want, got),
                (Some(Value::Number(want)), Field::Number(got)) => prop_assert_eq!(want.to_string(), got),
                (Some(Value::String(want)), Field::Text(got)) => prop_assert_eq!(want, &got),
                (Some(Value::Array(_) | Value::Object(_)), Field::Composite) => {}
                (want, got) => prop_assert!(false, "{want:?} {got:?}"),
            }
        }
    }
}
