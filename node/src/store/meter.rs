//! What the object store was asked for, as counters: by kind and outcome, in bytes, and as a bill counts requests. Knows no
//! sum of money, but by which list it is to be reckoned.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use featuregrid_actors::ports::{DeleteOutcome, GetOutcome, ListOutcome, PutOutcome, StoreReply, StoreRequest};

use super::object::{BoxFuture, ObjectStore};
use super::prices::Prices;

/// Marks are this far apart at least: what is asked for now is told by the time since the one before the last.
pub const MARK_EVERY: Duration = Duration::from_secs(60);

/// Every kind of request with every outcome it may have, in the order of [`Used::answers`].
pub const ANSWERS: [(&str, &str); 11] = [
    ("get", "found"),
    ("get", "absent"),
    ("get", "unavailable"),
    ("list", "listed"),
    ("list", "unavailable"),
    ("put", "done"),
    ("put", "lost"),
    ("put", "retry"),
    ("put", "unknown"),
    ("delete", "done"),
    ("delete", "unknown"),
];

/// As which kind of request a bill has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billed {
    /// PUT, POST, LIST.
    Write,
    /// GET, HEAD.
    Read,
    /// DELETE.
    Free,
}

/// Counters of one store of one process.
#[derive(Debug)]
pub struct Meter {
    begin: Instant,
    prices: Option<Prices>,
    answers: [AtomicU64; ANSWERS.len()],
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
    billed_writes: AtomicU64,
    billed_reads: AtomicU64,
    /// How much it was at the last two marks, the older one first.
    marks: Mutex<[Amount; 2]>,
}

/// How much of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// In this time.
    pub time: Duration,
    /// Requests of the port.
    pub requests: u64,
    /// Bytes read and written.
    pub bytes: u64,
    /// PUT, POST and LIST requests on the wire, repeated ones included.
    pub billed_writes: u64,
    /// GET and HEAD requests on the wire, repeated ones included.
    pub billed_reads: u64,
}

impl Amount {
    /// A count of it as it would be in a minute.
    #[must_use]
    pub fn per_minute(&self, count: u64) -> f64 {
        count as f64 * 60.0 / self.time.as_secs_f64().max(1.0)
    }

    fn since(self, mark: Self) -> Self {
        Self {
            time: self.time.saturating_sub(mark.time),
            requests: self.requests.saturating_sub(mark.requests),
            bytes: self.bytes.saturating_sub(mark.bytes),
            billed_writes: self.billed_writes.saturating_sub(mark.billed_writes),
            billed_reads: self.billed_reads.saturating_sub(mark.billed_reads),
        }
    }
}

/// What was asked for so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// All of it.
    pub total: Amount,
    /// Of the last minute or two: what begins a node is forgotten then.
    pub recent: Amount,
    /// By which list it costs money, if it does.
    pub prices: Option<Prices>,
    /// Requests of the port, by [`ANSWERS`].
    pub answers: [u64; ANSWERS.len()],
    /// Bytes that came with objects.
    pub bytes_read: u64,
    /// Bytes of objects that were sent, landed or not.
    pub bytes_written: u64,
}

impl Default for Meter {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Meter {
    /// Nothing counted yet, of a store with or without a price.
    #[must_use]
    pub fn new(prices: Option<Prices>) -> Self {
        Self {
            begin: Instant::now(),
            prices,
            answers: Default::default(),
            bytes_read: AtomicU64::default(),
            bytes_written: AtomicU64::default(),
            billed_writes: AtomicU64::default(),
            billed_reads: AtomicU64::default(),
            marks: Mutex::default(),
        }
    }

    /// A request was sent to a server that asks for money.
    pub fn sent(&self, billed: Billed) {
        match billed {
            Billed::Write => self.billed_writes.fetch_add(1, Ordering::Relaxed),
            Billed::Read => self.billed_reads.fetch_add(1, Ordering::Relaxed),
            Billed::Free => 0,
        };
    }

    fn answered(&self, reply: &StoreReply) {
        let (answer, bytes) = match reply {
            StoreReply::Get { outcome: GetOutcome::Found(object), .. } => (0, object.bytes.len()),
            StoreReply::Get { outcome: GetOutcome::Absent, .. } => (1, 0),
            StoreReply::Get { outcome: GetOutcome::Unavailable, .. } => (2, 0),
            StoreReply::List { outcome: ListOutcome::Objects(_), .. } => (3, 0),
            StoreReply::List { outcome: ListOutcome::Unavailable, .. } => (4, 0),
            StoreReply::Put { outcome: PutOutcome::Done(_), .. } => (5, 0),
            StoreReply::Put { outcome: PutOutcome::Lost, .. } => (6, 0),
            StoreReply::Put { outcome: PutOutcome::Retry, .. } => (7, 0),
            StoreReply::Put { outcome: PutOutcome::Unknown, .. } => (8, 0),
            StoreReply::Delete { outcome: DeleteOutcome::Done, .. } => (9, 0),
            StoreReply::Delete { outcome: DeleteOutcome::Unknown, .. } => (10, 0),
        };
        self.answers[answer].fetch_add(1, Ordering::Relaxed);
        self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
        self.marked(self.total());
    }

