//! When which range is made durable. Knows neither page nor store; the shell says how each attempt ended.
//!
//! Ranges take turns, spread over the interval, and at most [`WALKS_MAX`] at once: so copies of pages and parts on their way
//! stay few, whatever the store does. One that failed is tried again soon; while the store is away those under way wait
//! for it, and no other begins.

use std::collections::BTreeMap;

use featuregrid_protocol::limits::{SNAPSHOT_RETRY_AFTER, WALKS_MAX};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Span;

use crate::ports::Monotonic;

/// Intervals without a durable state after which somebody should look: one may be missed, and be tried again.
const ALARM_INTERVALS: i64 = 3;

/// The turns of the ranges that are owned here.
#[derive(Clone, Debug)]
pub struct Cadence {
    interval: Span,
    turns: BTreeMap<RangeId, Turn>,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    due: Monotonic,
    /// Since when one is under way.
    begun: Option<Monotonic>,
    /// When the state was taken that is durable.
    durable: Monotonic,
}

impl Cadence {
    /// Nothing owned yet; each range is to be made durable once in an interval.
    #[must_use]
    pub fn new(interval: Span) -> Self {
        Self { interval, turns: BTreeMap::new() }
    }

    /// These ranges are owned from now on.
    pub fn own(&mut self, now: Monotonic, ranges: impl ExactSizeIterator<Item = RangeId>) {
        let count = ranges.len().max(1) as i64;
        for (place, range) in (1..).zip(ranges) {
            let due = now + Span(self.interval.0 / count * place);
            self.turns.insert(range, Turn { due, begun: None, durable: now });
        }
    }

    /// A range is owned no more.
    pub fn disown(&mut self, range: RangeId) {
        self.turns.remove(&range);
    }

    /// Every range is due now: somebody waits for it.
    pub fn hurry(&mut self, now: Monotonic) {
        self.turns.values_mut().for_each(|turn| turn.due = turn.due.min(now));
    }

    /// The range that is to be made durable next, if one is due: from here on it is under way.
    pub fn begin(&mut self, now: Monotonic) -> Option<RangeId> {
        if self.under_way() >= WALKS_MAX {
            return None;
        }
        let waiting = self.turns.iter_mut().filter(|(_, turn)| turn.begun.is_none() && turn.due <= now);
        let (range, turn) = waiting.min_by_key(|(range, turn)| (turn.due, **range))?;
        turn.begun = Some(now);
        Some(*range)
    }

    /// An attempt ended; whether its state is durable.
    pub fn ended(&mut self, now: Monotonic, range: RangeId, is_durable: bool) {
        let Some(turn) = self.turns.get_mut(&range) else { return };
        let Some(begun) = turn.begun.take() else { return };
        if is_durable {
            turn.durable = begun;
            turn.due = now.max(turn.due + self.interval);
        } else {
            turn.due = now + SNAPSHOT_RETRY_AFTER.min(self.interval);
        }
    }

    /// How many are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.turns.values().filter(|turn| turn.begun.is_some()).count()
    }

    /// How old the oldest durable state is: so much would be replayed at least.
    #[must_use]
    pub fn oldest(&self, now: Monotonic) -> Span {
        self.turns.values().map(|turn| now - turn.durable).max().unwrap_or(Span(0))
    }

    /// Whether some range has not become durable for so long that somebody should look.
    #[must_use]
    pub fn is_alarming(&self, now: Monotonic) -> bool {
        self.oldest(now).0 > self.interval.0.saturating_mul(ALARM_INTERVALS)
    }
}

#[cfg(test)]
mod tests {
    //! Spread over the interval, few at once, tried again, and an alarm in time.
    use super::*;

    const INTERVAL: Span = Span::seconds(64);

    fn at(seconds: i64) -> Monotonic {
        Monotonic(0) + Span::seconds(seconds)
    }

    #[test]
    fn turns_are_spread_over_the_interval() {
        let mut cadence = Cadence::new(INTERVAL);
        cadence.own(at(0), RangeId::split_evenly(64).into_iter());
        let mut begun = Vec::new();
        for second in 1..=192 {
            while let Some(range) = cadence.begin(at(second)) {
                begun.push((second, range.index()));
                cadence.ended(at(second), range, true);
            }
        }
        let expected: Vec<(i64, usize)> = (1..=192).map(|second| (second, (second as usize - 1) % 64)).collect();
        assert_eq!(begun, expected);
        assert!(!cadence.is_alarming(at(192)));
    }

    #[test]
    fn a_store_that_is_away_stops_new_attempts() {
        let mut cadence = Cadence::new(INTERVAL);
        cadence.own(at(0), RangeId::split_evenly(16).into_iter());
        let begun: Vec<RangeId> = std::iter::from_fn(|| cadence.begin(at(100))).collect();
        assert_eq!((begun.len(), cadence.under_way()), (WALKS_MAX, WALKS_MAX));
        assert!(!cadence.is_alarming(at(192)));
        assert!(cadence.is_alarming(at(193)));
        for range in &begun {
            cadence.ended(at(200), *range, false);
        }
        // Those that failed come after the ones that have waited longer.
        let next: Vec<RangeId> = std::iter::from_fn(|| cadence.begin(at(201))).collect();
        assert!(next.iter().all(|range| !begun.contains(range)));
        for range in next {
            cadence.ended(at(201), range, true);
        }
        cadence.disown(begun[0]);
        let again: Vec<RangeId> = std::iter::from_fn(|| cadence.begin(at(202))).collect();
        assert!(!again.contains(&begun[0]));
        assert_eq!(cadence.oldest(at(202)), Span::seconds(202));
    }

    #[test]
    fn who_is_in_a_hurry_waits_for_no_turn() {
        let mut cadence = Cadence::new(INTERVAL);
        cadence.own(at(0), RangeId::split_evenly(2).into_iter());
        assert_eq!(cadence.begin(at(1)), None);
        cadence.hurry(at(1));
        assert!(cadence.begin(at(1)).is_some() && cadence.begin(at(1)).is_some());
    }
}
