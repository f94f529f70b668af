//! What nodes of the simulated grid send each other. The grid's own messages, and what stands in for gossip and the
//! read path. Knows no delivery.

use featuregrid_actors::feed::Opinion;
use featuregrid_actors::feed::messages::{ToReader, ToReceiver};
use featuregrid_actors::shard::ViewReading;
use featuregrid_actors::steward;
use featuregrid_oracle::AsOf;
use featuregrid_protocol::ids::{Epoch, Incarnation, NodeId, Offset, PartitionId};
use featuregrid_protocol::position::{OffsetVector, PartitionPosition};
use featuregrid_protocol::range::RangeId;

use super::net::MessageClass;

/// One message.
#[derive(Clone, Debug)]
pub enum Message {
    /// Protocols B and C, for one life.
    Steward {
        /// Who says it.
        from: Incarnation,
        /// Whom it is for.
        to: Incarnation,
        /// What.
        message: steward::Message,
    },
    /// Protocol A, to whoever reads the partition there.
    ToReader(ToReader),
    /// Protocol A, for one life.
    ToReceiver {
        /// Whom it is for.
        to: Incarnation,
        /// What.
        message: ToReceiver,
    },
    /// Proof of life, and a hint of who owns what.
    Heartbeat {
        /// Who lives.
        from: Incarnation,
        /// What it owns.
        owned: Vec<(RangeId, Epoch)>,
    },
    /// A read that came to the wrong node.
    Read {
        /// Who asks.
        from: NodeId,
        /// The read.
        read: Read,
    },
    /// Its answer.
    Answer {
        /// The answer.
        answer: ReadAnswer,
    },
    /// "What do you find at this offset?"
    AskSecondReader {
        /// Who asks.
        from: NodeId,
        /// Which partition.
        partition: PartitionId,
        /// Where the asker stands.
        at: PartitionPosition,
        /// For people.
        frame_to: Offset,
    },
    /// What was found.
    SecondReader {
        /// Which partition.
        partition: PartitionId,
        /// The opinion.
        opinion: Opinion,
    },
}

impl Message {
    /// What it is, as far as the network can tell.
    #[must_use]
    pub fn class(&self) -> MessageClass {
        match self {
            Self::Steward { message, .. } => match message {
                steward::Message::Look { .. } | steward::Message::Report { .. } => MessageClass::Report,
                _ => MessageClass::Move,
            },
            Self::ToReader(ToReader::Subscribe(_) | ToReader::Unsubscribe(_)) => MessageClass::Subscribe,
            Self::ToReader(ToReader::Nack(_) | ToReader::Ack(_)) => MessageClass::Receipt,
            Self::ToReceiver { message: ToReceiver::Frame(_), .. } => MessageClass::Frame,
            Self::ToReceiver { .. } | Self::SecondReader { .. } | Self::AskSecondReader { .. } => {
                MessageClass::Subscribed
            }
            Self::Heartbeat { .. } => MessageClass::Heartbeat,
            Self::Read { .. } | Self::Answer { .. } => MessageClass::Read,
        }
    }
}

/// What a client wants to know.
#[derive(Clone, Debug)]
pub struct Read {
    /// Names the read.
    pub id: u64,
    /// The view's name.
    pub view: String,
    /// Canonical key bytes.
    pub key: Vec<u8>,
    /// At which instant.
    pub as_of: AsOf,
    /// Not older than this.
    pub at_least: OffsetVector,
}

/// What it is told.
#[derive(Clone, Debug)]
pub struct ReadAnswer {
    /// The read.
    pub read: Read,
    /// Who answered.
    pub node: Incarnation,
    /// At which token.
    pub v: OffsetVector,
    /// The values.
    pub reading: ViewReading,
}
