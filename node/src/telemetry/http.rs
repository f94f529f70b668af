//! `GET /metrics`: OpenMetrics text for Prometheus. Knows no metric.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use thiserror::Error;
use tokio::sync::Mutex;

use super::sample::sample;
use crate::assemble::Node;
use crate::listening::{Bound, Listening, Told};

/// A scrape waits so long for shards and brokers, then shows what was seen before. Prometheus gives up after 10 s.
const LOOK_MAX: Duration = Duration::from_secs(2);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Nobody listens.
#[derive(Debug, Error)]
#[error("metrics on {0}: {1}; choose another --metrics, or `--metrics off`")]
pub struct ListenError(String, std::io::Error);

/// A listening server.
pub struct MetricsServer(Listening);

struct Scraped {
    node: Arc<Node>,
    /// One scrape looks at a time: shards are asked once, however many ask us.
    looking: Mutex<()>,
}

impl MetricsServer {
    /// Listens and answers until it is stopped.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn start(node: Arc<Node>, listen: &str) -> Result<Self, ListenError> {
        let refused = |error| ListenError(listen.to_owned(), error);
        let Bound { listener, address } = Bound::to(listen).await.map_err(refused)?;
        let scraped = Arc::new(Scraped { node, looking: Mutex::default() });
        let routes = Router::new().route("/metrics", get(metrics)).with_state(scraped);
        let serve = |told: Told| axum::serve(listener, routes).with_graceful_shutdown(told.stop()).into_future();
        let listening = Listening::start("the server of metrics", address, serve);
        tracing::info!(%address, "metrics at /metrics");
        Ok(Self(listening))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Takes no new scrape; one that runs may end, for a moment.
    pub async fn stop(self) {
        self.0.stop(LOOK_MAX).await;
    }
}

async fn metrics(State(scraped): State<Arc<Scraped>>) -> Response {
    let look = async {
        let _one = scraped.looking.lock().await;
        sample(&scraped.node).await;
    };
    if tokio::time::timeout(LOOK_MAX, look).await.is_err() {
        tracing::debug!("shards or brokers are slow: metrics show what was seen before");
    }
    match scraped.node.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
