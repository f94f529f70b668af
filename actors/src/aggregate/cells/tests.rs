//! Narrow and wide cells hold what accumulators say, row by row and merged.

use proptest::prelude::*;

use super::*;

fn ones() -> impl Strategy<Value = Vec<(usize, Option<i64>)>> {
    let number = prop_oneof![3 => (-(1i64 << 40)..1 << 40).prop_map(Some), 1 => Just(None)];
    prop::collection::vec((0usize..5, number), 0..60)
}

/// Adds rows to cells of both forms and to plain accumulators.
fn fill(shape: &CellShape, rows: &[(usize, Option<i64>)], forms: &mut [(Form, Vec<u64>)], plain: &mut [Accumulator]) {
    for (column, number) in rows {
        let one = match number {
            _ if !shape.has_value(*column) => One::Row,
            Some(number) => One::Number(*number),
            None => One::Bad,
        };
        for (form, cells) in forms.iter_mut() {
            shape.count(cells, *form, *column, one);
        }
        plain[*column].merge(&one.accumulator());
    }
}

proptest! {
    #[test]
    fn both_forms_agree_with_accumulators(has_value: [bool; 5], left in ones(), right in ones()) {
        let shape = CellShape::new(has_value.into_iter());
        let empty = || [Form::Narrow, Form::Wide].map(|form| (form, vec![0; shape.words(form)]));
        let (mut a, mut b) = (empty(), empty());
        let (mut plain, mut other) = ([Accumulator::default(); 5], [Accumulator::default(); 5]);
        fill(&shape, &left, &mut a, &mut plain);
        fill(&shape, &right, &mut b, &mut other);
        for ((form, cells), (_, other)) in a.iter_mut().zip(&b) {
            shape.merge(cells, *form, other);
        }
        for column in 0..5 {
            plain[column].merge(&other[column]);
            for (form, cells) in &a {
                prop_assert_eq!(shape.load(cells, *form, column), plain[column], "{:?} {}", form, column);
            }
        }
        // What is stored is what is loaded.
        for (form, cells) in &mut a {
            for (column, value) in plain.iter().enumerate() {
                shape.store(cells, *form, column, value);
                prop_assert_eq!(&shape.load(cells, *form, column), value);
            }
        }
    }
}
