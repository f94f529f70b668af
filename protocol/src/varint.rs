//! Integers by value: seven bits a byte, least first; signed ones in zigzag. Knows no format that uses them.

use thiserror::Error;

/// Why bytes are no state of the plan. Nothing was changed; restore from another copy or from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the stored state is damaged: {0}; restore it from another snapshot or from the log")]
pub struct Damaged(pub &'static str);

/// Appends an unsigned integer.
pub fn put(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed integer.
pub fn put_signed(out: &mut Vec<u8>, value: i128) {
    put(out, (value << 1 ^ value >> 127) as u128);
}

/// Bytes that are read from the front; what they say is never trusted.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`Damaged`], like everything below, where the bytes are no such thing.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Damaged("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Damaged("it ends too early"))?;
        self.0 = rest;
        Ok(*taken)
    }

    /// An unsigned integer, in its shortest form only: equal values are equal bytes.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn unsigned(&mut self) -> Result<u128, Damaged> {
        let (mut value, mut shift) = (0u128, 0u32);
        loop {
            let byte = self.take(1)?[0];
            let bits = u128::from(byte & 0x7f);
            if shift > 126 || shift == 126 && bits > 3 || byte == 0 && shift > 0 {
                return Err(Damaged("an integer is not in its shortest form"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
    }

    /// A signed integer.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn signed(&mut self) -> Result<i128, Damaged> {
        let raw = self.unsigned()?;
        Ok((raw >> 1) as i128 ^ -((raw & 1) as i128))
    }

    /// An unsigned integer of a smaller type.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn small<T: TryFrom<u128>>(&mut self) -> Result<T, Damaged> {
        T::try_from(self.unsigned()?).map_err(|_| Damaged("an integer is out of range"))
    }

    /// A signed integer of 64 bits.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn word(&mut self) -> Result<i64, Damaged> {
        i64::try_from(self.signed()?).map_err(|_| Damaged("an integer is out of range"))
    }

    /// How many things follow, each at least one byte: a hostile count allocates nothing.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn count(&mut self) -> Result<usize, Damaged> {
        let count: usize = self.small()?;
        if count > self.0.len() { Err(Damaged("it ends too early")) } else { Ok(count) }
    }
}

#[cfg(test)]
mod tests {
    //! Every integer reads back from exactly one form.
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn integers_read_back(value: i128, shift in 0u32..128, tail: u8) {
            let value = value >> shift;
            let mut out = Vec::new();
            put_signed(&mut out, value);
            out.push(tail);
            let mut bytes = Bytes(&out);
            prop_assert_eq!(bytes.signed(), Ok(value));
            prop_assert_eq!(bytes.0, &[tail]);
        }

        #[test]
        fn what_reads_is_what_is_written(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            let mut input = Bytes(&bytes);
            if let Ok(value) = input.unsigned() {
                let mut out = Vec::new();
                put(&mut out, value);
                prop_assert_eq!(&out, &bytes[..bytes.len() - input.0.len()]);
            }
        }
    }
}
