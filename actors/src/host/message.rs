//! What a shard actor is told and what it answers. Knows no wire.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::{ControlIndex, ViewId};
use featuregrid_protocol::key::KeyHash;
use featuregrid_protocol::manifest::Manifest;
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::{OffsetVector, Positions};
use featuregrid_protocol::range::{RangeId, RangeSet};
use featuregrid_protocol::request::SentColumns;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::control::History;
use crate::ports::Monotonic;
use crate::shard::{ActorFacts, RowCounts, Selection, ViewReading, Walked};
use crate::snapshot::RebuildError;
use crate::window::AsOf;

/// An admitted frame on its way to the shards of a node.
#[derive(Debug)]
pub struct Rows {
    /// What to apply.
    pub frame: Frame,
    /// The ranges it moves.
    pub ranges: Arc<RangeSet>,
    /// When it was handed over, by its sender's clock; no shard looks at it.
    pub handed: Monotonic,
    /// Shards that have not applied it yet.
    waiting: AtomicUsize,
}

impl Rows {
    /// A frame for `shards` shards.
    #[must_use]
    pub fn new(frame: Frame, ranges: Arc<RangeSet>, shards: usize, handed: Monotonic) -> Self {
        Self { frame, ranges, handed, waiting: AtomicUsize::new(shards) }
    }

    /// One shard has applied it; whether it was the last, so that the frame is visible everywhere.
    pub(super) fn applied(&self) -> bool {
        self.waiting.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

/// One view of one entity.
#[derive(Clone, Debug)]
pub struct Item {
    /// The asker's number for it.
    pub slot: usize,
    /// Index into [`Read::selections`].
    pub selection: usize,
    /// Canonical key bytes.
    pub key: Arc<[u8]>,
    /// At which instant.
    pub as_of: AsOf,
    /// Which row of [`Read::sent`] is the entity's.
    pub row: usize,
}

/// Some reads, answered in one turn: of one state, also where one entity is read at several instants.
#[derive(Clone, Debug)]
pub struct Read {
    /// Which results of which views.
    pub selections: Arc<[Selection]>,
    /// What was sent with the read, for each of the selections; nothing, where the list ends before.
    pub sent: Arc<[SentColumns]>,
    /// What to read.
    pub items: Arc<[Item]>,
    /// Only from state at or after this.
    pub at_least: Arc<OffsetVector>,
}

/// What became of one item.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Its values, and the offsets they are a function of.
    Reading(ViewReading, Arc<OffsetVector>),
    /// The state is not at the offsets demanded yet.
    Behind,
    /// The key's range is not here, or its plan has no such view.
    Elsewhere,
}

/// A canonical page, copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedPage {
    /// Hash of the key.
    pub hash: KeyHash,
    /// Canonical key bytes.
    pub key: Vec<u8>,
    /// Which of the view's ladders.
    pub ladder: u16,
    /// Canonical page bytes.
    pub bytes: Vec<u8>,
}

/// The canonical pages of one view of one range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangePages {
    /// Where the range stands.
    pub positions: Positions,
    /// In order of (key hash, key, ladder).
    pub pages: Vec<OwnedPage>,
}

/// What a shard holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardStatus {
    /// Where each range stands.
    pub ranges: BTreeMap<RangeId, Positions>,
    /// Rows by view.
    pub rows: BTreeMap<ViewId, RowCounts>,
    /// Keys that have a page, counted once for each view.
    pub entities: usize,
    /// Bytes of pages and index.
    pub bytes: usize,
}

/// What is durable of a range.
#[derive(Debug)]
pub struct Installed {
    /// Who has it, and where it stands.
    pub manifest: Arc<Manifest>,
    /// The parts that the manifest names, in its order.
    pub parts: Vec<Arc<[u8]>>,
    /// Every plan, and from where it holds.
    pub history: Arc<History>,
    /// Where partitions begin that the manifest does not know: the range stands there, and says so.
    pub begins: Positions,
}

/// Whether a range has news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Whether any row came.
    pub has_rows: bool,
    /// Where the range stands.
    pub positions: Positions,
    /// Whose plan its pages follow.
    pub index: ControlIndex,
}

/// What a shard actor is told.
pub enum ShardMessage {
    /// Apply a frame.
    Rows(Arc<Rows>, OwnedSemaphorePermit),
    /// Read; outcomes come with the askers' numbers.
    Read(Read, OwnedSemaphorePermit, oneshot::Sender<Vec<(usize, Outcome)>>),
    /// Activate a plan at these offsets.
    Switch(Arc<Plan>, OffsetVector),
    /// Show the canonical pages of a view of a range; `None` where it is not here.
    Pages(ViewId, RangeId, OwnedSemaphorePermit, oneshot::Sender<Option<RangePages>>),
    /// Show one view of one entity; `None` where it is not here.
    Inspect(usize, Arc<[u8]>, OwnedSemaphorePermit, oneshot::Sender<Option<ActorFacts>>),
    /// Take over a range from what is durable of it, under these activations; it follows the newest plan then.
    Install(Box<Installed>, oneshot::Sender<Result<(), RebuildError>>),
    /// Take a snapshot of a range: of everything, or of what changed since these offsets. `None` where the range is not
    /// here, or is being walked already.
    Walk(RangeId, Option<OffsetVector>, oneshot::Sender<Option<Walked>>),
    /// Go on with the walk over a range.
    Slice(RangeId),
    /// Whether any row came to a range since these offsets; `None` where that is not known.
    Changed(RangeId, OffsetVector, oneshot::Sender<Option<Changed>>),
    /// Say what is held.
    Status(OwnedSemaphorePermit, oneshot::Sender<ShardStatus>),
}
