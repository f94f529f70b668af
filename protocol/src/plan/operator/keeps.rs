//! What a column keeps of the rows of a tile: accumulators of some words each, and collections of bounded size. Knows no
//! operator.

use serde::{Deserialize, Serialize};

use crate::limits::{BUCKETS_MAX, CATEGORIES_MAX, DISTINCT_EXACT_MAX, LIST_ITEMS_MAX, TEXT_BYTES_MAX};
use crate::plan::Decay;

/// Of a collection itself, of a row in a list and of a counted value.
const COLLECTION_BYTES: u64 = 40;
const LIST_ROW_BYTES: u64 = 48;
const CATEGORY_BYTES: u64 = 40;

/// Which accumulators and collections a column keeps beside how many rows there are, and how many of them had no value of
/// the domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Keeps {
    bits: u16,
    first_rows: u8,
    last_rows: u8,
    last_distinct: u8,
    decay: Option<Decay>,
}

const fn bits(bits: u16) -> Keeps {
    Keeps { bits, first_rows: 0, last_rows: 0, last_distinct: 0, decay: None }
}

impl Keeps {
    /// Only how many.
    pub const NOTHING: Self = bits(0);
    /// The sum.
    pub const SUM: Self = bits(1);
    /// The sum of squares.
    pub const SQUARES: Self = bits(2);
    /// The smallest number.
    pub const MIN: Self = bits(4);
    /// The largest number.
    pub const MAX: Self = bits(8);
    /// The time of the first row.
    pub const FIRST: Self = bits(16);
    /// The time of the last row.
    pub const LAST: Self = bits(32);
    /// The number of the first row in the total order, and its place there.
    pub const FIRST_ROW: Self = bits(64);
    /// The number of the last row in the total order, and its place there.
    pub const LAST_ROW: Self = bits(128);
    /// Which different values there are.
    pub const DISTINCT: Self = bits(256);
    /// How the numbers are distributed.
    pub const QUANTILES: Self = bits(512);
    /// How often each value is there.
    pub const CATEGORIES: Self = bits(1024);
    /// The row whose number is the smallest, the earliest of equal ones.
    pub const LEAST_ROW: Self = bits(1 << 14);
    /// The row whose number is the largest, the latest of equal ones.
    pub const GREATEST_ROW: Self = bits(1 << 15);
    /// The sum of the weights that rows have within their half-life. Only of a column that says how they
    /// [decay](Self::decaying).
    pub const WEIGHTS: Self = bits(2048);
    /// The sum of the numbers, each times its weight.
    pub const WEIGHTED: Self = bits(4096);
    /// The sum of their squares, each times its weight.
    pub const WEIGHTED_SQUARES: Self = bits(8192);
    /// What a variance is made of.
    pub const MOMENTS: Self = Self::SUM.and(Self::SQUARES);
    /// The same of rows that lose their weight.
    pub const WEIGHTED_MOMENTS: Self = Self::WEIGHTS.and(Self::WEIGHTED).and(Self::WEIGHTED_SQUARES);
    /// The times of the first row and of the last.
    pub const TIMES: Self = Self::FIRST.and(Self::LAST);
    /// Everything but what decays.
    pub const ALL: Self = Self {
        bits: 0b1100_0111_1111_1111,
        first_rows: LIST_ITEMS_MAX,
        last_rows: LIST_ITEMS_MAX,
        last_distinct: LIST_ITEMS_MAX,
        decay: None,
    };

    /// The same of rows that lose their weight so, or of rows that keep it.
    #[must_use]
    pub const fn decaying(self, decay: Option<Decay>) -> Self {
        Self { decay, ..self }
    }

    /// How its rows lose their weight.
    #[must_use]
    pub const fn decay(self) -> Option<Decay> {
        self.decay
    }

    /// What of it rows without a value can be asked for.
    #[must_use]
    pub fn of_rows(self) -> Self {
        let asked = Self::TIMES.and(Self::WEIGHTS).and(Self::last_rows(LIST_ITEMS_MAX));
        Self { decay: self.decay, ..self.only(asked) }
    }

    /// So many earliest rows in the total order.
    #[must_use]
    pub const fn first_rows(n: u8) -> Self {
        Self { first_rows: n, ..Self::NOTHING }
    }

    /// So many latest rows in the total order.
    #[must_use]
    pub const fn last_rows(n: u8) -> Self {
        Self { last_rows: n, ..Self::NOTHING }
    }

    /// The latest row of each of so many different values.
    #[must_use]
    pub const fn last_distinct(n: u8) -> Self {
        Self { last_distinct: n, ..Self::NOTHING }
    }

    /// How many earliest rows, latest rows, and latest rows of different values are kept.
    #[must_use]
    pub const fn rows(self) -> [u8; 3] {
        [self.first_rows, self.last_rows, self.last_distinct]
    }

    /// Bytes that what is collected of rows, with a text each or without, takes of a tile at most. How it is kept is
    /// decided where it is collected; a test there holds this to it.
    #[must_use]
    pub fn collected_bytes_max(self, has_text: bool) -> u64 {
        let text = if has_text { TEXT_BYTES_MAX as u64 } else { 0 };
        let ends = [Self::LEAST_ROW, Self::GREATEST_ROW].map(|end| u8::from(self.has(end)));
        let rows = self.rows().into_iter().chain(ends).filter(|most| *most > 0).map(|most| {
            let most = u64::from(most);
            // A list grows by doubling, from four.
            COLLECTION_BYTES + most.next_power_of_two().max(4) * LIST_ROW_BYTES + most * text
        });
        let others = [
            (Self::DISTINCT, DISTINCT_EXACT_MAX as u64 * 8),
            (Self::QUANTILES, BUCKETS_MAX as u64 * 16),
            (Self::CATEGORIES, CATEGORIES_MAX as u64 * (CATEGORY_BYTES + text)),
        ];
        let others = others.into_iter().filter(|(what, _)| self.has(*what)).map(|(_, bytes)| COLLECTION_BYTES + bytes);
        rows.chain(others).sum()
    }

    /// Both; they decay alike.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            bits: self.bits | other.bits,
            first_rows: if self.first_rows > other.first_rows { self.first_rows } else { other.first_rows },
            last_rows: if self.last_rows > other.last_rows { self.last_rows } else { other.last_rows },
            last_distinct: if self.last_distinct > other.last_distinct {
                self.last_distinct
            } else {
                other.last_distinct
            },
            decay: if self.decay.is_some() { self.decay } else { other.decay },
        }
    }

    /// What both keep.
    #[must_use]
    pub fn only(self, other: Self) -> Self {
        Self {
            bits: self.bits & other.bits,
            first_rows: self.first_rows.min(other.first_rows),
            last_rows: self.last_rows.min(other.last_rows),
            last_distinct: self.last_distinct.min(other.last_distinct),
            decay: if self.decay == other.decay { self.decay } else { None },
        }
    }

    /// Whether all of `other` is kept.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.only(other) == other
    }
}
