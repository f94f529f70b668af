//! Calls that do no harm twice, tried until a deadline. Knows no call.

use std::time::Duration;

use tokio::time::Instant;

use super::Failure;
use crate::entropy;

/// First pause at most: a few tries fit below the deadline of a lease.
const FIRST: Duration = Duration::from_millis(20);
/// Longest pause at most, so that a store that is back is noticed.
const LONGEST: Duration = Duration::from_secs(2);

/// Tries until it succeeds, fails for good, or the deadline leaves no room for another pause. A try that hangs is given up
/// after half of the time that is left: a new connection often answers where an old one does not.
pub(super) async fn until<T, F>(deadline: Instant, mut attempt: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    for tries in 0_u32.. {
        let left = deadline.saturating_duration_since(Instant::now());
        let failure = match tokio::time::timeout(left / 2, attempt()).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(failure)) if !failure.is_passing() => return Err(failure),
            Ok(Err(failure)) => failure,
            Err(_) => Failure::passing("no answer in time"),
        };
        let pause = pause(tries, entropy::number());
        if Instant::now() + pause >= deadline {
            return Err(failure);
        }
        tracing::debug!(error = %failure, tries, "the object store is asked again");
        tokio::time::sleep(pause).await;
    }
    Err(Failure::passing("no answer"))
}

/// Anywhere up to a bound that doubles ("full jitter"): those who failed together do not return together.
fn pause(tries: u32, random: u64) -> Duration {
    let bound = FIRST.saturating_mul(2_u32.saturating_pow(tries)).min(LONGEST);
    let micros = bound.as_micros() as u64;
    Duration::from_micros(random % micros.max(1))
}

#[cfg(test)]
mod tests {
    //! Passing failures are tried again until the deadline, lasting ones are not.
    use std::cell::Cell;

    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        assert!((0..64).all(|tries| pause(tries, u64::MAX) <= LONGEST));
        assert!(pause(0, u64::MAX) <= FIRST);
        assert!((0..100).map(|random| pause(7, random * 10_007)).any(|pause| pause > FIRST));
    }

    #[tokio::test]
    async fn passing_failures_are_tried_again() {
        let tries = Cell::new(0);
        let counted = |fails: u32, failure: fn() -> Failure| {
            tries.set(tries.get() + 1);
            let done = tries.get() > fails;
            async move { if done { Ok(7) } else { Err(failure()) } }
        };
        let soon = || Instant::now() + Duration::from_millis(500);
        assert_eq!(until(soon(), || counted(3, || Failure::passing("x"))).await, Ok(7));
        assert_eq!(tries.replace(0), 4);
        assert!(until(soon(), || counted(9, || Failure::lasting("x"))).await.is_err());
        assert_eq!(tries.replace(0), 1);
        let begin = Instant::now();
        assert!(until(soon(), || counted(u32::MAX, || Failure::passing("x"))).await.is_err());
        assert!(tries.replace(0) > 3);
        assert!(until::<u32, _>(soon(), std::future::pending).await.is_err());
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}
