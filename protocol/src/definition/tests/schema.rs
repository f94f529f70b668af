//! The schema for editors knows what the reader knows, no key more and no key less.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::draft::SECTIONS;
use super::*;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap_or_else(|error| panic!("the schema is no JSON: {error}"))
}

#[test]
fn every_section_has_the_keys_that_are_read() {
    let schema = schema();
    let mut sections = BTreeSet::new();
    for (section, keys) in SECTIONS {
        let properties = &schema["$defs"][section]["properties"];
        let properties = properties.as_object().unwrap_or_else(|| panic!("the schema has no section {section}"));
        let written: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        let read: BTreeSet<&str> = keys.known.iter().copied().collect();
        assert_eq!(written, read, "keys of {section}");
        assert_eq!(schema["$defs"][section]["additionalProperties"], false, "{section}");
        sections.insert(section);
    }
    let objects = schema["$defs"].as_object().unwrap().iter().filter(|(_, part)| part["type"] == "object");
    assert_eq!(objects.map(|(name, _)| name.as_str()).collect::<BTreeSet<_>>(), sections);
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(part: &Value, schema: &Value) {
        match part {
            Value::Object(entries) => {
                if let Some(to) = entries.get("$ref").and_then(Value::as_str) {
                    let name = to.strip_prefix("#/$defs/").unwrap_or_else(|| panic!("{to}"));
                    assert!(schema["$defs"].get(name).is_some(), "{to}");
                }
                entries.values().for_each(|value| check(value, schema));
            }
            Value::Array(parts) => parts.iter().for_each(|part| check(part, schema)),
            _ => {}
        }
    }
    let schema = schema();
    check(&schema, &schema);
}
