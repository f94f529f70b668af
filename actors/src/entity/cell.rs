//! The canonical bytes of one cell. Knows no tile and no page.
//!
//! ```text
//! n                (nothing follows where the measure has no value and n is 0)
//! bad              only if the measure has a value
//! n = 1            the number, if any accumulator of numbers is kept; the time, if any of times is; partition and offset,
//!                  if any of rows is
//! n > 1            sum (signed), squares (high, low), min, max, first, last (signed), first row, last row: those that are
//!                  kept; a row is its time, partition, offset and number
//! n > 0            behind all that, of what decays: weights, weighted (high, signed, and low 128 bits), weighted squares
//!                  (high and low 128 bits), if kept
//! ```

use ethnum::{I256, U256};
use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::plan::Keeps;
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;

use crate::aggregate::{Accumulator, Kept, Placed, Squares};
use featuregrid_protocol::varint::{Bytes, Damaged, put, put_signed};

/// Accumulators of numbers: one number says all of them.
const NUMBERS: Keeps = Keeps::SUM.and(Keeps::SQUARES).and(Keeps::MIN).and(Keeps::MAX).and(ROWS);
/// Accumulators of rows: one row says both.
const ROWS: Keeps = Keeps::FIRST_ROW.and(Keeps::LAST_ROW);
/// Accumulators of times, those of rows included.
const TIMES: Keeps = Keeps::TIMES.and(ROWS);

/// Appends what a column keeps.
pub(super) fn put_cell(kept: Kept, cell: &Accumulator, out: &mut Vec<u8>) {
    put(out, cell.n.into());
    if kept.has_value {
        put(out, cell.bad.into());
    }
    match cell.n {
        0 => {}
        1 => {
            if let Some(number) = only_number(kept.keeps, cell) {
                put_signed(out, number);
            }
            if let Some(time) = only_time(kept.keeps, cell) {
                put_signed(out, time.0.into());
            }
            if let Some(Placed { position, .. }) = cell.first_row.or(cell.last_row) {
                put_position(position, out);
            }
        }
        _ => put_many(kept.keeps, cell, out),
    }
    if cell.n > 0 {
        put_weights(kept.keeps, cell, out);
    }
}

fn put_weights(keeps: Keeps, cell: &Accumulator, out: &mut Vec<u8>) {
    if keeps.has(Keeps::WEIGHTS) {
        put(out, *cell.weights.low() as u128);
    }
    if keeps.has(Keeps::WEIGHTED) {
        put_signed(out, *cell.weighted.high());
        put(out, *cell.weighted.low() as u128);
    }
    if keeps.has(Keeps::WEIGHTED_SQUARES) {
        put(out, *cell.weighted_squares.high());
        put(out, *cell.weighted_squares.low());
    }
}

fn put_many(keeps: Keeps, cell: &Accumulator, out: &mut Vec<u8>) {
    if keeps.has(Keeps::SUM) {
        put_signed(out, cell.sum);
    }
    if keeps.has(Keeps::SQUARES) {
        put(out, cell.squares.high.into());
        put(out, cell.squares.low);
    }
    let words =
        [(Keeps::MIN, cell.min), (Keeps::MAX, cell.max), (Keeps::FIRST, cell.first.0), (Keeps::LAST, cell.last.0)];
    for (_, word) in words.into_iter().filter(|(what, _)| keeps.has(*what)) {
        put_signed(out, word.into());
    }
    for Placed { ts, position, number } in [cell.first_row, cell.last_row].into_iter().flatten() {
        put_signed(out, ts.0.into());
        put_position(position, out);
        put_signed(out, number.into());
    }
}

fn put_position(position: Position, out: &mut Vec<u8>) {
    put(out, position.partition.0.into());
    put(out, position.offset.into());
}

fn take_position(input: &mut Bytes<'_>) -> Result<Position, Damaged> {
    Ok(Position { partition: PartitionId(input.small()?), offset: input.small()? })
}

