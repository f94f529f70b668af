//! Rows: what a record contributes to one entity of one view, small and typed. Knows no payload format.
//!
//! A batch is flat arrays, so that a frame of rows is a few allocations and a fold walks memory forwards. Event ids stand
//! apart, and so do texts: a row without one takes no room for it.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::ids::{Offset, PartitionId};
use crate::key::KeyHash;
use crate::limits::TEXT_BYTES_MAX;
use crate::time::Timestamp;

/// Where a record stands in the source: breaks ties between events of one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Its partition.
    pub partition: PartitionId,
    /// Its offset.
    pub offset: Offset,
}

/// Fixed part of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowHead {
    /// Hash of the key bytes.
    pub hash: KeyHash,
    /// Event time.
    pub ts: Timestamp,
    /// Offset of the record; the partition is the frame's.
    pub offset: Offset,
    /// Bit m: measure m of the view takes this row (its filter holds and its value, if any, is not null).
    pub present: u64,
    /// Bit m: the value is none of the measure's (no finite number of the domain, a text too long) and counts in `n_bad`;
    /// such a bit is also in `present`.
    pub bad: u64,
    /// Index into the plan's views.
    pub view: u16,
    /// Length of the key bytes.
    pub key_len: u16,
    /// Numbers of this row in the batch's `numbers`: one for each bit of `present & !bad` whose measure has a value,
    /// in ascending order of measure.
    pub number_len: u16,
}

/// The id of a row's event, where its source declares one and the record has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventId {
    /// Of its text (xxh3-128, seed 0): ids that differ are never taken for one another.
    pub hash: u128,
    /// Prefix max of the partition before the record, which decides what is known of earlier ids; it cannot be told from
    /// the rows of a frame, because records without rows move it too.
    pub max_before: Timestamp,
}

impl EventId {
    /// The id of this text, of a record that follows a prefix of this max.
    #[must_use]
    pub fn of(text: &str, max_before: Timestamp) -> Self {
        Self { hash: xxh3_128(text.as_bytes()), max_before }
    }
}

/// One row, borrowed from its batch.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Fixed part.
    pub head: &'a RowHead,
    /// Canonical key bytes.
    pub key: &'a [u8],
    /// Unscaled numbers, truths as 0 and 1, hashes of texts, as `number_len` says.
    pub numbers: &'a [i64],
    /// The texts among them, in the same order.
    pub texts: Texts<'a>,
    /// The event id, if it has one.
    pub id: Option<&'a EventId>,
}

/// The texts of one row, in order of measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Texts<'a>(&'a str);

/// The word that stands for a text among the numbers of its row.
#[must_use]
pub fn text_word(text: &str) -> i64 {
    xxh3_64(text.as_bytes()) as i64
}

impl<'a> Texts<'a> {
    /// All of them in one, to be kept.
    #[must_use]
    pub fn packed(self) -> &'a str {
        self.0
    }

    /// What was packed.
    #[must_use]
    pub fn of(packed: &'a str) -> Self {
        Self(packed)
    }
}

impl<'a> Iterator for Texts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        // A text is preceded by its length as one character.
        let mut letters = self.0.chars();
        let len = letters.next()? as usize;
        let (text, rest) = letters.as_str().split_at_checked(len)?;
        self.0 = rest;
        Some(text)
    }
}

/// Texts of rows as they are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextBuffer(String);

impl TextBuffer {
    /// Appends a text, which is not longer than [`TEXT_BYTES_MAX`].
    pub fn push(&mut self, text: &str) {
        debug_assert!(text.len() <= TEXT_BYTES_MAX, "longer texts are bad");
        const { assert!(TEXT_BYTES_MAX < 0xd800, "a length is a character") }
        self.0.extend(char::from_u32(text.len() as u32));
        self.0.push_str(text);
    }

    /// All of them.
    #[must_use]
    pub fn texts(&self) -> Texts<'_> {
        Texts(&self.0)
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Rows in order of offset, then of view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowBatch {
    heads: Vec<RowHead>,
    keys: Vec<u8>,
    numbers: Vec<i64>,
    /// Nothing where no row has an id or a text.
    apart: Option<Box<Apart>>,
}

/// What only some rows have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Apart {
    /// (index of its row, id), ascending.
    ids: Vec<(u32, EventId)>,
    /// (index of its row, where its texts end), ascending.
    told: Vec<(u32, u32)>,
    texts: String,
}

impl RowBatch {
    /// Appends a row; `key_len` and `number_len` of `head` are set here.
    pub fn push(&mut self, mut head: RowHead, key: &[u8], numbers: &[i64]) {
        debug_assert!(key.len() <= usize::from(u16::MAX), "key parts are bounded at decode");
        head.key_len = key.len() as u16;
        head.number_len = numbers.len() as u16;
        self.heads.push(head);
        self.keys.extend_from_slice(key);
        self.numbers.extend_from_slice(numbers);
    }

    /// Gives the row pushed last its event id.
    pub fn identify(&mut self, id: EventId) {
        debug_assert!(!self.heads.is_empty(), "an id is of a row");
        let at = self.heads.len().saturating_sub(1) as u32;
        self.apart.get_or_insert_default().ids.push((at, id));
    }

