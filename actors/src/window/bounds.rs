//! Where the levels of a ladder end at T. Knows no tile.

use featuregrid_protocol::time::{Span, Timestamp};
use smallvec::SmallVec;

use super::Shape;

/// Level-0 tiles that may be overdue before a page is folded for them alone: a fold moves the whole page, so it waits
/// for several; a read or snapshot never sees them.
const OVERDUE_TILES: i64 = 8;

/// The boundaries of one ladder at one T.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Rows before this are tiled.
    pub(crate) raw: Timestamp,
    /// Per level: tiles that start before this have left it.
    pub(crate) levels: SmallVec<[Timestamp; 4]>,
    /// Level-0 tiles that start before this make a fold worth its cost.
    pub(crate) overdue: Timestamp,
}

impl Bounds {
    /// At `t_max`.
    pub(crate) fn at(shape: &Shape, t_max: Timestamp) -> Self {
        let levels: SmallVec<[Timestamp; 4]> =
            shape.levels.iter().map(|level| level.boundary(t_max, shape.slack)).collect();
        let overdue = Span(shape.levels[0].hop.0.saturating_mul(OVERDUE_TILES));
        Self { raw: t_max - shape.slack_exact, overdue: levels[0] - overdue, levels }
    }

    /// What no answerable read can see starts before this, lifetime apart.
    pub(crate) fn prune(&self) -> Timestamp {
        self.levels[self.levels.len() - 1]
    }

    /// The level of a row, and the start of its tile; `None` where it is pruned.
    #[inline]
    pub(crate) fn place(&self, shape: &Shape, ts: Timestamp) -> Option<(usize, Timestamp)> {
        let level = self.levels.iter().position(|boundary| ts >= *boundary)?;
        Some((level, ts.floor(shape.levels[level].hop)))
    }
}
