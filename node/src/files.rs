//! Files that people name on the command line. Knows no content.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use anyhow::{Context, bail};
use featuregrid_protocol::definition;
use featuregrid_protocol::ids::ControlIndex;
use featuregrid_protocol::limits::{DEFINITIONS_BYTES_MAX, FILE_LINE_BYTES_MAX};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::time::Timestamp;
use serde_json::Value as Json;

/// The text of a definitions file.
///
/// # Errors
/// When it cannot be read, or is too large.
pub fn definitions(path: &Path) -> anyhow::Result<String> {
    let length = std::fs::metadata(path).with_context(|| format!("{}", path.display()))?.len();
    if length > DEFINITIONS_BYTES_MAX as u64 {
        bail!("{}: {length} bytes; definitions have at most {DEFINITIONS_BYTES_MAX}", path.display());
    }
    std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))
}

/// A definitions file as the first plan of a grid.
///
/// # Errors
/// When it cannot be read, and every mistake in it.
pub fn plan(path: &Path) -> anyhow::Result<Plan> {
    text_and_plan(path).map(|(_, plan)| plan)
}

/// The same, with its text.
///
/// # Errors
/// As [`plan`].
pub fn text_and_plan(path: &Path) -> anyhow::Result<(String, Plan)> {
    let text = definitions(path)?;
    let plan = definition::compile(&text, &path.display().to_string(), None, ControlIndex(0))?;
    Ok((text, plan))
}

/// An instant of JSON: RFC 3339, or whole milliseconds since 1970.
///
/// # Errors
/// When it is neither.
pub fn instant(given: &Json) -> anyhow::Result<Timestamp> {
    match given {
        Json::String(text) => Ok(Timestamp::parse(text)?),
        other => {
            let millis = other.as_i64().and_then(Timestamp::from_millis);
            millis.with_context(|| format!("{other} is no time in milliseconds"))
        }
    }
}

/// Every line of a file that is not empty, numbered from 1.
///
/// # Errors
/// When the file cannot be opened; each line, when it cannot be read, is too long or is no text.
pub fn lines(path: &Path) -> anyhow::Result<impl Iterator<Item = anyhow::Result<(usize, String)>>> {
    let name = path.display().to_string();
    let mut file = BufReader::new(File::open(path).with_context(|| name.clone())?);
    let mut number = 0;
    let lines = std::iter::from_fn(move || {
        number += 1;
        line(&mut file).with_context(|| format!("{name}:{number}")).transpose().map(|line| Ok((number, line?)))
    });
    Ok(lines.filter(|line| !matches!(line, Ok((_, text)) if text.trim().is_empty())))
}

/// The next line without its end; `None` at the end of the file.
fn line(file: &mut impl BufRead) -> anyhow::Result<Option<String>> {
    let mut line = Vec::new();
    if file.take(FILE_LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() > FILE_LINE_BYTES_MAX {
        bail!("more than {FILE_LINE_BYTES_MAX} bytes; write one JSON object a line");
    }
    let mut line = String::from_utf8(line).context("it is no text in UTF-8")?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    //! Lines are counted as an editor counts them.
    use super::*;

    #[test]
    fn lines_are_numbered_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        std::fs::write(&path, "a\r\n\n \nb").unwrap();
        let read: Vec<_> = lines(&path).unwrap().map(Result::unwrap).collect();
        assert_eq!(read, [(1, "a".to_owned()), (4, "b".to_owned())]);
        std::fs::write(&path, b"a\n\xff\n").unwrap();
        let error = lines(&path).unwrap().nth(1).unwrap().unwrap_err();
        assert!(format!("{error:#}").contains("lines:2: it is no text"), "{error:#}");
        std::fs::write(&path, vec![b'x'; FILE_LINE_BYTES_MAX + 1]).unwrap();
        let error = lines(&path).unwrap().next().unwrap().unwrap_err();
        assert!(format!("{error:#}").contains("lines:1: more than"), "{error:#}");
    }
}
