//! Positions that ranges share. Ranges that stand together move together, so the cost of a frame does not grow with
//! ranges x partitions. Knows no page.

use featuregrid_protocol::frame::Frame;
use featuregrid_protocol::position::{PartitionPosition, Positions, t_max};
use featuregrid_protocol::time::Timestamp;

#[derive(Debug, Default)]
struct Frontier {
    positions: Positions,
    t_max: Timestamp,
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
        let frontier = Frontier { t_max: t_max(&positions), positions, members: 1, ..Frontier::default() };
        self.put(frontier)
    }

    /// One range stands here no longer.
    pub(crate) fn leave(&mut self, at: usize) {
        self.0[at].members -= 1;
    }

    pub(crate) fn positions(&self, at: usize) -> &Positions {
        &self.0[at].positions
    }

    /// T(v).
    pub(crate) fn t_max(&self, at: usize) -> Timestamp {
        self.0[at].t_max
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
                t_max: frontier.t_max,
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
        self.t_max = self.t_max.max(frame.max_after);
    }
}
