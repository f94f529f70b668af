//! Adding rows to the cell of a column: one loop over the rows, whatever it keeps of their numbers. Knows no tile.

use ethnum::I256;
use featuregrid_protocol::plan::Decay;
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;

use super::layout::Place;
use super::{CellShape, Form, WEIGHT_WORDS, add_words, bias, later, mirror, row_words, weight_words};
use crate::aggregate::{Placed, Squares, decay};

/// What one row is to one column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct One {
    /// Whether it counts.
    pub(crate) is_taken: bool,
    /// Whether it has a number that is none of the domain: then it does not count.
    pub(crate) is_bad: bool,
    /// Its number; 0 where it has none or is not taken.
    pub(crate) number: i64,
    /// Its event time.
    pub(crate) ts: Timestamp,
    /// Its place in the source.
    pub(crate) position: Position,
}

/// The numbers of rows together: all that a cell may keep of them.
#[derive(Clone, Copy, Debug, Default)]
struct Numbers {
    n: u64,
    bad: u64,
    sum: i128,
    squares: Squares,
    /// Mirrored, as in a cell.
    min: u64,
    max: u64,
}

impl CellShape {
    /// Adds rows to the cell of a column.
    #[inline]
    pub(crate) fn count(&self, cells: &mut [u64], form: Form, column: usize, rows: impl Iterator<Item = One> + Clone) {
        let place = &self.layout(form).places[column];
        let taken = rows.clone().filter(|row| row.is_taken);
        match place.bad {
            None => place.n.add(cells, taken.clone().map(|_| 1).sum()),
            Some(bad) => {
                let numbers = Numbers::of(rows);
                place.n.add(cells, numbers.n);
                bad.add(cells, numbers.bad);
                numbers.add_to(place, cells, form);
            }
        }
        if place.first.is_some() || place.last.is_some() {
            taken.clone().for_each(|row| take_time(place, cells, row.ts));
        }
        if place.first_row.is_some() || place.last_row.is_some() {
            taken.clone().for_each(|row| take_row(place, cells, row));
        }
        if let Some(decay) = place.decay {
            taken.for_each(|row| add_weight(place, cells, decay, row));
        }
    }
}

impl Numbers {
    #[inline]
    fn of(rows: impl Iterator<Item = One>) -> Self {
        rows.fold(Self::default(), |sum, row| Self {
            n: sum.n + u64::from(row.is_taken),
            bad: sum.bad + u64::from(row.is_bad),
            // What is not taken has the number 0, and extremes of an empty cell.
            sum: sum.sum + i128::from(row.number),
            squares: sum.squares.plus(Squares::of(row.number)),
            min: sum.min.max(if row.is_taken { mirror(row.number) } else { 0 }),
            max: sum.max.max(if row.is_taken { bias(row.number) } else { 0 }),
        })
    }

    #[inline]
    fn add_to(self, place: &Place, cells: &mut [u64], form: Form) {
        if let Some(at) = place.sum {
            let [low, high] = halves(self.sum as u128);
            match form {
                Form::Narrow => cells[at] = cells[at].wrapping_add(low),
                Form::Wide => add_words(&mut cells[at..], &[low, high]),
            }
        }
        if let Some(at) = place.squares {
            let [low, high] = halves(self.squares.low);
            match form {
                Form::Narrow => add_words(&mut cells[at..], &[low, high]),
                Form::Wide => add_words(&mut cells[at..], &[low, high, self.squares.high]),
            }
        }
        for (at, word) in [(place.min, self.min), (place.max, self.max)] {
            if let Some(at) = at {
                cells[at] = cells[at].max(word);
            }
        }
    }
}

/// The least word first.
fn halves(number: u128) -> [u64; 2] {
    [number as u64, (number >> 64) as u64]
}

fn take_time(place: &Place, cells: &mut [u64], ts: Timestamp) {
    for (at, word) in [(place.first, mirror(ts.0)), (place.last, bias(ts.0))] {
        if let Some(at) = at {
            cells[at] = cells[at].max(word);
        }
    }
}

fn take_row(place: &Place, cells: &mut [u64], One { ts, position, number, .. }: One) {
    for (at, is_first) in [(place.first_row, true), (place.last_row, false)] {
        if let Some(at) = at {
            later(&mut cells[at..], &row_words(Placed { ts, position, number }, is_first));
        }
    }
}

#[inline]
fn add_weight(place: &Place, cells: &mut [u64], decay: Decay, row: One) {
    let weight = decay::weight(decay, row.ts);
    let number = i128::from(row.number);
    let mut add = |at: Option<usize>, product: fn(i128, u64) -> I256| {
        if let Some(at) = at {
            add_words::<WEIGHT_WORDS>(&mut cells[at..], &weight_words(product(number, weight)));
        }
    };
    add(place.weights, |_, weight| I256::from(weight));
    add(place.weighted, |number, weight| I256::from(number * i128::from(weight)));
    add(place.weighted_squares, |number, weight| I256::from(number.pow(2)) * I256::from(weight));
}
