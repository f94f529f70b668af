//! What happens next: a heap of events in order of (time, sequence), so that equal times keep the order they were
//! planned in. Knows nothing of what the events mean.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Simulated microseconds since the run began.
pub type Micros = i64;

/// Events by time, then by the order they were pushed in.
#[derive(Debug)]
pub struct Heap<E> {
    entries: BinaryHeap<Reverse<Entry<E>>>,
    sequence: u64,
    now: Micros,
}

#[derive(Debug)]
struct Entry<E> {
    at: Micros,
    sequence: u64,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl<E> Default for Heap<E> {
    fn default() -> Self {
        Self { entries: BinaryHeap::new(), sequence: 0, now: 0 }
    }
}

impl<E> Heap<E> {
    /// The time of the event popped last.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.now
    }

    /// Plans `event`; a time that has passed means now.
    pub fn push(&mut self, at: Micros, event: E) {
        self.sequence += 1;
        self.entries.push(Reverse(Entry { at: at.max(self.now), sequence: self.sequence, event }));
    }

    /// Moves time to the next event that is not after `until`.
    pub fn pop(&mut self, until: Micros) -> Option<E> {
        if self.entries.peek()?.0.at > until {
            self.now = until;
            return None;
        }
        let Reverse(entry) = self.entries.pop()?;
        self.now = entry.at;
        Some(entry.event)
    }

    /// Events planned.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is planned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    //! Equal times keep their order; time never runs backwards.
    use super::*;

    #[test]
    fn equal_times_keep_their_order() {
        let mut heap = Heap::default();
        heap.push(5, "b");
        heap.push(3, "a");
        heap.push(5, "c");
        assert_eq!([heap.pop(9), heap.pop(9)], [Some("a"), Some("b")]);
        heap.push(1, "late");
        assert_eq!([heap.pop(9), heap.pop(4), heap.pop(9)], [Some("c"), None, Some("late")]);
        assert_eq!(heap.now(), 5);
    }
}
