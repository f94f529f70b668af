//! Which numbers are anomalies: further from the mean of a baseline than so many of its standard deviations. Knows no
//! window.
//!
//! With the weights `w` of the baseline's numbers `b`, which are all 1 where nothing decays, `W` their sum and `S` that of
//! each number times its weight, the mean is `S / W` and the variance `sum(w (b - S / W)^2) / W`. Times `W^3` and squared,
//! nothing is left but integers: `x` is an anomaly where `(W x - S)^2 W > k^2 sum(w (W b - S)^2)`.

use featuregrid_protocol::plan::Sigmas;
use num_bigint::{BigInt, BigUint};

/// How many of the numbers are; `None` where the baseline has fewer than two numbers, or all of its are alike.
pub(crate) fn count(numbers: &[i64], baseline: &[(BigUint, i64)], sigmas: Sigmas) -> Option<usize> {
    let total: BigInt = baseline.iter().map(|(weight, _)| BigInt::from(weight.clone())).sum();
    let sum: BigInt = baseline.iter().map(|(weight, number)| BigInt::from(weight.clone()) * *number).sum();
    let square = |number: i64| (&total * number - &sum).pow(2);
    let squares: BigInt = baseline.iter().map(|(weight, number)| BigInt::from(weight.clone()) * square(*number)).sum();
    if baseline.len() < 2 || squares == BigInt::ZERO {
        return None;
    }
    let bound = squares * BigInt::from(sigmas.parts()).pow(2);
    let parts = BigInt::from(Sigmas::ONE).pow(2);
    Some(numbers.iter().filter(|number| square(**number) * &total * &parts > bound).count())
}

#[cfg(test)]
mod tests {
    //! Distances by hand.
    use super::*;

    fn of(numbers: &[i64], baseline: &[i64], sigmas: &str) -> Option<usize> {
        let baseline: Vec<(BigUint, i64)> = baseline.iter().map(|number| (BigUint::from(1u8), *number)).collect();
        count(numbers, &baseline, Sigmas::read(sigmas).unwrap())
    }

    #[test]
    fn further_than_the_bound_is_an_anomaly() {
        // The mean is 5, the standard deviation 2.
        let baseline = [2, 4, 4, 4, 5, 5, 7, 9];
        assert_eq!(of(&[9, 1, 10, 0, 5], &baseline, "2"), Some(2));
        assert_eq!(of(&[9, 1, 10, 0, 5], &baseline, "1.9999"), Some(4));
        assert_eq!(of(&[], &baseline, "2"), Some(0));
    }

    #[test]
    fn what_does_not_spread_says_nothing() {
        assert_eq!((of(&[5], &[], "1"), of(&[5], &[3], "1"), of(&[5], &[3, 3, 3], "1")), (None, None, None));
        assert_eq!(of(&[5], &[3, 3, 3, 4], "1"), Some(1));
    }

    #[test]
    fn weights_move_the_mean() {
        // 0 three times and 4: the mean is 1, the variance 3.
        let baseline = [(BigUint::from(3u8), 0), (BigUint::from(1u8), 4)];
        assert_eq!(count(&[4, 2, -2], &baseline, Sigmas::read("1.732").unwrap()), Some(2));
        assert_eq!(count(&[4, 2, -2], &baseline, Sigmas::read("1.7321").unwrap()), Some(0));
    }
}
