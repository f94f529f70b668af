//! One pass from newest to oldest that answers every window of a ladder at once. Knows no page: rows and tiles are fed to it.
//!
//! Windows at one instant are nested suffixes of time. What is fed is accumulated once; when the pass goes by the tail
//! edge of a window, the running cells are that window's answer.

use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::time::{Span, Timestamp};

use super::Shape;
use crate::aggregate::Accumulator;

/// Memory of passes, kept between reads: one row of columns for each window, then one for lifetime.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    cells: Vec<Accumulator>,
    running: Vec<Accumulator>,
    /// Windows by tail edge, newest first: (edge, index).
    edges: Vec<(Timestamp, usize)>,
    columns: usize,
}

impl Snapshots {
    /// The cell of `column` in a window's answer; `None` is lifetime.
    pub(crate) fn cell(&self, window: Option<usize>, column: usize) -> &Accumulator {
        let row = window.unwrap_or(self.edges.len());
        &self.cells[row * self.columns + column]
    }
}

/// A pass under way.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    out: &'a mut Snapshots,
    head: Timestamp,
    next: usize,
}

impl<'a> Pass<'a> {
    /// Starts a pass for the windows of `shape` at `at`.
    pub(crate) fn start(out: &'a mut Snapshots, shape: &Shape, at: Timestamp) -> Self {
        out.columns = shape.inputs.len();
        out.edges.clear();
        out.edges.extend(shape.windows.iter().enumerate().map(|(index, window)| {
            let edge = (at - window.span).floor(window.hop);
            (if plants::on(Plant::TailOffByOne) { edge + window.hop } else { edge }, index)
        }));
        out.edges.sort_unstable_by(|a, b| b.cmp(a));
        out.running.clear();
        out.running.resize(out.columns, Accumulator::default());
        out.cells.clear();
        out.cells.resize(out.columns * (out.edges.len() + 1), Accumulator::default());
        let head = if plants::on(Plant::HeadInclusive) { at + Span::TICK } else { at };
        Self { out, head, next: 0 }
    }

    /// Whether what stands at `ts` lies before the head; moves past the tail edges behind it.
    #[inline]
    pub(crate) fn reach(&mut self, ts: Timestamp) -> bool {
        if ts >= self.head {
            return false;
        }
        while let Some((edge, window)) = self.out.edges.get(self.next).copied()
            && ts < edge
        {
            self.close(window);
            self.next += 1;
        }
        true
    }

    /// Whether every window has been passed.
    pub(crate) fn is_past_all(&self) -> bool {
        self.next == self.out.edges.len()
    }

    /// The running cell of a column, to be merged into.
    #[inline]
    pub(crate) fn running(&mut self, column: usize) -> &mut Accumulator {
        &mut self.out.running[column]
    }

    /// What was fed so far is what lifetime holds beside the header's `kept` cells.
    pub(crate) fn close_lifetime(&mut self, kept: impl Fn(usize) -> Accumulator) {
        let row = self.out.edges.len() * self.out.columns;
        for column in 0..self.out.columns {
            let mut cell = kept(column);
            cell.merge(&self.out.running[column]);
            self.out.cells[row + column] = cell;
        }
    }

    /// Everything was fed: the windows still open hold all of it.
    pub(crate) fn finish(mut self) {
        while let Some((_, window)) = self.out.edges.get(self.next).copied() {
            self.close(window);
            self.next += 1;
        }
    }

    fn close(&mut self, window: usize) {
        let columns = self.out.columns;
        self.out.cells[window * columns..][..columns].copy_from_slice(&self.out.running);
    }
}
