//! The words in which pure machines ask the object store for something, and the two ways they use it: [`mod@write`]
//! (one conditional write, decided for certain) and [`gather`] (many reads, all of them). Knows no client, no
//! clock and no random number: the shell, a real one or a simulated one, performs requests and hands in replies.
//!
//! **The shell's side of the contract.** Every request is answered exactly once, [`StoreRequest::deadline`] after it was made at
//! the latest; by then [`PutOutcome::Unknown`], [`GetOutcome::Unavailable`], [`ListOutcome::Unavailable`] and
//! [`DeleteOutcome::Unknown`] are the answers. A client must not retry a conditional write by itself: it would turn
//! its own success into a 412. Reads see every write that was answered before they began.

pub mod gather;
pub mod key;
mod monotonic;
pub mod objects;
#[cfg(test)]
pub(crate) mod script;
pub mod write;

use std::ops::Range;
use std::sync::Arc;

use featuregrid_protocol::ids::Nonce;
use featuregrid_protocol::limits::{PART_DEADLINE, STORE_DEADLINE};
use featuregrid_protocol::time::Span;

pub use key::{Key, Prefix};
pub use monotonic::Monotonic;

/// Names one version of an object; equal bodies of different writes need different nonces inside to tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Etag(pub String);

/// Names a request, so that its reply finds the machine that asked and a late one finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    /// The life that asks: drawn once per steward, so that replies to its predecessor in the same process are dropped.
    pub life: u64,
    /// The machine that asks.
    pub lane: u32,
    /// Counts its requests.
    pub count: u64,
}

/// Hands out the request ids of one machine.
#[derive(Clone, Debug)]
pub struct Requests {
    next: RequestId,
}

impl Requests {
    /// A machine's own row of ids: `lane` differs between the machines of one `life`.
    #[must_use]
    pub fn new(life: u64, lane: u32) -> Self {
        Self { next: RequestId { life, lane, count: 0 } }
    }

    /// An id that was not used before.
    pub fn next_id(&mut self) -> RequestId {
        let id = self.next;
        self.next.count += 1;
        id
    }
}

/// Hands out nonces: a fixed mixing of a seed that the shell draws at random, once per life.
#[derive(Clone, Debug)]
pub struct Nonces {
    state: u64,
}

impl Nonces {
    /// Nonces that no other seed gives, but by a chance of one in 2^64.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next one (SplitMix64: every state gives another number).
    pub fn next_nonce(&mut self) -> Nonce {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Nonce(mixed ^ (mixed >> 31))
    }
}

/// Under which condition a write may land.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutCondition {
    /// `If-None-Match: *`: only if no object of the name exists.
    Absent,
    /// `If-Match`: only over this version. A missing object counts as another version.
    Matches(Etag),
}

/// What a machine wants of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreRequest {
    /// Reads one object.
    Get {
        /// Names the request.
        id: RequestId,
        /// Which object.
        key: Key,
        /// Which of its bytes, as far as it has them; all where none are named.
        bytes: Option<Range<u64>>,
    },
    /// Lists the names under a prefix, in ascending order of their paths.
    List {
        /// Names the request.
        id: RequestId,
        /// Which names.
        prefix: Prefix,
    },
    /// Writes one object as a whole, if the condition holds at the moment it lands.
    Put {
        /// Names the request.
        id: RequestId,
        /// Which object.
        key: Key,
        /// All of its bytes.
        body: Arc<[u8]>,
        /// When it may land.
        condition: PutCondition,
    },
    /// Removes one object. To be asked only for what no reader will ever ask for again: there is no condition.
    Delete {
        /// Names the request.
        id: RequestId,
        /// Which object.
        key: Key,
    },
}

impl StoreRequest {
    /// How long it may take at most.
    #[must_use]
    pub fn deadline(&self) -> Span {
        match self {
            Self::Get { key, .. } | Self::Put { key, .. } | Self::Delete { key, .. } => key.deadline(),
            // Thousands of names, of which nobody's right to act depends on any.
            Self::List { prefix: Prefix::Parts, .. } => PART_DEADLINE,
            Self::List { .. } => STORE_DEADLINE,
        }
    }

    /// The id its reply carries.
    #[must_use]
    pub fn id(&self) -> RequestId {
        match self {
            Self::Get { id, .. } | Self::List { id, .. } | Self::Put { id, .. } | Self::Delete { id, .. } => *id,
        }
    }
}

/// One version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// Its version.
    pub etag: Etag,
}

/// What became of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GetOutcome {
    /// The newest version.
    Found(Object),
    /// There is no such object.
    Absent,
    /// Nothing is known: timeout, 5xx, no connection.
    Unavailable,
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The object's name.
    pub key: Key,
    /// Its length in bytes.
    pub bytes: u64,
    /// How long ago it was written, by the store's own clock: no node's clock takes part.
    pub age: Span,
}

/// What became of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListOutcome {
    /// Every object of the prefix whose name [`Key::parse`] knows; foreign names are skipped.
    Objects(Vec<Listed>),
    /// Nothing is known.
    Unavailable,
}

/// The four outcomes of a conditional write, never mixed up (PROTOCOLS C2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// It landed, as this version.
    Done(Etag),
    /// 412: the condition did not hold when this request arrived (also 404 where a version was asked for).
    Lost,
    /// 409: somebody else is writing; this request did not land, and may be sent again as it is.
    Retry,
    /// Timeout, 5xx, broken connection: it landed, did not, or will land later.
    Unknown,
}

/// What became of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteOutcome {
    /// The object is not there any more, or never was.
    Done,
    /// Nothing is known; asking again does no harm.
    Unknown,
}

/// What the store answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreReply {
    /// To [`StoreRequest::Get`].
    Get {
        /// The request's.
        id: RequestId,
        /// What became of it.
        outcome: GetOutcome,
    },
    /// To [`StoreRequest::List`].
    List {
        /// The request's.
        id: RequestId,
        /// What became of it.
        outcome: ListOutcome,
    },
    /// To [`StoreRequest::Put`].
    Put {
        /// The request's.
        id: RequestId,
        /// What became of it.
        outcome: PutOutcome,
    },
    /// To [`StoreRequest::Delete`].
    Delete {
        /// The request's.
        id: RequestId,
        /// What became of it.
        outcome: DeleteOutcome,
    },
}

impl StoreReply {
    /// The request it answers.
    #[must_use]
    pub fn id(&self) -> RequestId {
        match self {
            Self::Get { id, .. } | Self::List { id, .. } | Self::Put { id, .. } | Self::Delete { id, .. } => *id,
        }
    }
}
