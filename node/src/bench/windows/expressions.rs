//! Compiled expressions beside the same written by hand in Rust. Knows no record: rows are typed cells.

use std::hint::black_box;

use featuregrid_actors::expression::{Cell, Filter, Inputs, Program, Row};
use featuregrid_protocol::expression::{Expression, Type, read};
use featuregrid_protocol::time::Timestamp;
use featuregrid_simulations::random::Random;

use super::{Case, median, scaled};

const FIELDS: [(&str, Type); 4] =
    [("amount", Type::Decimal(2)), ("quantity", Type::Int), ("type", Type::Text), ("country", Type::Text)];
const FILTER: &str = "type == 'purchase' && amount >= 10 && country != 'DE'";
const ARITHMETIC: &str = "amount * quantity - 1.5";
const BUCKETS: &str = "bucketize(amount, [1, 10, 100, 1000])";
const KINDS: [&str; 4] = ["purchase", "view", "cart", "refund"];
const COUNTRIES: [&str; 4] = ["DE", "FR", "US", "JP"];
const ROWS: usize = 4_096;
/// How often every row is computed.
const ROUNDS: u64 = 5_000;

/// A row as somebody would write it who has only this one.
#[derive(Clone, Copy)]
struct Payment {
    amount: Option<i128>,
    quantity: Option<i128>,
    kind: Option<&'static str>,
    country: Option<&'static str>,
}

impl Payment {
    fn draw(random: &mut Random) -> Self {
        let is_there = |random: &mut Random| !random.chance(30);
        Self {
            amount: is_there(random).then(|| random.between(-1_000, 200_000).into()),
            quantity: is_there(random).then(|| random.between(0, 20).into()),
            kind: random.pick(&KINDS).copied().filter(|_| is_there(random)),
            country: random.pick(&COUNTRIES).copied().filter(|_| is_there(random)),
        }
    }

    fn cell(&self, field: usize) -> Cell<'static> {
        let number = |number: Option<i128>| number.map_or(Cell::Null, Cell::Number);
        let text = |text: Option<&'static str>| text.map_or(Cell::Null, Cell::Text);
        match field {
            0 => number(self.amount),
            1 => number(self.quantity),
            2 => text(self.kind),
            _ => text(self.country),
        }
    }
}

pub(super) fn cases(scale: u64) -> Vec<Case> {
    let mut random = Random::new(1);
    let rows: Vec<Payment> = (0..ROWS).map(|_| Payment::draw(&mut random)).collect();
    let rounds = scaled(ROUNDS, scale);
    let mut cases = Vec::new();
    if let Ok(filter) = read(FILTER, &FIELDS, false) {
        let mut inputs = Inputs::default();
        let compiled = Filter::new(&filter, &mut inputs);
        cases.push(case(
            "filter",
            FILTER,
            &rows,
            &inputs,
            rounds,
            |row| compiled.holds(row).into(),
            |payment| {
                let is_taken = payment.kind.is_some_and(|kind| kind == "purchase")
                    && payment.amount.is_some_and(|amount| amount >= 1_000)
                    && payment.country.is_some_and(|country| country != "DE");
                is_taken.into()
            },
        ));
    }
    let mut number = |name, text, by_hand: fn(&Payment) -> i128| {
        let Ok(expression) = read(text, &FIELDS, false) else { return };
        let (compiled, inputs) = program(&expression);
        let run = |row: &Row<'_>| compiled.run(row, |cell| if let Cell::Number(number) = cell { number } else { 0 });
        cases.push(case(name, text, &rows, &inputs, rounds, run, by_hand));
    };
    number("arithmetic", ARITHMETIC, |payment| {
        let product = payment.amount.zip(payment.quantity).and_then(|(amount, quantity)| amount.checked_mul(quantity));
        product.and_then(|product| product.checked_sub(150)).unwrap_or(0)
    });
    number("buckets", BUCKETS, |payment| {
        let below = |amount: i128| [100, 1_000, 10_000, 100_000].iter().filter(|bound| **bound <= amount).count();
        payment.amount.map_or(0, |amount| below(amount) as i128)
    });
    cases
}

fn program(expression: &Expression) -> (Program, Inputs) {
    let mut inputs = Inputs::default();
    (Program::new(expression, &mut inputs), inputs)
}

fn case(
    case: &'static str,
    text: &str,
    payments: &[Payment],
    inputs: &Inputs,
    rounds: u64,
    compiled: impl Fn(&Row<'_>) -> i128,
    by_hand: impl Fn(&Payment) -> i128,
) -> Case {
    let cells = |payment: &Payment| inputs.cells().iter().map(|(field, _)| payment.cell(*field)).collect();
    let rows: Vec<Vec<Cell<'_>>> = payments.iter().map(cells).collect();
    let count = rounds * payments.len() as u64;
    let both = rows.iter().zip(payments).all(|(cells, payment)| compiled(&row(cells)) == by_hand(payment));
    debug_assert!(both, "both answer the same: {text}");
    let value = median(count, || (), |()| add_up(rounds, &rows, |cells| compiled(&row(cells))));
    let limit = median(count, || (), |()| add_up(rounds, payments, &by_hand));
    Case { case, workload: format!("`{text}` of a row of cells; limit: a closure over a struct"), value, limit }
}

fn row<'r>(cells: &'r [Cell<'r>]) -> Row<'r> {
    Row { cells, event_time: Timestamp(0) }
}

/// What every item is worth, again and again.
fn add_up<T>(rounds: u64, items: &[T], worth: impl Fn(&T) -> i128) {
    for _ in 0..rounds {
        black_box(items.iter().fold(0i128, |sum, item| sum.wrapping_add(worth(black_box(item)))));
    }
}
