//! Zipf-distributed ranks in constant time, by an alias table of integers. Knows no user.
//!
//! For the exponent of W1 only additions, multiplications and divisions of floats are used, which are rounded alike
//! everywhere; `powf` is not, so other exponents are for measurements alone.

use crate::random::Random;

/// Ranks `0..n`; rank r has a weight of (r + 1)^-s.
#[derive(Clone, Debug)]
pub struct Zipf {
    /// Per slot: keep the slot below this share of 2^32, else take the other rank.
    slots: Vec<(u32, u32)>,
}

impl Zipf {
    /// A table of `n` ranks, at least one, where s is 0.8.
    pub(super) fn new(n: u32) -> Self {
        Self::of((1..=n.max(1)).map(weight).collect())
    }

    /// The same for any exponent that is not negative.
    #[must_use]
    pub fn with_exponent(n: u32, exponent: f64) -> Self {
        let weight = |rank: u32| ((1u64 << 40) as f64 * f64::from(rank).powf(-exponent)) as u64;
        Self::of((1..=n.max(1)).map(weight).map(|weight| weight.max(1)).collect())
    }

    fn of(weights: Vec<u64>) -> Self {
        let n = weights.len() as u32;
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        // Shares in units of total / n: a slot of the table holds exactly `total`.
        let mut shares: Vec<u128> = weights.iter().map(|weight| u128::from(*weight) * u128::from(n)).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) = (0..n).partition(|rank| shares[*rank as usize] < total);
        let mut slots: Vec<(u32, u32)> = (0..n).map(|rank| (u32::MAX, rank)).collect();
        while let (Some(less), Some(more)) = (small.pop(), large.last().copied()) {
            let share = shares[less as usize];
            slots[less as usize] = (((share << 32) / total) as u32, more);
            shares[more as usize] -= total - share;
            if shares[more as usize] < total {
                large.pop();
                small.push(more);
            }
        }
        Self { slots }
    }

    /// Draws a rank.
    pub fn draw(&self, random: &mut Random) -> u32 {
        // The high half of the product is the slot, its low half a uniform remainder.
        let product = u128::from(random.next()) * self.slots.len() as u128;
        let slot = (product >> 64) as u32;
        let coin = (product as u64 >> 32) as u32;
        let (keep_below, other) = self.slots[slot as usize];
        if coin < keep_below { slot } else { other }
    }
}

/// 2^40 x rank^-0.8, through the fifth root by Newton's method.
fn weight(rank: u32) -> u64 {
    let rank = f64::from(rank);
    let mut root = rank;
    for _ in 0..200 {
        let fourth = root * root * root * root;
        let next = (4.0 * root + rank / fourth) / 5.0;
        if next >= root {
            break;
        }
        root = next;
    }
    let fourth = root * root * root * root;
    ((1u64 << 40) as f64 / fourth) as u64
}

#[cfg(test)]
mod tests {
    //! The shares that follow from the definition.
    use super::*;

    #[test]
    fn weights_are_the_power() {
        assert_eq!(weight(1), 1 << 40);
        // 32^-0.8 = 1/16, 243^-0.8 = 1/81, 100000^-0.8 = 1/10000.
        for (rank, divisor) in [(32, 16.0), (243, 81.0), (100_000, 10_000.0)] {
            let want = (1u64 << 40) as f64 / divisor;
            assert!((weight(rank) as f64 / want - 1.0).abs() < 1e-6, "{rank}");
        }
    }

    #[test]
    fn ranks_are_drawn_by_their_weight() {
        let zipf = Zipf::new(100);
        let mut random = Random::new(1);
        let mut drawn = [0u32; 100];
        for _ in 0..200_000 {
            drawn[zipf.draw(&mut random) as usize] += 1;
        }
        let total: u64 = (1..=100).map(weight).sum();
        for rank in [0u32, 1, 9, 99] {
            let want = 200_000.0 * weight(rank + 1) as f64 / total as f64;
            let got = f64::from(drawn[rank as usize]);
            // Five standard deviations of a count.
            assert!((got - want).abs() < 5.0 * want.sqrt(), "rank {rank}: {got} of {want}");
        }
        assert_eq!(Zipf::new(1).draw(&mut random), 0);
    }
}
