//! Which different values there are: their hashes up to a bound, beyond it the registers of a HyperLogLog. Knows no text.
//!
//! Registers and estimate: Ertl, New cardinality estimation algorithms for HyperLogLog sketches (arXiv:1702.01284),
//! algorithm 6 with the functions sigma and tau; it needs no correction for small or large counts.

use featuregrid_protocol::limits::DISTINCT_EXACT_MAX;

use super::mix;
use featuregrid_protocol::varint::{Bytes, Damaged, put};

/// Bits of a hash that choose a register.
const INDEX_BITS: u32 = 10;
const REGISTERS: usize = 1 << INDEX_BITS;
/// Bits of a hash that are left for the rank.
const RANK_BITS: u32 = u64::BITS - INDEX_BITS;

/// Different values, by their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Distinct {
    /// All of them, ascending.
    Exact(Vec<u64>),
    /// Of more than [`DISTINCT_EXACT_MAX`]: the largest rank of each register.
    Registers(Box<[u8; REGISTERS]>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Distinct {
    pub(super) fn add(&mut self, word: i64) {
        self.add_hash(mix(word));
    }

    fn add_hash(&mut self, hash: u64) {
        match self {
            Self::Exact(hashes) => {
                let Err(at) = hashes.binary_search(&hash) else { return };
                if hashes.len() < DISTINCT_EXACT_MAX {
                    return hashes.insert(at, hash);
                }
                let mut registers = Box::new([0; REGISTERS]);
                hashes.iter().chain([&hash]).for_each(|hash| raise(&mut registers, *hash));
                *self = Self::Registers(registers);
            }
            Self::Registers(registers) => raise(registers, hash),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (_, Self::Exact(hashes)) => hashes.iter().for_each(|hash| self.add_hash(*hash)),
            (Self::Registers(registers), Self::Registers(others)) => {
                registers.iter_mut().zip(others.iter()).for_each(|(rank, other)| *rank = (*rank).max(*other));
            }
            (Self::Exact(hashes), Self::Registers(others)) => {
                let mut registers = others.clone();
                hashes.iter().for_each(|hash| raise(&mut registers, *hash));
                *self = Self::Registers(registers);
            }
        }
    }

    /// How many: exactly, or the nearest whole number of the estimate.
    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Exact(hashes) => hashes.len() as u64,
            Self::Registers(registers) => estimate(registers).round() as u64,
        }
    }

    pub(super) fn is_of(&self, n: u64) -> bool {
        match self {
            Self::Exact(hashes) => hashes.len() as u64 <= n && hashes.is_empty() == (n == 0),
            Self::Registers(_) => n > DISTINCT_EXACT_MAX as u64,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Exact(hashes) => hashes.capacity() * size_of::<u64>(),
            Self::Registers(_) => REGISTERS,
        }
    }

    /// 0, count, hashes (u64); or 1, registers
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Exact(hashes) => {
                out.push(0);
                put(out, hashes.len() as u128);
                hashes.iter().for_each(|hash| out.extend_from_slice(&hash.to_le_bytes()));
            }
            Self::Registers(registers) => {
                out.push(1);
                out.extend_from_slice(&registers[..]);
            }
        }
    }

    pub(super) fn take(input: &mut Bytes<'_>) -> Result<Self, Damaged> {
        match input.take(1)? {
            [0] => {
                let count = input.count()?;
                if count > DISTINCT_EXACT_MAX {
                    return Err(Damaged("too many values are told apart"));
                }
                let hashes =
                    (0..count).map(|_| input.array().map(u64::from_le_bytes)).collect::<Result<Vec<_>, _>>()?;
                if !hashes.is_sorted_by(|left, right| left < right) {
                    return Err(Damaged("hashes are out of order"));
                }
                Ok(Self::Exact(hashes))
            }
            [1] => {
                let registers = Box::new(input.array()?);
                let most = RANK_BITS as u8 + 1;
                let is_rank = registers.iter().all(|rank| *rank <= most);
                if is_rank { Ok(Self::Registers(registers)) } else { Err(Damaged("a register is out of range")) }
            }
            _ => Err(Damaged("a flag is neither 0 nor 1")),
        }
    }
}

fn raise(registers: &mut [u8; REGISTERS], hash: u64) {
    let register = &mut registers[(hash >> RANK_BITS) as usize];
    let rank = ((hash << INDEX_BITS).leading_zeros().min(RANK_BITS) + 1) as u8;
    *register = (*register).max(rank);
}

fn estimate(registers: &[u8; REGISTERS]) -> f64 {
    /// 1 / (2 ln 2)
    const ALPHA: f64 = 0.721_347_520_444_481_7;
    let mut counts = [0u32; RANK_BITS as usize + 2];
    registers.iter().for_each(|rank| counts[usize::from(*rank)] += 1);
    let all = REGISTERS as f64;
    let mut sum = all * tau(1.0 - f64::from(counts[RANK_BITS as usize + 1]) / all);
    for count in counts[1..=RANK_BITS as usize].iter().rev() {
        sum = 0.5 * (sum + f64::from(*count));
    }
    sum += all * sigma(f64::from(counts[0]) / all);
    ALPHA * all * all / sum
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * y;
        y += y;
        if sum <= before {
            return sum;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        y *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * y;
        if sum >= before {
            return sum / 3.0;
        }
    }
}
