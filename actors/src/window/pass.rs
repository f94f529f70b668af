//! One pass from newest to oldest that answers every window of a group at once. Knows no page: rows and tiles are fed to it.
//!
//! Windows with one head are nested suffixes of time. What is fed is accumulated once; when the pass goes by the tail
//! edge of a window, the running cells are that window's answer. Panes have nothing in common: behind each the running
//! cells begin anew.

use std::ops::Range;

use featuregrid_protocol::plants::{self, Plant};
use featuregrid_protocol::time::{Span, Timestamp};

use super::group::Group;
use super::{Extent, Shape};
use crate::aggregate::{Accumulator, Collection, Collections, Form, decay, merge};

/// Memory of passes, kept between reads: the cells of each window, of lifetime, and those that run. They have the form
/// of the page, whose weight covers the sum of all its rows.
#[derive(Debug)]
pub(crate) struct Snapshots {
    words: Vec<u64>,
    /// Words of the cells of one window.
    each: usize,
    form: Form,
    /// Where the windows are seen from.
    from: Timestamp,
    /// Where they end; of panes the newest.
    end: Timestamp,
    /// Windows by tail edge, newest first: (edge, index).
    edges: Vec<(Timestamp, usize)>,
    /// By window: whether its tail was rounded because of the rows about it.
    rounded: Vec<bool>,
    /// Whether they are a session that may have begun earlier.
    is_cut: bool,
    /// Collections of each window, of lifetime, and those that run; none where the ladder has none.
    collections: Vec<Collections>,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self {
            words: Vec::new(),
            each: 0,
            form: Form::Narrow,
            from: Timestamp::MIN,
            end: Timestamp::MIN,
            edges: Vec::new(),
            rounded: Vec::new(),
            is_cut: false,
            collections: Vec::new(),
        }
    }
}

impl Snapshots {
    /// How many rows a window's answer has; `None` is lifetime.
    pub(crate) fn rows(&self, shape: &Shape, window: Option<usize>) -> u64 {
        let at = window.unwrap_or(self.edges.len()) * self.each;
        shape.cells.n(&self.words[at..at + self.each], self.form, 0)
    }

    /// Whether its window is a session that may have begun before events count.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Where a window ends: nothing at or after it was counted. `None` is lifetime.
    pub(crate) fn head(&self, group: &Group, window: Option<usize>) -> Timestamp {
        match (group.sight.panes(), window) {
            (Some(length), Some(window)) if !group.sight.is_decaying() => {
                group.windows[window].edge(self.from) + length
            }
            _ => self.end,
        }
    }

    /// Whether a window begins further back than it should; lifetime never does.
    pub(crate) fn is_rounded(&self, window: Option<usize>) -> bool {
        window.is_some_and(|window| self.rounded[window])
    }

    /// The cell of `column` in a window's answer; `None` is lifetime.
    pub(crate) fn cell(&self, shape: &Shape, window: Option<usize>, column: usize) -> Accumulator {
        let at = window.unwrap_or(self.edges.len()) * self.each;
        shape.cells.load(&self.words[at..at + self.each], self.form, column)
    }

    /// What a column has in all half-lives of a group together, each halved as often as one has begun since.
    pub(crate) fn decayed(&self, shape: &Shape, column: usize) -> Accumulator {
        let mut total = Accumulator::default();
        for halvings in 0..self.edges.len() {
            decay::add(&mut total, &self.cell(shape, Some(halvings), column), halvings as u32);
        }
        total
    }

    /// A collection in a window's answer; `None` is lifetime.
    pub(crate) fn collection(&self, window: Option<usize>, gather: usize) -> Option<&Collection> {
        self.collections.get(window.unwrap_or(self.edges.len()))?.get(gather)
    }
}

/// Where something lies that a pass meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Whether in the window under way, and not after its head.
    pub(crate) is_within: bool,
    /// What stands before it, but not before this, lies where it lies.
    pub(crate) down_to: Timestamp,
}

/// A pass under way.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    out: &'a mut Snapshots,
    /// How long each window is, where nothing is in two of them.
    panes: Option<Span>,
    /// Where the window under way ends; of panes the newest that was not passed.
    head: Timestamp,
    next: usize,
}

impl<'a> Pass<'a> {
    /// Starts a pass for the session that a group is of, over cells of `form`.
    pub(crate) fn over(out: &'a mut Snapshots, shape: &Shape, group: &Group, form: Form, session: Extent) -> Self {
        let mut pass = Self::start(out, shape, group, form, session.end, |_| false);
        pass.out.edges.clear();
        pass.out.edges.push((session.tail, 0));
        pass.out.end = session.end;
        pass.out.is_cut = session.is_cut;
        pass.head = session.head;
        pass
    }

