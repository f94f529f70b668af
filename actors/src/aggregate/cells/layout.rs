//! Which word holds which accumulator of which column, in one form. Knows no value.

use featuregrid_protocol::plan::{Decay, Keeps};

use super::{Form, Kept, ROW_WORDS, WEIGHT_WORDS};

/// Where everything stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// By column.
    pub(super) places: Vec<Place>,
    /// First word of the pairs: before it stand counts and sums.
    pub(super) pairs: usize,
    /// First word of the triples.
    pub(super) triples: usize,
    /// First word of the sums of weights.
    pub(super) weights: usize,
    /// First word of the extremes.
    pub(super) extremes: usize,
    /// First word of the rows.
    pub(super) rows: usize,
    words: usize,
}

/// First words of the accumulators of one column; `None` where it keeps none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) n: Count,
    pub(super) bad: Option<Count>,
    pub(super) sum: Option<usize>,
    pub(super) squares: Option<usize>,
    pub(super) min: Option<usize>,
    pub(super) max: Option<usize>,
    pub(super) first: Option<usize>,
    pub(super) last: Option<usize>,
    pub(super) first_row: Option<usize>,
    pub(super) last_row: Option<usize>,
    pub(super) weights: Option<usize>,
    pub(super) weighted: Option<usize>,
    pub(super) weighted_squares: Option<usize>,
    /// How rows lose their weight.
    pub(super) decay: Option<Decay>,
}

/// A count: half a word, or a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    word: usize,
    shift: u32,
    mask: u64,
}

impl Count {
    fn new(index: usize, form: Form) -> Self {
        match form {
            Form::Narrow => {
                Self { word: index / 2, shift: if index.is_multiple_of(2) { 0 } else { 32 }, mask: u32::MAX.into() }
            }
            Form::Wide => Self { word: index, shift: 0, mask: u64::MAX },
        }
    }

    #[inline]
    pub(super) fn read(self, cells: &[u64]) -> u64 {
        cells[self.word] >> self.shift & self.mask
    }

    #[inline]
    pub(super) fn write(self, cells: &mut [u64], count: u64) {
        debug_assert!(count <= self.mask, "narrow counts fit");
        let word = &mut cells[self.word];
        *word = *word & !(self.mask << self.shift) | count << self.shift;
    }

    #[inline]
    pub(super) fn add(self, cells: &mut [u64], count: u64) {
        cells[self.word] += count << self.shift;
    }
}

impl Layout {
    pub(super) fn new(kept: &[Kept], form: Form) -> Self {
        let of = |what: Keeps| kept.iter().filter(|kept| kept.keeps.has(what)).count();
        let counts = kept.len() + kept.iter().filter(|kept| kept.has_value).count();
        let (sums, squares) = (of(Keeps::SUM), of(Keeps::SQUARES));
        // Sizes of the sections that follow each other.
        let [counts, sums_words, pairs, triples] = match form {
            Form::Narrow => [counts.div_ceil(2), sums, 2 * squares, 0],
            Form::Wide => [counts, 0, 2 * sums, 3 * squares],
        };
        let first_sum = counts;
        let first_pair = first_sum + sums_words;
        let first_triple = first_pair + pairs;
        let first_weight = first_triple + triples;
        let weights = [Keeps::WEIGHTS, Keeps::WEIGHTED, Keeps::WEIGHTED_SQUARES].into_iter().map(of).sum::<usize>();
        let extremes = first_weight + WEIGHT_WORDS * weights;
        let [mut sum, mut square] = match form {
            Form::Narrow => [first_sum, first_pair],
            Form::Wide => [first_pair, first_triple],
        };
        let [sum_step, square_step] = match form {
            Form::Narrow => [1, 2],
            Form::Wide => [2, 3],
        };
        let rows = extremes + [Keeps::MIN, Keeps::MAX, Keeps::FIRST, Keeps::LAST].into_iter().map(of).sum::<usize>();
        let (mut count, mut weight, mut extreme, mut row) = (0, first_weight, extremes, rows);
        let mut places = Vec::with_capacity(kept.len());
        let take = |next: &mut usize, step: usize, is_kept: bool| {
            let at = *next;
            *next += if is_kept { step } else { 0 };
            is_kept.then_some(at)
        };
        for Kept { has_value, keeps } in kept {
            let n = Count::new(count, form);
            count += 1;
            let bad = take(&mut count, 1, *has_value).map(|index| Count::new(index, form));
            places.push(Place {
                n,
                bad,
                sum: take(&mut sum, sum_step, keeps.has(Keeps::SUM)),
                squares: take(&mut square, square_step, keeps.has(Keeps::SQUARES)),
                min: take(&mut extreme, 1, keeps.has(Keeps::MIN)),
                max: take(&mut extreme, 1, keeps.has(Keeps::MAX)),
                first: take(&mut extreme, 1, keeps.has(Keeps::FIRST)),
                last: take(&mut extreme, 1, keeps.has(Keeps::LAST)),
                first_row: take(&mut row, ROW_WORDS, keeps.has(Keeps::FIRST_ROW)),
                last_row: take(&mut row, ROW_WORDS, keeps.has(Keeps::LAST_ROW)),
                weights: take(&mut weight, WEIGHT_WORDS, keeps.has(Keeps::WEIGHTS)),
                weighted: take(&mut weight, WEIGHT_WORDS, keeps.has(Keeps::WEIGHTED)),
                weighted_squares: take(&mut weight, WEIGHT_WORDS, keeps.has(Keeps::WEIGHTED_SQUARES)),
                decay: keeps.decay(),
            });
        }
        Self { places, pairs: first_pair, triples: first_triple, weights: first_weight, extremes, rows, words: row }
    }

    #[inline]
    pub(super) fn words(&self) -> usize {
        self.words
    }
}
