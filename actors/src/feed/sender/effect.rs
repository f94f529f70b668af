//! What a sender wants done. Knows not how.

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::{Incarnation, Offset};
use featuregrid_protocol::position::PartitionPosition;

use crate::feed::halt::HaltReason;
use crate::feed::messages::{Included, Refused};

/// Names a replay within the life of its sender; never used again, so a late chunk finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplayId(pub u64);

/// To be performed in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send `frame` to `to`. Frames to one subscriber should keep their order; nothing breaks if they do not.
    Send {
        /// The subscriber.
        to: Incarnation,
        /// What it gets.
        frame: Frame,
    },
    /// Answer a subscription.
    Included {
        /// The subscriber.
        to: Incarnation,
        /// From where the stream holds its rows.
        answer: Included,
    },
    /// Turn a subscription down.
    Refused {
        /// The subscriber.
        to: Incarnation,
        /// Why.
        answer: Refused,
    },
    /// Open a second walk over the log with an [`Interpreter`](crate::reader::Interpreter) at `from`, switching plans
    /// at the activations the node knows. Its last chunk ends exactly at `until`; decode only what is pulled.
    OpenReplay {
        /// Its name.
        id: ReplayId,
        /// The subscriber's own triple.
        from: PartitionPosition,
        /// Where a chunk of the ring begins.
        until: Offset,
    },
    /// Decode one more chunk of a replay and hand it to [`Sender::on_replay_chunk`](super::Sender::on_replay_chunk).
    PullReplay {
        /// Which.
        id: ReplayId,
    },
    /// The replay is over.
    CloseReplay {
        /// Which.
        id: ReplayId,
    },
    /// Seek the live walk to `from` and interpret anew from there, under the index in force there; chunks that were
    /// decoded but not handed in are void.
    Reread {
        /// The triple to start from; equals [`Sender::head`](super::Sender::head).
        from: PartitionPosition,
    },
    /// The log cannot be followed any more; nothing more will be sent. A human must look.
    Halt(HaltReason),
}
