//! Narrow and wide cells hold what a plain look at the rows says, row by row and merged.

use proptest::prelude::*;

use super::*;

/// Rows of each of five columns: a number, or none, and a time.
fn rows() -> impl Strategy<Value = Vec<(usize, Option<i64>, i64)>> {
    let number = prop_oneof![3 => (-(1i64 << 40)..1 << 40).prop_map(Some), 1 => Just(None)];
    prop::collection::vec((0usize..5, number, any::<i64>()), 0..60)
}

fn kept() -> impl Strategy<Value = Vec<Kept>> {
    let all = [Keeps::SUM, Keeps::SQUARES, Keeps::MIN, Keeps::MAX, Keeps::FIRST, Keeps::LAST];
    let keeps = prop::sample::subsequence(all.to_vec(), 0..=6)
        .prop_map(|some| some.into_iter().fold(Keeps::NOTHING, Keeps::and));
    let kept = (any::<bool>(), keeps).prop_map(|(has_value, keeps)| match has_value {
        true => Kept { has_value, keeps },
        // Only times are of rows without a value.
        false => Kept { has_value, keeps: keeps.only(Keeps::TIMES) },
    });
    prop::collection::vec(kept, 5)
}

fn fill(shape: &CellShape, rows: &[(usize, Option<i64>, i64)], forms: &mut [(Form, Vec<u64>)]) {
    for (column, number, ts) in rows {
        let one = one(shape.kept(*column), *number);
        for (form, cells) in forms.iter_mut() {
            shape.count(cells, *form, *column, one, Timestamp(*ts));
        }
    }
}

fn one(kept: Kept, number: Option<i64>) -> One {
    match number {
        _ if !kept.has_value => One::Row,
        Some(number) => One::Number(number),
        None => One::Bad,
    }
}

/// What a column keeps of all rows, by looking at them.
fn naive(kept: Kept, rows: impl Iterator<Item = (Option<i64>, i64)>) -> Accumulator {
    let mut kept_of = Accumulator::default();
    for (number, ts) in rows {
        let number = match one(kept, number) {
            One::Bad => {
                kept_of.bad += 1;
                continue;
            }
            One::Row => None,
            One::Number(number) => Some(number),
        };
        kept_of.n += 1;
        if let Some(number) = number {
            let when = |what, value: i128| if kept.keeps.has(what) { value } else { 0 };
            kept_of.sum += when(Keeps::SUM, number.into());
            kept_of.squares.low += when(Keeps::SQUARES, i128::from(number) * i128::from(number)) as u128;
            if kept.keeps.has(Keeps::MIN) {
                kept_of.min = kept_of.min.min(number);
            }
            if kept.keeps.has(Keeps::MAX) {
                kept_of.max = kept_of.max.max(number);
            }
        }
        if kept.keeps.has(Keeps::FIRST) {
            kept_of.first = kept_of.first.min(Timestamp(ts));
        }
        if kept.keeps.has(Keeps::LAST) {
            kept_of.last = kept_of.last.max(Timestamp(ts));
        }
    }
    kept_of
}

proptest! {
    #[test]
    fn both_forms_agree_with_a_plain_look(kept in kept(), left in rows(), right in rows()) {
        let shape = CellShape::new(kept.clone());
        let empty = || [Form::Narrow, Form::Wide].map(|form| (form, vec![0; shape.words(form)]));
        let (mut a, mut b) = (empty(), empty());
        fill(&shape, &left, &mut a);
        fill(&shape, &right, &mut b);
        for ((form, cells), (_, other)) in a.iter_mut().zip(&b) {
            shape.merge(cells, *form, other);
        }
        for (column, kept) in kept.into_iter().enumerate() {
            let rows = left.iter().chain(&right).filter(|(of, ..)| *of == column);
            let want = naive(kept, rows.map(|(_, number, ts)| (*number, *ts)));
            for (form, cells) in &mut a {
                prop_assert_eq!(shape.load(cells, *form, column), want, "{:?} {}", form, column);
                prop_assert_eq!(shape.n(cells, *form, column), want.n);
                // What is stored is what is loaded.
                shape.store(cells, *form, column, &Accumulator::default());
                shape.store(cells, *form, column, &want);
                prop_assert_eq!(shape.load(cells, *form, column), want);
            }
        }
    }

    #[test]
    fn sums_carry_into_every_word(numbers in prop::collection::vec(prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(-1)], 1..40)) {
        let kept = Kept { has_value: true, keeps: Keeps::SUM.and(Keeps::SQUARES) };
        let shape = CellShape::new(vec![kept]);
        let mut cells = vec![0; shape.words(Form::Wide)];
        let mut doubled = cells.clone();
        for number in &numbers {
            shape.count(&mut cells, Form::Wide, 0, One::Number(*number), Timestamp(0));
            shape.merge(&mut doubled, Form::Wide, &cells);
        }
        // The k-th number was merged once for itself and once for each that came after it.
        let times = (1..=numbers.len() as i128).rev();
        let sum: i128 = numbers.iter().zip(times.clone()).map(|(number, times)| i128::from(*number) * times).sum();
        let squares = numbers.iter().zip(times).fold(Squares::default(), |sum, (number, times)| {
            (0..times).fold(sum, |sum, _| sum.plus(Squares::of(*number)))
        });
        let merged = shape.load(&doubled, Form::Wide, 0);
        prop_assert_eq!((merged.sum, merged.squares), (sum, squares));
    }
}
