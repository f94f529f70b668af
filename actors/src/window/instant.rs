//! The effective instant of a read. Knows no clock: the receiving node picked one for the whole request.

use featuregrid_protocol::limits::INSTANT_STEP;
use featuregrid_protocol::time::{Span, Timestamp};
use featuregrid_protocol::value::Edge;

/// The instant a read asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// This instant, whatever the entity has seen.
    At(Timestamp),
    /// "Now" as the receiving node's clock says: an event that is ahead of it, by at most `max_skew`, counts.
    Now {
        /// The clock, read once per request.
        clock: Timestamp,
    },
}

/// What a read is evaluated at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant {
    /// Rows before this may count.
    pub at: Timestamp,
    /// Whether it is the one meant.
    pub edge: Edge,
}

/// What the entity's pages say about time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The newest visible event.
    pub newest: Option<Timestamp>,
    /// The newest event that is no raw row any more.
    pub newest_tiled: Option<Timestamp>,
}

/// The instant that a read means.
#[must_use]
pub fn meant(as_of: AsOf, seen: Seen, max_skew: Span) -> Timestamp {
    match (as_of, seen.newest) {
        (AsOf::At(at), _) => at,
        (AsOf::Now { clock }, Some(newest)) if newest <= clock + max_skew => clock.max(newest + Span::TICK),
        (AsOf::Now { clock }, _) => clock,
    }
}

/// What that instant is evaluated at, or `None` where it is out of range: before T - slack.
#[must_use]
pub fn resolve(at: Timestamp, seen: Seen, t_max: Timestamp, slack: Span) -> Option<Instant> {
    if at < t_max - slack {
        return None;
    }
    match seen.newest_tiled {
        Some(tiled) if tiled >= at => Some(Instant { at: at.floor(INSTANT_STEP), edge: Edge::Rounded }),
        _ => Some(Instant { at, edge: Edge::Exact }),
    }
}

#[cfg(test)]
mod tests {
    //! The table of DESIGN section 3, "Instant of a read".
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * SECOND)
    }

    fn read(as_of: AsOf, newest: i64, tiled: Option<i64>, t_max: i64) -> Option<(Timestamp, Edge)> {
        let seen = Seen { newest: Some(at(newest)), newest_tiled: tiled.map(at) };
        let meant = meant(as_of, seen, Span::seconds(300));
        resolve(meant, seen, at(t_max), Span::seconds(60)).map(|instant| (instant.at, instant.edge))
    }

    #[test]
    fn now_includes_an_event_slightly_ahead_of_the_clock() {
        assert_eq!(read(AsOf::Now { clock: at(1000) }, 990, None, 1000), Some((at(1000), Edge::Exact)));
        let ahead = Some((at(1300) + Span::TICK, Edge::Exact));
        assert_eq!(read(AsOf::Now { clock: at(1000) }, 1300, None, 1000), ahead);
        assert_eq!(read(AsOf::Now { clock: at(1000) }, 1301, None, 1000), Some((at(1000), Edge::Exact)));
        assert_eq!(read(AsOf::At(at(1000)), 1300, None, 1000), Some((at(1000), Edge::Exact)));
    }

    #[test]
    fn instants_before_the_slack_are_out_of_range() {
        assert_eq!(read(AsOf::At(at(940)), 900, None, 1000), Some((at(940), Edge::Exact)));
        assert_eq!(read(AsOf::At(Timestamp(at(940).0 - 1)), 900, None, 1000), None);
    }

    #[test]
    fn only_a_tiled_event_at_or_after_the_instant_blurs_it() {
        assert_eq!(read(AsOf::At(at(993)), 999, Some(992), 1000), Some((at(993), Edge::Exact)));
        assert_eq!(read(AsOf::At(at(993)), 999, Some(993), 1000), Some((at(990), Edge::Rounded)));
    }
}
