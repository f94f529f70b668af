//! What a row contributes to a measure: a number, a truth or a text; and the word that two equal ones share. Knows no
//! window.

use featuregrid_protocol::number::Domain;
use featuregrid_protocol::plan::Items;
use featuregrid_protocol::value::Value;
use xxhash_rust::xxh3::xxh3_64;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    /// Unscaled, in the measure's domain.
    Number(i64),
    Truth(bool),
    /// Not longer than a text may be.
    Text(String),
}

impl Item {
    /// The number that stands for it: a truth is 0 or 1, a text its hash.
    pub(crate) fn number(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            Self::Truth(truth) => i64::from(*truth),
            Self::Text(text) => xxh3_64(text.as_bytes()) as i64,
        }
    }

    /// What orders it among the others of its window, whatever they are: a text is hashed, a number mixed.
    pub(crate) fn hash(&self) -> u64 {
        match self {
            Self::Number(_) | Self::Truth(_) => mix(self.number()),
            Self::Text(_) => self.number() as u64,
        }
    }

    /// As it is answered.
    pub(crate) fn value(&self, items: Items) -> Value {
        match self {
            Self::Number(number) => self::number(i128::from(*number), items),
            Self::Truth(truth) => Value::Bool(*truth),
            Self::Text(text) => Value::Text(text.as_str().into()),
        }
    }
}

/// A number of a measure's domain, as it is answered.
pub(crate) fn number(unscaled: i128, items: Items) -> Value {
    match items {
        Items::Numbers(Domain::Decimal(scale)) => Value::Decimal { unscaled, scale },
        Items::Numbers(Domain::Int) | Items::Truths | Items::Texts => Value::Int(unscaled),
    }
}

/// The bits of a number mixed, so that any of them tells as much as another: the end of `splitmix64`.
pub(crate) fn mix(number: i64) -> u64 {
    let mut z = number as u64;
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    //! Known answers of both hashes.
    use super::*;

    #[test]
    fn numbers_are_mixed_as_splitmix_does() {
        // The first number of splitmix64 from seed 0, and others computed apart.
        assert_eq!(mix(0x9e37_79b9_7f4a_7c15_u64 as i64), 0xe220_a839_7b1d_cdaf);
        assert_eq!([mix(0), mix(1), mix(2)], [0, 0x5692_161d_100b_05e5, 0xdbd2_3897_3a2b_148a]);
        assert_eq!(mix(-1), 0xb4d0_55fc_f2cb_bd7b);
    }

    #[test]
    fn a_truth_is_hashed_as_its_number_and_a_text_by_its_bytes() {
        assert_eq!([Item::Truth(false).hash(), Item::Truth(true).hash()], [0, mix(1)]);
        // As published for no input and seed 0.
        assert_eq!(Item::Text(String::new()).hash(), 0x2d06_8005_38d3_94c2);
        assert_eq!(Item::Text(String::new()).number() as u64, 0x2d06_8005_38d3_94c2);
    }
}