/// The one number of a cell that counts one row. A square tells no sign, so where nothing else is kept its root is taken:
/// squares are all that is made of it again.
fn only_number(keeps: Keeps, cell: &Accumulator) -> Option<i128> {
    let kept = [
        (Keeps::SUM, cell.sum),
        (Keeps::MIN, cell.min.into()),
        (Keeps::MAX, cell.max.into()),
        (Keeps::FIRST_ROW, cell.first_row.map_or(0, |row| row.number.into())),
        (Keeps::LAST_ROW, cell.last_row.map_or(0, |row| row.number.into())),
        (Keeps::SQUARES, cell.squares.low.isqrt() as i128),
    ];
    kept.into_iter().find(|(what, _)| keeps.has(*what)).map(|(_, number)| number)
}

fn only_time(keeps: Keeps, cell: &Accumulator) -> Option<Timestamp> {
    let row = cell.first_row.or(cell.last_row).map(|row| row.ts);
    let kept = [(Keeps::FIRST, cell.first), (Keeps::LAST, cell.last)];
    kept.into_iter().find(|(what, _)| keeps.has(*what)).map(|(_, time)| time).or(row)
}

/// Reads what [`put_cell`] writes.
pub(super) fn take_cell(Kept { has_value, keeps }: Kept, input: &mut Bytes<'_>) -> Result<Accumulator, Damaged> {
    let mut cell = Accumulator { n: input.small()?, ..Accumulator::default() };
    if has_value {
        cell.bad = input.small()?;
    }
    match cell.n {
        0 => {}
        1 => take_one(keeps, input, &mut cell)?,
        _ => take_many(keeps, input, &mut cell)?,
    }
    if cell.n > 0 {
        take_weights(keeps, input, &mut cell)?;
    }
    Ok(cell)
}

/// Weights that so many rows do not have are refused.
fn take_weights(keeps: Keeps, input: &mut Bytes<'_>, cell: &mut Accumulator) -> Result<(), Damaged> {
    if keeps.has(Keeps::WEIGHTS) {
        let weights = input.unsigned()?;
        if !(u128::from(cell.n) << 24..u128::from(cell.n) << 25).contains(&weights) {
            return Err(Damaged("a sum of weights does not fit how many there are"));
        }
        cell.weights = I256::from(weights);
    }
    if keeps.has(Keeps::WEIGHTED) {
        cell.weighted = I256::from_words(input.signed()?, input.unsigned()? as i128);
        if cell.weighted.unsigned_abs() > U256::from(cell.n) << (25 + 63) {
            return Err(Damaged("a weighted sum does not fit how many there are"));
        }
    }
    if keeps.has(Keeps::WEIGHTED_SQUARES) {
        cell.weighted_squares = U256::from_words(input.unsigned()?, input.unsigned()?);
        if cell.weighted_squares > U256::from(cell.n) << (25 + 126) {
            return Err(Damaged("a weighted sum of squares does not fit how many there are"));
        }
    }
    Ok(())
}

fn take_one(keeps: Keeps, input: &mut Bytes<'_>, cell: &mut Accumulator) -> Result<(), Damaged> {
    let mut row = Placed { ts: Timestamp::MIN, position: Position::default(), number: 0 };
    if keeps.only(NUMBERS) != Keeps::NOTHING {
        let number = input.word()?;
        if keeps.only(NUMBERS) == Keeps::SQUARES && number < 0 {
            return Err(Damaged("a root is negative"));
        }
        row.number = number;
        if keeps.has(Keeps::SUM) {
            cell.sum = number.into();
        }
        if keeps.has(Keeps::SQUARES) {
            cell.squares = Squares::of(number);
        }
        if keeps.has(Keeps::MIN) {
            cell.min = number;
        }
        if keeps.has(Keeps::MAX) {
            cell.max = number;
        }
    }
    if keeps.only(TIMES) != Keeps::NOTHING {
        let time = Timestamp(input.word()?);
        row.ts = time;
        if keeps.has(Keeps::FIRST) {
            cell.first = time;
        }
        if keeps.has(Keeps::LAST) {
            cell.last = time;
        }
    }
    if keeps.only(ROWS) != Keeps::NOTHING {
        row.position = take_position(input)?;
    }
    cell.first_row = keeps.has(Keeps::FIRST_ROW).then_some(row);
    cell.last_row = keeps.has(Keeps::LAST_ROW).then_some(row);
    Ok(())
}

