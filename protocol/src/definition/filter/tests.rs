//! The grammar, and that every mistake is named at its column.

use super::*;
use crate::definition::place::{Source, Style};

fn read(text: &str) -> Result<Expression, String> {
    let source = Source::new(text);
    let end = Mark { line: 1, column: text.chars().count() + 1 };
    let mut notes = Notes::default();
    let parsed = parse(text, &source.marks(text, Style::Plain, Mark::START, end), &mut notes);
    parsed
        .ok_or_else(|| notes.finish("f", &source).list.iter().map(|m| format!("{}: {}", m.column, m.message)).collect())
}

fn shape(expression: &Expression) -> String {
    let join =
        |parts: &[Expression], word: &str| format!("({})", parts.iter().map(shape).collect::<Vec<_>>().join(word));
    match expression {
        Expression::And(parts) => join(parts, " and "),
        Expression::Or(parts) => join(parts, " or "),
        Expression::Compare { field, op, literal } => format!("{} {:?} {:?}", field.value, op.value, literal.value),
    }
}

#[test]
fn and_binds_tighter_and_nests_are_flat() {
    let got = shape(&read("a == 1 or b != 'x' and (c < -2.5 and d >= \"it's\") or (e == true or f<=-3)").unwrap());
    let want = "(a Eq Number(\"1\") or (b Ne Text(\"x\") and c Lt Number(\"-2.5\") and d Ge Text(\"it's\")) \
                or e Eq Bool(true) or f Le Number(\"-3\"))";
    assert_eq!(got, want);
}

#[test]
fn mistakes_are_named_at_their_column() {
    for (text, want) in [
        ("amount >> 3", "8: `where`: `>>` is no comparison; use one of"),
        ("amount = 3", "8: `where`: `=` is no comparison; write =="),
        ("a == 1 && b == 2", "8: `where`: `&&` is no comparison; write `and`"),
        ("a == 1 b == 2", "8: `where`: unexpected `b`; join"),
        ("a == 1 and", "11: `where`: a comparison is missing"),
        ("a == 1 or or b == 1", "11: `where`: `or` joins two"),
        ("(a == 1", "8: `where`: expected `)`, found the end"),
        ("a == 1)", "7: `where`: this `)` closes nothing"),
        ("3 < amount", "1: `where`: expected the name of a field, found `3`"),
        ("type == purchase", "9: `where`: fields are compared with literals; a text stands in quotes: \"purchase\""),
        ("type == \"buy", "9: `where`: this text has no end"),
        ("a == null", "6: `where`: a comparison with null is always false"),
        ("a == 1.2.3", "6: `where`: `1.2.3` is no number"),
        ("a == 5m", "6: `where`: `5m` is no number"),
        ("a ==", "5: `where`: the comparison ends early"),
        ("flag", "5: `where`: `flag` stands alone"),
        ("not a == 1", "1: `where`: `not` is not known"),
        ("payload.a == 1", "8: `where`: `.` is no comparison; a path belongs"),
        ("a == ü", "6: `where`: `ü` means nothing here"),
        ("", "1: `where`: a comparison is missing"),
    ] {
        let got = read(text).unwrap_err();
        assert!(got.starts_with(want), "{text}: {got}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = format!("{}a == 1{}", "(".repeat(17), ")".repeat(17));
    assert!(read(&deep).unwrap_err().starts_with("17: `where`: parentheses nest at most 16"));
    let long = vec!["a == 1"; 65].join(" and ");
    assert!(read(&long).unwrap_err().contains("at most 64 comparisons"));
}
