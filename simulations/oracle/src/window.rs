//! Which instants a window holds. Knows no operator, and of rows only when they were.

use featuregrid_protocol::limits;
use featuregrid_protocol::plan::{Decay, Level, Window};
use featuregrid_protocol::time::{Span, Timestamp};

use crate::{calendar, session};

/// From when to when a window reaches, seen from `t`; its end is not in it. `times` are those of all rows there are.
pub(crate) fn edges(window: Window, t: Timestamp, times: impl Iterator<Item = Timestamp>) -> (Timestamp, Timestamp) {
    match window {
        // Which rows are the last ones is told of those that lie in it.
        Window::Lifetime | Window::LastN { within: None, .. } => (Timestamp::MIN, t),
        Window::LastN { within: Some(Level { hop, span }), .. } => (floor(t - span, hop), t),
        Window::Rolling { span, hop } => (floor(t - span, hop), t),
        Window::Exact { .. } => unreachable!("{window:?} depends on rows"),
        // The half-life under way, and those before it.
        Window::Decay(Decay { half_life }) => {
            let before = Span(half_life.0 * (limits::HALF_LIVES_KEPT - 1));
            (floor(t, half_life) - before, t)
        }
        Window::Tumbling { span } => (floor(t, span), t),
        Window::Complete { .. } => edges_back(window, Span(0), t),
        Window::Calendar { calendar, is_complete: false } => (calendar::begin(calendar, t), t),
        Window::Calendar { calendar, is_complete: true } => {
            let end = calendar::begin(calendar, t);
            (calendar::begin(calendar, end - Span::TICK), end)
        }
        Window::Session { session, is_last } => session::edges(session, is_last, t, times),
    }
}

/// Whether a window with these edges, seen from `t`, may reach further back than rows count.
pub(crate) fn is_cut(window: Window, t: Timestamp, edges: (Timestamp, Timestamp)) -> bool {
    match window {
        Window::Session { session, .. } => session::is_cut(session, t, edges),
        _ => false,
    }
}

/// The same for one that lies so far back: a rolling one then ends on its hop.
pub(crate) fn edges_back(window: Window, back: Span, t: Timestamp) -> (Timestamp, Timestamp) {
    let from = t - back;
    match window {
        Window::Lifetime
        | Window::LastN { .. }
        | Window::Exact { .. }
        | Window::Tumbling { .. }
        | Window::Calendar { .. }
        | Window::Session { .. }
        | Window::Decay(_) => {
            unreachable!("{window:?} has no offset")
        }
        Window::Rolling { span, hop } => (floor(from - span, hop), floor(from, hop)),
        Window::Complete { span, every, ago } => {
            let end = floor(from, every) - ago;
            (end - span, end)
        }
    }
}

/// From when an exact window reaches, and whether that is rounded: as many rows of the view as are not kept one by one lie
/// between the multiples of the hop before and after where it should begin, whichever measures take them.
pub(crate) fn begin_exact(
    (span, hop): (Span, Span),
    t: Timestamp,
    rows: impl Iterator<Item = Timestamp>,
) -> (Timestamp, bool) {
    let (begin, rounded) = (t - span, floor(t - span, hop));
    let about = rows.filter(|ts| rounded <= *ts && *ts < rounded + hop).count();
    if about > limits::EXACT_ROWS_MAX { (rounded, true) } else { (begin, false) }
}

/// The largest multiple of `step` that is not after `t`.
pub(crate) fn floor(t: Timestamp, step: Span) -> Timestamp {
    let (t, step) = (i128::from(t.0), i128::from(step.0));
    let floored = t.div_euclid(step) * step;
    Timestamp(i64::try_from(floored).unwrap_or(i64::MIN))
}
