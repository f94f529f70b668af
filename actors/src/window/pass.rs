//! One pass from newest to oldest that answers every window of a group at once. Knows no page: rows and tiles are fed to it.
//!
//! Windows with one head are nested suffixes of time. What is fed is accumulated once; when the pass goes by the tail
//! edge of a window, the running cells are that window's answer.

use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::time::{Span, Timestamp};

use super::{Group, Shape};
use crate::aggregate::{Accumulator, Form};

/// Memory of passes, kept between reads: the cells of each window, of lifetime, and those that run. They have the form
/// of the page, whose weight covers the sum of all its rows.
#[derive(Debug)]
pub(crate) struct Snapshots {
    words: Vec<u64>,
    /// Words of the cells of one window.
    each: usize,
    form: Form,
    /// Where the windows end.
    head: Timestamp,
    /// Windows by tail edge, newest first: (edge, index).
    edges: Vec<(Timestamp, usize)>,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self { words: Vec::new(), each: 0, form: Form::Narrow, head: Timestamp::MIN, edges: Vec::new() }
    }
}

impl Snapshots {
    /// How many rows a window's answer has; `None` is lifetime.
    pub(crate) fn rows(&self, shape: &Shape, window: Option<usize>) -> u64 {
        let at = window.unwrap_or(self.edges.len()) * self.each;
        shape.cells.n(&self.words[at..at + self.each], self.form, 0)
    }

    /// Where the windows end: nothing at or after it was counted.
    pub(crate) fn head(&self) -> Timestamp {
        self.head
    }

    /// The cell of `column` in a window's answer; `None` is lifetime.
    pub(crate) fn cell(&self, shape: &Shape, window: Option<usize>, column: usize) -> Accumulator {
        let at = window.unwrap_or(self.edges.len()) * self.each;
        shape.cells.load(&self.words[at..at + self.each], self.form, column)
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
    /// Starts a pass for a group of windows at an instant, over cells of `form`.
    pub(crate) fn start(out: &'a mut Snapshots, shape: &Shape, group: &Group, form: Form, at: Timestamp) -> Self {
        let (at, head) = group.seen_from(at);
        out.each = shape.cells.words(form);
        out.form = form;
        out.head = head;
        out.edges.clear();
        out.edges.extend(group.windows.iter().enumerate().map(|(index, window)| {
            let edge = (at - window.span).floor(window.hop);
            (if plants::on(Plant::TailOffByOne) { edge + window.hop } else { edge }, index)
        }));
        out.edges.sort_unstable_by(|a, b| b.cmp(a));
        out.words.clear();
        out.words.resize(out.each * (out.edges.len() + 2), 0);
        let head = if plants::on(Plant::HeadInclusive) { head + Span::TICK } else { head };
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

    /// The running cells, to be added to.
    #[inline]
    pub(crate) fn running(&mut self) -> &mut [u64] {
        let at = (self.out.edges.len() + 1) * self.out.each;
        &mut self.out.words[at..]
    }

    /// What was fed so far is what lifetime holds beside the `kept` cells of the header.
    pub(crate) fn close_lifetime(&mut self, shape: &Shape, kept: &[u64]) {
        let lifetime = self.out.edges.len();
        self.close(lifetime);
        let at = lifetime * self.out.each;
        shape.cells.merge(&mut self.out.words[at..at + self.out.each], self.out.form, kept);
    }

    /// Everything was fed: the windows still open hold all of it.
    pub(crate) fn finish(mut self) {
        while let Some((_, window)) = self.out.edges.get(self.next).copied() {
            self.close(window);
            self.next += 1;
        }
    }

    fn close(&mut self, row: usize) {
        let (each, running) = (self.out.each, (self.out.edges.len() + 1) * self.out.each);
        self.out.words.copy_within(running..running + each, row * each);
    }
}
