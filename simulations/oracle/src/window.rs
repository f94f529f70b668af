//! Which instants a window holds. Knows no row and no operator.

use featuregrid_protocol::limits;
use featuregrid_protocol::plan::{Decay, Window};
use featuregrid_protocol::time::{Span, Timestamp};

use crate::calendar;

/// From when to when a window reaches, seen from `t`; its end is not in it.
pub(crate) fn edges(window: Window, t: Timestamp) -> (Timestamp, Timestamp) {
    match window {
        Window::Lifetime => (Timestamp::MIN, t),
        Window::Rolling { span, hop } => (floor(t - span, hop), t),
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
    }
}

/// The same for one that lies so far back: a rolling one then ends on its hop.
pub(crate) fn edges_back(window: Window, back: Span, t: Timestamp) -> (Timestamp, Timestamp) {
    let from = t - back;
    match window {
        Window::Lifetime | Window::Tumbling { .. } | Window::Calendar { .. } | Window::Decay(_) => {
            unreachable!("{window:?} has no offset")
        }
        Window::Rolling { span, hop } => (floor(from - span, hop), floor(from, hop)),
        Window::Complete { span, every, ago } => {
            let end = floor(from, every) - ago;
            (end - span, end)
        }
    }
}

/// The largest multiple of `step` that is not after `t`.
pub(crate) fn floor(t: Timestamp, step: Span) -> Timestamp {
    let (t, step) = (i128::from(t.0), i128::from(step.0));
    let floored = t.div_euclid(step) * step;
    Timestamp(i64::try_from(floored).unwrap_or(i64::MIN))
}
