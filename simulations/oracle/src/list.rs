//! Which rows of a window are listed. Knows no number.

use crate::item::Item;

/// Those of the `n` earliest rows, the earliest first; `items` are in the total order.
pub(crate) fn first(items: &[Item], n: u8) -> Vec<Item> {
    items.iter().take(n.into()).cloned().collect()
}

/// Those of the `n` latest rows, the latest first.
pub(crate) fn last(items: &[Item], n: u8) -> Vec<Item> {
    items.iter().rev().take(n.into()).cloned().collect()
}

/// Every different one at its latest row, of these the `n` latest, the latest first.
pub(crate) fn last_distinct(items: &[Item], n: u8) -> Vec<Item> {
    let is_latest = |at: usize| !items[at + 1..].contains(&items[at]);
    let latest = (0..items.len()).rev().filter(|at| is_latest(*at));
    latest.take(n.into()).map(|at| items[at].clone()).collect()
}
