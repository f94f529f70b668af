//! Levels from windows: which hops a ladder keeps, and how far back. Knows no measure.
//!
//! Windows are taken from the finest hop to the coarsest. One that the levels so far can tell needs no level; another
//! hop begins a level, which must be a multiple of the level before, so that its tiles are whole sums of finer ones.

use crate::definition::mistake::Notes;
use crate::definition::place::Mark;
use crate::limits;
use crate::plan::Level;
use crate::time::Span;

/// A window that a ladder must answer, by its tail edge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// How far back it reaches.
    pub(super) span: Span,
    pub(super) hop: Span,
    /// What a user calls the hop.
    pub(super) noun: &'static str,
    /// Where the window is written.
    pub(super) at: Mark,
    /// Where its hop is written, if it is.
    pub(super) hop_at: Option<Mark>,
}

/// The noun of a rolling window's hop.
pub(super) const HOP: &str = "hop";

/// The levels that answer all of `wanted`; hops that cannot stand beside each other are noted.
pub(super) fn levels(wanted: &[Wanted], notes: &mut Notes) -> Option<Vec<Level>> {
    let step = limits::INSTANT_STEP;
    let mut wanted = wanted.to_vec();
    wanted.sort_by_key(|window| (window.hop, window.span, window.at));
    let mut levels: Vec<Level> = Vec::new();
    // Instants are rounded to the step, so the newest tiles must be at least as fine.
    match wanted.first() {
        Some(finest) if step.0 % finest.hop.0 == 0 => {}
        Some(finest) if finest.hop.0 % step.0 != 0 => {
            let message = format!(
                "the {} {} neither divides {step} nor is a multiple of it; write, for example, 1s, {step} or 1m",
                finest.noun, finest.hop
            );
            notes.add(finest.hop_at.unwrap_or(finest.at), message);
            return None;
        }
        _ => levels.push(Level { hop: step, span: Span(0) }),
    }
    let mut maker: Option<Wanted> = None;
    for window in wanted {
        if let Some(last) = levels.last_mut() {
            if last.answers(window.span, window.hop) {
                continue;
            }
            if window.hop == last.hop {
                last.span = window.span;
                maker = Some(window);
                continue;
            }
            if window.hop.0 % last.hop.0 != 0 {
                let at = window.hop_at.or(maker.and_then(|maker| maker.hop_at)).unwrap_or(window.at);
                let message = if window.noun == HOP {
                    format!(
                        "the hop {} of window {} is no multiple of the hop {} of a shorter window of this view; write hops that divide each other, for example 5s, 1m, 30m",
                        window.hop, window.span, last.hop
                    )
                } else {
                    format!(
                        "the {} {} is no multiple of {}, by which another window of this view moves; write a multiple, or give it a view of its own",
                        window.noun, window.hop, last.hop
                    )
                };
                notes.add(at, message);
                return None;
            }
        }
        // A window that is only coarser, not longer, gets the few tiles its coarser tail edge needs.
        let span = levels.last().map_or(window.span, |last| last.span.max(window.span));
        levels.push(Level { hop: window.hop, span });
        maker = Some(window);
    }
    Some(levels)
}
