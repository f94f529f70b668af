//! How many different numbers there are. Knows no row and no domain.
//!
//! Exactly, while there are at most [`limits::DISTINCT_EXACT_MAX`] of them. Beyond, what `HyperLogLog` estimates with 1024
//! registers: the 10 highest bits of a number's hash ([`mix`]) name its register, and the register keeps the largest
//! place, from 1, of the first one among the other 54 bits (55 where there is none). The estimate is the "improved raw
//! estimator" of Ertl (arXiv 1702.01284, algorithm 6), rounded to the nearest whole number.

use std::collections::BTreeSet;

use featuregrid_protocol::limits;

use crate::item::mix;

/// How many registers there are.
const REGISTERS: usize = 1024;
/// Bits of a hash that do not name a register.
const BITS: usize = 54;
/// 1 / (2 ln 2)
const ALPHA: f64 = 0.721_347_520_444_481_7;

pub(crate) fn count(numbers: impl IntoIterator<Item = i64>) -> i128 {
    let different: BTreeSet<i64> = numbers.into_iter().collect();
    if different.len() <= limits::DISTINCT_EXACT_MAX {
        return different.len() as i128;
    }
    let mut registers = [0; REGISTERS];
    for number in different {
        let hash = mix(number);
        let zeros = (0..BITS).rev().take_while(|bit| hash >> bit & 1 == 0).count();
        let register = &mut registers[(hash >> BITS) as usize];
        *register = (zeros + 1).max(*register);
    }
    estimate(&registers).round() as i128
}

fn estimate(registers: &[usize]) -> f64 {
    // How many registers have each value.
    let mut c = [0.0; BITS + 2];
    registers.iter().for_each(|value| c[*value] += 1.0);
    let m = registers.len() as f64;
    let mut z = m * tau(1.0 - c[BITS + 1] / m);
    for k in (1..=BITS).rev() {
        z = 0.5 * (z + c[k]);
    }
    z += m * sigma(c[0] / m);
    ALPHA * m * m / z
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y *= 2.0;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    //! The series by what they sum, and estimates computed apart.
    use super::*;

    #[test]
    fn the_constant_is_the_one_printed() {
        assert_eq!("0.721347520444481703679962340320".parse(), Ok(ALPHA));
    }

    #[test]
    fn series_by_their_definition() {
        // x + sum of x^(2^k) 2^(k-1), and (1 - x - sum of (1 - x^(2^-k))^2 2^-k) / 3.
        assert_eq!([sigma(0.0), sigma(1.0)], [0.0, f64::INFINITY]);
        assert_eq!([tau(0.0), tau(1.0)], [0.0, 0.0]);
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got} is not {want}");
        close(sigma(0.5), 0.5 + 0.25 + 2.0 / 16.0 + 4.0 / 256.0 + 8.0 / 65_536.0 + 16.0 / 65_536f64.powi(2));
        let part = |k: i32| (1.0 - 0.5f64.powf(0.5f64.powi(k))).powi(2) * 0.5f64.powi(k);
        close(tau(0.5), (0.5 - (1..60).map(part).sum::<f64>()) / 3.0);
    }

    #[test]
    fn numbers_are_counted_exactly_and_then_estimated() {
        assert_eq!([count([]), count([5, 5, 5]), count([i64::MIN, i64::MAX, 0])], [0, 1, 3]);
        assert_eq!([count(0..128), count((0..128).chain(0..128))], [128, 128]);
        // By another program.
        let ups = [129, 200, 1000, 5000, 100_000].map(|n| count(0..n));
        assert_eq!(ups, [129, 203, 1021, 4953, 99_830]);
        let downs = [129, 200, 1000, 5000, 100_000].map(|n| count(-n..0));
        assert_eq!(downs, [128, 195, 986, 5053, 104_288]);
        let steps = [129, 200, 1000].map(|n| count((0..n).map(|number| number * 100)));
        assert_eq!(steps, [128, 197, 973]);
    }

    #[test]
    fn registers_that_are_full_are_taken_for_very_many() {
        let full = estimate(&[BITS + 1; REGISTERS]);
        assert!(full.is_infinite(), "{full}");
        assert_eq!(estimate(&[0; REGISTERS]), 0.0);
        let mut registers = [BITS + 1; REGISTERS];
        registers[0] = BITS;
        assert!(estimate(&registers) > 1e18);
    }
}
