//! Feast's HTTP read API, so that an unmodified Feast client (`online_store: remote`) reads the grid. Knows no state: it
//! asks the grid as gRPC does.
//!
//! ```text
//! http      bounds, routes, status codes
//! request   a body into a question: which results of which keys        refusal   no, as Feast says it
//! reply     the answers as Feast's JSON
//! ```

mod http;
mod refusal;
mod reply;
mod request;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::ServeError;
use crate::assemble::Node;

/// A listening Feast port.
pub struct FeastServer {
    address: SocketAddr,
    serving: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl FeastServer {
    /// Listens and answers; `/health` says 503 until [`Self::set_serving`].
    ///
    /// # Errors
    /// [`ServeError::Feast`] when the address is taken or not ours.
    pub async fn start(node: Arc<Node>, listen: &str) -> Result<Self, ServeError> {
        let refused = |error| ServeError::Feast(listen.to_owned(), error);
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        // Without it each reply waits for the peer's delayed acknowledgement: 40 ms.
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection without TCP_NODELAY");
            }
        });
        let serving = Arc::new(AtomicBool::new(false));
        let router = http::router(node, Arc::clone(&serving));
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = axum::serve(listener, router).with_graceful_shutdown(async {
            let _ = stopped.await; // dropped or told: both end it
        });
        let task = tokio::spawn(async move {
            if let Err(error) = ended.await {
                tracing::error!(%error, "the Feast port ended");
            }
        });
        tracing::info!(%address, "listening for Feast clients");
        Ok(Self { address, serving, stop: Some(stop), task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The state was rebuilt: `/health` says 200.
    pub fn set_serving(&self) {
        self.serving.store(true, Ordering::Relaxed);
    }

    /// Takes no new request and lets those that run end, for a moment.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if tokio::time::timeout(super::STOP_PATIENCE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

#[cfg(test)]
mod tests;
