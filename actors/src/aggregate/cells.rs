//! The cells of one tile as words: where each column stands, narrow or wide. Knows no tile and no page.
//!
//! Narrow: a measure without value takes half a word (n u32); one with a value takes four words: n u32 and bad u32,
//! sum i64, min i64, max i64. Wide: one word (n u64), or six: n, bad, sum i128 in two, min, max. Which form a page has
//! is physical: it never shows in a value or in canonical bytes. Words of zero are empty cells.

use super::Accumulator;

/// How wide the cells of a page are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// n u32, sum i64.
    Narrow,
    /// n u64, sum i128.
    Wide,
}

/// Where each column of a ladder stands within the cells of a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CellShape {
    columns: Vec<Place>,
    /// Narrow words of all columns that only count; the others follow, four words each.
    count_words: usize,
    narrow_words: usize,
    wide_words: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    narrow: usize,
    /// Bits to shift a half-word count; `None` where the measure has a value.
    half: Option<u32>,
    wide: usize,
}

const LOW: u64 = u32::MAX as u64;
/// One bad row in the first word of a narrow cell.
const BAD: u64 = 1 << 32;

impl CellShape {
    /// For columns that have a value (`true`) or only count rows.
    pub(crate) fn new(has_value: impl Iterator<Item = bool> + Clone) -> Self {
        let counts = has_value.clone().filter(|value| !value).count();
        let count_words = counts.div_ceil(2);
        let (mut count, mut narrow, mut wide) = (0, count_words, 0);
        let mut columns = Vec::new();
        for value in has_value {
            if value {
                columns.push(Place { narrow, half: None, wide });
                narrow += 4;
                wide += 6;
            } else {
                columns.push(Place { narrow: count / 2, half: Some(count as u32 % 2 * 32), wide });
                count += 1;
                wide += 1;
            }
        }
        Self { columns, count_words, narrow_words: narrow, wide_words: wide }
    }

    /// How many columns.
    pub(crate) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Words of the cells of one tile.
    pub(crate) fn words(&self, form: Form) -> usize {
        match form {
            Form::Narrow => self.narrow_words,
            Form::Wide => self.wide_words,
        }
    }

    /// Whether `column` has a value.
    pub(crate) fn has_value(&self, column: usize) -> bool {
        self.columns[column].half.is_none()
    }

    /// Reads a cell.
    #[inline]
    pub(crate) fn load(&self, cells: &[u64], form: Form, column: usize) -> Accumulator {
        let place = self.columns[column];
        match (form, place.half) {
            (Form::Narrow, Some(shift)) => {
                Accumulator { n: cells[place.narrow] >> shift & LOW, ..Accumulator::default() }
            }
            (Form::Wide, Some(_)) => Accumulator { n: cells[place.wide], ..Accumulator::default() },
            (Form::Narrow, None) => {
                let cell = &cells[place.narrow..place.narrow + 4];
                Self::numbers(cell[0] & LOW, cell[0] >> 32, i128::from(cell[1] as i64), &cell[2..])
            }
            (Form::Wide, None) => {
                let cell = &cells[place.wide..place.wide + 6];
                let sum = (u128::from(cell[3]) << 64 | u128::from(cell[2])) as i128;
                Self::numbers(cell[0], cell[1], sum, &cell[4..])
            }
        }
    }

    #[inline]
    fn numbers(n: u64, bad: u64, sum: i128, extremes: &[u64]) -> Accumulator {
        let (min, max) = if n == 0 { (i64::MAX, i64::MIN) } else { (extremes[0] as i64, extremes[1] as i64) };
        Accumulator { n, bad, sum, min, max }
    }

