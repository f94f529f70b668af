//! The few last rows of a window, folded where they are asked for. Knows no window and no operator.
//!
//! The rows that a window collected are in the total order, whatever order they came in, and so few that whatever can be
//! asked of rows is found from them at once: what a tile would have kept of them is made anew for each read.

use super::accumulator::{Accumulator, Placed};
use super::collection::{Collection, Collects};
use super::squares::Squares;

/// The last `n` of the rows that `collected` has, in the widest integers and as they would have been collected otherwise;
/// `bad` rows were beside them, of which no place is known.
pub(crate) fn last_n(
    n: u8,
    collected: Option<&Collection>,
    bad: u64,
    asked: Option<Collects>,
) -> (Accumulator, Option<Collection>) {
    let mut rows = Accumulator { bad, ..Accumulator::default() };
    let mut collection = asked.map(Collects::nothing);
    let Some(Collection::Rows(kept)) = collected else { return (rows, collection) };
    let latest_first = kept.in_order().take(n.into());
    for item in latest_first.map(|row| row.item()) {
        let placed = Placed { ts: item.ts, position: item.position, number: item.word };
        rows.n += 1;
        rows.sum += i128::from(item.word);
        rows.squares = rows.squares.plus(Squares::of(item.word));
        rows.min = rows.min.min(item.word);
        rows.max = rows.max.max(item.word);
        rows.first = rows.first.min(item.ts);
        rows.last = rows.last.max(item.ts);
        rows.first_row = Some(placed);
        rows.last_row = rows.last_row.or(Some(placed));
        if let Some(collection) = &mut collection {
            collection.add(&item);
        }
    }
    (rows, collection)
}
