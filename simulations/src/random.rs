//! Randomness from one seed, one stream per consumer: switching one consumer off does not shift what others draw.
//! Knows no operating system's entropy.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// One stream of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The root of a run's randomness.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A stream of its own for `consumer`; neither stream moves the other.
    #[must_use]
    pub fn fork(&self, consumer: &str) -> Self {
        Self { state: xxh3_64_with_seed(consumer.as_bytes(), self.state) }
    }

    /// Any number.
    #[expect(clippy::should_implement_trait, reason = "a stream never ends: it is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..bound`; 0 where the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `from..=to`.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below(to.saturating_sub(from).max(0) as u64 + 1) as i64
    }

    /// True `per_mille` times of 1000.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.below(1000) < u64::from(per_mille)
    }

    /// One of `items`; they must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    //! Streams are reproducible and independent of each other.
    use super::*;

    #[test]
    fn drawing_from_one_stream_leaves_the_others() {
        let root = Random::new(7);
        let mut net = root.fork("net");
        net.next();
        assert_eq!(root.fork("store").next(), Random::new(7).fork("store").next());
        assert_ne!(root.fork("store").next(), root.fork("net").next());
        assert!((0..1000).all(|_| net.below(3) < 3 && (-2..=2).contains(&net.between(-2, 2))));
    }
}
