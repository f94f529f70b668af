//! What a store in trouble adds to the log: a line now and then, not one for each request. Knows no request.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Failure;

/// An outage is mentioned this often; metrics count every request of it.
const EVERY: Duration = Duration::from_secs(5);

/// When there was a line last, and what went unsaid since.
#[derive(Debug, Default)]
pub(super) struct Complaints(Mutex<(Option<Instant>, u64)>);

impl Complaints {
    /// Says what went wrong with an object or a place, unless something was said just now. An error where only people can help.
    pub(super) fn say(&self, place: &str, failure: &Failure, what: &str) {
        let Some(unsaid) = self.unsaid(Instant::now()) else { return };
        if failure.is_passing() {
            tracing::warn!(store = place, error = %failure, unsaid, "{what}");
        } else {
            tracing::error!(store = place, error = %failure, unsaid, "{what}");
        }
    }

    /// How many complaints went unsaid, if it is time for one.
    fn unsaid(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (said, unsaid) = &mut *state;
        if said.is_some_and(|said| now.saturating_duration_since(said) < EVERY) {
            *unsaid += 1;
            return None;
        }
        *said = Some(now);
        Some(std::mem::take(unsaid))
    }
}

#[cfg(test)]
mod tests {
    //! A line now and then, with the number of those that were not written.
    use super::*;

    #[test]
    fn an_outage_is_mentioned_now_and_then() {
        let (complaints, begin) = (Complaints::default(), Instant::now());
        let said = |seconds| complaints.unsaid(begin + Duration::from_secs(seconds));
        assert_eq!([0, 1, 2, 5, 9, 10].map(said), [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
