//! The loop of one reading thread: poll, interpret, write dead letters, hand frames to shards. Knows no plan and no
//! protocol: [`PartitionFeed`] decides, this performs.
//!
//! Nothing here is dropped or overtaken: a frame with late or dead records waits for their ticket, and every later
//! frame of its partition behind it; a shard without a free permit stops the loop, and with it the fetching.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use featuregrid_actors::host::{Gone, Rows, ShardHandle};
use featuregrid_actors::ports::Monotonic;
use featuregrid_actors::reader::Chunk;
use featuregrid_protocol::ids::{Offset, PartitionId};
use featuregrid_protocol::limits::IDLE_FRAME_EVERY;
use featuregrid_protocol::range::RangeSet;
use featuregrid_protocol::time::Timestamp;

use super::letter::letter;
use super::partition::{PartitionFeed, Want};
use super::replay::Replays;
use super::stall::{PAUSE_AFTER, Pauses, Reason, STALLED_TURN};
use super::surroundings::{Command, Groups, Stand, Surroundings};
use super::{LogError, LogEvent, LogReader};
use crate::clock;
use crate::store::dead_letters::writer::Ticket;
use crate::telemetry::{Cause, PartitionMeter, Stage, Tally};

/// Chunks of a partition that may wait for dead letters to be written: a few commits' worth at full speed.
const WAITING_CHUNKS_MAX: usize = 64;
/// A poll waits this long for a first record; ticks and commands are looked at in between.
const POLL_WAIT: Duration = Duration::from_millis(20);
/// The same while chunks wait for their dead letters.
const POLL_WAIT_SHORT: Duration = Duration::from_millis(1);
/// A log that does not answer is mentioned this often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);
/// Reading goes on once state is below this share of the budget.
const RESUME_PERCENT: usize = 90;

/// One reading thread.
pub struct Worker {
    around: Surroundings,
    shards: Vec<Option<ShardHandle>>,
    commands: Receiver<Command>,
    reader: Box<dyn LogReader>,
    feeds: BTreeMap<PartitionId, Lane>,
    /// Partitions that are not read yet, with the end each shall reach before the next is begun.
    later: VecDeque<(PartitionId, Offset)>,
    replays: Replays,
    ticked: Instant,
    complained: Option<Instant>,
    pauses: Pauses,
    /// Since when memory is full, as far as that is counted.
    full_since: Option<Monotonic>,
}

/// One partition.
struct Lane {
    feed: PartitionFeed,
    meter: Option<Arc<PartitionMeter>>,
    /// Records before it are counted.
    counted: Offset,
    tally: Tally,
    /// Decoded, in order; each may go once its ticket is written.
    decoded: VecDeque<(Chunk, Ticket)>,
    halted: bool,
}

/// Why a reading thread ended.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The log refused to be opened.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Dead letters cannot be kept, so nothing may move past them.
    #[error("dead letters: {0}")]
    Letters(String),
}

impl Worker {
    /// A thread for these partitions, whose ranges stand as the groups say.
    ///
    /// # Errors
    /// [`WorkerError::Log`].
    pub fn new(
        around: Surroundings,
        shards: Vec<ShardHandle>,
        commands: Receiver<Command>,
        partitions: BTreeMap<PartitionId, Groups>,
    ) -> Result<Self, WorkerError> {
        let now = now();
        let (mut feeds, mut wanted) = (BTreeMap::new(), Vec::new());
        for (partition, groups) in partitions {
            let mut wants = Vec::new();
            feeds.insert(partition, Lane::new(&around, partition, groups, now, &mut wants));
            wanted.push((partition, wants));
        }
        let mut later = VecDeque::new();
        if around.one_after_the_other {
            for partition in feeds.keys() {
                later.push_back((*partition, around.log.bounds(*partition)?.end));
            }
        }
        let mut worker = Self {
            reader: around.log.open(&[])?,
            pauses: Pauses::new(Arc::clone(&around.progress)),
            around,
            shards: shards.into_iter().map(Some).collect(),
            commands,
            feeds,
            later,
            replays: Replays::default(),
            ticked: Instant::now(),
            complained: None,
            full_since: None,
        };
        worker.open()?;
        for (partition, wants) in wanted {
            worker.perform(partition, wants);
        }
        Ok(worker)
    }

