//! The grammar, that every mistake is named at its column, and that no text does harm.

use proptest::prelude::*;

use super::*;
use crate::definition::{Source, Style};

fn read(text: &str) -> Result<String, String> {
    let source = Source::new(text);
    let end = Mark { line: 9, column: 1 };
    let marks = source.marks(text, Style::Block, Mark::START, end);
    let mut notes = Notes::default();
    let tree = parse(Text { text, marks: &marks, owner: "x" }, &mut notes);
    tree.map(|tree| shown(&tree)).ok_or_else(|| {
        let first = &notes.finish("f", &source).list[0];
        format!("{}:{} {}", first.line, first.column, first.message)
    })
}

/// With every operation in parentheses, and where it stands.
fn shown(tree: &Tree) -> String {
    let all = |trees: &[Tree]| trees.iter().map(shown).collect::<Vec<_>>().join(" ");
    match &tree.shape {
        Shape::Name(name) | Shape::Number(name) => name.clone(),
        Shape::Null => "null".to_owned(),
        Shape::Bool(value) => value.to_string(),
        Shape::Text(text) => format!("{text:?}"),
        Shape::List(trees) => format!("[{}]", all(trees)),
        Shape::Call(name, trees) => format!("({name}@{} {})", tree.at.column, all(trees)),
    }
}

#[test]
fn signs_bind_as_in_cel() {
    for (text, want) in [
        ("a + b * c - d", "(-@11 (+@3 a (*@7 b c)) d)"),
        ("a == 1 || b != 'x' && c < -2.50", "(||@8 (==@3 a 1) (&&@20 (!=@13 b \"x\") (<@25 c -2.50)))"),
        ("!(a in [1, 'é\"']) ? null : true", "(?@19 (!@1 (in@5 a [1 \"é\\\"\"])) null true)"),
        ("lower( 'é' + email).contains( 'x' , 0.10)", "(contains@21 (lower@1 (+@12 \"é\" email)) \"x\" 0.10)"),
        ("-a - -1 / (b % 2)", "(-@4 (0-@1 a) (/@9 -1 (%@14 b 2)))"),
        ("a // no\n  > 1e3", "(>@3 a 1e3)"),
        ("a / request.amount + request", "(+@20 (/@3 a request.amount) request)"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(want), "{text}");
    }
}

#[test]
fn mistakes_are_named_at_their_column() {
    for (text, want) in [
        ("amount >> 3", "1:8 x: `>>` is not possible here; use one of"),
        ("amount = 3", "1:8 x: `=` is not possible here; write =="),
        ("amount === 3", "1:8 x: `===` is not possible here; write =="),
        ("amount <> 3", "1:8 x: `<>` is not possible here; write !="),
        ("a == 1 & b == 2", "1:8 x: `&` is not possible here; write &&"),
        ("a == 1 and b == 2", "1:8 x: `and` is not known; write &&"),
        ("a == 1 or b == 2", "1:8 x: `or` is not known; write ||"),
        ("not a", "1:1 x: `not` is not known; write !"),
        ("a == 1 b == 2", "1:8 x: unexpected `b`; join values"),
        ("a == 1 &&", "1:10 x: the expression ends early; a name or a value is missing"),
        ("(a == 1", "1:8 x: expected `)`, found the end"),
        ("a == 1)", "1:7 x: this `)` closes nothing"),
        ("a == 'buy", "1:6 x: this text has no end; close it with '"),
        ("a == 1.2.3", "1:6 x: `1.2.3` is no number"),
        ("a == 5m", "1:6 x: `5m` is no number"),
        ("a == 99999999999999999999", "1:6 x: `99999999999999999999` is out of the range"),
        ("payload.a == 1", "1:8 x: `a` of something means nothing here; a path belongs"),
        ("has(a)", "1:5 x: `has` is not known; write !is_null"),
        ("has(a.b)", "1:4 x: `has` is not known; write !is_null"),
        ("a[0] > 1", "1:2 x: there are no lists to take parts of"),
        ("[1].exists(x, x > 1)", "1:11 x: all, exists, map and filter are not known"),
        ("{'a': 1}", "1:1 x: maps and messages are not known"),
        ("a == 1u", "1:6 x: write whole numbers without `u`"),
        ("b'x' == a", "1:1 x: write texts without `b`"),
        ("for == 1", "1:1 x: `for` is reserved"),
        ("a == 1 &&\n  b = 2", "2:5 x: `=` is not possible here"),
        ("", "1:1 x: an expression is missing here"),
        ("a == ü", "1:6 x: `ü` means nothing here"),
    ] {
        let got = read(text).unwrap_err();
        assert!(got.starts_with(want), "{text}: {got}");
    }
}

#[test]
fn length_and_nesting_are_bounded() {
    assert!(read(&"a".repeat(2049)).unwrap_err().contains("2049 bytes; an expression has at most 2048"));
    assert!(read(&vec!["a"; 70].join("+")).unwrap_err().contains("at most 256 parts, 64 of them inside each other"));
    assert!(read(&vec!["f(a, 1, 2, 3, 4)"; 50].join(" && ")).unwrap_err().contains("at most 256 parts"));
    let units = ["(", "[", "!(", "a+", "a&&", "a.", "[0]", "a?b:", "f(", ".f()", "a<", "a in ", "a[", "f(a,", "{1:"];
    // An even number of signs is none.
    assert_eq!(read(&format!("{}a", "-".repeat(2046))).as_deref(), Ok("a"));
    for unit in units {
        for text in [unit.repeat(2048 / unit.len()), format!("a{}a", unit.repeat(2000 / unit.len()))] {
            assert!(read(&text).is_err(), "{unit}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_does_harm(text in "[a-z0-9 .,:?!<>=&|+*/%'\"()\\[\\]{}_é\\\\-]{0,60}") {
        let _ = read(&text);
    }

    #[test]
    fn no_soup_of_tokens_does_harm(parts in proptest::collection::vec(0usize..24, 0..40)) {
        const TOKENS: [&str; 24] = [
            "a", "b ", "(", ")", "[", "]", " in ", "&&", "||", "!", "-", "?", ":", "1", "2.5", "'x'", ",", ".f(", "==",
            "has(", ".exists(x,", "{", "}", ".map(",
        ];
        let _ = read(&parts.iter().map(|part| TOKENS[*part]).collect::<String>());
    }
}
