//! Random expressions over random rows: the closures of the product against the walk of the oracle. Knows no record.
//!
//! Expressions are drawn as text, so that parser and checker are part of it; what they refuse (a product with too many
//! digits) is counted and drawn again.

use std::collections::BTreeMap;

use featuregrid_actors::expression::{Cell, Filter, Inputs, Program, Row};
use featuregrid_oracle::expression::{Value, evaluate};
use featuregrid_protocol::expression::{Expression, Kind, Type, read};
use featuregrid_protocol::time::Timestamp;
use featuregrid_simulations::random::Random;

const INPUTS: [(&str, Type); 12] = [
    ("n", Type::Int),
    ("m", Type::Int),
    ("a", Type::Decimal(2)),
    ("b", Type::Decimal(6)),
    ("c", Type::Decimal(18)),
    ("f", Type::Float),
    ("g", Type::Float),
    ("s", Type::Text),
    ("t", Type::Text),
    ("p", Type::Bool),
    ("x", Type::Timestamp),
    ("y", Type::Timestamp),
];
const TEXTS: [&str; 9] = ["", "a", "Ab c", " é ", "12.5", "-7", "NaN", "2026-03-29T01:30:00Z", "web"];
const EXPRESSIONS: u64 = 30_000;
const ROWS: u64 = 8;

/// One of several.
fn one<'l>(random: &mut Random, list: &[&'l str]) -> &'l str {
    list[random.below(list.len() as u64) as usize]
}

fn text_literal(random: &mut Random) -> String {
    format!("{:?}", one(random, &TEXTS))
}

fn number_literal(random: &mut Random) -> String {
    match random.below(4) {
        0 => random.between(-3, 12).to_string(),
        1 => format!("{}.{}", random.between(-20, 20), random.below(1000)),
        2 => one(random, &["0.5", "2.675", "1e3", "9223372036854775807", "-0.000001", "1.005"]).to_owned(),
        _ => random.between(-1_000_000, 1_000_000).to_string(),
    }
}

fn of_type(random: &mut Random, depth: u64, of: Type) -> String {
    match of {
        Type::Bool => truth(random, depth),
        Type::Text => text(random, depth),
        Type::Timestamp => instant(random, depth),
        Type::Int | Type::Decimal(_) | Type::Float => number(random, depth),
    }
}

fn any(random: &mut Random, depth: u64) -> String {
    let of = [Type::Bool, Type::Int, Type::Text, Type::Timestamp][random.below(4) as usize];
    of_type(random, depth, of)
}

fn truth(random: &mut Random, depth: u64) -> String {
    if depth == 0 {
        return one(random, &["p", "p", "true", "false"]).to_owned();
    }
    let d = depth - 1;
    match random.below(11) {
        0 => format!("({} && {} && {})", truth(random, d), truth(random, d), truth(random, d)),
        1 => format!("({} || {})", truth(random, d), truth(random, d)),
        2 => format!("!({})", truth(random, d)),
        3 => {
            let of = [Type::Int, Type::Text, Type::Timestamp][random.below(3) as usize];
            let op = one(random, &["==", "!=", "<", "<=", ">", ">="]);
            format!("({} {op} {})", of_type(random, d, of), of_type(random, d, of))
        }
        4 => format!(
            "({} {} {})",
            one(random, &["n", "a", "c", "f"]),
            one(random, &["<", "==", ">="]),
            number_literal(random)
        ),
        5 => format!("({} {} {})", one(random, &["s", "t"]), one(random, &["<", "==", "!="]), text_literal(random)),
        6 => format!("({} in [{}, {}])", number(random, d), number_literal(random), number_literal(random)),
        7 => format!("({} in [{}, {}])", text(random, d), text_literal(random), text_literal(random)),
        8 => {
            let name = one(random, &["contains", "starts_with", "ends_with"]);
            format!("{name}({}, {})", text(random, d), text(random, d))
        }
        9 => format!("is_null({})", any(random, d)),
        _ => match random.below(4) {
            0 => format!(
                "matches({}, {})",
                text(random, d),
                one(random, &["'^[a-z ]*$'", "'(?i)B'", "'[0-9]+$'", "'.'"])
            ),
            1 => format!("is_weekend({}{})", instant(random, d), zone(random)),
            2 => format!("({} == {})", truth(random, d), truth(random, d)),
            _ => format!("({} ? {} : {})", truth(random, d), truth(random, d), truth(random, d)),
        },
    }
}

