//! What a receiver and a reader say to each other beside frames. Knows no transport: every message may be lost,
//! doubled, delayed and overtaken.

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::{Generation, Incarnation, Offset, PartitionId};
use featuregrid_protocol::position::PartitionPosition;
use featuregrid_protocol::range::RangeSet;
use serde::{Deserialize, Serialize};

/// "Send me every row of these ranges from here on, and call it `generation`."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    /// Of which partition.
    pub partition: PartitionId,
    /// Who asks, and where frames go.
    pub subscriber: Incarnation,
    /// The name of `set`; never used for another.
    pub generation: Generation,
    /// The ranges.
    pub set: RangeSet,
    /// Where all of them stand: the triple a replay starts from.
    pub position: PartitionPosition,
}

/// "This generation is no longer mine." Losing it costs the reader some frames that nobody takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribe {
    /// Of which partition.
    pub partition: PartitionId,
    /// The subscription to forget.
    pub generation: Generation,
}

/// "Begin again here."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nack {
    /// Of which partition.
    pub partition: PartitionId,
    /// For which subscription.
    pub generation: Generation,
    /// Where the receiver stands.
    pub position: PartitionPosition,
    /// Why.
    pub reason: NackReason,
}

/// Why a receiver wants frames cut anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NackReason {
    /// A frame began after the receiver's position, or on both sides of it.
    Gap,
    /// Frames were dropped while the receiver could not apply them; now it can.
    Resume,
    /// The reader's prefix differs from the receiver's, and a second reader sides with the receiver.
    WrongPrefix,
}

/// "I stand here": gives credit back. Cumulative, so a lost one is made good by the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Of which partition.
    pub partition: PartitionId,
    /// For which subscription.
    pub generation: Generation,
    /// The receiver's next offset.
    pub next: Offset,
}

/// The reader's answer to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Included {
    /// Of which partition.
    pub partition: PartitionId,
    /// The reader's life.
    pub reader: Incarnation,
    /// The subscription.
    pub generation: Generation,
    /// First offset from which the reader's stream holds rows of the whole set; earlier ones are read again.
    pub included_from: Offset,
}

/// The reader cannot serve a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Of which partition.
    pub partition: PartitionId,
    /// The subscription.
    pub generation: Generation,
    /// Why.
    pub reason: Refusal,
}

/// Why a subscription is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The log begins after the subscriber's position.
    RetentionPassed {
        /// First offset the log still has.
        earliest: Offset,
    },
    /// The reader has as many subscriptions as it may; ask again later.
    TooMany,
}

/// Everything a receiver sends to a reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToReader {
    /// See [`Subscribe`].
    Subscribe(Subscribe),
    /// See [`Unsubscribe`].
    Unsubscribe(Unsubscribe),
    /// See [`Nack`].
    Nack(Nack),
    /// See [`Ack`].
    Ack(Ack),
}

impl ToReader {
    /// The partition it is about.
    #[must_use]
    pub fn partition(&self) -> PartitionId {
        match self {
            Self::Subscribe(message) => message.partition,
            Self::Unsubscribe(message) => message.partition,
            Self::Nack(message) => message.partition,
            Self::Ack(message) => message.partition,
        }
    }
}

/// Everything a reader sends to a receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToReceiver {
    /// See [`Frame`].
    Frame(Frame),
    /// See [`Included`].
    Included(Included),
    /// See [`Refused`].
    Refused(Refused),
}

impl ToReceiver {
    /// The partition it is about.
    #[must_use]
    pub fn partition(&self) -> PartitionId {
        match self {
            Self::Frame(frame) => frame.partition,
            Self::Included(message) => message.partition,
            Self::Refused(message) => message.partition,
        }
    }
}
