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

use super::ServeError;
use crate::assemble::Node;
use crate::listening::{Bound, Listening, Told};

/// A listening Feast port.
pub struct FeastServer {
    serving: Arc<AtomicBool>,
    listening: Listening,
}

impl FeastServer {
    /// Listens and answers; `/health` says 503 until [`Self::set_serving`].
    ///
    /// # Errors
    /// [`ServeError::Feast`] when the address is taken or not ours.
    pub async fn start(node: Arc<Node>, listen: &str) -> Result<Self, ServeError> {
        let refused = |error| ServeError::Feast(listen.to_owned(), error);
        let Bound { listener, address } = Bound::to(listen).await.map_err(refused)?;
        // Without it each reply waits for the peer's delayed acknowledgement: 40 ms.
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection without TCP_NODELAY");
            }
        });
        let serving = Arc::new(AtomicBool::new(false));
        let router = http::router(node, Arc::clone(&serving));
        let serve = |told: Told| axum::serve(listener, router).with_graceful_shutdown(told.stop()).into_future();
        let listening = Listening::start("the Feast port", address, serve);
        tracing::info!(%address, "listening for Feast clients");
        Ok(Self { serving, listening })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }

    /// The state was rebuilt: `/health` says 200.
    pub fn set_serving(&self) {
        self.serving.store(true, Ordering::Relaxed);
    }

    /// Takes no new request and lets those that run end, for a moment.
    pub async fn stop(self) {
        self.listening.stop(super::STOP_PATIENCE).await;
    }
}

#[cfg(test)]
pub(super) mod tests;