fn zone(random: &mut Random) -> &'static str {
    one(random, &["", ", 'Europe/Berlin'", ", 'America/New_York'", ", 'Australia/Lord_Howe'", ", 'Asia/Kathmandu'"])
}

fn number(random: &mut Random, depth: u64) -> String {
    if depth == 0 {
        return match random.below(4) {
            0 => number_literal(random),
            _ => one(random, &["n", "m", "a", "b", "c", "f", "g"]).to_owned(),
        };
    }
    let d = depth - 1;
    match random.below(16) {
        0 => format!("({} {} {})", number(random, d), one(random, &["+", "-"]), number(random, d)),
        1 => format!("({} * {})", number(random, d), number(random, d)),
        2 => format!("({} / {})", number(random, d), number(random, d)),
        3 => format!("(int({}) % int({}))", number(random, d), number(random, d)),
        4 => format!("decimal({} / {}, {})", number(random, d), number(random, d), random.below(19)),
        5 => format!("decimal({}, {})", number(random, d), random.below(8)),
        6 => format!("{}({})", one(random, &["abs", "floor", "ceil", "int", "float", "-"]), number(random, d)),
        7 => format!("{}({})", one(random, &["log", "exp", "sqrt"]), number(random, d)),
        8 => format!("{}({}, {})", one(random, &["least", "greatest", "pow"]), number(random, d), number(random, d)),
        9 => format!("coalesce({}, null, {})", number(random, d), number(random, d)),
        10 => format!("({} ? {} : {})", truth(random, d), number(random, d), number(random, d)),
        11 => format!("bucketize({}, [-1, 0.5, 2, 1000])", number(random, d)),
        12 => {
            let name = one(random, &["hour_of_day", "day_of_week", "day_of_month", "month", "year"]);
            format!("{name}({}{})", instant(random, d), zone(random))
        }
        13 => format!("({} - {})", instant(random, d), instant(random, d)),
        14 => format!("hash({}, {})", any(random, d), random.between(1, 1000)),
        _ => match random.below(4) {
            0 => format!("size({})", text(random, d)),
            1 => format!("one_hot({}, {})", text(random, d), text_literal(random)),
            2 => format!("int({})", text(random, d)),
            _ => format!("{}({})", one(random, &["float"]), text(random, d)),
        },
    }
}

fn text(random: &mut Random, depth: u64) -> String {
    if depth == 0 {
        return if random.chance(300) { text_literal(random) } else { one(random, &["s", "t"]).to_owned() };
    }
    let d = depth - 1;
    match random.below(5) {
        0 => format!("({} + {})", text(random, d), text(random, d)),
        1 => format!("{}({})", one(random, &["lower", "upper", "trim"]), text(random, d)),
        2 => format!("text({})", any(random, d)),
        3 => format!("({} ? {} : {})", truth(random, d), text(random, d), text(random, d)),
        _ => format!("coalesce({}, {})", text(random, d), text(random, d)),
    }
}

fn instant(random: &mut Random, depth: u64) -> String {
    match random.below(if depth == 0 { 3 } else { 6 }) {
        0 => "event_time()".to_owned(),
        1 | 2 => one(random, &["x", "y"]).to_owned(),
        3 => format!("timestamp({})", text(random, depth - 1)),
        4 => format!("coalesce({}, {})", instant(random, depth - 1), instant(random, depth - 1)),
        _ => format!("({} ? {} : null)", truth(random, depth - 1), instant(random, depth - 1)),
    }
}

/// One input of a row.
fn value(random: &mut Random, of: Type) -> Value {
    if random.chance(100) {
        return Value::Null;
    }
    match of {
        Type::Bool => Value::Bool(random.chance(500)),
        Type::Text => Value::Text(one(random, &TEXTS).to_owned()),
        Type::Timestamp => match random.below(3) {
            // Around the ends of summer time in Europe and America.
            0 => Value::Timestamp(Timestamp(1_774_746_000_000_000 + random.between(-7_200, 7_200) * 1_000_000)),
            1 => Value::Timestamp(Timestamp(random.between(-62_135_596_800_000_000, 253_402_214_400_000_000))),
            _ => Value::Timestamp(Timestamp(random.between(0, 2_000_000_000_000_000))),
        },
        Type::Float => Value::Float(match random.below(5) {
            0 => random.between(-4, 4) as f64 / 2.0,
            1 => random.between(-1_000_000, 1_000_000) as f64 / 1024.0,
            2 => [1e300, -1e300, 1e-300, 2f64.powi(126), 9_007_199_254_740_993.0][random.below(5) as usize],
            3 => 0.0,
            _ => f64::from_bits(random.below(u64::MAX)),
        }),
        Type::Int | Type::Decimal(_) if random.chance(60) => Value::Bad,
        Type::Int | Type::Decimal(_) => Value::Number(match random.below(5) {
            0 => random.between(-4, 4).into(),
            1 => random.between(-2_000, 2_000).into(),
            2 => random.between(i64::MIN, i64::MAX).into(),
            3 => [i128::MAX, i128::MIN, i128::from(i64::MAX), 0, 50][random.below(5) as usize],
            _ => i128::from(random.between(i64::MIN, i64::MAX)) * i128::from(random.between(0, 1 << 60)),
        }),
    }
}

