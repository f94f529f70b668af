//! The rows of the entities asked for, in buckets of neighbouring entities: whoever goes through the entities finds the rows
//! of one bucket close together. Knows no question.

use std::ops::Range;

use featuregrid_protocol::ids::{Offset, PartitionId};
use featuregrid_protocol::row::Texts;
use featuregrid_protocol::time::Timestamp;

/// As many as there are, where there are enough entities: so few that the ends of all of them stay in a processor's cache
/// while rows are appended here and there.
const BUCKETS_MAX: usize = 256;
/// Rows of one piece of a bucket: growing copies little, so what is held is what is taken.
const PIECE: usize = 1 << 10;

/// A row that counts, of an entity that is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    pub(super) ts: Timestamp,
    pub(super) offset: Offset,
    pub(super) present: u64,
    pub(super) bad: u64,
    pub(super) partition: PartitionId,
    pub(super) entity: u32,
    /// Which piece of its bucket has its numbers and texts, and where.
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

/// Those of some neighbours.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Of which entities.
    pub(super) entities: Range<usize>,
    pieces: Vec<Piece>,
    len: usize,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Rows {
    buckets: Vec<Bucket>,
    /// Entities of each bucket; the last may have fewer.
    each: usize,
    len: usize,
    numbers: usize,
    text_bytes: usize,
}

impl Rows {
    /// None yet, of so many entities.
    pub(super) fn new(entities: usize) -> Self {
        let each = entities.div_ceil(BUCKETS_MAX).max(1);
        let bucket =
            |first: usize| Bucket { entities: first..(first + each).min(entities), pieces: Vec::new(), len: 0 };
        let buckets = (0..entities).step_by(each).map(bucket).collect();
        Self { buckets, each, len: 0, numbers: 0, text_bytes: 0 }
    }

    /// Appends a row.
    pub(super) fn push(&mut self, held: Held, numbers: &[i64], texts: Texts<'_>) {
        let bucket = &mut self.buckets[held.entity as usize / self.each];
        if bucket.len.is_multiple_of(PIECE) {
            // A bucket that has filled a piece will probably fill another.
            let like = bucket.pieces.last().map(|full| (full.held.len(), full.numbers.len(), full.texts.len()));
            let (held, numbers, texts) = like.unwrap_or_default();
            bucket.pieces.push(Piece {
                held: Vec::with_capacity(held),
                numbers: Vec::with_capacity(numbers),
                texts: String::with_capacity(texts),
            });
        }
        let piece = bucket.pieces.len() as u32 - 1;
        let Some(last) = bucket.pieces.last_mut() else { return };
        let (number_len, text_len) = (numbers.len() as u16, texts.packed().len() as u16);
        let (numbers_at, texts_at) = (last.numbers.len() as u32, last.texts.len() as u32);
        last.numbers.extend_from_slice(numbers);
        last.texts.push_str(texts.packed());
        last.held.push(Held { piece, numbers: numbers_at, texts: texts_at, number_len, text_len, ..held });
        bucket.len += 1;
        self.len += 1;
        self.numbers += numbers.len();
        self.text_bytes += texts.packed().len();
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of all of them, and of the numbers they are sorted by.
    pub(super) fn bytes(&self) -> usize {
        self.len * (size_of::<Held>() + size_of::<u32>()) + self.numbers * size_of::<i64>() + self.text_bytes
    }

    /// Those of all entities, in their order.
    pub(super) fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// The numbers of a row.
    pub(super) fn numbers(&self, held: &Held) -> &[i64] {
        let from = held.numbers as usize;
        &self.piece(held).numbers[from..from + usize::from(held.number_len)]
    }

    /// The texts of a row.
    pub(super) fn texts(&self, held: &Held) -> Texts<'_> {
        let from = held.texts as usize;
        Texts::of(&self.piece(held).texts[from..from + usize::from(held.text_len)])
    }

    fn piece(&self, held: &Held) -> &Piece {
        &self.buckets[held.entity as usize / self.each].pieces[held.piece as usize]
    }
}

impl Bucket {
    /// In the order they were appended.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Held> + Clone {
        self.pieces.iter().flat_map(|piece| &piece.held)
    }

    /// One of them, by its place in this order.
    pub(super) fn get(&self, at: usize) -> Held {
        self.pieces[at / PIECE].held[at % PIECE]
    }
}

#[cfg(test)]
mod tests {
    //! Rows keep their order, their numbers and their texts over the edges of pieces and buckets.
    use featuregrid_protocol::row::TextBuffer;

    use super::*;

    #[test]
    fn rows_are_found_again() {
        for entities in [1, 2, BUCKETS_MAX - 1, BUCKETS_MAX, BUCKETS_MAX + 1, 3 * BUCKETS_MAX + 7] {
            let mut rows = Rows::new(entities);
            let count = 3 * PIECE.max(entities) + 3;
            let mut text = TextBuffer::default();
            for at in 0..count {
                let held = Held::new(PartitionId(1), (at % entities) as u32, Timestamp(at as i64), 0, (1, 0));
                text.clear();
                (0..at % 2).for_each(|_| text.push(&at.to_string()));
                rows.push(held, &[at as i64, -1][..usize::from(at % 3 == 0) * 2], text.texts());
            }
            assert_eq!(rows.len(), count);
            assert!(rows.buckets().len() <= BUCKETS_MAX);
            let of_buckets = rows.buckets().iter().flat_map(|bucket| bucket.entities.clone());
            assert!(of_buckets.eq(0..entities), "every entity once");
            let mut seen = vec![None; entities];
            for bucket in rows.buckets() {
                for (place, held) in bucket.iter().enumerate() {
                    let (entity, at) = (held.entity as usize, held.ts.0 as usize);
                    assert!(bucket.entities.contains(&entity) && bucket.get(place).ts == held.ts);
                    assert!(seen[entity].replace(at) < Some(at), "in order");
                    assert_eq!(rows.numbers(held), if at % 3 == 0 { vec![at as i64, -1] } else { vec![] });
                    let text = if at % 2 == 1 { at.to_string() } else { String::new() };
                    assert_eq!(rows.texts(held).collect::<String>(), text);
                }
            }
        }
    }
}
