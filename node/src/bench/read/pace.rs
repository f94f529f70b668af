//! Calls at the times things are due. Knows nothing of what is due.

use std::time::{Duration, Instant};

/// Calls `due` with each intended time, `rate` times a second for so long. A call that takes long does not move the
/// times of those after it: they are called late, and their latency says so. Blocks its thread.
pub(super) fn pace<E>(rate: f64, lasts: Duration, mut due: impl FnMut(Instant) -> Result<(), E>) -> Result<(), E> {
    let begin = Instant::now();
    for turn in 0.. {
        let after = Duration::from_secs_f64(f64::from(turn) / rate);
        if after >= lasts {
            break;
        }
        let intended = begin + after;
        loop {
            let wait = intended.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                break;
            }
            // Finer than the timers of the runtime, which count in milliseconds; it may return early.
            std::thread::park_timeout(wait);
        }
        due(intended)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    //! Nothing is skipped, whatever a call takes.
    use super::*;

    #[test]
    fn a_slow_call_delays_but_does_not_drop() {
        let mut intended = Vec::new();
        let slow = |at: Instant| {
            if intended.is_empty() {
                std::thread::park_timeout(Duration::from_millis(30));
            }
            intended.push(at);
            Ok::<(), ()>(())
        };
        pace(100.0, Duration::from_millis(50), slow).unwrap();
        let gaps: Vec<Duration> = intended.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(gaps, [Duration::from_millis(10); 4]);
    }
}
