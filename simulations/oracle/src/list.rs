//! Which rows of a window are listed. Knows no number.

use crate::feature::Placed;
use crate::item::Item;
use crate::judge::Input;

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

/// All of them by their ranks, those of one rank in the total order; `rows` are in that order.
pub(crate) fn ranked(rows: &[Placed]) -> Vec<&Item> {
    let rank = |(.., input): &'_ Placed| if let Input::Ranked(rank, _) = input { *rank } else { 0 };
    let mut sorted: Vec<&Placed> = rows.iter().collect();
    // Equal ranks stay in the order they have.
    sorted.sort_by_key(|row| rank(row));
    sorted
        .into_iter()
        .filter_map(|(.., input)| if let Input::Ranked(_, item) = input { Some(item) } else { None })
        .collect()
}
