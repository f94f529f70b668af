//! What a person did wrong where the parser stopped. Knows no grammar: it looks at the characters around the place.

use crate::definition::quoted;
use crate::limits;

/// What is said of CEL's `has`, which the parser and we find at different places.
pub(super) const NO_HAS: &str = "`has` is not known; write !is_null(NAME)";
/// What to do instead of a path.
pub(super) const NO_PATHS: &str = "a path belongs to the source's `fields`; use the name given there";

/// Characters that signs are made of.
const SIGNS: &str = "=!<>&|~+-*/%^?:;@#$\\`";

/// The character to point at, and what to do; `at` and `said` are the parser's.
pub(super) fn explain(text: &[char], at: usize, said: &str) -> (usize, String) {
    if said.contains("ecursion limit") {
        return (at, format!("parentheses nest at most {} deep", limits::EXPRESSION_DEPTH_MAX));
    }
    if said.contains("has() macro") {
        return (at, NO_HAS.to_owned());
    }
    if let Some(name) = said.strip_prefix("reserved identifier: ") {
        return (at, format!("{} is reserved; give the field another name", quoted(name)));
    }
    if said.contains("invalid int literal") || said.contains("invalid double literal") {
        return (at, format!("{} is out of the range of numbers", quoted(&number(text, at))));
    }
    let Some(found) = text.get(at) else {
        return (text.len(), end(text));
    };
    // `not a` stops behind the word, `a and b` at it.
    let before = text[..at].iter().rposition(|c| !c.is_whitespace());
    for (start, word) in before.into_iter().chain([at]).map(|at| run(text, at, is_of_name)) {
        let advice = match word.as_str() {
            "and" => "write &&",
            "or" => "write ||",
            "not" => "write !",
            _ => continue,
        };
        return (start, format!("{} is not known; {advice}", quoted(&word)));
    }
    match found {
        '"' | '\'' => (at, format!("this text has no end; close it with {found}")),
        ')' | ']' | '}' => (at, format!("this `{found}` closes nothing; remove it")),
        c if SIGNS.contains(*c) => sign(text, at),
        c if is_of_token(*c) => {
            let (start, whole) = run(text, at, is_of_token);
            if whole.starts_with(|c: char| c.is_ascii_digit()) && start < at {
                let advice = "write digits and at most one `.`, for example -12.50";
                return (start, format!("{} is no number; {advice}", quoted(&whole)));
            }
            if start < at && whole.contains('.') {
                return (start, format!("{} means nothing here; {NO_PATHS}", quoted(&whole)));
            }
            match before {
                // Behind a sign that is none, the value is not what is wrong.
                Some(last) if SIGNS.contains(text[last]) => sign(text, last),
                _ => (at, format!("unexpected {}; join values with a sign, for example && or +", quoted(&whole))),
            }
        }
        _ => (at, format!("{} means nothing here", quoted(&found.to_string()))),
    }
}

/// The text ended too early.
fn end(text: &[char]) -> String {
    let count = |sign: char| text.iter().filter(|c| **c == sign).count();
    match text.iter().rev().find(|c| !c.is_whitespace()) {
        None => "an expression is missing here, for example amount > 3".to_owned(),
        Some(last) if SIGNS.contains(*last) => "the expression ends early; a name or a value is missing".to_owned(),
        _ if count('(') > count(')') => "expected `)`, found the end".to_owned(),
        _ if count('[') > count(']') => "expected `]`, found the end".to_owned(),
        _ => "the expression ends early".to_owned(),
    }
}

/// The run of signs around a place.
fn sign(text: &[char], at: usize) -> (usize, String) {
    let (start, run) = run(text, at, |c| SIGNS.contains(c));
    let advice = match run.as_str() {
        "=" | "===" => "write ==",
        "<>" => "write !=",
        "=>" => "write >=",
        "=<" => "write <=",
        "&" => "write &&",
        "|" => "write ||",
        _ => "use one of == != < <= > >= && || ! + - * / % ? :",
    };
    (start, format!("{} is not possible here; {advice}", quoted(&run)))
}

/// The number at a place, with its sign.
fn number(text: &[char], at: usize) -> String {
    let sign: String = text[at.min(text.len())..].iter().take_while(|c| **c == '-').collect();
    sign.clone() + &run(text, (at + sign.len()).min(text.len()), is_of_token).1
}

/// Whether it can be part of a name.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether it can be part of a name, a number or a path.
fn is_of_token(c: char) -> bool {
    is_of_name(c) || c == '.'
}

/// The characters around a place that belong together, and where the first of them stands.
fn run(text: &[char], at: usize, belongs: fn(char) -> bool) -> (usize, String) {
    let start = text[..at].iter().rposition(|c| !belongs(*c)).map_or(0, |last| last + 1);
    (start, text[start..].iter().copied().take_while(|c| belongs(*c)).collect())
}
