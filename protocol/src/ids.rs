//! Names of things that live across messages. Knows nothing of what they name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Next or last position in one source partition. Offsets are sparse: transaction markers and
/// compaction leave holes, so `last + 1` is never assumed to hold a record.
pub type Offset = u64;

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

number_id!(
    /// A source of a project, in the order in which they joined it; never reused.
    SourceId(u16), "s"
);
number_id!(
    /// A machine or process slot of the grid; survives restarts, unlike an [`Incarnation`].
    NodeId(u32), "n"
);
number_id!(
    /// Version of the ownership of one range; rises by one with every claim.
    Epoch(u64), "e"
);
number_id!(
    /// Number of an entry of the control log; 0 is genesis.
    ControlIndex(u64), "k"
);
number_id!(
    /// The broker's count of leaders of a partition; a lower one is an older view of the log.
    LeaderEpoch(u32), "l"
);
number_id!(
    /// Canonical hash of a feature view's name and entity.
    ViewId(u64), "view-"
);
number_id!(
    /// Canonical hash of a measure: equal definitions share a column and keep its history.
    ColumnId(u64), "col-"
);
number_id!(
    /// A number drawn once, so that two writes of equal content can be told apart.
    Nonce(u64), "x"
);

/// A partition of a source's log: the source above, the log's own number in the low bits, so that positions of all
/// sources lie in one ordered map and cost one small number each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionId(pub u32);

impl PartitionId {
    const NUMBER_BITS: u32 = 20;
    /// How many partitions a log may have.
    pub const NUMBERS: u32 = 1 << Self::NUMBER_BITS;

    /// Partition `number` of a source's log; `None` if it has too large a number.
    #[must_use]
    pub fn of(source: SourceId, number: u32) -> Option<Self> {
        let source = u32::from(source.0).checked_mul(Self::NUMBERS)?;
        (number < Self::NUMBERS).then_some(Self(source | number))
    }

    /// Whose log it belongs to.
    #[must_use]
    pub const fn source(self) -> SourceId {
        SourceId((self.0 >> Self::NUMBER_BITS) as u16)
    }

    /// Its number in that log.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0 % Self::NUMBERS
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source() {
            SourceId(0) => write!(f, "p{}", self.number()),
            source => write!(f, "{source}p{}", self.number()),
        }
    }
}

/// Identity of a topic that a re-created topic of the same name does not share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TopicId(pub [u8; 16]);

/// One life of a node: `boot` differs whenever its memory was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation {
    /// The slot that lives.
    pub node: NodeId,
    /// Larger than that of every earlier life of the node.
    pub boot: u64,
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.node, self.boot)
    }
}

/// Names an immutable set of ranges a node subscribes with; never reused, not even by a restarted
/// node (trace A1), because the incarnation is part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Generation {
    /// The subscriber's life.
    pub incarnation: Incarnation,
    /// Counts up within it.
    pub counter: u64,
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "g{}#{}", self.incarnation, self.counter)
    }
}
