//! What a page holds, for people who look at one entity. Knows no value: those are answered by reads alone.

use featuregrid_protocol::ids::PartitionId;
use featuregrid_protocol::row::Position;
use featuregrid_protocol::time::{Span, Timestamp};

use super::page::{Memory, POSITION_WORDS, Page};

/// The tiles of one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelFacts {
    /// The time one tile covers.
    pub hop: Span,
    /// How far back the level is kept.
    pub span: Span,
    /// Tiles that are there: only those with events are.
    pub tiles: usize,
}

/// The last record of one partition that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastApplied {
    /// Where it stands.
    pub position: Position,
    /// The newest event time of the partition's records.
    pub newest: Timestamp,
}

/// One page, folded to T.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageFacts {
    /// Bytes of memory it takes.
    pub bytes: usize,
    /// Rows that are not in tiles yet.
    pub raw_rows: usize,
    /// Finest first.
    pub levels: Vec<LevelFacts>,
    /// Whether what leaves the finest level is also kept for ever.
    pub lifetime: bool,
    /// The newest event time; [`Timestamp::MIN`] where all are forgotten.
    pub newest: Timestamp,
    /// Ascending by partition; partitions without a visible event are forgotten.
    pub positions: Vec<LastApplied>,
}

impl<M: Memory> Page<'_, M> {
    /// What a folded page holds.
    pub(crate) fn inspect(&self) -> PageFacts {
        let levels = self.shape.levels.iter().enumerate();
        let entries = self.memory.words()[self.positions_at()..].chunks_exact(POSITION_WORDS);
        let position = |entry: &[u64]| LastApplied {
            position: Position { partition: PartitionId(entry[0] as u32), offset: entry[1] },
            newest: Timestamp(entry[2] as i64),
        };
        PageFacts {
            bytes: size_of_val(self.memory.words()) + self.memory.gathered().bytes(),
            raw_rows: self.raw_len(),
            levels: levels
                .map(|(at, level)| LevelFacts { hop: level.hop, span: level.span, tiles: self.level_len(at) })
                .collect(),
            lifetime: self.shape.lifetime,
            newest: self.newest(),
            positions: entries.take(self.positions_len()).map(position).collect(),
        }
    }
}
