//! Where each object stands in the store: the one place that spells paths. Knows nothing of what the objects hold.
//!
//! ```text
//! control/00000000000000000007            entry 7 of the control log
//! control/00000000000000000007.decision   what became of it
//! begin/0001048577                     where a partition begins that no entry names
//! topic/payments                       which topic a name was when it was first read
//! lease/0000000002/00000000000000000005   lease of the fifth life of node 2
//! manifest/1f/8                           manifest of the range 0x1f of 2^8
//! part/1f/8/9c0f8e2a41d3b576              immutable data of a range, named at random
//! ```
//! Numbers are padded, so that a listing is in their order.

use std::fmt;

use featuregrid_protocol::ids::{ControlIndex, Incarnation, NodeId, Nonce, PartitionId};
use featuregrid_protocol::limits::{PART_DEADLINE, STORE_DEADLINE};
use featuregrid_protocol::range::RangeId;
use featuregrid_protocol::time::Span;

/// The name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// An entry of the control log.
    Control(ControlIndex),
    /// What became of an entry.
    Decision(ControlIndex),
    /// Where a partition begins.
    Begin(PartitionId),
    /// Which topic a name was when it was first read.
    Topic(String),
    /// The lease of one life of a node.
    Lease(Incarnation),
    /// Who owns a range and what of it is durable.
    Manifest(RangeId),
    /// Data of a range that its manifest refers to by this name.
    Part(RangeId, String),
}

/// A set of names that can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prefix {
    /// Entries and decisions.
    Control,
    /// Beginnings of partitions.
    Begins,
    /// Leases of every life of every node.
    Leases,
    /// Leases of every life of one node.
    LeasesOf(NodeId),
    /// Manifests of every claimed range.
    Manifests,
    /// Data objects.
    Parts,
}

impl Key {
    /// A data object's name, drawn at random: nobody else writes it.
    #[must_use]
    pub fn part_name(nonce: Nonce) -> String {
        format!("{:016x}", nonce.0)
    }

    /// How long a request for it may take: data is large and nobody's right to act depends on it.
    #[must_use]
    pub fn deadline(&self) -> Span {
        match self {
            Self::Part(..) => PART_DEADLINE,
            _ => STORE_DEADLINE,
        }
    }

    /// The path below the grid's root.
    #[must_use]
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// Reads a path; `None` for names that are not the grid's.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (folder, name) = path.split_once('/')?;
        let key = match folder {
            "control" => match name.strip_suffix(".decision") {
                Some(number) => Self::Decision(ControlIndex(number.parse().ok()?)),
                None => Self::Control(ControlIndex(name.parse().ok()?)),
            },
            "begin" => Self::Begin(PartitionId(name.parse().ok()?)),
            "topic" if !name.contains('/') => Self::Topic(name.to_owned()),
            "lease" => {
                let (node, boot) = name.split_once('/')?;
                Self::Lease(Incarnation { node: NodeId(node.parse().ok()?), boot: boot.parse().ok()? })
            }
            "manifest" => Self::Manifest(range(name)?),
            "part" => {
                let (of, name) = name.rsplit_once('/')?;
                Self::Part(range(of)?, name.to_owned())
            }
            _ => return None,
        };
        // What is not spelt as we spell it is not ours: one object, one name.
        (key.path() == path).then_some(key)
    }
}

/// Reads a range as it is spelt.
fn range(path: &str) -> Option<RangeId> {
    let (index, bits) = path.split_once('/')?;
    let (index, bits) = (u64::from_str_radix(index, 16).ok()?, bits.parse::<u8>().ok()?);
    let prefix = if bits == 0 { 0 } else { index.checked_shl(64_u32.checked_sub(bits.into())?)? };
    Some(RangeId { prefix, bits })
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control(index) => write!(f, "control/{:020}", index.0),
            Self::Decision(index) => write!(f, "control/{:020}.decision", index.0),
            Self::Begin(partition) => write!(f, "begin/{:010}", partition.0),
            Self::Topic(name) => write!(f, "topic/{name}"),
            Self::Lease(life) => write!(f, "lease/{:010}/{:020}", life.node.0, life.boot),
            Self::Manifest(range) => write!(f, "manifest/{range}"),
            Self::Part(range, name) => write!(f, "part/{range}/{name}"),
        }
    }
}

impl Prefix {
    /// The path below the grid's root; ends with a slash.
    #[must_use]
    pub fn path(self) -> String {
        match self {
            Self::Control => "control/".to_owned(),
            Self::Begins => "begin/".to_owned(),
            Self::Leases => "lease/".to_owned(),
            Self::LeasesOf(node) => format!("lease/{:010}/", node.0),
            Self::Manifests => "manifest/".to_owned(),
            Self::Parts => "part/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Every key reads back from its path, lies under its prefix, and lists in the order of its number.
    use proptest::prelude::*;

    use super::*;

    fn ranges() -> impl Strategy<Value = RangeId> {
        any::<(u64, u8)>().prop_map(|(prefix, bits)| {
            let bits = bits % 17;
            let mask = if bits == 0 { 0 } else { u64::MAX << (64 - u32::from(bits)) };
            RangeId { prefix: prefix & mask, bits }
        })
    }

    fn keys() -> impl Strategy<Value = (Key, Prefix)> {
        prop_oneof![
            any::<u64>().prop_map(|n| (Key::Control(ControlIndex(n)), Prefix::Control)),
            any::<u64>().prop_map(|n| (Key::Decision(ControlIndex(n)), Prefix::Control)),
            any::<u32>().prop_map(|n| (Key::Begin(PartitionId(n)), Prefix::Begins)),
            any::<(u32, u64)>().prop_map(|(node, boot)| {
                (Key::Lease(Incarnation { node: NodeId(node), boot }), Prefix::LeasesOf(NodeId(node)))
            }),
            ranges().prop_map(|range| (Key::Manifest(range), Prefix::Manifests)),
            (ranges(), any::<u64>()).prop_map(|(range, n)| (Key::Part(range, Key::part_name(Nonce(n))), Prefix::Parts)),
        ]
    }

    proptest! {
        #[test]
        fn keys_read_back(key in keys()) {
            let (key, prefix) = key;
            prop_assert!(key.path().starts_with(&prefix.path()));
            prop_assert_eq!(Key::parse(&key.path()), Some(key));
        }

        #[test]
        fn entries_list_in_order(a: u64, b: u64) {
            let path = |n| Key::Control(ControlIndex(n)).path();
            prop_assert_eq!(path(a).cmp(&path(b)), a.cmp(&b));
        }

        #[test]
        fn foreign_names_are_refused(path in "(control|begin|lease|manifest|part|x)/[0-9a-f/.]{0,24}") {
            if let Some(key) = Key::parse(&path) {
                prop_assert_eq!(key.path(), path);
            }
        }
    }
}
