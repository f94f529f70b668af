//! YAML text to a tree in which everything knows its place. Knows no definitions.
//!
//! Built from the parser's events, so that nothing is expanded: anchors, aliases and tags are refused, nesting is
//! bounded, and a key that stands twice is a mistake instead of a silent winner.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::mistake::{Notes, quoted};
use super::place::{Mark, Style, Word};
use crate::limits;

/// A part of the file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Mark,
    pub(super) value: Value,
}

/// What a part is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// One text, number or word.
    Scalar(Scalar),
    /// `[a, b]` or lines with dashes.
    List(Vec<Node>),
    /// `key: value`, in order of the file.
    Map(Vec<(Word, Node)>),
}

/// A text as it is meant, and how it is written.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) style: Style,
    /// The place behind it.
    pub(super) end: Mark,
}

/// Something that makes the rest of the file unreadable; already noted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unreadable;

/// A list or map that is still open.
enum Open {
    List(Mark, Vec<Node>),
    Map { at: Mark, entries: Vec<(Word, Node)>, seen: BTreeMap<String, Mark>, key: Option<Word> },
}

/// Reads the one document of a file.
pub(super) fn parse(text: &str, notes: &mut Notes) -> Result<Node, Unreadable> {
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut root: Option<Node> = None;
    let mut documents = 0;
    while let Some(event) = parser.next_event() {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => return Err(syntax(&error, notes)),
        };
        let at = mark(span.start);
        let done = match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    notes.add(at, "a second document begins here; a definitions file is one document: remove `---`");
                    return Err(Unreadable);
                }
                None
            }
            Event::Alias(_) => return Err(refused(at, "an alias", notes)),
            Event::Scalar(text, style, anchor, tag) => {
                check_plainness(at, anchor, tag.is_some(), notes)?;
                let scalar = Scalar { text: text.into_owned(), style: style_of(style), end: mark(span.end) };
                Some(Node { at, value: Value::Scalar(scalar) })
            }
            Event::SequenceStart(anchor, tag) => {
                check_plainness(at, anchor, tag.is_some(), notes)?;
                open.push(Open::List(at, Vec::new()));
                None
            }
            Event::MappingStart(anchor, tag) => {
                check_plainness(at, anchor, tag.is_some(), notes)?;
                open.push(Open::Map { at, entries: Vec::new(), seen: BTreeMap::new(), key: None });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(Open::close),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => None,
        };
        if open.len() > limits::DEFINITIONS_DEPTH_MAX {
            notes.add(at, format!("nested more than {} deep; no definition is", limits::DEFINITIONS_DEPTH_MAX));
            return Err(Unreadable);
        }
        if let Some(node) = done {
            match open.last_mut() {
                None => root = Some(node),
                Some(Open::List(_, nodes)) => nodes.push(node),
                Some(Open::Map { entries, seen, key, .. }) => take(node, entries, seen, key, notes)?,
            }
        }
    }
    root.ok_or_else(|| {
        notes.add(Mark::START, "the file is empty; begin with `project: NAME`");
        Unreadable
    })
}

/// A key, or the value of the key before.
fn take(
    node: Node,
    entries: &mut Vec<(Word, Node)>,
    seen: &mut BTreeMap<String, Mark>,
    key: &mut Option<Word>,
    notes: &mut Notes,
) -> Result<(), Unreadable> {
    if let Some(key) = key.take() {
        match seen.get(&key.value) {
            Some(first) => {
                let message =
                    format!("{} stands twice; the first is in line {}: remove one", quoted(&key.value), first.line);
                notes.add(key.at, message);
            }
            None => {
                seen.insert(key.value.clone(), key.at);
                entries.push((key, node));
            }
        }
        return Ok(());
    }
    let Value::Scalar(scalar) = node.value else {
        notes.add(node.at, "a key is one name; put lists and maps on the right of a `:`");
        return Err(Unreadable);
    };
    *key = Some(Word { at: node.at, value: scalar.text });
    Ok(())
}

impl Open {
    fn close(self) -> Node {
        match self {
            Self::List(at, nodes) => Node { at, value: Value::List(nodes) },
            Self::Map { at, entries, .. } => Node { at, value: Value::Map(entries) },
        }
    }
}

fn mark(marker: Marker) -> Mark {
    Mark { line: marker.line().max(1), column: marker.col() + 1 }
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}

fn check_plainness(at: Mark, anchor: usize, tagged: bool, notes: &mut Notes) -> Result<(), Unreadable> {
    match (anchor, tagged) {
        (0, false) => Ok(()),
        (0, true) => Err(refused(at, "a tag", notes)),
        _ => Err(refused(at, "an anchor", notes)),
    }
}

fn refused(at: Mark, what: &str, notes: &mut Notes) -> Unreadable {
    notes.add(at, format!("{what} is not allowed in definitions; write the value out"));
    Unreadable
}

fn syntax(error: &ScanError, notes: &mut Notes) -> Unreadable {
    let message = format!("this is not YAML: {}; look at indentation, quotes and brackets up to here", error.info());
    notes.add(mark(*error.marker()), message);
    Unreadable
}
