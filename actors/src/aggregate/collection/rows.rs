//! The rows at one end of the total order or of another, or the latest row of each of the latest values. Knows no operator.

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::Timestamp;

use super::{Collects, Item, put_text, put_value, take_text, take_value};
use featuregrid_protocol::varint::{Bytes, Damaged, put, put_signed};

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
    /// In their order.
    rows: Vec<Row>,
}

impl Row {
    fn of(item: &Item<'_>) -> Self {
        Self { ts: item.ts, position: item.position, word: item.word, text: item.text.map(Into::into) }
    }

    /// What was collected.
    pub(crate) fn item(&self) -> Item<'_> {
        Item { ts: self.ts, position: self.position, word: self.word, text: self.text.as_deref() }
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
            Collects::LeastRow | Collects::GreatestRow => 1,
            Collects::Distinct | Collects::Quantiles | Collects::Categories => 0,
        }
    }

    /// Whether it is the first rows that are kept, and not the last.
    fn is_first(&self) -> bool {
        matches!(self.collects, Collects::FirstRows(_) | Collects::LeastRow)
    }

    /// Whether rows are compared by their words before their places.
    fn is_ranked(&self) -> bool {
        matches!(self.collects, Collects::LeastRow | Collects::GreatestRow)
    }

    fn order(&self, (word, ts, position): (i64, Timestamp, Position)) -> (i64, Timestamp, Position) {
        (if self.is_ranked() { word } else { 0 }, ts, position)
    }

    fn order_of(&self, row: &Row) -> (i64, Timestamp, Position) {
        self.order((row.word, row.ts, row.position))
    }

    /// From the first of all, or from the last.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &Row> {
        let (first, last) = if self.is_first() { (&self.rows[..], &[][..]) } else { (&[][..], &self.rows[..]) };
        first.iter().chain(last.iter().rev())
    }

    pub(super) fn add(&mut self, item: &Item<'_>) {
        let order = self.order((item.word, item.ts, item.position));
        let is_before = |row: &Row| match plants::on(Plant::ListsByArrival) {
            true => row.ts <= item.ts,
            false => self.order_of(row) < order,
        };
        let at = self.rows.partition_point(is_before);
        let (len, most) = (self.rows.len(), self.most());
        if if self.is_first() { at >= most } else { at == 0 && len >= most } {
            return;
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
        if len >= most && !self.is_first() {
            self.rows[..at].rotate_left(1);
            self.rows[at - 1] = Row::of(item);
            return;
        }
        self.rows.truncate(most - 1);
        self.rows.insert(at, Row::of(item));
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for row in &other.rows {
            self.add(&row.item());
        }
    }

    /// The same where fewer of them are kept.
    pub(crate) fn keep(&mut self, collects: Collects) {
        self.collects = collects;
        let most = self.most();
        if self.is_first() {
            self.rows.truncate(most);
        } else {
            drop(self.rows.drain(..self.rows.len().saturating_sub(most)));
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

    /// count, then time (signed), partition, offset, and value, or rank and label
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put(out, self.rows.len() as u128);
        for Row { ts, position, word, text } in &self.rows {
            put_signed(out, ts.0.into());
            put(out, position.partition.0.into());
            put(out, position.offset.into());
            if self.is_ranked() {
                put_ranked(*word, text.as_deref(), out);
            } else {
                put_value(*word, text.as_deref(), out);
            }
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
            let (word, text) = if rows.is_ranked() { take_ranked(input)? } else { take_value(input)? };
            let row = Row { ts, position, word, text };
            if rows.rows.last().is_some_and(|last| rows.order_of(last) >= rows.order_of(&row)) {
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

/// Appends a word (signed) and 0, or 1 and the text beside it, from which it does not follow.
fn put_ranked(word: i64, text: Option<&str>, out: &mut Vec<u8>) {
    put_signed(out, word.into());
    out.push(text.is_some().into());
    if let Some(text) = text {
        put_text(text, out);
    }
}

/// Reads what [`put_ranked`] writes.
fn take_ranked(input: &mut Bytes<'_>) -> Result<(i64, Option<Box<str>>), Damaged> {
    let word = input.word()?;
    match input.take(1)? {
        [0] => Ok((word, None)),
        [1] => Ok((word, Some(take_text(input)?.into()))),
        _ => Err(Damaged("a flag is neither 0 nor 1")),
    }
}
