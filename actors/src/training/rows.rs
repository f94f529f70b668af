//! The rows of the entities asked for, in pieces of one size: growing copies nothing, so what is held is what is taken.
//! Knows no question.

use featuregrid_protocol::ids::{Offset, PartitionId};
use featuregrid_protocol::row::Texts;
use featuregrid_protocol::time::Timestamp;

/// Rows of one piece: a piece is a few megabytes, little beside what is held of a log.
const PIECE: usize = 1 << 16;

/// A row that counts, of an entity that is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    pub(super) ts: Timestamp,
    pub(super) offset: Offset,
    pub(super) present: u64,
    pub(super) bad: u64,
    pub(super) partition: PartitionId,
    pub(super) entity: u32,
    /// Which piece has its numbers and texts, and where.
    piece: u32,
    numbers: u32,
    texts: u32,
    number_len: u16,
    text_len: u16,
}

impl Held {
    /// A row without its numbers and texts.
    pub(super) fn new(partition: PartitionId, entity: u32, ts: Timestamp, offset: Offset, marks: (u64, u64)) -> Self {
        let (present, bad) = marks;
        Self { ts, offset, present, bad, partition, entity, ..Self::default() }
    }
}

/// Some of them.
#[derive(Debug, Default)]
struct Piece {
    held: Vec<Held>,
    numbers: Vec<i64>,
    texts: String,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pieces: Vec<Piece>,
    len: usize,
    numbers: usize,
    text_bytes: usize,
}

impl Rows {
    /// Appends a row.
    pub(super) fn push(&mut self, held: Held, numbers: &[i64], texts: Texts<'_>) {
        if self.len.is_multiple_of(PIECE) {
            self.pieces.push(Piece { held: Vec::with_capacity(PIECE), ..Piece::default() });
        }
        let piece = self.pieces.len() as u32 - 1;
        let Some(last) = self.pieces.last_mut() else { return };
        let (number_len, text_len) = (numbers.len() as u16, texts.packed().len() as u16);
        let (numbers_at, texts_at) = (last.numbers.len() as u32, last.texts.len() as u32);
        last.numbers.extend_from_slice(numbers);
        last.texts.push_str(texts.packed());
        last.held.push(Held { piece, numbers: numbers_at, texts: texts_at, number_len, text_len, ..held });
        self.len += 1;
        self.numbers += numbers.len();
        self.text_bytes += texts.packed().len();
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of all of them.
    pub(super) fn bytes(&self) -> usize {
        self.len * size_of::<Held>() + self.numbers * size_of::<i64>() + self.text_bytes
    }

    /// In the order they were appended.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Held> + Clone {
        self.pieces.iter().flat_map(|piece| &piece.held)
    }

    /// One of them, by its place in this order.
    pub(super) fn get(&self, at: usize) -> Held {
        self.pieces[at / PIECE].held[at % PIECE]
    }

    /// The numbers of a row.
    pub(super) fn numbers(&self, held: &Held) -> &[i64] {
        let from = held.numbers as usize;
        &self.pieces[held.piece as usize].numbers[from..from + usize::from(held.number_len)]
    }

    /// The texts of a row.
    pub(super) fn texts(&self, held: &Held) -> Texts<'_> {
        let from = held.texts as usize;
        Texts::of(&self.pieces[held.piece as usize].texts[from..from + usize::from(held.text_len)])
    }
}

#[cfg(test)]
mod tests {
    //! Rows keep their order, their numbers and their texts over the edges of pieces.
    use featuregrid_protocol::row::TextBuffer;

    use super::*;

    #[test]
    fn rows_are_found_again() {
        let mut rows = Rows::default();
        let count = PIECE + 3;
        let mut text = TextBuffer::default();
        for at in 0..count as i64 {
            let held = Held::new(PartitionId(1), 7, Timestamp(at), 0, (1, 0));
            text.clear();
            (0..at % 2).for_each(|_| text.push(&at.to_string()));
            rows.push(held, &[at, -at][..usize::from(at % 3 == 0) * 2], text.texts());
        }
        assert_eq!((rows.len(), rows.iter().count()), (count, count));
        for at in [0, 1, 3, PIECE - 1, PIECE, PIECE + 2] {
            let (held, expected) = (rows.get(at), at as i64);
            assert_eq!(held.ts, Timestamp(expected));
            assert_eq!(rows.numbers(&held), if at % 3 == 0 { vec![expected, -expected] } else { vec![] });
            assert_eq!(rows.texts(&held).collect::<String>(), if at % 2 == 1 { at.to_string() } else { String::new() });
        }
        assert!(rows.iter().map(|held| held.ts.0).eq(0..count as i64));
    }
}
