//! How much memory one entity of a view can take: what its plan bounds, before any event is there. Knows no event.

use featuregrid_protocol::limits::RAW_ROWS_MAX;
use featuregrid_protocol::plan::{Plan, ViewPlan};

use crate::aggregate::Form;
use crate::entity::initial_words;
use crate::window::Shape;

/// Bytes of a key that is assumed where none is known: a short text or a number.
const KEY_BYTES: usize = 16;
const WORD_BYTES: u64 = 8;

/// Bytes of the largest entity of a view, all its ladders: every tile of every level is there, every cell as wide as it
/// gets, and the raw rows as many as are kept. For a short key and events of one partition.
///
/// # Panics
/// If the view is not one of this plan's.
#[must_use]
pub fn largest_entity_bytes(plan: &Plan, view: &ViewPlan) -> u64 {
    let source = plan.source_of(view);
    let ladders = view.ladders.iter().enumerate().map(|(at, ladder)| {
        let shape = Shape::new(source, view, at);
        let tiles: i64 = ladder.tiles_max(source.slack).sum();
        let wide = shape.cells.words(Form::Wide);
        let wider = if shape.lifetime { wide.saturating_sub(shape.cells.words(Form::Narrow)) } else { 0 };
        // A new page has room for two rows.
        let rows = RAW_ROWS_MAX.saturating_sub(2) * shape.row_words();
        let words = initial_words(&shape, &[0; KEY_BYTES]) + wider + rows;
        words as u64 + tiles.unsigned_abs() * (1 + wide as u64)
    });
    ladders.sum::<u64>() * WORD_BYTES
}
