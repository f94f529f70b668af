//! A configuration file: sections of keys with values, each in its line. YAML, and only so much of it. Knows no setting.

use std::collections::BTreeSet;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// `section.key`.
    pub(super) name: String,
    /// `None` is `~`.
    pub(super) value: Option<String>,
    /// From 1: of the key.
    pub(super) line: usize,
    /// From 1, in characters: of the key.
    pub(super) column: usize,
}

/// What makes the file unreadable, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) why: String,
}

/// A key whose value has not come yet.
struct Key {
    name: String,
    line: usize,
    column: usize,
}

/// Reads `section: { key: value }`, in order of the file.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, Unreadable> {
    let mut parser = Parser::new_from_str(text);
    let (mut entries, mut seen) = (Vec::new(), BTreeSet::new());
    // The keys whose maps are open, and the key that waits for its value.
    let (mut path, mut depth, mut key): (Vec<Key>, usize, Option<Key>) = (Vec::new(), 0, None);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let why = format!("this is not YAML: {}; look at indentation and quotes up to here", error.info());
            at(error.marker(), why)
        })?;
        let refused = |why: &str| Err(at(&span.start, why.to_owned()));
        match event {
            Event::Scalar(_, _, anchor, tag) if anchor != 0 || tag.is_some() => {
                return refused("anchors and tags are not known here; write the value out");
            }
            Event::Scalar(text, style, ..) => match key.take() {
                None if depth == 0 => {
                    // A file of nothing but comments is one empty scalar.
                    if !text.is_empty() {
                        return refused(
                            "a configuration is sections of keys; write for example `node:`, and below it `  ranges: 256`",
                        );
                    }
                }
                None => {
                    key = Some(Key { name: text.into_owned(), line: line(&span.start), column: span.start.col() + 1 })
                }
                Some(own) => {
                    let name = joined(&path, &own.name);
                    if !seen.insert(name.clone()) {
                        let why = format!("`{name}` stands twice; remove one");
                        return Err(Unreadable { line: own.line, column: own.column, why });
                    }
                    let is_null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null");
                    let value = (!is_null).then(|| text.into_owned());
                    entries.push(Entry { name, value, line: own.line, column: own.column });
                }
            },
            Event::MappingStart(..) => {
                depth += 1;
                match key.take() {
                    Some(own) if depth <= 3 => path.push(own),
                    None if depth == 1 => {}
                    _ => return refused("nested too deep: a configuration is sections of keys"),
                }
            }
            Event::MappingEnd => {
                depth -= 1;
                path.pop();
            }
            Event::SequenceStart(..) => return refused("no setting is a list; separate several values by commas"),
            Event::Alias(_) => return refused("aliases are not known here; write the value out"),
            Event::DocumentStart(_) if !entries.is_empty() => {
                return refused("a second document begins here; a configuration is one: remove `---`");
            }
            _ => {}
        }
    }
    Ok(entries)
}

fn joined(path: &[Key], key: &str) -> String {
    path.iter().map(|key| key.name.as_str()).chain([key]).collect::<Vec<_>>().join(".")
}

fn line(marker: &Marker) -> usize {
    marker.line().max(1)
}

fn at(marker: &Marker, why: String) -> Unreadable {
    Unreadable { line: line(marker), column: marker.col() + 1, why }
}

#[cfg(test)]
mod tests {
    //! Names, values and lines; what is more than sections of keys is refused.
    use super::*;

    #[test]
    fn keys_know_their_lines() {
        let entries = parse("# a comment\nnode:\n  ranges: 64\n  data: ~\nkafka: { brokers: 'a:1,b:2' }\n").unwrap();
        let shown: Vec<_> =
            entries.iter().map(|it| (it.name.as_str(), it.value.as_deref(), it.line, it.column)).collect();
        let wanted =
            [("node.ranges", Some("64"), 3, 3), ("node.data", None, 4, 3), ("kafka.brokers", Some("a:1,b:2"), 5, 10)];
        assert_eq!(shown, wanted);
        assert_eq!(parse("# nothing\n"), Ok(Vec::new()));
        assert_eq!(parse(""), Ok(Vec::new()));
    }

    #[test]
    fn dots_in_a_table_stay() {
        let entries = parse("kafka:\n  settings:\n    sasl.password: ''\n").unwrap();
        assert_eq!((entries[0].name.as_str(), entries[0].value.as_deref()), ("kafka.settings.sasl.password", Some("")));
    }

    #[test]
    fn the_rest_of_yaml_is_refused_where_it_stands() {
        for (text, line) in [
            ("node:\n  ranges: [1, 2]\n", 2),
            ("node:\n  ranges: &a 1\n", 2),
            ("node:\n  ranges: 1\n  ranges: 2\n", 3),
            ("just words\n", 1),
            ("node:\n ranges: 1\n   data: 2\n", 3),
            ("a: { b: { c: { d: 1 } } }\n", 1),
        ] {
            assert_eq!(parse(text).map_err(|wrong| wrong.line), Err(line), "{text}");
        }
    }
}
