//! Types, conversions, functions, and what is refused.

use super::*;
use crate::expression::canonical;

const INPUTS: [(&str, Type); 7] = [
    ("amount", Type::Decimal(2)),
    ("count", Type::Int),
    ("mean", Type::Float),
    ("country", Type::Text),
    ("ok", Type::Bool),
    ("born", Type::Timestamp),
    ("fine", Type::Decimal(12)),
];

fn shown(text: &str) -> String {
    match read(text, &INPUTS, true) {
        Ok(expression) => canonical(&expression, &|at| INPUTS[at].0.to_owned()),
        Err(mistakes) => {
            mistakes.list.iter().map(|one| format!("{} {}", one.column, one.message)).collect::<Vec<_>>().join("; ")
        }
    }
}

/// These texts are part of the ids of columns: one that changes forgets what was kept.
#[test]
fn the_canonical_texts() {
    for (text, want) in [
        ("amount > 100", "(Compare(Gt) Bool amount as Decimal(2) Decimal(2) 10000)"),
        ("amount > 100.00", "(Compare(Gt) Bool amount as Decimal(2) Decimal(2) 10000)"),
        ("ok && ok", "ok as Bool"),
        ("ok || country == 'DE'", "(Or Bool (Compare(Eq) Bool country as Text text 2:DE) ok as Bool)"),
        ("country == 'DE' || ok || ok", "(Or Bool (Compare(Eq) Bool country as Text text 2:DE) ok as Bool)"),
        ("country in ['b', 'a', 'b']", "(In Bool country as Text text 1:a text 1:b)"),
        ("amount - amount", "(Subtract Decimal(2) amount as Decimal(2) amount as Decimal(2))"),
        ("amount > count", "(Compare(Gt) Bool amount as Decimal(2) (Convert Decimal(2) count as Int))"),
        ("amount * 0.5", "(Multiply Decimal(3) amount as Decimal(2) Decimal(1) 5)"),
        ("amount / count", "(Divide Float amount as Decimal(2) count as Int)"),
        ("decimal(amount / count, 4)", "(Quotient Decimal(4) amount as Decimal(2) count as Int)"),
        ("int(mean)", "(Convert Int mean as Float)"),
        ("decimal(amount, 2)", "amount as Decimal(2)"),
        ("mean + amount", "(Add Float mean as Float (Convert Float amount as Decimal(2)))"),
        ("ok ? amount : null", "(If Decimal(2) ok as Bool amount as Decimal(2) null Decimal(2))"),
        (
            "coalesce(null, amount, 1.555)",
            "(Coalesce Decimal(3) null Decimal(3) (Convert Decimal(3) amount as Decimal(2)) Decimal(3) 1555)",
        ),
        ("'x' + country.lower()", "(Concat Text text 1:x (Lower Text country as Text))"),
        ("hour_of_day(event_time())", "(Calendar(Hour, \"UTC\") Int event_time)"),
        (
            "is_weekend(born, 'Europe/Berlin')",
            "(Compare(Ge) Bool (Calendar(Weekday, \"Europe/Berlin\") Int born as Timestamp) Int 6)",
        ),
        ("event_time() - born", "(Between Decimal(6) event_time born as Timestamp)"),
        ("one_hot(country, 'DE')", "(If Int (Compare(Eq) Bool country as Text text 2:DE) Int 1 Int 0)"),
        (
            "bucketize(amount, [10, 20.555])",
            "(Bucketize Int (Convert Decimal(3) amount as Decimal(2)) Decimal(3) 10000 Decimal(3) 20555)",
        ),
        ("hash(count, 100)", "(Hash(100) Int (Convert Text count as Int))"),
        ("log(amount)", "(Log Float (Convert Float amount as Decimal(2)))"),
        ("!country.matches('^[A-Z]{2}$')", "(Not Bool (Matches Bool country as Text text 10:^[A-Z]{2}$))"),
        (
            "least(amount, count, 3)",
            "(Least Decimal(2) amount as Decimal(2) (Convert Decimal(2) count as Int) Decimal(2) 300)",
        ),
        ("-count % 7", "(Remainder Int (Negate Int count as Int) Int 7)"),
    ] {
        assert_eq!(shown(text), want, "{text}");
    }
}

#[test]
fn mistakes_say_what_is_needed() {
    for (text, want) in [
        ("amuont > 3", "1 `amuont` is no input; did you mean `amount`?"),
        ("amount == 'x'", "1 this is decimal(2); text is needed here"),
        ("amount == country", "11 this is text; a number is needed here"),
        ("ok > true", "4 true and false have no order"),
        ("country == null", "12 a comparison with null is always null; write is_null(NAME)"),
        ("amount && ok", "1 this is decimal(2); true or false is needed here"),
        ("lowr(country)", "1 `lowr` is no function; did you mean `lower`?"),
        ("lower(country, 1)", "1 `lower` takes other arguments: lower(text) -> text"),
        ("fine * fine", "6 this product has 24 digits after the point, more than 18; round a factor"),
        ("amount % 2", "8 `%` is of whole numbers; write int(...)"),
        ("decimal(amount, 19)", "17 write a whole number from 0 to 18 here"),
        ("bucketize(amount, [2, 1])", "23 bounds rise"),
        ("bucketize(amount, 2)", "19 write a list of numbers here"),
        ("country in []", "9 an empty list holds nothing"),
        ("country in ['a', ok]", "18 a list holds texts, numbers"),
        ("country in country", "12 behind `in` stands a list"),
        ("hour_of_day(born, 'Mars')", "19 `Mars` is no time zone; write its name in the IANA database"),
        ("hour_of_day(born, 'Europe/Pariss')", "19 `Europe/Pariss` is no time zone; did you mean `Europe/Paris`?"),
        ("country.matches('(')", "17 `(` is no regular expression: error: unclosed group"),
        ("country.matches('(?u:ü)')", "17 `(?u:ü)` is no regular expression: the flag `u`"),
        ("ok ? amount : country", "15 this is text; a number is needed here"),
        ("[1, 2]", "1 a list stands only behind `in`"),
        ("null", "1 null has no type here"),
        (
            "amuont > 3 && countr == 'x'",
            "1 `amuont` is no input; did you mean `amount`?; 15 `countr` is no input; did you mean `count`?",
        ),
    ] {
        let got = shown(text);
        assert!(got.starts_with(want), "{text}: {got}");
    }
    assert!(read("event_time() == born", &INPUTS, false).is_err());
}

#[test]
fn every_function_has_a_place_of_its_own() {
    let names: Vec<&str> = functions::ALL.iter().flat_map(|entry| [Some(entry.name), entry.also]).flatten().collect();
    let distinct: std::collections::BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), distinct.len());
}