    /// Gives the row pushed last its texts.
    pub fn tell(&mut self, texts: Texts<'_>) {
        debug_assert!(!self.heads.is_empty(), "texts are of a row");
        if !texts.0.is_empty() {
            let at = self.heads.len().saturating_sub(1) as u32;
            let apart = self.apart.get_or_insert_default();
            apart.texts.push_str(texts.0);
            apart.told.push((at, apart.texts.len() as u32));
        }
    }

    /// Appends a row of another batch.
    pub fn copy(&mut self, row: &Row<'_>) {
        self.push(*row.head, row.key, row.numbers);
        self.tell(row.texts);
        if let Some(id) = row.id {
            self.identify(*id);
        }
    }

    /// Rows in order.
    pub fn iter(&self) -> Rows<'_> {
        let apart = self.apart.as_deref();
        Rows {
            heads: self.heads.iter(),
            keys: &self.keys,
            numbers: &self.numbers,
            ids: apart.map_or(&[], |apart| &apart.ids),
            told: apart.map_or(&[], |apart| &apart.told),
            texts: apart.map_or("", |apart| &apart.texts),
            from: 0,
            at: 0,
        }
    }

    /// The fixed parts alone, in order.
    #[must_use]
    pub fn heads(&self) -> &[RowHead] {
        &self.heads
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Empties the batch and keeps the memory of what every row has.
    pub fn clear(&mut self) {
        self.heads.clear();
        self.keys.clear();
        self.numbers.clear();
        self.apart = None;
    }

    /// Heap bytes in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let apart = self.apart.as_ref().map_or(0, |apart| {
            let told = apart.told.len() * size_of::<(u32, u32)>() + apart.texts.len();
            size_of::<Apart>() + apart.ids.len() * size_of::<(u32, EventId)>() + told
        });
        self.heads.len() * size_of::<RowHead>() + self.keys.len() + self.numbers.len() * size_of::<i64>() + apart
    }
}

/// Iterator over a batch.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    heads: std::slice::Iter<'a, RowHead>,
    keys: &'a [u8],
    numbers: &'a [i64],
    ids: &'a [(u32, EventId)],
    told: &'a [(u32, u32)],
    texts: &'a str,
    /// Where the texts of the next row that has some begin.
    from: u32,
    at: u32,
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        let head = self.heads.next()?;
        let (key, keys) = self.keys.split_at(usize::from(head.key_len));
        let (row_numbers, numbers) = self.numbers.split_at(usize::from(head.number_len));
        self.keys = keys;
        self.numbers = numbers;
        let id = self.ids.split_first().filter(|((at, _), _)| *at == self.at).map(|((_, id), rest)| {
            self.ids = rest;
            id
        });
        let texts = self.told.split_first().filter(|((at, _), _)| *at == self.at).and_then(|((_, to), rest)| {
            let texts = self.texts.get(self.from as usize..*to as usize);
            (self.told, self.from) = (rest, *to);
            texts
        });
        self.at += 1;
        Some(Row { head, key, numbers: row_numbers, texts: Texts(texts.unwrap_or_default()), id })
    }
}

impl<'a> IntoIterator for &'a RowBatch {
    type Item = Row<'a>;
    type IntoIter = Rows<'a>;
    fn into_iter(self) -> Rows<'a> {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    //! Ids and texts belong to the rows they were given to.
    use super::*;

    #[test]
    fn texts_stay_with_their_rows() {
        let mut buffer = TextBuffer::default();
        let mut batch = RowBatch::default();
        let long = "x".repeat(TEXT_BYTES_MAX);
        let rows: [&[&str]; 5] = [&[], &["DE", "", "gr\u{fc}n"], &[], &[&long], &["\0"]];
        for (texts, offset) in rows.iter().zip(0..) {
            buffer.clear();
            texts.iter().for_each(|text| buffer.push(text));
            batch.push(head(offset), b"key", &[]);
            batch.tell(buffer.texts());
        }
        let mut copy = RowBatch::default();
        batch.iter().for_each(|row| copy.copy(&row));
        for batch in [batch, copy] {
            let got: Vec<Vec<&str>> = batch.iter().map(|row| row.texts.collect()).collect();
            assert_eq!(got, rows.map(<[_]>::to_vec));
        }
    }

    fn head(offset: Offset) -> RowHead {
        let hash = KeyHash(offset);
        RowHead { hash, ts: Timestamp(0), offset, present: 1, bad: 0, view: 0, key_len: 0, number_len: 0 }
    }

    #[test]
    fn ids_stay_with_their_rows() {
        let mut batch = RowBatch::default();
        for offset in 0..6 {
            batch.push(head(offset), b"key", &[7]);
            if offset % 3 == 1 {
                batch.identify(EventId::of(&offset.to_string(), Timestamp(9)));
            }
        }
        let want = |offset: Offset| (offset % 3 == 1).then(|| EventId::of(&offset.to_string(), Timestamp(9)));
        let mut copy = RowBatch::default();
        for row in batch.iter() {
            assert_eq!(row.id.copied(), want(row.head.offset));
            if row.head.offset > 0 {
                copy.copy(&row);
            }
        }
        assert_eq!(copy.iter().map(|row| row.id.copied()).collect::<Vec<_>>(), (1..6).map(want).collect::<Vec<_>>());
        copy.clear();
        assert_eq!(copy, RowBatch::default());
    }
}
