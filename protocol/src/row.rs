//! Rows: what a record contributes to one entity of one view, small and typed. Knows no payload format.
//!
//! A batch is three flat arrays, so that a frame of rows is three allocations and a fold walks memory forwards.

use serde::{Deserialize, Serialize};

use crate::ids::{Offset, PartitionId};
use crate::key::KeyHash;
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
    /// Bit m: the value is no finite number of the domain and counts in `n_bad`; such a bit is also in `present`.
    pub bad: u64,
    /// Index into the plan's views.
    pub view: u16,
    /// Length of the key bytes.
    pub key_len: u16,
    /// Numbers of this row in the batch's `numbers`: one for each bit of `present & !bad` whose measure has a value,
    /// in ascending order of measure.
    pub number_len: u16,
}

/// One row, borrowed from its batch.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Fixed part.
    pub head: &'a RowHead,
    /// Canonical key bytes.
    pub key: &'a [u8],
    /// Unscaled numbers, as `number_len` says.
    pub numbers: &'a [i64],
}

/// Rows in order of offset, then of view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowBatch {
    heads: Vec<RowHead>,
    keys: Vec<u8>,
    numbers: Vec<i64>,
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

    /// Rows in order.
    pub fn iter(&self) -> Rows<'_> {
        Rows { heads: self.heads.iter(), keys: &self.keys, numbers: &self.numbers }
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

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.heads.clear();
        self.keys.clear();
        self.numbers.clear();
    }

    /// Heap bytes in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.heads.len() * size_of::<RowHead>() + self.keys.len() + self.numbers.len() * size_of::<i64>()
    }
}

/// Iterator over a batch.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    heads: std::slice::Iter<'a, RowHead>,
    keys: &'a [u8],
    numbers: &'a [i64],
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        let head = self.heads.next()?;
        let (key, keys) = self.keys.split_at(usize::from(head.key_len));
        let (row_numbers, numbers) = self.numbers.split_at(usize::from(head.number_len));
        self.keys = keys;
        self.numbers = numbers;
        Some(Row { head, key, numbers: row_numbers })
    }
}

impl<'a> IntoIterator for &'a RowBatch {
    type Item = Row<'a>;
    type IntoIter = Rows<'a>;
    fn into_iter(self) -> Rows<'a> {
        self.iter()
    }
}
