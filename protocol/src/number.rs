//! Numbers from their own text: integers and decimals as unscaled i64, never through a float. Knows no field.

use serde::{Deserialize, Serialize};

use crate::plants::{self, Plant};

/// Most digits after the point: 10^18 still fits an i64.
pub const SCALE_MAX: u8 = 18;
/// Domain of a field that is used as a number and declares no type.
pub const DEFAULT_DOMAIN: Domain = Domain::Decimal(6);

/// Where a measure's numbers live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Domain {
    /// Whole numbers.
    Int,
    /// Numbers with this many digits after the point, 0 to [`SCALE_MAX`].
    Decimal(u8),
}

/// What a text is in a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// value x 10^scale, rounded half even.
    Unscaled(i64),
    /// A number, but not a finite one of the domain (NaN, Inf, out of range): counts in `n_bad`.
    Bad,
    /// Not a number at all.
    NotANumber,
}

impl Domain {
    /// Digits after the point.
    #[must_use]
    pub fn scale(self) -> u8 {
        match self {
            Self::Int => 0,
            Self::Decimal(scale) => scale,
        }
    }

    /// Reads `12`, `-12.50`, `1.25e3`; also `NaN`, `Inf`, `-Infinity` in any case, which are [`Number::Bad`].
    #[must_use]
    pub fn parse(self, text: &str) -> Number {
        let (negative, digits) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if let Some(magnitude) = plain(digits, self.scale()) {
            return Number::Unscaled(if negative { -magnitude } else { magnitude });
        }
        let Some(mantissa) = Mantissa::read(digits) else {
            let word = String::from_utf8_lossy(digits).to_ascii_lowercase();
            return if matches!(word.as_str(), "nan" | "inf" | "infinity") { Number::Bad } else { Number::NotANumber };
        };
        match mantissa.round(i64::from(self.scale())) {
            Some(magnitude) if negative && magnitude <= i64::MAX as u128 + 1 => {
                Number::Unscaled((magnitude as i128).wrapping_neg() as i64)
            }
            Some(magnitude) if magnitude <= i64::MAX as u128 => Number::Unscaled(magnitude as i64),
            _ => Number::Bad,
        }
    }
}

/// What nearly every number is: at most 18 digits, no more of them behind the point than the domain has, no exponent.
#[inline]
fn plain(text: &[u8], scale: u8) -> Option<i64> {
    let (mut magnitude, mut point) = (0i64, None);
    // Eighteen digits and a point.
    if text.len() > 19 {
        return None;
    }
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => magnitude = magnitude.wrapping_mul(10).wrapping_add(i64::from(byte - b'0')),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let fraction = point.map_or(0, |point| text.len() - point - 1);
    let digits = text.len() - usize::from(point.is_some());
    if digits == 0 || digits > 18 {
        return None;
    }
    let missing = usize::from(scale).checked_sub(fraction)?;
    magnitude.checked_mul(*POWERS.get(missing)?)
}

/// Powers of ten that are words.
const POWERS: [i64; 19] = {
    let mut powers = [1i64; 19];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// Digits without sign: `value = 0.d1d2d3... x 10^point`.
struct Mantissa<'a> {
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Mantissa<'a> {
    fn read(text: &'a [u8]) -> Option<Self> {
        let (number, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&text[..at], Self::read_exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let (whole, fraction) = match number.iter().position(|byte| *byte == b'.') {
            Some(at) => (&number[..at], &number[at + 1..]),
            None => (number, &number[..0]),
        };
        let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        let empty = whole.is_empty() && fraction.is_empty();
        (!empty && digits(whole) && digits(fraction)).then_some(Self { whole, fraction, exponent })
    }

    /// Clamped far outside every scale, so that sums with lengths of texts cannot overflow.
    fn read_exponent(text: &[u8]) -> Option<i64> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let magnitude = digits.iter().fold(0i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(1 << 40));
        Some(if negative { -magnitude } else { magnitude })
    }

    /// The magnitude x 10^scale, half even; `None` above i64's range.
    fn round(&self, scale: i64) -> Option<u128> {
        // Digits up to the cut count whole; the next decides, and the rest only whether there was more.
        let cut = self.whole.len() as i64 + self.exponent + scale;
        let (mut magnitude, mut next, mut more) = (0u128, 0u8, false);
        for (at, byte) in self.whole.iter().chain(self.fraction).enumerate() {
            let digit = byte - b'0';
            match (at as i64).cmp(&cut) {
                std::cmp::Ordering::Less => magnitude = magnitude * 10 + u128::from(digit),
                std::cmp::Ordering::Equal => next = digit,
                std::cmp::Ordering::Greater => more |= digit != 0,
            }
            if magnitude > 1 << 64 {
                return None;
            }
        }
        let missing = cut - (self.whole.len() + self.fraction.len()) as i64;
        if magnitude != 0 {
            for _ in 0..missing.max(0) {
                magnitude *= 10;
                if magnitude > 1 << 64 {
                    return None;
                }
            }
        }
        let half_up = plants::on(Plant::RoundHalfUp);
        let up = next > 5 || (next == 5 && (more || half_up || magnitude % 2 == 1));
        Some(magnitude + u128::from(up))
    }
}

#[cfg(test)]
mod tests;