    fn total(&self) -> Amount {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Amount {
            time: self.begin.elapsed(),
            requests: self.answers.iter().map(now).sum(),
            bytes: now(&self.bytes_read) + now(&self.bytes_written),
            billed_writes: now(&self.billed_writes),
            billed_reads: now(&self.billed_reads),
        }
    }

    /// The older mark, after a new one was made if it is time.
    fn marked(&self, total: Amount) -> Amount {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let [older, newer] = &mut *marks;
        if total.time.saturating_sub(newer.time) >= MARK_EVERY {
            *older = std::mem::replace(newer, total);
        }
        *older
    }

    /// So far.
    #[must_use]
    pub fn used(&self) -> Used {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let total = self.total();
        Used {
            total,
            recent: total.since(self.marked(total)),
            prices: self.prices,
            answers: self.answers.each_ref().map(now),
            bytes_read: now(&self.bytes_read),
            bytes_written: now(&self.bytes_written),
        }
    }
}

/// A store whose requests are counted.
#[derive(Debug)]
pub struct Metered {
    inner: Arc<dyn ObjectStore>,
    meter: Arc<Meter>,
}

impl Metered {
    /// Counts what `inner` is asked for.
    #[must_use]
    pub fn new(inner: Arc<dyn ObjectStore>, meter: Arc<Meter>) -> Self {
        Self { inner, meter }
    }
}

impl ObjectStore for Metered {
    fn perform(&self, request: StoreRequest) -> BoxFuture<'_, StoreReply> {
        if let StoreRequest::Put { body, .. } = &request {
            self.meter.bytes_written.fetch_add(body.len() as u64, Ordering::Relaxed);
        }
        let answer = self.inner.perform(request);
        Box::pin(async move {
            let reply = answer.await;
            self.meter.answered(&reply);
            reply
        })
    }

    fn place(&self) -> String {
        self.inner.place()
    }

    fn used(&self) -> Used {
        self.meter.used()
    }
}

#[cfg(test)]
mod tests {
    //! Every answer is counted once, under its name.
    use featuregrid_actors::ports::{Prefix, PutCondition, Requests};

    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::store::selftest::trial;

    #[tokio::test]
    async fn every_answer_is_counted_under_its_name() {
        let store = Metered::new(Arc::new(MemoryStore::default()), Arc::default());
        let (mut requests, key) = (Requests::new(1, 1), trial("a"));
        let mut id = || requests.next_id();
        let put =
            |id| StoreRequest::Put { id, key: key.clone(), body: b"abc"[..].into(), condition: PutCondition::Absent };
        for request in [
            StoreRequest::Get { id: id(), key: key.clone(), bytes: None },
            put(id()),
            put(id()),
            StoreRequest::Get { id: id(), key: key.clone(), bytes: Some(1..9) },
            StoreRequest::List { id: id(), prefix: Prefix::Parts },
            StoreRequest::Delete { id: id(), key: key.clone() },
        ] {
            store.perform(request).await;
        }
        let used = store.used();
        let counted: Vec<_> =
            ANSWERS.iter().zip(used.answers).filter(|(_, n)| *n > 0).map(|(name, n)| (*name, n)).collect();
        let want = [
            ("get", "found"),
            ("get", "absent"),
            ("list", "listed"),
            ("put", "done"),
            ("put", "lost"),
            ("delete", "done"),
        ];
        assert_eq!(counted, want.map(|name| (name, 1)));
        assert_eq!((used.bytes_read, used.bytes_written, used.total.requests, used.total.bytes), (2, 6, 6, 8));
        assert_eq!((used.total.billed_writes, used.total.billed_reads), (0, 0), "memory costs nothing");
    }

    #[test]
    fn the_beginning_is_forgotten() {
        let meter = Meter::default();
        let at = |minutes, requests| Amount { time: MARK_EVERY * minutes, requests, ..Amount::default() };
        let recent = |total: Amount| total.since(meter.marked(total));
        assert_eq!(recent(at(1, 1000)), at(1, 1000));
        assert_eq!(recent(at(2, 1060)), at(1, 60));
        assert_eq!(recent(at(3, 1120)), at(1, 60));
        assert!((at(2, 60).per_minute(60) - 30.0).abs() < 1e-9);
    }
}
