//! Cells read back from exactly what was written, and what no rows make is refused.

use featuregrid_protocol::plan::Decay;
use featuregrid_protocol::time::Span;
use proptest::prelude::*;

use super::*;
use crate::aggregate::decay;

const DECAY: Decay = Decay { half_life: Span(1000) };

fn keeps() -> impl Strategy<Value = Keeps> {
    let all = [Keeps::SUM, Keeps::SQUARES, Keeps::MIN, Keeps::MAX, Keeps::FIRST, Keeps::LAST];
    let all = [&all[..], &[Keeps::FIRST_ROW, Keeps::LAST_ROW]].concat();
    let weighted = Keeps::WEIGHTS.and(Keeps::WEIGHTED);
    let weights = vec![Keeps::NOTHING, Keeps::WEIGHTS, weighted, weighted.and(Keeps::WEIGHTED_SQUARES)];
    let weights = prop::sample::select(weights);
    (prop::sample::subsequence(all, 0..=8), weights).prop_map(|(some, weights)| {
        let decay = (weights != Keeps::NOTHING).then_some(DECAY);
        some.into_iter().fold(weights.decaying(decay), Keeps::and)
    })
}

fn cell(keeps: Keeps, numbers: &[i64], times: &[i64]) -> Accumulator {
    let mut cell = Accumulator { n: numbers.len() as u64, bad: 3, ..Accumulator::default() };
    for (offset, (number, time)) in numbers.iter().zip(times).enumerate() {
        let position = Position { partition: PartitionId(7), offset: offset as u64 };
        let row = Placed { ts: Timestamp(*time), position, number: *number };
        if keeps.has(Keeps::FIRST_ROW) {
            cell.first_row = Some(cell.first_row.map_or(row, |first| first.min(row)));
        }
        if keeps.has(Keeps::LAST_ROW) {
            cell.last_row = cell.last_row.max(Some(row));
        }
        let weight = I256::from(decay::weight(DECAY, Timestamp(*time)));
        if keeps.has(Keeps::WEIGHTS) {
            cell.weights += weight;
        }
        if keeps.has(Keeps::WEIGHTED) {
            cell.weighted += weight * I256::from(*number);
        }
        if keeps.has(Keeps::WEIGHTED_SQUARES) {
            cell.weighted_squares += (weight * I256::from(*number).pow(2)).as_u256();
        }
        if keeps.has(Keeps::SUM) {
            cell.sum += i128::from(*number);
        }
        if keeps.has(Keeps::SQUARES) {
            cell.squares = cell.squares.plus(Squares::of(*number));
        }
        if keeps.has(Keeps::MIN) {
            cell.min = cell.min.min(*number);
        }
        if keeps.has(Keeps::MAX) {
            cell.max = cell.max.max(*number);
        }
        if keeps.has(Keeps::FIRST) {
            cell.first = cell.first.min(Timestamp(*time));
        }
        if keeps.has(Keeps::LAST) {
            cell.last = cell.last.max(Timestamp(*time));
        }
    }
    cell
}

proptest! {
    #[test]
    fn a_cell_reads_back(keeps in keeps(), rows in prop::collection::vec((any::<i64>(), any::<i64>()), 0..6)) {
        let (numbers, times): (Vec<i64>, Vec<i64>) = rows.into_iter().unzip();
        let kept = Kept { has_value: true, keeps };
        let cell = cell(keeps, &numbers, &times);
        let mut out = Vec::new();
        put_cell(kept, &cell, &mut out);
        let mut input = Bytes(&out);
        prop_assert_eq!(take_cell(kept, &mut input), Ok(cell));
        prop_assert!(input.0.is_empty());
        let magnitude = u128::from(magnitude(keeps, &cell));
        prop_assert!(cell.sum.unsigned_abs() <= magnitude.saturating_mul(cell.n.into()));
    }

    #[test]
    fn what_reads_is_what_is_written(keeps in keeps(), bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let kept = Kept { has_value: true, keeps };
        let mut input = Bytes(&bytes);
        if let Ok(cell) = take_cell(kept, &mut input) {
            let mut out = Vec::new();
            put_cell(kept, &cell, &mut out);
            prop_assert_eq!(&out, &bytes[..bytes.len() - input.0.len()]);
        }
    }
}

#[test]
fn a_spread_that_no_numbers_have_is_refused() {
    let kept = Kept { has_value: true, keeps: Keeps::SUM.and(Keeps::SQUARES) };
    for (squares, reads) in [(12, true), (11, false)] {
        let mut out = Vec::new();
        let squares = Squares { high: 0, low: squares };
        put_cell(kept, &Accumulator { n: 3, sum: 6, squares, ..Accumulator::default() }, &mut out);
        assert_eq!(take_cell(kept, &mut Bytes(&out)).is_ok(), reads, "{squares:?}");
    }
}
