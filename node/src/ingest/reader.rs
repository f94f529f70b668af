//! A reading thread as a supervised actor: when the thread ends, the actor fails, and its supervisor starts another
//! one from where the shards stand. Knows nothing of what is read.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use featuregrid_actors::host::ShardHandle;
use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::range::{RangeId, RangeSet};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};

use super::progress::Progress;
use super::surroundings::{Command, Groups, Stand, Surroundings};
use super::worker::Worker;
use crate::grid::Grid;

/// Commands on their way to one thread: more than all restarts a supervisor allows.
const COMMANDS_MAX: usize = 256;

/// Where the threads of a node listen.
#[derive(Clone, Default)]
pub struct Listeners(Arc<Mutex<BTreeMap<usize, SyncSender<Command>>>>);

impl Listeners {
    /// Tells every thread that a shard has a new life.
    pub fn restarted(&self, at: usize, handle: &ShardHandle, stands: &[Stand]) {
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for listener in listeners.values() {
            let (handle, stands) = (handle.clone(), stands.to_vec());
            // A thread that ended begins again from where the shards stand: it misses nothing.
            let _ = listener.try_send(Command::Restarted { at, handle, stands });
        }
    }

    /// Tells one thread something.
    pub fn tell(&self, reader: usize, command: Command) {
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = listeners.get(&reader) {
            // As above: a thread that begins anew looks at everything that was found or has halted.
            let _ = listener.try_send(command);
        }
    }

    /// Tells every thread something.
    pub fn tell_all(&self, command: impl Fn() -> Command) {
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for listener in listeners.values() {
            let _ = listener.try_send(command());
        }
    }

    fn listen(&self, reader: usize) -> std::sync::mpsc::Receiver<Command> {
        let (sender, receiver) = sync_channel(COMMANDS_MAX);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(reader, sender);
        receiver
    }
}

/// What every life of a reader begins with.
#[derive(Clone)]
pub struct ReaderArguments {
    /// Its number.
    pub reader: usize,
    /// Of how many.
    pub readers: usize,
    /// See [`Surroundings`].
    pub around: Surroundings,
    /// Whom it feeds.
    pub grid: Arc<Grid>,
    /// Where it listens.
    pub listeners: Listeners,
}

/// See the module.
pub struct Reader;

/// The thread ended, and why.
pub struct Ended(Result<(), String>);

impl Reader {
    /// Starts a reader under a supervisor.
    ///
    /// # Errors
    /// When the runtime ends.
    pub async fn start(arguments: ReaderArguments, supervisor: ActorCell) -> Result<ActorCell, SpawnErr> {
        let (actor, _) = Self::spawn_linked(None, Self, arguments, supervisor).await?;
        Ok(actor.get_cell())
    }
}

impl Actor for Reader {
    type Msg = Ended;
    type State = ();
    type Arguments = ReaderArguments;

    async fn pre_start(&self, myself: ActorRef<Ended>, arguments: ReaderArguments) -> Result<(), ActorProcessingErr> {
        let ReaderArguments { reader, readers, around, grid, listeners } = arguments;
        // Listening first: a shard that restarts after its status was taken is heard of, and a partition found later.
        let commands = listeners.listen(reader);
        let partitions = around.progress.of_reader(reader, readers);
        let (shards, groups) = stand(&grid, &around.progress, &partitions).await;
        let reading = Arc::clone(&around.reading);
        let run = move || {
            reading.fetch_add(1, Ordering::Relaxed);
            let ended = catch_unwind(AssertUnwindSafe(|| {
                let worker = Worker::new(around, shards, commands, groups).map_err(|error| error.to_string())?;
                worker.run().map_err(|error| error.to_string())
            }));
            reading.fetch_sub(1, Ordering::Relaxed);
            let ended = ended.unwrap_or_else(|_| Err("the reading thread panicked".to_owned()));
            if myself.cast(Ended(ended)).is_err() {
                tracing::debug!(reader, "the reader's actor ended before its thread");
            }
        };
        std::thread::Builder::new().name(format!("reader-{reader}")).spawn(run)?;
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Ended>, ended: Ended, (): &mut ()) -> Result<(), ActorProcessingErr> {
        // A thread that was told to stop leaves its actor to the supervisor, which is told next.
        ended.0.map_err(Into::into)
    }
}

/// The shards, and where their ranges stand in these partitions.
async fn stand(
    grid: &Grid,
    progress: &Progress,
    partitions: &[PartitionId],
) -> (Vec<ShardHandle>, BTreeMap<PartitionId, Groups>) {
    loop {
        let shards = grid.handles();
        let mut standing: Vec<(RangeId, _)> = Vec::new();
        let mut complete = true;
        for shard in &shards {
            match shard.status().await {
                Ok(status) => standing.extend(status.ranges),
                Err(_) => complete = false,
            }
        }
        if !complete {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        }
        let mut groups: BTreeMap<PartitionId, Groups> = BTreeMap::new();
        for partition in partitions {
            let begin = progress.start(*partition);
            let of_partition = groups.entry(*partition).or_default();
            for (range, positions) in &standing {
                // A partition that was found while the node ran stands at its beginning until a frame moves it.
                let position = positions.get(partition).unwrap_or(&begin).clone();
                match of_partition.iter_mut().find(|(known, _)| *known == position) {
                    Some((_, set)) => set.insert(*range),
                    None => of_partition.push((position, RangeSet::from_iter([*range]))),
                }
            }
        }
        return (shards, groups);
    }
}
