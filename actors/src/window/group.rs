//! Windows that one pass from newest to oldest answers together. Knows no column and no page.

use featuregrid_protocol::plan::{Level, Shift, Window};
use featuregrid_protocol::time::{Span, Timestamp};

/// Windows that are seen from one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// What they have in common.
    pub(crate) sight: Sight,
    /// Distinct; the tail edge of each is `floor_hop(from - span)`, where `from` is what the group is seen from.
    pub(crate) windows: Vec<Level>,
}

/// Where windows are seen from, and where they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    /// Whether the instant is the one a tick before that of the read.
    pub(crate) is_before: bool,
    head: Head,
}

/// Where the windows of a group end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    /// All of them at the instant.
    Instant,
    /// All of them at a multiple of the one hop they have, seen from so far back.
    Hop { hop: Span, back: Span },
    /// One where the next begins, or further on: each is a hop long. They are seen from so far back.
    Panes { hop: Span, back: Span },
}

impl Sight {
    /// Of the instant itself.
    pub(super) const INSTANT: Self = Self { is_before: false, head: Head::Instant };

    /// Where a window is seen from, and its tail there; no tail is everything before the head.
    pub(super) fn of(window: Window, shift: Shift) -> (Self, Option<Level>) {
        let (is_before, back) = match shift {
            Shift::Nothing => (false, None),
            Shift::Current => (true, None),
            Shift::Back(back) => (false, Some(back)),
        };
        let (head, tail) = match (window, back) {
            (Window::Complete { span, every, ago }, _) => {
                let back = back.unwrap_or_default() + ago;
                if span == every {
                    // Panes of a series are whole hops apart, so those with one rest never overlap.
                    let rest = Span(back.0 % every.0);
                    let tail = Level { hop: every, span: Span(back.0 - rest.0) + span };
                    (Head::Panes { hop: every, back: rest }, Some(tail))
                } else {
                    (Head::Hop { hop: every, back }, Some(Level { hop: every, span }))
                }
            }
            (Window::Rolling { span, hop }, Some(back)) => (Head::Hop { hop, back }, Some(Level { hop, span })),
            _ => (Head::Instant, window.tail()),
        };
        (Self { is_before, head }, tail)
    }

    /// Where its windows are seen from at an instant.
    pub(crate) fn seen_from(self, instant: Timestamp) -> Timestamp {
        match self.head {
            Head::Instant => instant,
            Head::Hop { back, .. } | Head::Panes { back, .. } => instant - back,
        }
    }

    /// Where a window with this tail edge ends, seen `from` there.
    pub(crate) fn end(self, from: Timestamp, edge: Timestamp) -> Timestamp {
        match self.head {
            Head::Instant => from,
            Head::Hop { hop, .. } => from.floor(hop),
            Head::Panes { hop, .. } => edge + hop,
        }
    }

    /// Whether its windows lie one before the other, so that nothing is in two of them.
    pub(crate) fn is_panes(self) -> bool {
        matches!(self.head, Head::Panes { .. })
    }
}

/// The tail edge of a window seen `from` there.
pub(crate) fn edge(window: Level, from: Timestamp) -> Timestamp {
    (from - window.span).floor(window.hop)
}