    /// Writes a cell. In narrow form the caller has made sure that counts and sum fit (`page`: weight and magnitude).
    #[inline]
    pub(crate) fn store(&self, cells: &mut [u64], form: Form, column: usize, value: &Accumulator) {
        let place = self.columns[column];
        match (form, place.half) {
            (Form::Narrow, Some(shift)) => {
                debug_assert!(value.n <= LOW, "narrow counts fit");
                let word = &mut cells[place.narrow];
                *word = *word & !(LOW << shift) | value.n << shift;
            }
            (Form::Wide, Some(_)) => cells[place.wide] = value.n,
            (Form::Narrow, None) => {
                debug_assert!(value.n <= LOW && value.bad <= LOW, "narrow counts fit");
                debug_assert!(i64::try_from(value.sum).is_ok(), "narrow sums fit");
                let cell = &mut cells[place.narrow..place.narrow + 4];
                cell[0] = value.n | value.bad << 32;
                cell[1] = value.sum as i64 as u64;
                cell[2] = value.min as u64;
                cell[3] = value.max as u64;
            }
            (Form::Wide, None) => {
                let cell = &mut cells[place.wide..place.wide + 6];
                cell[0] = value.n;
                cell[1] = value.bad;
                cell[2] = value.sum as u64;
                cell[3] = (value.sum >> 64) as u64;
                cell[4] = value.min as u64;
                cell[5] = value.max as u64;
            }
        }
    }

    /// Merges one accumulator into a cell.
    pub(crate) fn add(&self, cells: &mut [u64], form: Form, column: usize, value: &Accumulator) {
        let mut sum = self.load(cells, form, column);
        sum.merge(value);
        self.store(cells, form, column, &sum);
    }

    /// Adds one row to a cell.
    #[inline]
    pub(crate) fn count(&self, cells: &mut [u64], form: Form, column: usize, one: One) {
        let place = self.columns[column];
        if form == Form::Wide {
            return self.add(cells, form, column, &one.accumulator());
        }
        match (place.half, one) {
            (Some(shift), _) => cells[place.narrow] += 1 << shift,
            (None, One::Number(number)) => {
                let cell = &mut cells[place.narrow..place.narrow + 4];
                let first = cell[0] & LOW == 0;
                cell[0] += 1;
                cell[1] = cell[1].wrapping_add(number as u64);
                cell[2] = if first { number } else { number.min(cell[2] as i64) } as u64;
                cell[3] = if first { number } else { number.max(cell[3] as i64) } as u64;
            }
            (None, One::Row | One::Bad) => cells[place.narrow] += BAD,
        }
    }

    /// Merges the cells of a tile into others of the same form.
    #[inline]
    pub(crate) fn merge(&self, cells: &mut [u64], form: Form, other: &[u64]) {
        if form == Form::Wide {
            for column in 0..self.columns.len() {
                self.add(cells, form, column, &self.load(other, form, column));
            }
            return;
        }
        // Both halves of a word of counts are added at once: none of them overflows.
        let (counts, cells) = cells[..self.narrow_words].split_at_mut(self.count_words);
        let (other_counts, other) = other[..self.narrow_words].split_at(self.count_words);
        for (word, other) in counts.iter_mut().zip(other_counts) {
            *word += other;
        }
        for (cell, other) in cells.chunks_exact_mut(4).zip(other.chunks_exact(4)) {
            if other[0] & LOW != 0 {
                let first = cell[0] & LOW == 0;
                cell[1] = cell[1].wrapping_add(other[1]);
                cell[2] = if first { other[2] } else { (cell[2] as i64).min(other[2] as i64) as u64 };
                cell[3] = if first { other[3] } else { (cell[3] as i64).max(other[3] as i64) as u64 };
            }
            cell[0] += other[0];
        }
    }
}

/// What one row is to one column that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum One {
    /// A row of a measure without value.
    Row,
    /// A number.
    Number(i64),
    /// No number of the domain.
    Bad,
}

impl One {
    fn accumulator(self) -> Accumulator {
        match self {
            Self::Row => Accumulator { n: 1, ..Accumulator::default() },
            Self::Bad => Accumulator { bad: 1, ..Accumulator::default() },
            Self::Number(number) => Accumulator { n: 1, bad: 0, sum: number.into(), min: number, max: number },
        }
    }
}

#[cfg(test)]
mod tests;
