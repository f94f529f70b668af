//! Writes dead letters behind the readers, many at once: a commit costs the same for one as for a hundred. Knows no
//! partition; a reader waits for its own ticket before it lets the interval go.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::{DeadLetter, Letters};

/// Letters that wait to be written; then readers wait, too. About a second of a bad topic.
const WAITING_MAX: usize = 16_384;
/// The same in bytes of payload: a letter can be as large as a record.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// Everything up to this number was handed in by then.
pub type Ticket = u64;

#[derive(Default)]
struct Queue {
    letters: Vec<DeadLetter>,
    bytes: usize,
    submitted: Ticket,
    failed: Option<String>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    written: AtomicU64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to the writing thread.
pub struct LetterWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl LetterWriter {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(letters: Arc<dyn Letters>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("dead-letters".to_owned()).spawn(move || run(&own, &*letters))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Hands letters in; the ticket is due once they are on disk.
    ///
    /// # Errors
    /// Why the file cannot be written any more.
    pub fn submit(&self, letters: Vec<DeadLetter>) -> Result<Ticket, String> {
        let mut queue = self.shared.lock();
        while (queue.letters.len() >= WAITING_MAX || queue.bytes >= WAITING_BYTES_MAX) && queue.failed.is_none() {
            queue = self.shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(why) = &queue.failed {
            return Err(why.clone());
        }
        queue.bytes += letters.iter().filter_map(|letter| letter.payload.as_ref()).map(Vec::len).sum::<usize>();
        queue.letters.extend(letters);
        queue.submitted += 1;
        let ticket = queue.submitted;
        drop(queue);
        self.shared.changed.notify_all();
        Ok(ticket)
    }

    /// Whether the letters of a ticket are on disk.
    #[must_use]
    pub fn is_written(&self, ticket: Ticket) -> bool {
        self.shared.written.load(Ordering::Acquire) >= ticket
    }

    /// Waits until the letters of a ticket are on disk.
    ///
    /// # Errors
    /// Why the file cannot be written any more.
    pub fn wait(&self, ticket: Ticket) -> Result<(), String> {
        let mut queue = self.shared.lock();
        while !self.is_written(ticket) {
            if let Some(why) = &queue.failed {
                return Err(why.clone());
            }
            queue = self.shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }
}

impl Drop for LetterWriter {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of dead letters ended by a panic");
        }
    }
}

fn run(shared: &Shared, place: &dyn Letters) {
    let mut queue = shared.lock();
    loop {
        let letters = std::mem::take(&mut queue.letters);
        queue.bytes = 0;
        let ticket = queue.submitted;
        if shared.written.load(Ordering::Acquire) == ticket {
            if queue.closed {
                return;
            }
            queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        drop(queue);
        let done = place.write(&letters);
        queue = shared.lock();
        match done {
            Ok(()) => shared.written.store(ticket, Ordering::Release),
            Err(error) => {
                tracing::error!(%error, "dead letters cannot be written; reading stops");
                queue.failed = Some(error.to_string());
            }
        }
        shared.changed.notify_all();
        if queue.failed.is_some() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    //! A ticket is due exactly when its letters are on disk.
    use featuregrid_protocol::ids::PartitionId;
    use featuregrid_protocol::time::Timestamp;

    use super::*;
    use crate::store::dead_letters::file::LetterFile;

    #[test]
    fn tickets_follow_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let file = Arc::new(LetterFile::open(&folder.path().join("letters")).unwrap());
        let writer = LetterWriter::start(Arc::clone(&file) as Arc<dyn Letters>).unwrap();
        let count = || {
            let mut count = 0;
            file.each(&mut |_| {
                count += 1;
                true
            })
            .unwrap();
            count
        };
        for offset in 0..50 {
            let letter = DeadLetter {
                partition: PartitionId(0),
                offset,
                reason: "late".into(),
                timestamp: Timestamp(0),
                key: None,
                headers: Vec::new(),
                payload: Some(vec![1]),
            };
            let ticket = writer.submit(vec![letter]).unwrap();
            if offset % 7 == 0 {
                writer.wait(ticket).unwrap();
                assert!(writer.is_written(ticket) && count() > offset);
            }
        }
        drop(writer);
        assert_eq!(count(), 50);
    }
}
