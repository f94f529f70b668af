//! What binds tighter, and what is no formula.

use super::*;
use crate::definition::place::Source;

/// With every operation in parentheses.
fn shown(formula: &Formula) -> String {
    match formula {
        Formula::Result(word) | Formula::Number(word) => word.value.clone(),
        Formula::Binary(op, left, right) => format!("({} {} {})", shown(left), op.sign(), shown(right)),
    }
}

fn read(text: &str) -> Result<String, String> {
    let marks: Vec<Mark> = (1..=text.chars().count() + 1).map(|column| Mark { line: 1, column }).collect();
    let mut notes = Notes::default();
    let read = parse(text, &marks, "x", &mut notes).map(|formula| shown(&formula));
    read.ok_or_else(|| {
        let mistakes = notes.finish("f", &Source::new(text));
        format!("{} {}", mistakes.list[0].column, mistakes.list[0].message)
    })
}

#[test]
fn products_bind_tighter_and_go_from_left_to_right() {
    for (text, want) in [
        ("a", "a"),
        ("a+b*c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b * c", "((a / b) * c)"),
        ("(a - b) / (c_1h + 2.50)", "((a - b) / (c_1h + 2.50))"),
        ("-3 * a -1", "((-3 * a) - 1)"),
        ("a - -1", "(a - -1)"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(want), "{text}");
    }
}

#[test]
fn mistakes_say_where_and_what_to_do() {
    for (text, want) in [
        ("a +", "4 x: a result or a number is missing here"),
        ("a b", "3 x: unexpected `b`; join results"),
        ("(a", "3 x: expected `)`, found the end"),
        ("a)", "2 x: this `)` closes nothing"),
        ("* a", "1 x: expected a result, a number or `(`, found `*`"),
        ("a % b", "3 x: `%` means nothing here; a derived feature knows"),
        ("1.2.3 * a", "1 x: `1.2.3` is no number"),
        ("2x + a", "1 x: `2x` is no number"),
        ("b * -a", "5 x: a sign stands before a number only; write 0 - a"),
        ("-(a)", "1 x: a sign stands before a number only; write, for example, 0 - (a + b)"),
    ] {
        let got = read(text);
        assert!(got.as_ref().is_err_and(|message| message.starts_with(want)), "{text}: {got:?}");
    }
    let deep = format!("{}a{}", "(".repeat(17), ")".repeat(17));
    assert_eq!(read(&deep).unwrap_err(), "17 x: parentheses nest at most 16 deep");
    let long = vec!["a"; 65].join("+");
    assert_eq!(read(&long).unwrap_err(), "129 x: a derived feature joins at most 64 results and numbers");
}
