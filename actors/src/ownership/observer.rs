//! What a successor saw of another's lease. Knows not who reads it, and counts only by the observer's own clock.

use featuregrid_protocol::limits::LEASE_SUCCESSOR;

use crate::ports::{Etag, Monotonic};

/// The last change seen. The first sight counts as one: how old it was then is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observer {
    seen: Option<(Etag, Monotonic)>,
}

impl Observer {
    /// This version stood there, when the reply came in.
    pub fn observe(&mut self, now: Monotonic, etag: &Etag) {
        if self.seen.as_ref().is_none_or(|(known, _)| known != etag) {
            self.seen = Some((etag.clone(), now));
        }
    }

    /// The version seen last.
    #[must_use]
    pub fn last(&self) -> Option<&Etag> {
        self.seen.as_ref().map(|(etag, _)| etag)
    }

    /// Whether a holder that renewed no more has stopped by itself.
    #[must_use]
    pub fn has_run_out(&self, now: Monotonic) -> bool {
        self.seen.as_ref().is_some_and(|(_, at)| now - *at >= LEASE_SUCCESSOR)
    }
}

#[cfg(test)]
mod tests {
    //! Only a change starts the wait anew.
    use featuregrid_protocol::time::Span;

    use super::*;

    #[test]
    fn the_wait_begins_with_the_last_change() {
        let (mut observer, etag) = (Observer::default(), |n: u8| Etag(n.to_string()));
        let at = |ms| Monotonic(0) + Span::millis(ms);
        assert!(!observer.has_run_out(at(99_999)));
        observer.observe(at(100), &etag(1));
        observer.observe(at(1_000), &etag(1));
        assert!(!observer.has_run_out(at(3_099)));
        assert!(observer.has_run_out(at(3_100)));
        observer.observe(at(3_100), &etag(2));
        assert!(!observer.has_run_out(at(6_099)));
        assert!(observer.has_run_out(at(6_100)));
    }
}