fn take_many(keeps: Keeps, input: &mut Bytes<'_>, cell: &mut Accumulator) -> Result<(), Damaged> {
    if keeps.has(Keeps::SUM) {
        cell.sum = input.signed()?;
    }
    if keeps.has(Keeps::SQUARES) {
        cell.squares = Squares { high: input.small()?, low: input.unsigned()? };
    }
    if keeps.has(Keeps::MIN) {
        cell.min = input.word()?;
    }
    if keeps.has(Keeps::MAX) {
        cell.max = input.word()?;
    }
    if keeps.has(Keeps::FIRST) {
        cell.first = Timestamp(input.word()?);
    }
    if keeps.has(Keeps::LAST) {
        cell.last = Timestamp(input.word()?);
    }
    let mut row = |what| match keeps.has(what) {
        false => Ok(None),
        true => {
            let (ts, position) = (Timestamp(input.word()?), take_position(input)?);
            Ok(Some(Placed { ts, position, number: input.word()? }))
        }
    };
    (cell.first_row, cell.last_row) = (row(Keeps::FIRST_ROW)?, row(Keeps::LAST_ROW)?);
    check(keeps, cell)
}

/// What no rows add up to is refused: a read could not make sense of it.
fn check(keeps: Keeps, cell: &Accumulator) -> Result<(), Damaged> {
    let n = i128::from(cell.n);
    // What is not kept bounds nothing.
    let low = if keeps.has(Keeps::MIN) { cell.min } else { i64::MIN };
    let high = if keeps.has(Keeps::MAX) { cell.max } else { i64::MAX };
    let are_rows_swapped = keeps.has(ROWS) && cell.first_row >= cell.last_row;
    if low > high || are_rows_swapped || (keeps.has(Keeps::TIMES) && cell.first > cell.last) {
        return Err(Damaged("a smallest is larger than its largest"));
    }
    if keeps.has(Keeps::SUM) && !(i128::from(low) * n..=i128::from(high) * n).contains(&cell.sum) {
        return Err(Damaged("a sum does not lie between its extremes"));
    }
    if keeps.has(Keeps::SQUARES) {
        let most = Squares::of(i64::MIN).times(cell.n);
        let least = if keeps.has(Keeps::SUM) { Squares::least(cell.sum, cell.n) } else { Squares::default() };
        if cell.squares > most || cell.squares < least {
            return Err(Damaged("a sum of squares does not fit its sum"));
        }
    }
    Ok(())
}

/// A number so large that as many rows of it add up to no less than the cell has, sum and squares alike.
pub(super) fn magnitude(keeps: Keeps, cell: &Accumulator) -> u64 {
    // What is not added up never overflows.
    if cell.n == 0 || !(keeps.has(Keeps::SUM) || keeps.has(Keeps::SQUARES)) {
        return 0;
    }
    if keeps.has(Keeps::MIN.and(Keeps::MAX)) {
        return cell.min.unsigned_abs() | cell.max.unsigned_abs();
    }
    let of_sum = cell.sum.unsigned_abs().div_ceil(cell.n.into());
    let of_squares = match cell.squares.high {
        0 => cell.squares.low.div_ceil(cell.n.into()).isqrt() + 1,
        _ => u128::MAX,
    };
    u64::try_from(of_sum.max(of_squares)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