/// The same as the product has it; a float that is none of its values is null.
fn cell(value: &Value) -> Cell<'_> {
    match value {
        Value::Null => Cell::Null,
        Value::Bad => Cell::Bad,
        Value::Bool(value) => Cell::Bool(*value),
        Value::Number(value) => Cell::Number(*value),
        Value::Float(value) => Cell::Float(*value),
        Value::Text(value) => Cell::Text(value),
        Value::Timestamp(value) => Cell::Timestamp(*value),
    }
}

fn owned(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Bad => Value::Bad,
        Cell::Bool(value) => Value::Bool(value),
        Cell::Number(value) => Value::Number(value),
        Cell::Float(value) => Value::Float(value),
        Cell::Text(value) => Value::Text(value.to_owned()),
        Cell::Timestamp(value) => Value::Timestamp(value),
    }
}

/// Every operation of an expression by name, without what it carries.
fn operations(expression: &Expression, drawn: &mut BTreeMap<String, u64>) {
    expression.visit(&mut |part| {
        if let Kind::Call(function, _) = &part.kind {
            let name = format!("{function:?}");
            *drawn.entry(name.split('(').next().unwrap_or_default().to_owned()).or_default() += 1;
        }
    });
}

fn answer(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bad => "bad",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::Float(_) => "float",
        Value::Text(_) => "text",
        Value::Timestamp(_) => "timestamp",
    }
}

#[test]
fn closures_answer_what_the_walk_answers() {
    let mut random = Random::new(7);
    let (mut drawn, mut answers, mut refused) = (BTreeMap::new(), BTreeMap::new(), 0u64);
    for at in 0..EXPRESSIONS {
        let depth = at % 5;
        let text = any(&mut random, depth);
        let Ok(expression) = read(&text, &INPUTS, true) else {
            refused += 1;
            continue;
        };
        operations(&expression, &mut drawn);
        let mut inputs = Inputs::default();
        let program = Program::new(&expression, &mut inputs);
        let filter = (expression.of == Type::Bool).then(|| Filter::new(&expression, &mut inputs));
        for _ in 0..ROWS {
            let values: Vec<Value> = INPUTS.iter().map(|(_, of)| value(&mut random, *of)).collect();
            let values: Vec<Value> = values
                .into_iter()
                .map(|value| match value {
                    Value::Float(float) if !float.is_finite() => Value::Null,
                    Value::Float(float) => Value::Float(float + 0.0),
                    other => other,
                })
                .collect();
            let event_time = Timestamp(random.between(0, 2_000_000_000_000_000));
            let want = evaluate(&expression, &|input, _| values[input].clone(), event_time);
            let cells: Vec<Cell<'_>> = inputs.cells().iter().map(|(input, _)| cell(&values[*input])).collect();
            let got = program.run(&Row { cells: &cells, event_time }, owned);
            let same = match (&got, &want) {
                (Value::Float(got), Value::Float(want)) => got.to_bits() == want.to_bits(),
                _ => got == want,
            };
            assert!(same, "expression {at}: {text}\n got {got:?}\nwant {want:?}\nover {values:?} at {event_time}");
            if let Some(filter) = &filter {
                let (holds, is_true) = (filter.holds(&Row { cells: &cells, event_time }), want == Value::Bool(true));
                assert_eq!(holds, is_true, "filter {at}: {text}\nover {values:?} at {event_time}");
            }
            *answers.entry(answer(&want)).or_insert(0u64) += 1;
        }
    }
    println!("refused {refused}\noperations {drawn:#?}\nanswers {answers:#?}");
    assert!(refused < EXPRESSIONS / 3, "{refused} of {EXPRESSIONS} were refused");
    assert_eq!(drawn.len(), 38, "every operation was drawn: {drawn:?}");
    assert!(drawn.values().all(|times| *times > 20), "{drawn:?}");
    assert!(answers.len() == 7 && answers.values().all(|times| *times > 300), "{answers:?}");
}
