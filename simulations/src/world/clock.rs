//! A node's clock: runs at its own rate, up to 5 % off the world's. Knows no other node's.

use featuregrid_actors::ports::Monotonic;
use featuregrid_protocol::time::{Span, Timestamp};

use super::EPOCH;
use super::heap::Micros;

/// One node's clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    ppm: i64,
    since: Micros,
    local: Micros,
}

impl Clock {
    /// A clock that was started at an arbitrary value.
    #[must_use]
    pub fn new(start: Micros, ppm: i32) -> Self {
        Self { ppm: i64::from(ppm), since: 0, local: start }
    }

    /// Another rate from `now` on.
    pub fn set_rate(&mut self, now: Micros, ppm: i32) {
        (self.local, self.since, self.ppm) = (self.local_at(now), now, i64::from(ppm));
    }

    /// Its monotonic clock.
    #[must_use]
    pub fn monotonic(&self, now: Micros) -> Monotonic {
        Monotonic(self.local_at(now))
    }

    /// The same for machines that take time as a timestamp of which only differences count.
    #[must_use]
    pub fn feed_time(&self, now: Micros) -> Timestamp {
        Timestamp(self.local_at(now))
    }

    /// Its wall clock: set right at the start, and off by what its rate has made since.
    #[must_use]
    pub fn wall(&self, now: Micros) -> Timestamp {
        EPOCH + Span(now + (now - self.since) * self.ppm / 1_000_000)
    }

    fn local_at(&self, now: Micros) -> Micros {
        self.local + (now - self.since) + (now - self.since) * self.ppm / 1_000_000
    }
}

#[cfg(test)]
mod tests {
    //! A fast clock gains; changing its rate never makes it jump.
    use super::*;

    #[test]
    fn a_rate_change_is_no_jump() {
        let mut clock = Clock::new(100, 50_000);
        assert_eq!(clock.monotonic(1_000_000), Monotonic(100 + 1_050_000));
        clock.set_rate(1_000_000, -50_000);
        assert_eq!(clock.monotonic(1_000_000), Monotonic(100 + 1_050_000));
        assert_eq!(clock.monotonic(2_000_000), Monotonic(100 + 2_000_000));
    }
}