    /// Runs until it is told to stop.
    ///
    /// # Errors
    /// [`WorkerError`]; whoever supervises starts another one from where the shards stand.
    pub fn run(mut self) -> Result<(), WorkerError> {
        while !self.around.stop.load(Ordering::Relaxed) {
            self.around.progress.set_turned();
            while let Ok(command) = self.commands.try_recv() {
                self.obey(command);
            }
            self.watch_memory();
            self.read()?;
            self.release()?;
            self.go_on_to_next()?;
            let due = self.replays.pull(&self.around);
            for (partition, id, chunk) in due {
                let mut wants = Vec::new();
                if let Some(lane) = self.feeds.get_mut(&partition).filter(|lane| !lane.halted) {
                    match chunk {
                        Ok(chunk) => lane.feed.replayed(now(), id, &chunk, &mut wants),
                        Err(earliest) => lane.feed.replay_lost(now(), id, earliest, &mut wants),
                    }
                }
                self.perform(partition, wants);
            }
            if self.ticked.elapsed() >= Duration::from_micros(IDLE_FRAME_EVERY.0.unsigned_abs()) {
                self.ticked = Instant::now();
                for partition in self.feeds.keys().copied().collect::<Vec<_>>() {
                    let mut wants = Vec::new();
                    if let Some(lane) = self.feeds.get_mut(&partition) {
                        lane.feed.tick(now(), &mut wants);
                    }
                    self.perform(partition, wants);
                }
            }
        }
        Ok(())
    }

    /// Opens the log where the walks stand: all partitions, or the first of those that come one after the other.
    fn open(&mut self) -> Result<(), LogError> {
        let first = self.later.front().map(|(partition, _)| *partition);
        let wanted = |partition: &PartitionId| first.is_none_or(|first| first == *partition);
        let from: Vec<_> = self
            .feeds
            .iter()
            .filter(|(partition, lane)| wanted(partition) && !lane.halted)
            .map(|(partition, lane)| (*partition, lane.feed.next()))
            .collect();
        self.reader = self.around.log.open(&from)?;
        if self.pauses.is_paused() {
            self.reader.pause(true)?;
        }
        Ok(())
    }

    fn go_on_to_next(&mut self) -> Result<(), LogError> {
        let Some((partition, end)) = self.later.front().copied() else { return Ok(()) };
        let done = |lane: &Lane| lane.halted || (lane.feed.next() >= end && lane.decoded.is_empty());
        if self.feeds.get(&partition).is_none_or(done) {
            self.later.pop_front();
            self.open()?;
        }
        Ok(())
    }

    fn watch_memory(&mut self) {
        let bytes: usize = self.shards.iter().flatten().map(ShardHandle::bytes).sum();
        let budget = self.around.memory_budget;
        let full = self.pauses.is_memory_full();
        let holds = if full { bytes >= budget / 100 * RESUME_PERCENT } else { bytes >= budget };
        if holds != full {
            self.pause(Reason::Memory { bytes, budget }, holds);
        }
        let now = clock::monotonic();
        if let Some(since) = self.full_since {
            self.around.metrics.waited(Cause::Memory, now - since);
        }
        self.full_since = self.pauses.is_memory_full().then_some(now);
    }

    /// Pauses consumption for a reason, or lets go of it.
    fn pause(&mut self, reason: Reason, holds: bool) {
        let partitions: Vec<String> = self.feeds.keys().map(PartitionId::to_string).collect();
        if self.pauses.change(reason, holds, &partitions.join(" "))
            && let Err(error) = self.reader.pause(self.pauses.is_paused())
        {
            tracing::error!(%error, "consumption could not be paused or resumed");
        }
    }

    /// Polls once, interprets what came, and queues it behind its dead letters.
    fn read(&mut self) -> Result<(), WorkerError> {
        let waits = self.feeds.values().any(|lane| !lane.decoded.is_empty()) || !self.replays.is_empty();
        let wait = if waits { POLL_WAIT_SHORT } else { POLL_WAIT };
        let (feeds, progress, keep) = (&mut self.feeds, &self.around.progress, self.around.letters.is_some());
        let mut letters = Vec::new();
        let (mut begun, mut newest) = (None, Timestamp::MAX);
        let polled = self.reader.poll(wait, &mut |event| match event {
            LogEvent::Record(partition, record, origin) => {
                let Some(lane) = feeds.get_mut(&partition).filter(|lane| !lane.halted) else { return };
                begun.get_or_insert_with(|| (clock::monotonic(), clock::wall()));
                newest = record.log_timestamp;
                let walk = lane.feed.walk();
                let outcome = walk.record(&record);
                let late = walk.late_policy();
                if let Some(outcome) = outcome.filter(|_| record.offset >= lane.counted) {
                    lane.tally.add(outcome, late);
                }
                letters.extend(
                    outcome.filter(|_| keep).and_then(|outcome| letter(partition, &record, origin, outcome, late)),
                );
            }
            LogEvent::End(partition, end) => {
                progress.set_log_end(partition, end);
                if let Some(lane) = feeds.get_mut(&partition).filter(|lane| !lane.halted) {
                    lane.feed.walk().advance_to(end);
                }
            }
        });
        if let Some((at, wall)) = begun {
            self.around.metrics.spent(Stage::Decode, clock::monotonic() - at);
            // The history waited in the log for its own reasons, and a log without timestamps says nothing.
            if self.around.freshness.is_live() && newest < Timestamp::MAX {
                self.around.metrics.spent(Stage::Queue, wall - newest);
            }
        }
        let ticket = match &self.around.letters {
            Some(writer) if !letters.is_empty() => {
                let begin = clock::monotonic();
                let ticket = writer.submit(letters).map_err(WorkerError::Letters)?;
                self.around.metrics.waited(Cause::DeadLetters, clock::monotonic() - begin);
                ticket
            }
            _ => 0,
        };
        for lane in self.feeds.values_mut() {
            let walk = lane.feed.walk();
            walk.cut();
            for chunk in walk.take() {
                let has_letters = chunk.deltas.late + chunk.deltas.dead_lettered > 0;
                lane.decoded.push_back((chunk, if has_letters { ticket } else { 0 }));
            }
            lane.count();
        }
        polled.or_else(|error| self.complain(error))
    }

