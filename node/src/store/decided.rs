//! A conditional write, driven until it is known what became of it: the shell around [`Write`]. Knows nothing of what is
//! written.

use std::time::{Duration, Instant};

use featuregrid_actors::ports::Requests;
use featuregrid_actors::ports::write::{Verdict, Write};

use super::object::ObjectStore;
use crate::clock;

/// How often a write that waits is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Sends a write until it is decided; `None` where the store did not let it be decided before `late`: then it may still land.
pub async fn decided(
    store: &dyn ObjectStore,
    requests: &mut Requests,
    mut write: Write,
    late: Instant,
) -> Option<Verdict> {
    while write.verdict().is_none() {
        if let Some(request) = write.poll(clock::monotonic(), requests) {
            let reply = store.perform(request).await;
            write.accept(clock::monotonic(), &reply);
        } else if Instant::now() >= late {
            return None;
        } else {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    write.verdict().cloned()
}
