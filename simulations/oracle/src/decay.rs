//! What is left of rows that lose half of their weight with each half-life. Knows no operator and no measure.
//!
//! Time is cut into half-lives that begin at multiples of one. Within its own a row of `ts` has the weight
//! `w(ts) = floor(2^24 x 2^(f / 2^20))` with `f = floor((ts mod half_life) x 2^20 / half_life)`, so that it doubles from
//! the beginning to the end. At `t` a row counts `w(ts) / w(t)`, halved for each half-life that begins after `ts` and not
//! after `t`: exactly half after exactly one. The sums below are exact, in units of the least weight that is counted.

use std::iter::successors;
use std::sync::LazyLock;

use featuregrid_protocol::limits;
use featuregrid_protocol::plan::Decay;
use featuregrid_protocol::time::Timestamp;
use num_bigint::{BigInt, BigUint};

use crate::statistics::nearest;

/// Halvings of the oldest row that is counted.
const HALVINGS: i64 = limits::HALF_LIVES_KEPT - 1;

/// A row: when, and its number; 1 where rows are counted.
pub(crate) type Weighted = (Timestamp, i64);

/// The numbers at `t`, each by its weight, of `scale` digits after the point.
pub(crate) fn sum(decay: Decay, t: Timestamp, rows: &[Weighted], scale: u8) -> f64 {
    let (_, weighted) = totals(decay, t, rows);
    nearest(&weighted, &((weight(decay, t) << HALVINGS) * BigUint::from(10u8).pow(scale.into())))
}

/// Their mean; `None` of nothing.
pub(crate) fn mean(decay: Decay, t: Timestamp, rows: &[Weighted], scale: u8) -> Option<f64> {
    let (weights, weighted) = totals(decay, t, rows);
    // How much is left at `t` is the same for both.
    (!rows.is_empty()).then(|| nearest(&weighted, &(weights * BigUint::from(10u8).pow(scale.into()))))
}

/// The mean square of their distance from that mean; `None` of nothing.
pub(crate) fn variance(decay: Decay, t: Timestamp, rows: &[Weighted], scale: u8) -> Option<f64> {
    let (weights, weighted) = totals(decay, t, rows);
    let weights = BigInt::from(weights);
    // All weights times the distance of each from the mean, so that everything stays whole.
    let square = |number: i64| (&weights * number - &weighted).pow(2);
    let squares: BigInt = rows.iter().map(|(ts, number)| BigInt::from(left(decay, t, *ts)) * square(*number)).sum();
    let power = BigUint::from(10u8).pow(2 * u32::from(scale));
    (!rows.is_empty()).then(|| nearest(&squares, &(weights.magnitude().pow(3) * power)))
}

/// All weights, and all numbers times their weight.
fn totals(decay: Decay, t: Timestamp, rows: &[Weighted]) -> (BigUint, BigInt) {
    let (mut weights, mut weighted) = (BigUint::ZERO, BigInt::ZERO);
    for (ts, number) in rows {
        let left = left(decay, t, *ts);
        weighted += BigInt::from(left.clone()) * *number;
        weights += left;
    }
    (weights, weighted)
}

/// What is left at `t` of a row of `ts`, in units of the least that counts.
pub(crate) fn left(decay: Decay, t: Timestamp, ts: Timestamp) -> BigUint {
    let half_lives = |of: Timestamp| i128::from(of.0).div_euclid(decay.half_life.0.into());
    weight(decay, ts) << (i128::from(HALVINGS) - half_lives(t) + half_lives(ts))
}

/// `w(ts)`.
fn weight(decay: Decay, ts: Timestamp) -> BigUint {
    let half_life = i128::from(decay.half_life.0);
    let steps = (i128::from(ts.0).rem_euclid(half_life) << 20) / half_life;
    // 2^(steps / 2^20) by its binary digits.
    let roots = ROOTS.iter().enumerate().filter(|(digit, _)| steps >> digit & 1 == 1);
    let power = roots.fold(BigUint::from(1u8) << DIGITS, |power, (_, root)| (power * root) >> DIGITS);
    power >> (DIGITS - 24)
}

/// Digits of powers: so many more than those of a weight that what is rounded off on the way is never seen.
const DIGITS: u32 = 128;

/// `2^(2^(digit - 20))` for each digit of a step, the last first: the root of the root of the root ... of two.
static ROOTS: LazyLock<Vec<BigUint>> = LazyLock::new(|| {
    let first = (BigUint::from(2u8) << (2 * DIGITS)).sqrt();
    let mut roots: Vec<BigUint> = successors(Some(first), |root| Some((root << DIGITS).sqrt())).take(20).collect();
    roots.reverse();
    roots
});

#[cfg(test)]
mod tests {
    //! Halves by hand, and weights within what is promised of them.
    use featuregrid_protocol::time::Span;
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000_000;
    const HOURLY: Decay = Decay { half_life: Span(HOUR) };

    fn count(t: i64, times: &[i64]) -> f64 {
        let rows: Vec<Weighted> = times.iter().map(|ts| (Timestamp(*ts), 1)).collect();
        sum(HOURLY, Timestamp(t), &rows, 0)
    }

    #[test]
    fn half_is_left_after_a_half_life() {
        for ts in [0, 1, -1, HOUR / 2, 12_345_678_901, -987_654_321] {
            assert_eq!(count(ts, &[ts]), 1.0);
            assert_eq!(count(ts + HOUR, &[ts]), 0.5);
            assert_eq!(count(ts + 3 * HOUR, &[ts, ts + HOUR, ts + 2 * HOUR]), 0.875);
            assert_eq!(count(ts + 47 * HOUR, &[ts]), 2f64.powi(-47));
        }
    }

    #[test]
    fn the_middle_of_a_half_life_is_a_root() {
        // floor(2^24.5)
        assert_eq!(weight(HOURLY, Timestamp(HOUR / 2)), BigUint::from(23_726_566u32));
        assert_eq!(weight(HOURLY, Timestamp(0)), BigUint::from(1u32 << 24));
        assert_eq!(weight(HOURLY, Timestamp(-1)), BigUint::from(33_554_409u32));
    }

    #[test]
    fn numbers_count_by_what_is_left() {
        let rows = [(Timestamp(0), 600), (Timestamp(HOUR), -100)];
        let t = Timestamp(2 * HOUR);
        assert_eq!(sum(HOURLY, t, &rows, 2), 1.0);
        assert_eq!(mean(HOURLY, t, &rows, 0), Some(100.0 / 0.75));
        assert_eq!(mean(HOURLY, t, &[], 0), None);
        // (600 - 400 / 3)^2 / 3 + (-100 - 400 / 3)^2 x 2 / 3
        assert_eq!(variance(HOURLY, t, &rows, 0), Some(980_000.0 / 9.0));
        assert_eq!(variance(HOURLY, t, &rows, 2), Some(98.0 / 9.0));
        assert_eq!((variance(HOURLY, t, &rows[..1], 0), variance(HOURLY, t, &[], 0)), (Some(0.0), None));
        assert_eq!(sum(HOURLY, t, &[], 0), 0.0);
    }

    proptest! {
        #[test]
        fn what_is_left_is_what_is_promised(ts in -1_000_000_000_000i64..1_000_000_000_000, age in 0..40 * HOUR) {
            let left = count(ts + age, &[ts]);
            let wanted = (-(age as f64) / HOUR as f64).exp2();
            prop_assert!((left / wanted - 1.0).abs() < 8e-7, "{left} {wanted}");
        }
    }
}
