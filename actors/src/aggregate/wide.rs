//! Integers of 512 bits: products of two of 256, compared and subtracted. Knows no statistic.

use ethnum::U256;

/// An unsigned integer of 512 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct U512 {
    /// First, so that the order is that of the numbers.
    high: U256,
    low: U256,
}

impl U512 {
    pub(crate) const BITS: u32 = 512;

    /// Exactly.
    pub(crate) fn product(left: U256, right: U256) -> Self {
        let parts = |number: U256| (U256::from(*number.high()), U256::from(*number.low()));
        let ((left_high, left_low), (right_high, right_low)) = (parts(left), parts(right));
        let (middle, above) = (left_low * right_high).overflowing_add(left_high * right_low);
        let (low, carry) = (left_low * right_low).overflowing_add(middle << 128);
        let above = if above { U256::ONE << 128 } else { U256::ZERO };
        let carry = if carry { U256::ONE } else { U256::ZERO };
        Self { high: left_high * right_high + (middle >> 128) + above + carry, low }
    }

    /// So many times as much, of less than 2^448.
    pub(crate) fn times(self, factor: u64) -> Self {
        let Self { high, low } = Self::product(self.low, factor.into());
        Self { high: high + self.high * U256::from(factor), low }
    }

    /// The difference; nothing where it were negative.
    pub(crate) fn minus(self, other: Self) -> Self {
        if self <= other {
            return Self { high: U256::ZERO, low: U256::ZERO };
        }
        let (low, borrow) = self.low.overflowing_sub(other.low);
        Self { high: self.high - other.high - U256::from(borrow as u8), low }
    }

    /// `2^by` times as much; what leaves the highest bit is lost.
    pub(crate) fn shifted(self, by: u32) -> Self {
        match by {
            0 => self,
            1..256 => Self { high: self.high << by | self.low >> (256 - by), low: self.low << by },
            _ => Self { high: self.low << (by - 256), low: U256::ZERO },
        }
    }

    /// Zeros before the highest bit.
    pub(crate) fn leading_zeros(self) -> u32 {
        if self.high == 0 { 256 + self.low.leading_zeros() } else { self.high.leading_zeros() }
    }

    pub(crate) fn is_nothing(self) -> bool {
        self.high == 0 && self.low == 0
    }

    /// The same of 256 bits, if it has no more.
    pub(crate) fn narrow(self) -> Option<U256> {
        (self.high == 0).then_some(self.low)
    }
}

#[cfg(test)]
mod tests {
    //! Products of four parts, and what is known of any integers.
    use proptest::prelude::*;

    use super::*;

    fn wide(high: u128, low: u128) -> U256 {
        U256::from_words(high, low)
    }

    #[test]
    fn all_carries_are_carried() {
        let most = U256::MAX;
        // (2^256 - 1)^2 = 2^512 - 2^257 + 1
        assert_eq!(U512::product(most, most), U512 { high: most - 1, low: U256::ONE });
        assert_eq!(U512::product(most, U256::from(2u8)), U512 { high: U256::ONE, low: most - 1 });
        let one = U512::product(U256::ONE, U256::ONE);
        assert_eq!(one.shifted(256).minus(one), U512 { high: U256::ZERO, low: most });
        assert_eq!(one.minus(one.shifted(511)).narrow(), Some(U256::ZERO));
        assert_eq!([0, 1, 255, 256, 511].map(|by| one.shifted(by).leading_zeros()), [511, 510, 256, 255, 0]);
    }

    proptest! {
        #[test]
        fn sums_of_products_are_products_of_sums(a: [u128; 4], factor: u64) {
            let (x, y, z) = (wide(a[0] >> 1, a[1]), wide(a[2] >> 1, a[3]), wide(a[3] >> 1, a[0]));
            // (x + z) y - z y = x y
            let product = U512::product(x, y);
            prop_assert_eq!(U512::product(x + z, y).minus(U512::product(z, y)), product);
            prop_assert_eq!(U512::product(y, x), product);
            let (narrow, other) = (x >> 64, y >> 128);
            prop_assert_eq!(U512::product(narrow, other).times(factor), U512::product(narrow * U256::from(factor), other));
        }

        #[test]
        fn products_of_narrow_numbers_are_narrow(left: u128, right: u128, by in 0u32..256) {
            let product = U512::product(left.into(), right.into());
            prop_assert_eq!(product.narrow(), Some(U256::from(left) * U256::from(right)));
            prop_assert_eq!(product.shifted(by), U512::product(U256::from(left) * U256::from(right), U256::ONE << by));
        }
    }
}
