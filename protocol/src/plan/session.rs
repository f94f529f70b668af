//! Sessions: events that follow each other closely. Knows no event: where one begins is found where it is asked.
//!
//! State is a function of which events there are, in whatever order they came, and an event of a partition that lags may
//! join two sessions of any age. So sessions are not kept as such: they are found anew, among tiles so short that no
//! tile lies in two of them, as far back as a ladder is kept.

use serde::{Deserialize, Serialize};

use crate::time::{Span, Timestamp};

/// How many tiles back sessions are looked for where nothing is said: thirty days for the usual half hour, a day for
/// minutes. An entity that is never quiet has so many, and a third of them is left for what else its view looks back on.
const TILES: i64 = 1440;
/// Of long gaps, whose tiles are a day, at least so many gaps.
const GAPS: i64 = 48;

/// Which events are of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Two events are of one session iff a chain of events leads from one to the other whose neighbours are at most so
    /// far apart.
    pub gap: Span,
    /// How far back from an instant events count: those of `floor_hop(t - within) <= ts < t`.
    pub within: Span,
    /// The length of a tile that surely lies in one session: at most the gap.
    pub hop: Span,
}

impl Session {
    /// The shortest gap: the shortest tile of all default hops.
    pub const GAP_MIN: Span = Span::seconds(1);

    /// Of events at most `gap` apart, not further back than `within`; `None` where the gap is shorter than
    /// [`Session::GAP_MIN`] or longer than `within`.
    #[must_use]
    pub fn new(gap: Span, within: Option<Span>) -> Option<Self> {
        let hop = hop(gap);
        let within = within.unwrap_or(Span((hop.0 * TILES).max(gap.0.saturating_mul(GAPS))));
        (Self::GAP_MIN <= gap && gap <= within).then_some(Self { gap, within, hop })
    }

    /// Where events begin to count, seen from an instant.
    #[must_use]
    pub fn furthest(&self, at: Timestamp) -> Timestamp {
        (at - self.within).floor(self.hop)
    }
}

/// The hops that windows have by default, so that tiles of sessions fit beside those of others; the longest first.
const HOPS: [Span; 6] = [
    Span::seconds(86_400),
    Span::seconds(6 * 3600),
    Span::seconds(1800),
    Span::seconds(60),
    Span::seconds(5),
    Session::GAP_MIN,
];

/// The longest of them that is no longer than the gap.
fn hop(gap: Span) -> Span {
    HOPS.into_iter().find(|hop| *hop <= gap).unwrap_or(Session::GAP_MIN)
}

#[cfg(test)]
mod tests {
    //! Tiles of sessions are those of other windows, and lie in one session.
    use super::super::default_hop;
    use super::*;

    #[test]
    fn a_tile_is_a_default_hop_and_no_longer_than_the_gap() {
        for seconds in (1..4000).chain([6 * 3600 - 1, 6 * 3600, 86_399, 86_400, 10_000_000]) {
            let gap = Span::seconds(seconds);
            let session = Session::new(gap, None).unwrap();
            assert!(session.hop <= gap && HOPS.contains(&session.hop), "{session:?}");
            assert_eq!(session.within, Span::seconds(seconds * GAPS).max(Span(session.hop.0 * TILES)));
        }
        let defaults =
            [60, 600, 7200, 48 * 3600, 14 * 86_400, 15 * 86_400].map(|window| default_hop(Span::seconds(window)));
        assert!(defaults.iter().rev().eq(&HOPS));
        assert_eq!(Session::new(Span(999_999), None), None);
        assert_eq!(Session::new(Span::seconds(60), Some(Span::seconds(59))), None);
    }
}
