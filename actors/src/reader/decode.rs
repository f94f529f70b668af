//! JSON payloads to the fields a source declares, by path. Knows no type, no view and no time.
//!
//! The whole payload is checked to be JSON, escapes and encoding included and whatever is declared, because a record
//! that is decodable moves the prefix max and definitions must never change which records are late. But only declared paths are kept, as slices of the payload: a number
//! stays the text it was written as and never passes through a float. Of repeated keys the last counts.

mod surrogates;

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// One field of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Field<'a> {
    /// The path leads nowhere.
    #[default]
    Missing,
    /// JSON null.
    Null,
    /// true or false.
    Bool(bool),
    /// A number, as written.
    Number(&'a str),
    /// Text, unescaped.
    Text(Cow<'a, str>),
    /// An object or a list.
    Composite,
}

/// A tree of the declared paths.
#[derive(Clone, Debug)]
pub struct JsonDecoder {
    root: Node,
    slots: usize,
}

#[derive(Clone, Debug, Default)]
struct Node {
    children: Vec<(String, Node)>,
    /// Slots whose path ends here.
    leaves: Vec<usize>,
}

impl JsonDecoder {
    /// A decoder that puts the field at `paths[slot]` into `slot`.
    #[must_use]
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p [String]>) -> Self {
        let mut root = Node::default();
        let mut slots = 0;
        for (slot, path) in paths.into_iter().enumerate() {
            let mut node = &mut root;
            for name in path {
                let at = node.children.iter().position(|(child, _)| child == name).unwrap_or_else(|| {
                    node.children.push((name.clone(), Node::default()));
                    node.children.len() - 1
                });
                node = &mut node.children[at].1;
            }
            node.leaves.push(slot);
            slots = slot + 1;
        }
        Self { root, slots }
    }

    /// Fills `fields`, one per slot; whether the payload is one JSON object and nothing else.
    pub fn decode<'a>(&self, payload: &'a [u8], fields: &mut Vec<Field<'a>>) -> bool {
        let Ok(text) = std::str::from_utf8(payload) else { return false };
        if payload.contains(&b'\\') && !surrogates::are_paired(text) {
            return false;
        }
        // A number that no float holds stops the quick walk where an object was expected; it is no reason to refuse.
        self.walk(text, fields, false) || self.walk(text, fields, true)
    }

    fn walk<'a>(&self, text: &'a str, fields: &mut Vec<Field<'a>>, careful: bool) -> bool {
        fields.clear();
        fields.resize(self.slots, Field::Missing);
        let mut json = serde_json::Deserializer::from_str(text);
        let inner = Inner { node: &self.root, fields, careful, must_be_object: true };
        inner.deserialize(&mut json).is_ok() && json.end().is_ok()
    }
}

impl Node {
    fn forget(&self, fields: &mut [Field<'_>]) {
        for slot in &self.leaves {
            fields[*slot] = Field::Missing;
        }
        for (_, child) in &self.children {
            child.forget(fields);
        }
    }
}

/// Reads the value at an inner node: walks objects, passes over everything else.
struct Inner<'n, 'f, 'a> {
    node: &'n Node,
    fields: &'f mut Vec<Field<'a>>,
    /// Looks at the first letter of a value before it is walked.
    careful: bool,
    must_be_object: bool,
}

impl<'a> DeserializeSeed<'a> for Inner<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'n, 'a> Inner<'n, '_, 'a> {
    fn child<A: MapAccess<'a>>(&mut self, node: &'n Node, map: &mut A) -> Result<(), A::Error> {
        node.forget(self.fields);
        let careful = self.careful;
        if node.leaves.is_empty() && !careful {
            return map.next_value_seed(Inner { node, fields: self.fields, careful, must_be_object: false });
        }
        let raw: &'a RawValue = map.next_value()?;
        let field = leaf(raw.get()).map_err(A::Error::custom)?;
        for slot in &node.leaves {
            self.fields[*slot] = field.clone();
        }
        if field == Field::Composite && !node.children.is_empty() {
            let mut json = serde_json::Deserializer::from_str(raw.get());
            let inner = Inner { node, fields: self.fields, careful, must_be_object: false };
            json.deserialize_any(inner).map_err(A::Error::custom)?;
        }
        Ok(())
    }

    fn scalar<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.must_be_object { Err(E::custom("the payload is not a JSON object")) } else { Ok(()) }
    }
}

impl<'a> Visitor<'a> for Inner<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(at) = map.next_key_seed(ChildName(self.node))? {
            match at {
                Some(at) => self.child(&self.node.children[at].1, &mut map)?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.scalar()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.scalar()
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.scalar()
    }
}

/// Finds a key among a node's children without allocating it.
struct ChildName<'n>(&'n Node);

impl<'a> DeserializeSeed<'a> for ChildName<'_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'a>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for ChildName<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.0.children.iter().position(|(name, _)| name == key))
    }
}

fn leaf(raw: &str) -> Result<Field<'_>, serde_json::Error> {
    Ok(match raw.as_bytes() {
        [b'"', .., b'"'] if !raw.contains('\\') => Field::Text(Cow::Borrowed(&raw[1..raw.len() - 1])),
        [b'"', ..] => Field::Text(Cow::Owned(serde_json::from_str(raw)?)),
        [b'n', ..] => Field::Null,
        [b't', ..] => Field::Bool(true),
        [b'f', ..] => Field::Bool(false),
        [b'{' | b'[', ..] => Field::Composite,
        _ => Field::Number(raw),
    })
}

#[cfg(test)]
mod tests;