    /// Starts a pass for a group of windows at an instant, over cells of `form`. Which pieces of time have too many rows
    /// to be cut is known to who feeds it.
    pub(crate) fn start(
        out: &'a mut Snapshots,
        shape: &Shape,
        group: &Group,
        form: Form,
        at: Timestamp,
        is_crowded: impl Fn(&Range<Timestamp>) -> bool,
    ) -> Self {
        let from = group.sight.seen_from(at);
        out.each = shape.cells.words(form);
        out.form = form;
        out.from = from;
        out.is_cut = false;
        out.edges.clear();
        out.rounded.clear();
        out.edges.extend(group.windows.iter().enumerate().map(|(index, window)| {
            let crowded = window.piece(from).filter(&is_crowded);
            out.rounded.push(crowded.is_some());
            let edge = crowded.map_or_else(|| window.edge(from), |piece| piece.start);
            (if plants::on(Plant::TailOffByOne) { edge + window.hop() } else { edge }, index)
        }));
        out.edges.sort_unstable_by(|a, b| b.cmp(a));
        out.words.clear();
        out.words.resize(out.each * (out.edges.len() + 2), 0);
        out.collections.clear();
        if !shape.gathers.is_empty() {
            out.collections.resize_with(out.edges.len() + 2, || shape.nothing());
        }
        out.end = group.end(from);
        let head = ended(out.end);
        Self { out, panes: group.sight.panes(), head, next: 0 }
    }

    /// Where what stands at `ts` lies; moves past the tail edges behind it.
    #[inline]
    pub(crate) fn reach(&mut self, ts: Timestamp) -> Reach {
        let mut edge = self.edge();
        while ts < self.head && ts < edge {
            self.leave();
            edge = self.edge();
        }
        let is_within = ts < self.head;
        Reach { is_within, down_to: if is_within { edge } else { self.head } }
    }

    /// The next tail edge.
    fn edge(&self) -> Timestamp {
        self.out.edges.get(self.next).map_or(Timestamp::MIN, |(edge, _)| *edge)
    }

    /// Whether the next tail edge lies behind `start`, so that what begins there may lie on both sides of it.
    pub(crate) fn cuts(&self, start: Timestamp) -> bool {
        start < self.edge()
    }

    /// What runs is the answer of the window under way, if there is one left.
    fn leave(&mut self) {
        let Some((_, window)) = self.out.edges.get(self.next).copied() else { return };
        self.next += 1;
        if let Some(length) = self.panes {
            self.close_pane(window);
            let next = self.out.edges.get(self.next);
            self.head = next.map_or(Timestamp::MIN, |(edge, _)| ended(*edge + length));
        } else {
            self.close(window);
        }
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

    /// The running collections, to be added to.
    pub(crate) fn collected(&mut self) -> &mut [Collection] {
        self.out.collections.last_mut().map_or(&mut [], |running| running)
    }

    /// What was fed so far is what lifetime holds beside the `kept` cells and collections of the header.
    pub(crate) fn close_lifetime(&mut self, shape: &Shape, kept: &[u64], collections: &[Collection]) {
        let lifetime = self.out.edges.len();
        self.close(lifetime);
        let at = lifetime * self.out.each;
        shape.cells.merge(&mut self.out.words[at..at + self.out.each], self.out.form, kept);
        if let Some(lifetime) = self.out.collections.get_mut(lifetime) {
            merge(lifetime, collections);
        }
    }

    /// Everything was fed: the windows still open hold all of it.
    pub(crate) fn finish(mut self) {
        while !self.is_past_all() {
            self.leave();
        }
    }

    /// What runs is an answer, and goes on.
    fn close(&mut self, row: usize) {
        self.close_words(row);
        if let Some((running, answers)) = self.out.collections.split_last_mut() {
            answers[row].clone_from(running);
        }
    }

    /// What runs is an answer, and begins anew.
    fn close_pane(&mut self, row: usize) {
        self.close_words(row);
        self.running().fill(0);
        if let Some((running, answers)) = self.out.collections.split_last_mut() {
            // In the place of the answer stood empty ones.
            std::mem::swap(running, &mut answers[row]);
        }
    }

    fn close_words(&mut self, row: usize) {
        let (each, running) = (self.out.each, (self.out.edges.len() + 1) * self.out.each);
        self.out.words.copy_within(running..running + each, row * each);
    }
}

/// An end, which is not in the window.
fn ended(head: Timestamp) -> Timestamp {
    if plants::on(Plant::HeadInclusive) { head + Span::TICK } else { head }
}
