//! What expressions take from another crate: regular expressions, in the one way that means the same everywhere. Knows no
//! value.

use regex::bytes::{Regex, RegexBuilder};

use crate::limits;

/// A regular expression over the bytes of a text: classes and `(?i)` are ASCII's, because Unicode's tables change.
///
/// # Errors
/// What is wrong with it, in one line.
pub fn pattern(text: &str) -> Result<Regex, String> {
    if turns_unicode_on(text) {
        return Err("the flag `u` is not possible, because Unicode's tables change".to_owned());
    }
    let mut builder = RegexBuilder::new(text);
    builder.unicode(false).size_limit(limits::PATTERN_BYTES_MAX).nest_limit(limits::EXPRESSION_DEPTH_MAX as u32);
    builder.build().map_err(|error| error.to_string().lines().last().unwrap_or_default().trim().to_owned())
}

/// Whether flags like `(?iu)` stand anywhere.
fn turns_unicode_on(text: &str) -> bool {
    text.split("(?").skip(1).any(|rest| {
        let flags = rest.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
        flags.contains('u')
    })
}
