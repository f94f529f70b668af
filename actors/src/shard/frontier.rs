//! Positions that ranges share. Ranges that stand together move together, so the cost of a frame does not grow with
//! ranges x partitions. Knows no page.

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::ids::SourceId;
use featuregrid_protocol::position::{PartitionPosition, Positions, t_max};
use featuregrid_protocol::time::Timestamp;
use smallvec::SmallVec;

/// T(v) by source.
type Clocks = SmallVec<[Timestamp; 2]>;

fn clocks(positions: &Positions) -> Clocks {
    let last = positions.keys().next_back().map(|partition| partition.source().0);
    (0..last.map_or(0, |last| last + 1)).map(|source| t_max(positions, SourceId(source))).collect()
}

/// T(v) of one source.
pub(crate) fn t_of(clocks: &[Timestamp], source: SourceId) -> Timestamp {
    clocks.get(usize::from(source.0)).copied().unwrap_or(Timestamp::MIN)
}

#[derive(Debug, Default)]
struct Frontier {
    positions: Positions,
    /// By source.
    clocks: Clocks,
    /// Ranges that stand here; 0: free to be used again.
    members: usize,
    /// Of the members, those the present frame moves.
    moving: usize,
    /// Where the moving ones go, if others stay.
    fork: Option<usize>,
}

/// All frontiers of a shard.
#[derive(Debug, Default)]
pub(crate) struct Frontiers(Vec<Frontier>);

impl Frontiers {
    /// One more range stands at `positions`.
    pub(crate) fn join(&mut self, positions: Positions) -> usize {
        if let Some(at) = self.0.iter().position(|frontier| frontier.members > 0 && frontier.positions == positions) {
            self.0[at].members += 1;
            return at;
        }
        let frontier = Frontier { clocks: clocks(&positions), positions, members: 1, ..Frontier::default() };
        self.put(frontier)
    }

    /// One range stands here no longer.
    pub(crate) fn leave(&mut self, at: usize) {
        self.0[at].members -= 1;
    }

    pub(crate) fn positions(&self, at: usize) -> &Positions {
        &self.0[at].positions
    }

    /// T(v) of every source that has one; see [`t_of`].
    pub(crate) fn clocks(&self, at: usize) -> &[Timestamp] {
        &self.0[at].clocks
    }

    /// A member will be moved by the frame at hand.
    pub(crate) fn mark(&mut self, at: usize) {
        self.0[at].moving += 1;
    }

    /// Moves everything that was marked; [`Frontiers::moved`] then says where each marked range stands.
    pub(crate) fn advance(&mut self, frame: &Frame) {
        for at in 0..self.0.len() {
            let frontier = &mut self.0[at];
            let (moving, members) = (std::mem::take(&mut frontier.moving), frontier.members);
            if moving == 0 {
                continue;
            }
            if moving == members {
                frontier.advance(frame);
                frontier.fork = Some(at);
                continue;
            }
            frontier.members -= moving;
            let mut fork = Frontier {
                positions: frontier.positions.clone(),
                clocks: frontier.clocks.clone(),
                members: moving,
                ..Frontier::default()
            };
            fork.advance(frame);
            let to = self.put(fork);
            self.0[at].fork = Some(to);
        }
    }

    /// Where a marked range of frontier `at` stands now.
    pub(crate) fn moved(&self, at: usize) -> usize {
        self.0[at].fork.unwrap_or(at)
    }

    /// Ranges that caught up stand together again: (frontier given up, frontier to use instead). Asked for each
    /// frontier that a frame moved.
    pub(crate) fn reunite(&mut self, moved: usize) -> Option<(usize, usize)> {
        let mine = &self.0[moved];
        let twin = self.0.iter().enumerate().position(|(at, other)| {
            at != moved && other.members > 0 && mine.members > 0 && other.positions == mine.positions
        })?;
        self.0[twin].members += std::mem::take(&mut self.0[moved].members);
        Some((moved, twin))
    }

    fn put(&mut self, frontier: Frontier) -> usize {
        match self.0.iter().position(|free| free.members == 0) {
            Some(at) => {
                self.0[at] = frontier;
                at
            }
            None => {
                self.0.push(frontier);
                self.0.len() - 1
            }
        }
    }
}

impl Frontier {
    fn advance(&mut self, frame: &Frame) {
        let position = self.positions.entry(frame.partition).or_insert_with(|| PartitionPosition::start(frame.from));
        position.next = frame.to;
        position.max = frame.max_after;
        position.counters += &frame.deltas;
        let source = usize::from(frame.partition.source().0);
        if self.clocks.len() <= source {
            self.clocks.resize(source + 1, Timestamp::MIN);
        }
        self.clocks[source] = self.clocks[source].max(frame.max_after);
    }
}
