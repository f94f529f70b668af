//! Sessions: all of them are found, and the one that is meant is taken. Knows no operator.
//!
//! Of the rows of `floor_hop(t - within) <= ts < t`, two neighbours in time are of one session iff they are at most `gap`
//! apart. The session of the newest row is under way at `t` iff that row is at most `gap` before `t`; every other one is
//! closed. A closed session ends `gap` after its newest row, and nothing lies between the two. One is *cut* iff a row just
//! before `floor_hop(t - within)` would be of it.

use featuregrid_protocol::plan::Session;
use featuregrid_protocol::time::{Span, Timestamp};

use crate::window::floor;

/// From when to when the session under way reaches, seen from `t`, or the last closed one; nothing where there is none.
pub(crate) fn edges(
    session: Session,
    is_last: bool,
    t: Timestamp,
    times: impl Iterator<Item = Timestamp>,
) -> (Timestamp, Timestamp) {
    let Session { gap, within, hop } = session;
    let furthest = floor(t - within, hop);
    let mut times: Vec<Timestamp> = times.filter(|ts| furthest <= *ts && *ts < t).collect();
    times.sort_unstable();
    let sessions: Vec<(Timestamp, Timestamp)> =
        times.chunk_by(|one, next| *next - *one <= gap).map(|chunk| (chunk[0], chunk[chunk.len() - 1])).collect();
    let is_under_way = |(_, newest): &&(Timestamp, Timestamp)| t - *newest <= gap;
    if is_last {
        let closed = sessions.iter().rfind(|session| !is_under_way(session));
        closed.map_or((t, t), |(first, newest)| (*first, *newest + gap))
    } else {
        let under_way = sessions.last().filter(is_under_way);
        under_way.map_or((t, t), |(first, _)| (*first, t))
    }
}

/// Whether a session with these edges, seen from `t`, may have begun before rows count.
pub(crate) fn is_cut(session: Session, t: Timestamp, (start, end): (Timestamp, Timestamp)) -> bool {
    let uncounted = floor(t - session.within, session.hop) - Span::TICK;
    start < end && start - uncounted <= session.gap
}

#[cfg(test)]
mod tests {
    //! Edges, beside the instants at which they move.
    use super::*;

    fn found(is_last: bool, t: i64, times: &[i64]) -> Option<(i64, i64)> {
        let session = Session { gap: Span(30), within: Span(100), hop: Span(10) };
        let (start, end) = edges(session, is_last, Timestamp(t), times.iter().map(|ts| Timestamp(*ts)));
        (start < end).then_some((start.0, end.0))
    }

    #[test]
    fn a_late_row_bridges_two_sessions() {
        assert_eq!(found(false, 51, &[0, 50]), Some((50, 51)));
        assert_eq!(found(true, 51, &[0, 50]), Some((0, 30)));
        assert_eq!(found(false, 51, &[0, 50, 25]), Some((0, 51)));
        assert_eq!(found(true, 51, &[0, 50, 25]), None);
    }

    #[test]
    fn the_gap_itself_is_still_of_the_session() {
        assert_eq!(found(false, 31, &[0, 30]), Some((0, 31)));
        assert_eq!(found(false, 32, &[0, 31]), Some((31, 32)));
        assert_eq!(found(false, 60, &[0, 30]), Some((0, 60)));
        assert_eq!((found(false, 61, &[0, 30]), found(true, 61, &[0, 30])), (None, Some((0, 60))));
    }

    #[test]
    fn rows_at_the_instant_or_later_do_not_count() {
        assert_eq!(found(false, 30, &[0, 30, 60]), Some((0, 30)));
        assert_eq!(found(false, 0, &[0, 30, 60]), None);
    }

    #[test]
    fn a_session_is_cut_where_one_more_row_would_be_of_it() {
        let session = Session { gap: Span(30), within: Span(100), hop: Span(10) };
        let cut = |t: i64, times: &[i64]| {
            is_cut(session, Timestamp(t), edges(session, false, Timestamp(t), times.iter().map(|ts| Timestamp(*ts))))
        };
        // At 109 rows from 0 on count, at 110 those from 10 on: one at -1 or at 9 is of it.
        assert!(cut(109, &[29, 59, 89]) && cut(110, &[29, 59, 89]));
        assert!(!cut(109, &[30, 60, 90]) && cut(110, &[30, 60, 90]));
        assert!(!cut(110, &[40, 60, 90]) && !cut(150, &[30, 60, 90]));
    }

    #[test]
    fn what_lies_too_far_back_is_forgotten_by_whole_hops() {
        let times = [0, 9, 10, 19, 40, 60, 80, 110];
        assert_eq!(found(false, 100, &times), Some((0, 100)));
        assert_eq!(found(false, 109, &times), Some((0, 109)));
        assert_eq!(found(false, 110, &times), Some((10, 110)));
        assert_eq!(found(false, 120, &times), Some((40, 120)));
        assert_eq!(found(true, 200, &times), Some((110, 140)));
        assert_eq!(found(true, 220, &times), None);
    }
}