    /// A partition that cannot go on halts; a log that does not answer is asked again.
    fn complain(&mut self, error: LogError) -> Result<(), WorkerError> {
        if let Some(partition) = error.halted() {
            self.around.progress.halt(partition, &error.to_string());
            if let Some(lane) = self.feeds.get_mut(&partition) {
                lane.halted = true;
            }
        } else if self.complained.is_none_or(|since| since.elapsed() >= COMPLAIN_EVERY) {
            self.complained = Some(Instant::now());
            tracing::warn!(%error, "the log does not answer; trying on");
        }
        Ok(())
    }

    /// Lets go of every chunk whose dead letters are on disk.
    fn release(&mut self) -> Result<(), WorkerError> {
        for partition in self.feeds.keys().copied().collect::<Vec<_>>() {
            while let Some(chunk) = self.next_released(partition)? {
                let (from, to, records) = (chunk.from, chunk.to, chunk.deltas.records);
                let _span = tracing::debug_span!("ingest", %partition, from, to, records).entered();
                let begin = clock::monotonic();
                let mut wants = Vec::new();
                if let Some(lane) = self.feeds.get_mut(&partition) {
                    lane.feed.chunk(now(), chunk, &mut wants);
                }
                self.perform(partition, wants);
                if records > 0 {
                    self.around.metrics.spent(Stage::Route, clock::monotonic() - begin);
                }
            }
        }
        Ok(())
    }

