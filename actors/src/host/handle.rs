//! The way to a shard actor: a permit first, then the cast. Knows no placement and no core.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use featuregrid_protocol::ids::ViewId;
use featuregrid_protocol::limits::{SHARD_READ_BATCHES_MAX, SHARD_ROW_BATCHES_MAX};
use featuregrid_protocol::plan::Plan;
use featuregrid_protocol::position::OffsetVector;
use featuregrid_protocol::range::RangeId;
use ractor::ActorRef;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::shard::ActorFacts;

use super::message::{Changed, Installed, Outcome, RangePages, Read, Rows, ShardMessage, ShardStatus};
use crate::shard::Walked;
use crate::snapshot::RebuildError;

/// The shard ended; its supervisor starts a successor, whose handle is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the shard ended and is being restarted; try again")]
pub struct Gone;

/// One life of a shard actor.
#[derive(Clone, Debug)]
pub struct ShardHandle {
    actor: ActorRef<ShardMessage>,
    rows: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    bytes: Arc<AtomicUsize>,
}

impl ShardHandle {
    pub(super) fn new(actor: ActorRef<ShardMessage>, bytes: Arc<AtomicUsize>) -> Self {
        Self {
            actor,
            rows: Arc::new(Semaphore::new(SHARD_ROW_BATCHES_MAX)),
            reads: Arc::new(Semaphore::new(SHARD_READ_BATCHES_MAX)),
            bytes,
        }
    }

    /// Hands over a frame; waits for a permit. When it returns, the frame is in the mailbox, in order.
    ///
    /// # Errors
    /// [`Gone`]: the frame was not applied here.
    pub async fn apply(&self, rows: Arc<Rows>) -> Result<(), Gone> {
        let permit = permit(&self.rows).await?;
        self.actor.cast(ShardMessage::Rows(rows, permit)).map_err(|_| Gone)
    }

    /// The same without waiting, where a permit is free.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn try_apply(&self, rows: &Arc<Rows>) -> Result<bool, Gone> {
        let Ok(permit) = Arc::clone(&self.rows).try_acquire_owned() else { return Ok(false) };
        self.actor.cast(ShardMessage::Rows(Arc::clone(rows), permit)).map_err(|_| Gone)?;
        Ok(true)
    }

    /// Takes every permit for frames, as a shard does that is stuck: until they are dropped, no frame gets in.
    ///
    /// # Errors
    /// [`Gone`].
    #[cfg(feature = "plants")]
    pub async fn stall(&self) -> Result<OwnedSemaphorePermit, Gone> {
        Arc::clone(&self.rows).acquire_many_owned(SHARD_ROW_BATCHES_MAX as u32).await.map_err(|_| Gone)
    }

    /// Reads; waits for a permit and the answer.
    ///
    /// # Errors
    /// [`Gone`].
    pub async fn read(&self, read: Read) -> Result<Vec<(usize, Outcome)>, Gone> {
        self.ask(|permit, reply| ShardMessage::Read(read, permit, reply)).await
    }

    /// The canonical pages of a view of a range.
    ///
    /// # Errors
    /// [`Gone`].
    pub async fn pages(&self, view: ViewId, range: RangeId) -> Result<Option<RangePages>, Gone> {
        self.ask(|permit, reply| ShardMessage::Pages(view, range, permit, reply)).await
    }

    /// What is kept of one view of one entity; `None` where it is not here.
    ///
    /// # Errors
    /// [`Gone`].
    pub async fn inspect(&self, view: usize, key: Arc<[u8]>) -> Result<Option<ActorFacts>, Gone> {
        self.ask(|permit, reply| ShardMessage::Inspect(view, key, permit, reply)).await
    }

    /// Hands over what is durable of a range. There are few of these, and nobody reads the range before, so they take no permit.
    ///
    /// # Errors
    /// [`Gone`]; the inner one says why the range does not stand up.
    pub async fn install(&self, installed: Installed) -> Result<Result<(), RebuildError>, Gone> {
        self.tell(|reply| ShardMessage::Install(Box::new(installed), reply)).await
    }

    /// A snapshot of a range at the v where it stands when the shard hears of this: of everything, or of what changed since
    /// `since`. `None` where the range is not here, or is being walked already. Takes as long as there are pages, in slices
    /// between everything else; few are under way at once, so they take no permit.
    ///
    /// # Errors
    /// [`Gone`].
    pub async fn walk(&self, range: RangeId, since: Option<OffsetVector>) -> Result<Option<Walked>, Gone> {
        self.tell(|reply| ShardMessage::Walk(range, since, reply)).await
    }

    /// Whether any row came to a range since these offsets; `None` where that is not known.
    ///
    /// # Errors
    /// [`Gone`].
    pub async fn changed(&self, range: RangeId, since: OffsetVector) -> Result<Option<Changed>, Gone> {
        self.tell(|reply| ShardMessage::Changed(range, since, reply)).await
    }

    /// What the shard holds, after everything handed over before.
    ///
    /// # Errors
    /// [`Gone`].
    pub async fn status(&self) -> Result<ShardStatus, Gone> {
        self.ask(ShardMessage::Status).await
    }

    /// Activates a plan after everything handed over before. There are few of these, and each waits for a decision of
    /// the control log, so they take no permit.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn switch(&self, plan: Arc<Plan>, at: OffsetVector) -> Result<(), Gone> {
        self.actor.cast(ShardMessage::Switch(plan, at)).map_err(|_| Gone)
    }

    pub(super) fn actor(&self) -> &ActorRef<ShardMessage> {
        &self.actor
    }

    /// Whether no frame is in flight.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.rows.available_permits() == SHARD_ROW_BATCHES_MAX
    }

    /// Whether both lead to the same life of the same shard.
    #[must_use]
    pub fn is_same_life(&self, other: &Self) -> bool {
        self.actor.get_id() == other.actor.get_id()
    }

    /// Bytes of pages and index after the last frame.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    async fn ask<T>(
        &self,
        message: impl FnOnce(OwnedSemaphorePermit, oneshot::Sender<T>) -> ShardMessage,
    ) -> Result<T, Gone> {
        let permit = permit(&self.reads).await?;
        self.tell(|reply| message(permit, reply)).await
    }

    async fn tell<T>(&self, message: impl FnOnce(oneshot::Sender<T>) -> ShardMessage) -> Result<T, Gone> {
        let (reply, answer) = oneshot::channel();
        self.actor.cast(message(reply)).map_err(|_| Gone)?;
        answer.await.map_err(|_| Gone)
    }
}

async fn permit(semaphore: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Gone> {
    Arc::clone(semaphore).acquire_owned().await.map_err(|_| Gone)
}
