//! The rows at one end of the total order, or the latest row of each of the latest values. Knows no operator.

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;

use super::{Collects, Item, put_value, take_value};
use crate::varint::{Bytes, Damaged, put, put_signed};

/// A value and its place in the total order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    ts: Timestamp,
    position: Position,
    /// The word that stands for the value.
    pub(crate) word: i64,
    /// The value, where it is a text.
    pub(crate) text: Option<Box<str>>,
}

/// Some rows of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    collects: Collects,
    /// In the total order.
    rows: Vec<Row>,
}

impl Row {
    fn of(item: &Item<'_>) -> Self {
        Self { ts: item.ts, position: item.position, word: item.word, text: item.text.map(Into::into) }
    }

    fn order(&self) -> (Timestamp, Position) {
        (self.ts, self.position)
    }

    fn is_same(&self, word: i64, text: Option<&str>) -> bool {
        self.word == word && self.text.as_deref() == text
    }
}

impl Rows {
    /// None yet; `collects` says which are kept.
    pub(super) fn new(collects: Collects) -> Self {
        Self { collects, rows: Vec::new() }
    }

    fn most(&self) -> usize {
        match self.collects {
            Collects::FirstRows(most) | Collects::LastRows(most) | Collects::LastDistinct(most) => most.into(),
            Collects::Distinct | Collects::Quantiles | Collects::Categories => 0,
        }
    }

    /// From the earliest of all, or from the latest.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &Row> {
        let is_first = matches!(self.collects, Collects::FirstRows(_));
        let (first, last) = if is_first { (&self.rows[..], &[][..]) } else { (&[][..], &self.rows[..]) };
        first.iter().chain(last.iter().rev())
    }

    pub(super) fn add(&mut self, item: &Item<'_>) {
        let order = (item.ts, item.position);
        let at = self.rows.partition_point(|row| row.order() < order);
        let (len, most) = (self.rows.len(), self.most());
        match self.collects {
            Collects::FirstRows(_) if at >= most => return,
            Collects::LastRows(_) | Collects::LastDistinct(_) if at == 0 && len >= most => return,
            _ => {}
        }
        if matches!(self.collects, Collects::LastDistinct(_))
            && let Some(known) = self.rows.iter().position(|row| row.is_same(item.word, item.text))
        {
            // The latest row of a value stands for it.
            if known < at {
                self.rows[known..at].rotate_left(1);
                self.rows[at - 1] = Row::of(item);
            }
            return;
        }
        match self.collects {
            _ if len < most => self.rows.insert(at, Row::of(item)),
            Collects::FirstRows(_) => {
                self.rows.truncate(most - 1);
                self.rows.insert(at, Row::of(item));
            }
            _ => {
                self.rows[..at].rotate_left(1);
                self.rows[at - 1] = Row::of(item);
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for Row { ts, position, word, text } in &other.rows {
            self.add(&Item { ts: *ts, position: *position, word: *word, text: text.as_deref() });
        }
    }

    /// The same where fewer of them are kept.
    pub(crate) fn keep(&mut self, collects: Collects) {
        self.collects = collects;
        let most = self.most();
        match collects {
            Collects::FirstRows(_) => self.rows.truncate(most),
            _ => drop(self.rows.drain(..self.rows.len().saturating_sub(most))),
        }
    }

    pub(super) fn is_of(&self, n: u64) -> bool {
        let len = self.rows.len() as u64;
        match self.collects {
            Collects::LastDistinct(_) => len <= n && (len == 0) == (n == 0),
            _ => len == n.min(self.most() as u64),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let texts = self.rows.iter().map(|row| row.text.as_ref().map_or(0, |text| text.len()));
        self.rows.capacity() * size_of::<Row>() + texts.sum::<usize>()
    }

    /// count, then time (signed), partition, offset, value
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put(out, self.rows.len() as u128);
        for Row { ts, position, word, text } in &self.rows {
            put_signed(out, ts.0.into());
            put(out, position.partition.0.into());
            put(out, position.offset.into());
            put_value(*word, text.as_deref(), out);
        }
    }

    pub(super) fn take(collects: Collects, input: &mut Bytes<'_>) -> Result<Self, Damaged> {
        let mut rows = Self::new(collects);
        let count = input.count()?;
        if count > rows.most() {
            return Err(Damaged("a list has too many rows"));
        }
        for _ in 0..count {
            let ts = Timestamp(input.word()?);
            let position = Position { partition: PartitionId(input.small()?), offset: input.small()? };
            let (word, text) = take_value(input)?;
            let row = Row { ts, position, word, text };
            if rows.rows.last().is_some_and(|last| last.order() >= row.order()) {
                return Err(Damaged("rows of a list are out of order"));
            }
            let is_known = |other: &Row| other.is_same(row.word, row.text.as_deref());
            if matches!(collects, Collects::LastDistinct(_)) && rows.rows.iter().any(is_known) {
                return Err(Damaged("a value stands twice"));
            }
            rows.rows.push(row);
        }
        Ok(rows)
    }
}
