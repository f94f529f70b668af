//! The tiles of a page as they stand one behind the other, the oldest first. Knows no level and no column.

use std::ops::Range;

use featuregrid_protocol::time::Timestamp;

/// Tiles, borrowed: of each when it starts, then its cells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles<'a> {
    words: &'a [u64],
    each: usize,
}

impl<'a> Tiles<'a> {
    /// All that stand in `words`, `each` words long.
    #[inline]
    pub(super) fn new(words: &'a [u64], each: usize) -> Self {
        Self { words, each }
    }

    /// When tile `index` starts.
    #[inline]
    pub(super) fn start(self, index: usize) -> Timestamp {
        Timestamp(self.words[index * self.each] as i64)
    }

    /// The cells of tile `index`.
    #[inline]
    pub(super) fn cells(self, index: usize) -> &'a [u64] {
        &self.words[index * self.each..][1..self.each]
    }

    /// Tiles that follow each other, as words.
    #[inline]
    pub(super) fn words(self, range: Range<usize>) -> &'a [u64] {
        &self.words[range.start * self.each..range.end * self.each]
    }

    /// The first tile of a range that starts at or after an instant; the range's end if none does.
    pub(super) fn first_from(self, ts: Timestamp, range: Range<usize>) -> usize {
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = low.midpoint(high);
            if self.start(middle) < ts {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
