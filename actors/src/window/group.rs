//! Windows that one pass from newest to oldest answers together. Knows no column and no page.

use std::ops::Range;

use featuregrid_protocol::limits::HALF_LIVES_KEPT;
use featuregrid_protocol::plan::{Calendar, Decay, Level, Session, Shift, Window};
use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::time::{Span, Timestamp};

use super::units::Units;

/// Windows that are seen from one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// What they have in common.
    pub(crate) sight: Sight,
    /// Distinct.
    pub(crate) windows: Vec<Tail>,
}

impl Group {
    /// Where its windows end, seen `from` there; of panes the newest. Where a session ends is told by rows.
    pub(crate) fn end(&self, from: Timestamp) -> Timestamp {
        match (self.sight.head, self.windows.first()) {
            (Head::Hop { hop, .. }, _) => from.floor(hop),
            (Head::Panes { hop, .. }, _) => self.windows.iter().map(|tail| tail.edge(from) + hop).max().unwrap_or(from),
            (Head::Calendar(_), Some(Tail::Calendar { units, .. })) => units.start(from),
            _ => from,
        }
    }
}

/// Where a window begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// At `floor_hop(from - span)`, where `from` is what the group is seen from.
    Level(Level),
    /// At `from - span`, or on the hop where too many rows lie about it.
    Exact(Level),
    /// Where the unit under way began, or the one before.
    Calendar { units: Units, is_complete: bool },
}

impl Tail {
    /// The instant.
    pub(crate) fn edge(&self, from: Timestamp) -> Timestamp {
        match self {
            Self::Level(Level { hop, span }) => (from - *span).floor(*hop),
            Self::Exact(Level { hop, span }) if plants::on(Plant::ExactNotCut) => (from - *span).floor(*hop),
            Self::Exact(Level { span, .. }) => from - *span,
            Self::Calendar { units, is_complete: false } => units.start(from),
            Self::Calendar { units, is_complete: true } => units.start_before(from),
        }
    }

    /// What its edge is a multiple of.
    pub(crate) fn hop(&self) -> Span {
        match self {
            Self::Level(level) | Self::Exact(level) => level.hop,
            Self::Calendar { units, .. } => units.hop(),
        }
    }

    /// The piece of time whose rows decide whether its edge is rounded down to where that begins; `None` where it never is.
    pub(crate) fn piece(&self, from: Timestamp) -> Option<Range<Timestamp>> {
        let Self::Exact(Level { hop, span }) = self else { return None };
        let begin = (from - *span).floor(*hop);
        Some(begin..begin + *hop)
    }
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
    /// All of them where the unit under way began.
    Calendar(Calendar),
    /// Of the one session, and whether it is the last closed one. Its tail is how far back rows are of any session.
    Session { session: Session, is_last: bool },
    /// One where the next begins, each a half-life long, the newest one at the instant.
    HalfLives(Span),
}

impl Sight {
    /// Of the instant itself.
    pub(super) const INSTANT: Self = Self { is_before: false, head: Head::Instant };

    /// Where a window is seen from, and its tail there; no tail is everything before the head.
    pub(super) fn of(window: Window, shift: Shift) -> (Self, Option<Tail>) {
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
                    (Head::Panes { hop: every, back: rest }, Some(Tail::Level(tail)))
                } else {
                    (Head::Hop { hop: every, back }, Some(Tail::Level(Level { hop: every, span })))
                }
            }
            (Window::Rolling { span, hop }, Some(back)) => {
                (Head::Hop { hop, back }, Some(Tail::Level(Level { hop, span })))
            }
            (Window::Calendar { calendar, is_complete }, _) => {
                let head = if is_complete { Head::Calendar(calendar) } else { Head::Instant };
                (head, Some(Tail::Calendar { units: Units::new(calendar), is_complete }))
            }
            (Window::Exact { span, hop }, _) => (Head::Instant, Some(Tail::Exact(Level { hop, span }))),
            (Window::Session { session, is_last }, _) => {
                (Head::Session { session, is_last }, window.tail().map(Tail::Level))
            }
            (Window::Decay(Decay { half_life }), _) => {
                let under_way = Level { hop: half_life, span: Span(0) };
                (Head::HalfLives(half_life), Some(Tail::Level(under_way)))
            }
            _ => (Head::Instant, window.tail().map(Tail::Level)),
        };
        (Self { is_before, head }, tail)
    }

    /// Where its windows are seen from at an instant.
    pub(crate) fn seen_from(self, instant: Timestamp) -> Timestamp {
        match self.head {
            Head::Instant | Head::Calendar(_) | Head::Session { .. } | Head::HalfLives(_) => instant,
            Head::Hop { back, .. } | Head::Panes { back, .. } => instant - back,
        }
    }

    /// Which session its one window is, and whether the last closed one.
    pub(crate) fn session(self) -> Option<(Session, bool)> {
        match self.head {
            Head::Session { session, is_last } => Some((session, is_last)),
            _ => None,
        }
    }

    /// How long each is, where its windows lie one before the other, so that nothing is in two of them.
    pub(crate) fn panes(self) -> Option<Span> {
        match self.head {
            Head::Panes { hop, .. } | Head::HalfLives(hop) => Some(hop),
            _ => None,
        }
    }

    /// Whether its windows are half-lives, which are answered together.
    pub(crate) fn is_decaying(self) -> bool {
        matches!(self.head, Head::HalfLives(_))
    }

    /// Windows that every group seen from here has: all half-lives that count, the newest first.
    pub(super) fn windows(self) -> Vec<Tail> {
        let Head::HalfLives(hop) = self.head else { return Vec::new() };
        (0..HALF_LIVES_KEPT).map(|ago| Tail::Level(Level { hop, span: Span(hop.0.saturating_mul(ago)) })).collect()
    }
}
