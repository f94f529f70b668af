//! The two clocks of a process: the wall clock, which chooses the instant of a read, and a monotonic one for timeouts.
//! State never depends on either.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use featuregrid_actors::ports::Monotonic;
use featuregrid_protocol::time::Timestamp;

/// Now, by the wall clock.
#[must_use]
pub fn wall() -> Timestamp {
    let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_micros() as i64,
        Err(before) => -(before.duration().as_micros() as i64),
    };
    Timestamp(micros)
}

/// Now, since the first call in this process.
#[must_use]
pub fn monotonic() -> Monotonic {
    static START: OnceLock<Instant> = OnceLock::new();
    Monotonic(START.get_or_init(Instant::now).elapsed().as_micros() as i64)
}
