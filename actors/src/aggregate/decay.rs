//! Weights that halve with each half-life, and what is answered of weighted sums. Knows no cell and no window.
//!
//! Law: everything is an integer until one division rounds. A row's weight depends on its own time alone, so cells are
//! added in whatever order; halves are only taken of whole half-lives, and exactly, in units of the least that counts.

use ethnum::{I256, U256};
use featuregrid_protocol::limits::HALF_LIVES_KEPT;
use featuregrid_protocol::plan::Decay;
use featuregrid_protocol::time::Timestamp;

use super::moments::Moments;
use super::{Accumulator, ratio};

/// Digits of a weight, of 1 to almost 2.
const WEIGHT_BITS: u32 = 24;
/// Steps that a half-life is cut into, as a power of two.
const STEP_BITS: u32 = 20;
/// Digits of the powers that are multiplied: products of two stay below 2^126.
const POWER_BITS: u32 = 62;
/// Steps are looked up by four digits at once.
const NIBBLES: usize = STEP_BITS as usize / 4;
/// Halvings of the oldest row that counts.
const HALVINGS: u32 = HALF_LIVES_KEPT as u32 - 1;

/// `2^(digit x 16^nibble / 2^20)`, each at most a few units too small.
const POWERS: [[u64; 16]; NIBBLES] = powers();

const fn powers() -> [[u64; 16]; NIBBLES] {
    let mut powers = [[1 << POWER_BITS; 16]; NIBBLES];
    // Roots of two, one after the other, from the highest digit of a step to the lowest.
    let mut root: u128 = 2 << POWER_BITS;
    let mut bit = STEP_BITS as usize;
    while bit > 0 {
        bit -= 1;
        root = (root << POWER_BITS).isqrt();
        let mut digit = 0;
        while digit < 16 {
            if digit >> (bit % 4) & 1 == 1 {
                let power = powers[bit / 4][digit];
                powers[bit / 4][digit] = times(power, root as u64);
            }
            digit += 1;
        }
    }
    powers
}

/// The product, a unit too small at most.
const fn times(left: u64, right: u64) -> u64 {
    ((left as u128 * right as u128) >> POWER_BITS) as u64
}

/// `2^(step / 2^20)`, less than 2^9 units too small.
fn power(step: u64) -> u64 {
    (1..NIBBLES).fold(POWERS[0][(step & 15) as usize], |product, nibble| {
        times(product, POWERS[nibble][(step >> (4 * nibble) & 15) as usize])
    })
}

/// What a row weighs within its half-life: 2^24 at the beginning, almost 2^25 at the end.
#[must_use]
pub(crate) fn weight(Decay { half_life }: Decay, ts: Timestamp) -> u64 {
    let passed = ts.0.rem_euclid(half_life.0) as u128;
    let step = (passed << STEP_BITS) / half_life.0 as u128;
    power(step as u64) >> (POWER_BITS - WEIGHT_BITS)
}

/// Adds the sums of a half-life, `halvings` before the one under way, to `total`.
pub(crate) fn add(total: &mut Accumulator, cell: &Accumulator, halvings: u32) {
    // A weight has 25 bits and a number 64: with 2^64 rows and all halvings 200. A square has 127: 2^57 rows are not too many.
    total.n = total.n.saturating_add(cell.n);
    total.bad = total.bad.saturating_add(cell.bad);
    if cell.n == 0 {
        return;
    }
    total.weights += cell.weights << (HALVINGS - halvings);
    total.weighted += cell.weighted << (HALVINGS - halvings);
    let squares = cell.weighted_squares.checked_mul(U256::ONE << (HALVINGS - halvings)).unwrap_or(U256::MAX);
    total.weighted_squares = total.weighted_squares.saturating_add(squares);
}

/// How many rows at `t`, of the total of all half-lives.
pub(super) fn count(total: &Accumulator, decay: Decay, t: Timestamp) -> f64 {
    signed(total.weights, U256::from(weight(decay, t)) << HALVINGS)
}

/// Their sum at `t`.
pub(super) fn sum(total: &Accumulator, decay: Decay, t: Timestamp, scale: u8) -> f64 {
    signed(total.weighted, (U256::from(weight(decay, t)) << HALVINGS) * ten_to(scale))
}

/// Their mean, which is the same at whatever `t`; of at least one row.
pub(super) fn mean(total: &Accumulator, scale: u8) -> f64 {
    signed(total.weighted, total.weights.unsigned_abs() * ten_to(scale))
}

/// The mean square of their distance from that mean; of at least one row.
pub(super) fn variance(total: &Accumulator, scale: u8) -> f64 {
    Moments::decayed(total).variance(scale)
}

fn ten_to(scale: u8) -> U256 {
    U256::from(10u128.pow(scale.into()))
}

fn signed(numerator: I256, denominator: U256) -> f64 {
    let magnitude = ratio::wide(numerator.unsigned_abs(), denominator);
    if numerator < 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    //! Every weight there is, and what is left after a time.
    use featuregrid_protocol::time::Span;
    use proptest::prelude::*;

    use super::*;

    /// A step is a microsecond long.
    const STEPS: Decay = Decay { half_life: Span(1 << STEP_BITS) };

    #[test]
    fn every_weight_is_the_power_rounded_down() {
        let lost = POWER_BITS - WEIGHT_BITS;
        for step in 1..1 << STEP_BITS {
            let power = power(step);
            // What it is too small by does not reach the next weight.
            assert_eq!(power >> lost, (power + (1 << 9)) >> lost, "step {step}");
        }
        let of = |ts| weight(STEPS, Timestamp(ts));
        // 2^24, 2^24.5, 2^(25 - 2^-20)
        assert_eq!([of(0), of(1 << 19), of(-1)], [1 << 24, 23_726_566, 33_554_409]);
    }

    #[test]
    fn a_power_is_hardly_too_small() {
        for step in [1u64, 2, 15, 16, 0xfffff, 0x80000, 0x12345, 0xedcba] {
            let wanted = (step as f64 / 2f64.powi(20)).exp2();
            let is = power(step) as f64 / 2f64.powi(62);
            assert!((is / wanted - 1.0).abs() < 1e-15, "{step}");
        }
    }

    proptest! {
        #[test]
        fn cells_are_added_by_their_half_lives(rows in prop::collection::vec((any::<i64>(), 0u32..48), 1..9)) {
            let mut total = Accumulator::default();
            let mut wanted = (I256::ZERO, I256::ZERO, U256::ZERO);
            for (number, halvings) in &rows {
                let weights = I256::from(1 << 24);
                let (weighted, square) = (weights * I256::from(*number), U256::from(number.unsigned_abs()).pow(2));
                let weighted_squares = square << 24;
                let cell = Accumulator { n: 1, weights, weighted, weighted_squares, ..Accumulator::default() };
                add(&mut total, &cell, *halvings);
                wanted.0 += weights << (47 - halvings);
                wanted.1 += (weights << (47 - halvings)) * I256::from(*number);
                wanted.2 += square << (24 + 47 - halvings);
            }
            let sums = (total.weights, total.weighted, total.weighted_squares);
            prop_assert_eq!((total.n, sums), (rows.len() as u64, wanted));
            let least = rows.iter().map(|(number, _)| *number).min().unwrap() as f64;
            let most = rows.iter().map(|(number, _)| *number).max().unwrap() as f64;
            prop_assert!((least..=most).contains(&mean(&total, 0)));
            prop_assert!((0.0..=((most - least) / 2.0).powi(2) * 1.000_001).contains(&variance(&total, 0)));
        }
    }
}
