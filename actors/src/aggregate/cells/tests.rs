//! Narrow and wide cells hold what a plain look at the rows says, row by row and merged.

use featuregrid_protocol::plan::Decay;
use featuregrid_protocol::time::Span;
use proptest::prelude::*;

use super::*;
use crate::aggregate::decay;

const DECAY: Decay = Decay { half_life: Span(1000) };

/// A row of one of five columns: a number, or none, and its place in the total order.
type Row = (usize, Option<i64>, (Timestamp, Position));

/// Rows of one partition; few times, so that offsets decide.
fn rows(partition: u32) -> impl Strategy<Value = Vec<Row>> {
    let number = prop_oneof![3 => (-(1i64 << 40)..1 << 40).prop_map(Some), 1 => Just(None)];
    let time = prop_oneof![any::<i64>(), 0i64..3];
    prop::collection::vec((0usize..5, number, time), 0..60).prop_map(move |rows| {
        let place = |offset, ts| (Timestamp(ts), Position { partition: PartitionId(partition), offset });
        let rows = rows.into_iter().zip(0..);
        rows.map(|((column, number, ts), offset)| (column, number, place(offset, ts))).collect()
    })
}

fn kept() -> impl Strategy<Value = Vec<Kept>> {
    let all = [Keeps::SUM, Keeps::SQUARES, Keeps::MIN, Keeps::MAX, Keeps::FIRST, Keeps::LAST];
    let all = [&all[..], &[Keeps::FIRST_ROW, Keeps::LAST_ROW]].concat();
    let weighted = Keeps::WEIGHTS.and(Keeps::WEIGHTED);
    let weights = vec![Keeps::NOTHING, Keeps::WEIGHTS, weighted, weighted.and(Keeps::WEIGHTED_SQUARES)];
    let weights = prop::sample::select(weights);
    let keeps = (prop::sample::subsequence(all, 0..=8), weights).prop_map(|(some, weights)| {
        let decay = (weights != Keeps::NOTHING).then_some(DECAY);
        some.into_iter().fold(weights.decaying(decay), Keeps::and)
    });
    let kept = (any::<bool>(), keeps).prop_map(|(has_value, keeps)| match has_value {
        true => Kept { has_value, keeps },
        // Only times and weights are of rows without a value.
        false => Kept { has_value, keeps: keeps.of_rows() },
    });
    prop::collection::vec(kept, 5)
}

/// Adds the rows of each column, all at once.
fn fill(shape: &CellShape, rows: &[Row], forms: &mut [(Form, Vec<u64>)]) {
    for column in 0..shape.columns() {
        let ones = rows.iter().map(|row| one(shape.kept(column), row, row.0 == column));
        for (form, cells) in forms.iter_mut() {
            shape.count(cells, *form, column, ones.clone());
        }
    }
}

fn one(kept: Kept, (_, number, (ts, position)): &Row, is_of_column: bool) -> One {
    let is_bad = kept.has_value && number.is_none();
    One {
        is_taken: is_of_column && !is_bad,
        is_bad: is_of_column && is_bad,
        number: number.filter(|_| is_of_column).unwrap_or_default(),
        ts: *ts,
        position: *position,
    }
}

/// What a column keeps of all rows, by looking at them.
fn naive<'r>(kept: Kept, rows: impl Iterator<Item = &'r Row>) -> Accumulator {
    let mut kept_of = Accumulator::default();
    for (_, number, (ts, position)) in rows {
        let (ts, position) = (*ts, *position);
        if kept.has_value && number.is_none() {
            kept_of.bad += 1;
            continue;
        }
        let number = number.filter(|_| kept.has_value);
        kept_of.n += 1;
        let weight = I256::from(decay::weight(DECAY, ts));
        if kept.keeps.has(Keeps::WEIGHTS) {
            kept_of.weights += weight;
        }
        if let Some(number) = number {
            let when = |what, value: i128| if kept.keeps.has(what) { value } else { 0 };
            kept_of.sum += when(Keeps::SUM, number.into());
            kept_of.squares.low += when(Keeps::SQUARES, i128::from(number) * i128::from(number)) as u128;
            if kept.keeps.has(Keeps::WEIGHTED) {
                kept_of.weighted += weight * I256::from(number);
            }
            if kept.keeps.has(Keeps::WEIGHTED_SQUARES) {
                kept_of.weighted_squares += (weight * I256::from(number).pow(2)).as_u256();
            }
            if kept.keeps.has(Keeps::MIN) {
                kept_of.min = kept_of.min.min(number);
            }
            if kept.keeps.has(Keeps::MAX) {
                kept_of.max = kept_of.max.max(number);
            }
            let row = Placed { ts, position, number };
            if kept.keeps.has(Keeps::FIRST_ROW) {
                kept_of.first_row = Some(kept_of.first_row.map_or(row, |first| first.min(row)));
            }
            if kept.keeps.has(Keeps::LAST_ROW) {
                kept_of.last_row = kept_of.last_row.max(Some(row));
            }
        }
        if kept.keeps.has(Keeps::FIRST) {
            kept_of.first = kept_of.first.min(ts);
        }
        if kept.keeps.has(Keeps::LAST) {
            kept_of.last = kept_of.last.max(ts);
        }
    }
    kept_of
}

proptest! {
    #[test]
    fn both_forms_agree_with_a_plain_look(kept in kept(), left in rows(0), right in rows(1)) {
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
            let want = naive(kept, rows);
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
    fn tiles_are_merged_at_once_as_one_by_one(kept in kept(), tiles in prop::collection::vec(rows(0), 0..9), times in 1usize..80) {
        let shape = CellShape::new(kept);
        for form in [Form::Narrow, Form::Wide] {
            let tile = |rows: &Vec<Row>| {
                let mut filled = [(form, vec![0; shape.words(form)])];
                fill(&shape, rows, &mut filled);
                filled[0].1.clone()
            };
            // More than are gone over at once.
            let tiles: Vec<Vec<u64>> = std::iter::repeat_n(&tiles, times).flatten().map(tile).collect();
            let (mut each, mut all) = (vec![0; shape.words(form)], vec![0; shape.words(form)]);
            tiles.iter().for_each(|tile| shape.merge(&mut each, form, tile));
            let words: Vec<u64> = tiles.iter().flat_map(|tile| [&[u64::MAX][..], tile].concat()).collect();
            shape.merge_tiles(&mut all, form, &words);
            prop_assert_eq!(all, each, "{:?}", form);
        }
    }

    #[test]
    fn sums_carry_into_every_word(numbers in prop::collection::vec(prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(-1)], 1..40)) {
        let kept = Kept { has_value: true, keeps: Keeps::SUM.and(Keeps::SQUARES) };
        let shape = CellShape::new(vec![kept]);
        let mut cells = vec![0; shape.words(Form::Wide)];
        let mut doubled = cells.clone();
        for number in &numbers {
            let row = (0, Some(*number), (Timestamp(0), Position::default()));
            shape.count(&mut cells, Form::Wide, 0, std::iter::once(one(kept, &row, true)));
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
