//! What expressions take from another crate: regular expressions, in the one way that means the same everywhere. Knows no
//! value.

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{self, Ast, Flag, Visitor};

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

/// Whether a part of it raises the flag `u`, which no setting of the builder forbids. Of a text that is no regular
/// expression the builder says what is wrong.
fn turns_unicode_on(text: &str) -> bool {
    let mut parser = ParserBuilder::new();
    let tree = parser.nest_limit(limits::EXPRESSION_DEPTH_MAX as u32).build().parse(text);
    tree.is_ok_and(|tree| ast::visit(&tree, FindUnicode).is_err())
}

/// Ends with an error where the flag is raised.
struct FindUnicode;

impl Visitor for FindUnicode {
    type Output = ();
    type Err = ();

    fn finish(self) -> Result<(), ()> {
        Ok(())
    }

    fn visit_pre(&mut self, part: &Ast) -> Result<(), ()> {
        let flags = match part {
            Ast::Flags(set) => Some(&set.flags),
            Ast::Group(group) => group.flags(),
            _ => None,
        };
        let is_raised = flags.and_then(|flags| flags.flag_state(Flag::Unicode)) == Some(true);
        if is_raised { Err(()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    //! However it is written, no flag turns Unicode's tables on; what only looks like one is no flag.
    use super::*;

    #[test]
    fn no_expression_depends_on_unicodes_tables() {
        for wrong in
            ["(?u)\\w", "(?u:.)", "(?Uu:.)", "(?iu)a", "(?i-s:(?su).)", "(?x)( ?u:.)", "(?x)( # a\n?u).", "a|(?u)"]
        {
            let said = pattern(wrong).unwrap_err();
            assert!(said.starts_with("the flag `u` is not possible"), "{wrong}: {said}");
        }
        for fine in ["(?i)u", "(?-u)u", "(?i-u:u)", r"\(?us\)?", "[(?u)]", "(?P<u>u)", "(?<u>u)", "(?:u)"] {
            assert!(pattern(fine).is_ok_and(|found| found.is_match(b"us")), "{fine}");
        }
        assert_eq!(pattern("(").unwrap_err(), "error: unclosed group");
    }
}
