//! Where a session begins and ends: found from the newest event back, among rows and tiles. Knows no page.
//!
//! Invariant: a tile that is no longer than the gap lies in one session, so when its first and its last event were is all
//! that a session is told by. Which events there are decides, and never the order in which they came: one that joins two
//! sessions only changes what is found.

use featuregrid_protocol::plan::Session;
use featuregrid_protocol::time::Timestamp;

/// Events that are of one session: a raw row, or a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where a pass meets it: the time of a row, the beginning of a tile.
    pub(crate) place: Timestamp,
    /// Its first event.
    pub(crate) first: Timestamp,
    /// Its last event.
    pub(crate) last: Timestamp,
}

/// A session among pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The place of its oldest piece.
    pub(crate) tail: Timestamp,
    /// All of its pieces, and no newer ones, have places before this.
    pub(crate) head: Timestamp,
    /// Where it ends: one that is closed a gap after its last event, one under way at the instant.
    pub(crate) end: Timestamp,
    /// Whether it may have begun earlier: an event beside where events begin to count would be of it.
    pub(crate) is_cut: bool,
}

impl Extent {
    /// Of no session at an instant.
    fn nothing(at: Timestamp) -> Self {
        Self { tail: at, head: at, end: at, is_cut: false }
    }

    /// Of the session under way at an instant, or of the last closed one, among pieces, the newest first.
    pub(crate) fn find(session: Session, is_last: bool, at: Timestamp, pieces: impl Iterator<Item = Piece>) -> Self {
        let furthest = session.furthest(at);
        let before = pieces.skip_while(|piece| piece.place >= at);
        let mut pieces = before.take_while(|piece| piece.place >= furthest).peekable();
        let is_cut = |oldest: &Piece| oldest.first - session.gap < furthest;
        let mut head = at;
        while let Some(newest) = pieces.next() {
            let mut oldest = newest;
            while let Some(older) = pieces.next_if(|older| oldest.first - older.last <= session.gap) {
                oldest = older;
            }
            // All but the newest are closed: what follows them came after more than the gap.
            let is_closed = at - newest.last > session.gap;
            match (is_last, is_closed) {
                (false, false) => return Self { tail: oldest.place, head, end: at, is_cut: is_cut(&oldest) },
                (true, true) => {
                    let end = newest.last + session.gap;
                    return Self { tail: oldest.place, head, end, is_cut: is_cut(&oldest) };
                }
                (false, true) => break,
                (true, false) => head = oldest.place,
            }
        }
        Self::nothing(at)
    }
}

#[cfg(test)]
mod tests {
    //! Against all sessions of all events, whatever tiles the events lie in.
    use featuregrid_protocol::time::Span;
    use proptest::prelude::*;

    use super::*;

    const SESSION: Session = Session { gap: Span(30), within: Span(300), hop: Span(10) };

    /// Tiles of so many ticks of the events before one, rows of the others.
    fn pieces(times: &[i64], raw_from: i64, hop: i64) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for ts in times.iter().map(|ts| Timestamp(*ts)) {
            let place = if ts.0 < raw_from { ts.floor(Span(hop)) } else { ts };
            match pieces.last_mut().filter(|last| last.place == place && ts.0 < raw_from) {
                Some(last) => last.last = ts,
                None => pieces.push(Piece { place, first: ts, last: ts }),
            }
        }
        pieces.reverse();
        pieces
    }

    proptest! {
        #[test]
        fn what_is_found_holds_the_events_of_the_session(
            mut times in prop::collection::vec(-400i64..400, 0..40), at in -400i64..500, raw_from in -400i64..400,
            hop in prop::sample::select(&[1i64, 5, 10][..]), is_last: bool,
        ) {
            times.sort_unstable();
            // Instants are so that no tile has events on both sides of them.
            let at = if times.iter().any(|ts| (at..raw_from).contains(ts)) { at.div_euclid(10) * 10 } else { at };
            let pieces = pieces(&times, raw_from, hop);
            let furthest = (at - 300).div_euclid(10) * 10;
            times.retain(|ts| furthest <= *ts && *ts < at);
            let found = Extent::find(SESSION, is_last, Timestamp(at), pieces.iter().copied());
            let sessions: Vec<&[i64]> = times.chunk_by(|one, next| next - one <= 30).collect();
            let is_closed = |session: &&[i64]| at - session[session.len() - 1] > 30;
            let want = match sessions.split_last() {
                Some((newest, _)) if !is_last => (!is_closed(newest)).then_some(*newest),
                _ => sessions.iter().rfind(|session| is_closed(session)).copied(),
            };
            let held = pieces.iter().filter(|piece| found.tail <= piece.place && piece.place < found.head);
            let held: Vec<&Piece> = held.collect();
            let edges = held.first().zip(held.last()).map(|(newest, oldest)| (oldest.first.0, newest.last.0));
            prop_assert_eq!(edges, want.map(|session| (session[0], session[session.len() - 1])));
            if let Some(session) = want {
                let end = if is_last { session[session.len() - 1] + 30 } else { at };
                prop_assert_eq!(found.end, Timestamp(end));
            }
            let first = want.and_then(|session| session.first());
            prop_assert_eq!(found.is_cut, first.is_some_and(|first| (furthest - 30..furthest).any(|ts| first - ts <= 30)));
        }
    }
}