    fn next_released(&mut self, partition: PartitionId) -> Result<Option<Chunk>, WorkerError> {
        let Some(lane) = self.feeds.get_mut(&partition) else { return Ok(None) };
        let Some((_, ticket)) = lane.decoded.front() else { return Ok(None) };
        if let Some(writer) = self.around.letters.as_ref().filter(|writer| !writer.is_written(*ticket)) {
            if lane.decoded.len() < WAITING_CHUNKS_MAX {
                return Ok(None);
            }
            let begin = clock::monotonic();
            writer.wait(*ticket).map_err(WorkerError::Letters)?;
            self.around.metrics.waited(Cause::DeadLetters, clock::monotonic() - begin);
        }
        Ok(lane.decoded.pop_front().map(|(chunk, _)| chunk))
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Restarted { at, handle, stands } => self.restarted(at, handle, &stands),
            Command::Discovered { partition, ranges } => self.discovered(partition, ranges),
            Command::Halted(partition) => self.halted(partition),
        }
    }

    fn discovered(&mut self, partition: PartitionId, ranges: RangeSet) {
        // A thread that began after the partition was found has it already.
        if self.feeds.contains_key(&partition) {
            return;
        }
        let begin = self.around.progress.start(partition);
        let (mut wants, groups) = (Vec::new(), vec![(begin, ranges)]);
        self.feeds.insert(partition, Lane::new(&self.around, partition, groups, now(), &mut wants));
        if self.later.is_empty() {
            self.open_again(partition);
        } else {
            self.later.push_back((partition, 0)); // after all that were there at the start, together
        }
        self.perform(partition, wants);
    }

    fn halted(&mut self, partition: PartitionId) {
        let Some(lane) = self.feeds.get_mut(&partition).filter(|lane| !lane.halted) else { return };
        lane.halted = true;
        lane.decoded.clear();
        self.open_again(partition);
    }

    fn open_again(&mut self, partition: PartitionId) {
        if let Err(error) = self.open() {
            self.around.progress.halt(partition, &error.to_string());
        }
    }

    fn restarted(&mut self, at: usize, handle: ShardHandle, stands: &[Stand]) {
        // This thread may have begun with that life already: its ranges then stand where it has brought them.
        if self.shards[at].as_ref().is_some_and(|known| known.is_same_life(&handle)) {
            return;
        }
        self.shards[at] = Some(handle);
        for partition in self.feeds.keys().copied().collect::<Vec<_>>() {
            let begin = || self.around.progress.start(partition);
            let mut wants = Vec::new();
            for Stand { ranges, positions } in stands {
                let position = positions.get(&partition).cloned().unwrap_or_else(begin);
                if let Some(lane) = self.feeds.get_mut(&partition) {
                    lane.feed.restart(now(), ranges, position, &mut wants);
                }
            }
            self.perform(partition, wants);
        }
    }

    fn perform(&mut self, partition: PartitionId, wants: Vec<Want>) {
        for want in wants {
            match want {
                Want::Apply(frame, ranges) => {
                    let handed = clock::monotonic();
                    self.apply(Arc::new(Rows::new(frame, ranges, self.shards.len(), handed)));
                }
                Want::OpenReplay { id, from, until } => self.replays.open(&self.around, partition, id, from, until),
                Want::PullReplay(id) => self.replays.want(partition, id),
                Want::CloseReplay(id) => self.replays.close(partition, id),
                Want::Reread(_) => {
                    if let Some(lane) = self.feeds.get_mut(&partition) {
                        lane.decoded.clear();
                    }
                    self.open_again(partition);
                }
                Want::Halt(why) => {
                    self.around.progress.halt(partition, &why);
                    if let Some(lane) = self.feeds.get_mut(&partition) {
                        lane.halted = true;
                    }
                }
            }
        }
    }

    /// Every shard gets every frame: also those without a row for them move over it.
    fn apply(&mut self, rows: Arc<Rows>) {
        for at in 0..self.shards.len() {
            let Some(handle) = &self.shards[at] else { continue };
            let done = match handle.try_apply(&rows) {
                Ok(true) => Ok(()),
                Ok(false) => {
                    let begin = clock::monotonic();
                    let done = self.wait_for_shard(at, &handle.clone(), &rows);
                    self.around.metrics.waited(Cause::Shards, clock::monotonic() - begin);
                    done
                }
                Err(gone) => Err(gone),
            };
            // Its successor comes with a command; until then its ranges get nothing.
            if done == Err(Gone) {
                self.shards[at] = None;
            }
        }
    }

    /// Hands a frame to a shard that has no free permit. A moment's wait keeps the pace; a longer one pauses consumption,
    /// so that nothing is fetched that nobody takes.
    fn wait_for_shard(&mut self, at: usize, handle: &ShardHandle, rows: &Arc<Rows>) -> Result<(), Gone> {
        if let Some(done) = self.try_for(PAUSE_AFTER, handle, rows) {
            return done;
        }
        self.pause(Reason::Shard(at), true);
        let done = loop {
            if let Some(done) = self.try_for(STALLED_TURN, handle, rows) {
                break done;
            }
            if self.around.stop.load(Ordering::Relaxed) {
                break Ok(()); // the state ends with the node
            }
        };
        self.pause(Reason::Shard(at), false);
        done
    }

    fn try_for(&self, patience: Duration, handle: &ShardHandle, rows: &Arc<Rows>) -> Option<Result<(), Gone>> {
        let applied = async { tokio::time::timeout(patience, handle.apply(Arc::clone(rows))).await };
        self.around.runtime.block_on(applied).ok()
    }
}

impl Lane {
    fn new(
        around: &Surroundings,
        partition: PartitionId,
        groups: Groups,
        now: Timestamp,
        wants: &mut Vec<Want>,
    ) -> Self {
        let (history, topic) = (Arc::clone(&around.history), around.log.topic(partition));
        let mut feed = PartitionFeed::new(around.me, topic, partition, history, groups, now, wants);
        let meter = around.metrics.partition(partition, feed.next(), feed.walk().counters());
        Self {
            feed,
            counted: meter.as_ref().map_or(Offset::MAX, |meter| meter.next()),
            meter,
            tally: Tally::default(),
            decoded: VecDeque::new(),
            halted: around.progress.halted(partition).is_some(),
        }
    }

    /// Adds what was read since the last call to the metrics.
    fn count(&mut self) {
        let Some(meter) = &self.meter else { return };
        let walk = self.feed.walk();
        if walk.next() > self.counted {
            self.counted = meter.read_to(walk.next(), walk.counters(), &mut self.tally);
        }
    }
}

/// The node's monotonic clock, as the feed counts it.
fn now() -> Timestamp {
    Timestamp(clock::monotonic().0)
}
